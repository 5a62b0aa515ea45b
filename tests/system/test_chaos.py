"""A short run of the rig (`tests.chaos`): what fails most often; nothing is lost, doubled or misdirected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import disk, mass, net
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
    print(run(tmp_path / "run", "short", 18, deck=QUICK))


@pytest.mark.parametrize("how", ["cuts", "kills"])
def test_a_few_deaths_of_a_node_lose_and_double_nothing(tmp_path: Path, how: str) -> None:
    print(mass.nodes(tmp_path / "run", how, 3, "short"))


def test_pulling_the_plug_at_random_moments_loses_nothing_acknowledged(tmp_path: Path) -> None:
    print(mass.journals(tmp_path / "run", "cuts", 6, "short"))
