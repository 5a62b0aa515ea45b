"""deploy/homenode-trial: the watch over a version on trial that needs no Python, and a small boot loader."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from homenode.update.places import Places, arm, disarm, left_by

SCRIPT = Path(__file__).parents[2] / "deploy/homenode-trial"


class Watched:
    """A box: its /proc, its boot loader, its updater's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.places = folder, Places(folder, folder / "own", folder, folder)
        for name in ("own", "proc/sys/kernel/random"):
            (folder / name).mkdir(parents=True)
        (folder / "boot-state").write_text(f'#!/bin/sh\necho "$@" >>{folder}/told\n')
        (folder / "boot-state").chmod(0o755)

    def look(self, slot: str, up_s: int, boot: str = "boot-1") -> list[str]:
        """As its timer calls it; what it did."""
        proc = self.folder / "proc"
        (proc / "cmdline").write_text(f"console=ttyS0 rauc.slot={slot} ro\n")
        (proc / "uptime").write_text(f"{up_s}.12 99.9\n")
        (proc / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        subprocess.run(
            ["sh", str(SCRIPT), str(self.places.own)], check=True,
            env={"PATH": "/usr/bin:/bin", "PROC": str(proc), "BOOT_STATE": str(self.folder / "boot-state"),
                 "REBOOT": f"{self.folder}/boot-state reboot", "STOP": f"{self.folder}/boot-state stop"},
        )  # fmt: skip
        return told.read_text().splitlines() if told.exists() else []


@pytest.fixture
def box(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_it_falls_back_at_the_deadline_and_not_before_and_says_so(box: Watched) -> None:
    arm(box.places, "B", "A", 1200)
    assert box.look("B", 60) == []
    assert box.look("B", 1199) == []
    assert left_by(box.places) == (1, 0)
    assert box.look("B", 1200) == ["set-state B bad", "set-primary A", "reboot"]
    assert left_by(box.places) == (1, 20)
    disarm(box.places)
    assert left_by(box.places) == (0, 0)


def test_it_falls_back_though_nothing_can_be_written_down(box: Watched) -> None:
    """The version on trial has filled the disk, or it is read-only by now."""
    arm(box.places, "B", "A", 1200)
    box.places.starts.mkdir()
    assert box.look("B", 60) == []
    assert box.look("B", 1200) == ["set-state B bad", "set-primary A", "reboot"]


def test_it_restarts_though_the_boot_loaders_state_can_not_be_written(box: Watched) -> None:
    """Then starts are counted down."""
    arm(box.places, "B", "A", 1200)
    (box.folder / "boot-state").write_text(f'#!/bin/sh\necho "$1" >>{box.folder}/told\n[ "$1" = reboot ]\n')
    assert box.look("B", 1200) == ["set-state", "set-primary", "reboot"]


def test_it_counts_starts_and_not_its_looks(box: Watched) -> None:
    arm(box.places, "B", "A", 1200)
    for boot in ("boot-1", "boot-1", "boot-2", "boot-3", "boot-3"):
        box.look("B", 30, boot)
    assert left_by(box.places) == (3, 0)


def test_the_updater_may_read_what_root_wrote_down(box: Watched) -> None:
    """Its unit has UMask=0077, and the updater is no root: the reason would be lost."""
    arm(box.places, "B", "A", 1200)
    kept = os.umask(0o077)
    try:
        box.look("B", 1200)
    finally:
        os.umask(kept)
    assert box.places.starts.stat().st_mode & 0o777 == 0o644


def test_in_the_old_slot_it_does_nothing(box: Watched) -> None:
    arm(box.places, "B", "A", 1200)
    assert box.look("A", 99_999) == []
    assert left_by(box.places) == (0, 0)


def test_without_a_trial_it_stops_its_timer(box: Watched) -> None:
    assert box.look("B", 99_999) == ["stop"]


@pytest.mark.parametrize(
    "text", ["slot=B\n", "slot=\nold=A\ndeadline_s=5\n", "slot=B\nold=$(x)\ndeadline_s=5\n", "\0\0"]
)
def test_a_damaged_word_of_a_trial_does_nothing(box: Watched, text: str) -> None:
    box.places.trial.write_text(text)
    assert box.look("B", 99_999) == []
