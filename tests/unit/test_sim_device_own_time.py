"""A device's own time may be told to run faster, also for what it already waits for."""

from __future__ import annotations

from homenode.sim.zigbee.device_own_time import OwnTime
from tests.unit.sim_device_air import PaperAir


def test_what_is_waited_for_comes_sooner_when_time_runs_faster() -> None:
    air = PaperAir()
    own = OwnTime(air, 1.0)
    came: list[float] = []
    own.later(100.0, lambda: came.append(air.now))
    air.run(40.0)
    own.pace = 60.0
    air.run(10.0)
    assert came == [41.0]


def test_what_was_cancelled_does_not_come_back_with_another_pace() -> None:
    air = PaperAir()
    own = OwnTime(air, 1.0)
    came: list[float] = []
    own.later(10.0, lambda: came.append(air.now))()
    own.pace = 2.0
    air.run(60.0)
    assert came == []
