"""The updater starts: what a restart of its own, amid a trial, may not change."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from homenode.update.files import write_json
from homenode.update.host import Host
from homenode.update.places import Places
from homenode.update.proof import ANSWERS_MS, Before, judge
from homenode.update.rauc import Rauc, Slot
from homenode.update.updater import FAST_DEADLINE_S, FULL_DEADLINE_S, Updater
from tests.unit.update_course import trying

HOUR = 3_600_000


def updater(folder: Path, boot: str) -> Updater:
    """In slot B, where a version is on trial."""
    (folder / "update").mkdir(exist_ok=True)
    slots = [Slot("rootfs.0", "A", False, True), Slot("rootfs.1", "B", True, True)]
    rauc = SimpleNamespace(slots=lambda: slots)
    host: Any = SimpleNamespace(boot=boot, version="0.2.0", up_ms=lambda: 3 * HOUR, wall_ms=lambda: 1)
    return Updater(Places(folder, folder, folder, folder), cast(Rauc, rauc), cast(Host, host), 1)


@pytest.mark.parametrize(
    ("boot", "fast", "deadline_s"),
    [("boot-1", 1, FULL_DEADLINE_S), ("boot-1", 0, FAST_DEADLINE_S), ("boot-2", 1, FAST_DEADLINE_S)],
    ids=["after the first stage", "before it", "another start of the machine"],
)
def test_an_updater_that_starts_anew_leaves_the_watch_the_time_that_it_had(
    tmp_path: Path, boot: str, fast: int, deadline_s: int
) -> None:
    write_json(tmp_path / "course.json", trying(fast=fast).record())
    updater(tmp_path, boot).begin()
    assert (tmp_path / "trial").read_text() == f"slot=B\nold=A\ndeadline_s={deadline_s}\n"


def test_an_updater_that_starts_anew_asks_a_gateway_that_is_silent_just_now_once_more(tmp_path: Path) -> None:
    write_json(tmp_path / "course.json", trying(fast=1).record())
    seen = updater(tmp_path, "boot-1")._seen
    assert not judge(Before(), seen, 3 * HOUR + ANSWERS_MS - 1).bad
    assert judge(Before(), seen, 3 * HOUR + ANSWERS_MS).bad
    assert judge(Before(), updater(tmp_path, "boot-2")._seen, ANSWERS_MS).bad
