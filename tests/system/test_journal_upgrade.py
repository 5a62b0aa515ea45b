"""A journal of the schema before (`journal-schema-1.tgz`, written by that homenode, killed with kill -9)."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

from homenode.journal import Journal
from homenode.journal.codec import SCHEMA
from homenode.journal.segment import find
from homenode.journal.staging import path_of
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.disks import fill, memory, mounted, must
from tests.system.journal_writer import LIMITS, record
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_journal_crash import tidy
from tests.system.test_node import a_home

ARCHIVE = Path(__file__).with_name("journal-schema-1.tgz")
ROOT = Path(__file__).parents[2]
CUTS = 25


def unpack(folder: Path, part: str) -> Path:
    """``writer`` or ``node`` of the archive, as a data folder."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / part


def acknowledged(data: Path) -> list[int]:
    return [int(line) for line in (data / "acknowledged").read_text().split()]


def lost(data: Path, expected: list[int]) -> set[int]:
    with Journal.open(data, limits=LIMITS) as journal:
        found = dict(journal.read())
        assert not [damage for damage in journal.damage if not damage.torn], journal.damage
    return {number for number in expected if found.get(number) != record(number)}


def test_it_is_read_whole_and_what_is_new_is_written_in_the_present_schema(tmp_path: Path) -> None:
    data = unpack(tmp_path, "writer")
    before = {segment.path.name: segment.schema for segment in find(data / "journal")}
    assert set(before.values()) == {1}
    with Journal.open(data, limits=LIMITS) as journal:
        epoch, last = journal.epoch, journal.last
        journal.append({"t": "tr", "n": last + 1}, klass="alert")
        journal.commit().result(20)
    files = {segment.path.name: segment for segment in find(data / "journal")}
    assert files[max(files)].schema == SCHEMA > 1
    assert {segment.epoch for segment in files.values()} == {epoch}
    assert lost(data, acknowledged(data)) == set()
    with Journal.open(data, limits=LIMITS) as journal:
        assert journal.last == last + 1


def test_compaction_takes_old_files_over_and_keeps_their_alerts(tmp_path: Path) -> None:
    data = unpack(tmp_path, "writer")
    with Journal.open(data, limits=LIMITS) as journal:
        tidy(journal)
    files = find(data / "journal")
    assert files[0].compact
    assert files[0].schema == SCHEMA
    assert lost(data, acknowledged(data)) == set()


def test_as_long_as_an_update_may_be_taken_back_the_schema_before_is_written(tmp_path: Path) -> None:
    data = unpack(tmp_path, "writer")
    with Journal.open(data, limits=LIMITS, schema=1) as journal:
        for nth in range(200):
            journal.append({"t": "tr", "n": nth, "text": "y" * 400}, klass="alert")
        journal.commit().result(20)
    assert {segment.schema for segment in find(data / "journal")} == {1}


def test_without_room_for_a_file_in_the_present_schema_the_old_one_is_gone_on_with(tmp_path: Path) -> None:
    with memory(tmp_path / "small") as disk:
        data = unpack(disk, "writer")
        for name in ("node", "acknowledged"):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(disk / name, ignore_errors=True)
        fill(disk)
        with Journal.open(data, limits=LIMITS) as journal:
            number = journal.append({"t": "tr", "n": 1}, klass="alert")
            journal.commit(number).result(20)
        with Journal.open(data, limits=LIMITS) as journal:
            assert dict(journal.read(number))[number] == {"t": "tr", "n": 1}


def test_kill_9_before_any_step_of_the_upgrade_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the folder holds before each system call that changes it is a start like any other."""
    data = unpack(tmp_path, "writer")
    expected, states = acknowledged(data), []
    with monkeypatch.context() as patch:
        for name in ("pwrite", "rename", "unlink"):
            call = getattr(os, name)

            def step(*args: Any, call: Any = call) -> Any:
                states.append(tmp_path / f"state-{len(states)}")
                shutil.copytree(data, states[-1])
                return call(*args)

            patch.setattr(os, name, step)
        with Journal.open(data, limits=LIMITS) as journal:
            tidy(journal)
    assert len(states) > 10
    for state in states:
        assert lost(state, expected) == set()


def _cut(disk: Path, copy: Path, mount: Path, pause_s: float) -> None:
    """Open the journal on `disk`, and after `pause_s` keep what a power cut there would have left."""
    with mounted("-o", "loop", str(disk), at=mount) as folder:
        opener = subprocess.Popen(
            [sys.executable, "-m", "tests.system.journal_writer", str(folder / "writer")],
            stdout=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        with opener:
            threading.Event().wait(pause_s)
            opener.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, opener.pid, os.WSTOPPED)
            shutil.copyfile(disk, copy)
            opener.kill()
            path_of(folder / "writer" / "journal").unlink(missing_ok=True)


def test_a_power_cut_amid_the_upgrade_loses_nothing(tmp_path: Path) -> None:
    if not shutil.which("mkfs.ext4"):
        pytest.skip("mkfs.ext4 is not installed")
    chance = random.Random(7)
    disk, running, copy = (tmp_path / f"{name}.img" for name in ("disk", "running", "copy"))
    mount = tmp_path / "mnt"
    with disk.open("wb") as file:
        file.truncate(16 << 20)
    must("mkfs.ext4", "-q", "-F", str(disk))
    with mounted("-o", "loop", str(disk), at=mount) as folder:
        expected = acknowledged(unpack(folder, "writer"))
    schemas = set()
    for _ in range(CUTS):
        shutil.copyfile(disk, running)
        _cut(running, copy, mount, chance.uniform(0.02, 0.35))
        with mounted("-o", "loop", str(copy), at=mount) as folder:
            schemas |= {tuple(sorted({file.schema for file in find(folder / "writer" / "journal")}))}
            assert lost(folder / "writer", expected) == set()
    assert schemas == {(1,), (1, SCHEMA)}


@needs_mosquitto
def test_a_node_goes_on_with_what_the_one_before_had_not_sent(tmp_path: Path, broker: Mosquitto) -> None:
    data = unpack(tmp_path, "node")
    home = a_home(tmp_path / "home", broker.port, [(0.2, False)])
    with Receiver(broker.port, "hn1/test-1/care/alerts") as receiver, NodeProcess(home, data) as node:
        node.until("ready")
        receiver.until(lambda r: len(r.alerts("notified")) >= 2, "both alerts of the night before")
        told = receiver.alerts()[:3]
    assert [(body["sequence"], body["data"]["event"]) for body in told] == [
        ("1", "notified"), ("2", "resolved"), ("3", "notified"),
    ]  # fmt: skip
