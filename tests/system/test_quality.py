"""How good the rules are can be measured: in a recorded home, within a minute, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality.__main__ import table
from tests.quality.measure import measure
from tests.quality.recorded import HERE, load
from tests.quality.spans import both, clock, lasted, outside, union

SHARED = Path(__file__).parents[3] / "shared/data/homes"


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no recordings at {SHARED}")
def test_every_hazard_in_a_recorded_home_is_found_at_its_deadline() -> None:
    quality = measure(load(HERE / "homes/b.yaml"), times=2, seed=7)
    assert not quality.during_cooking
    found = {rule.use: rule.hazards for rule in quality.rules if rule.hazards is not None}
    assert {"stove_left_on", "door_open_at_night", "water_leak", "smoke_alarm"} <= set(found)
    assert [(name, each.injected - each.exact) for name, each in found.items() if each.missed] == []
    assert sum(each.injected for each in found.values()) >= len(found)
    assert "`stove_left_on`" in table([quality])


def test_stretches_of_time_are_reckoned_by_the_millisecond() -> None:
    assert union([(5, 7)], [(1, 3), (3, 4)]) == [(1, 4), (5, 7)]
    assert outside([(1, 4), (5, 7)], 0, 9) == [(0, 1), (4, 5), (7, 9)]
    assert both([(1, 4), (5, 7)], [(3, 6)]) == [(3, 4), (5, 6)]
    assert lasted([(10, 15), (20, 26)], 5) == [(25, 26)]


def test_the_clock_on_the_wall_is_looked_at_in_the_homes_zone() -> None:
    from zoneinfo import ZoneInfo

    hour = 3_600_000
    assert clock("22:00", "06:00", ZoneInfo("Etc/GMT-1"), 0, 24 * hour) == [
        (0, 5 * hour),
        (21 * hour, 24 * hour),
    ]
