"""A short run of the rig (`tests.chaos`): what fails most often; nothing is lost, doubled or misdirected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import disk, net
from tests.chaos.faults import FAULTS
from tests.chaos.rig import run
from tests.system.brokers import needs_mosquitto

WHY_NOT = disk.why_not() or net.why_not()
pytestmark = [needs_mosquitto, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")]
QUICK = tuple(
    fault
    for fault in FAULTS
    if fault.name
    in (
        "node killed (kill -9)", "power cut, amid a write or flush", "disk gives EIO for records",
        "clock in 1970", "broker hangs up", "network cut, unnoticed", "broker killed, remembers nothing",
    )
)  # fmt: skip


def test_half_a_minute_of_chaos_loses_doubles_and_misdirects_nothing(tmp_path: Path) -> None:
    print(run(tmp_path / "run", "short", 25, deck=QUICK))
