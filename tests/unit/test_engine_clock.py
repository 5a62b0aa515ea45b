"""Sentences about hours of the wall clock, daylight saving among them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homenode.engine import WallClock
from homenode.engine.events import (
    NodeDown,
    NodeUp,
)
from homenode.language.bound import (
    Between,
    Within,
)
from tests.unit.test_engine import HOUR, MIN, door, engine, rule, told


def stockholm(month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0) -> int:
    local = datetime(2026, month, day, hour, minute, fold=fold, tzinfo=ZoneInfo("Europe/Stockholm"))
    return int(local.timestamp()) * 1000


def between(start: int, end: int, first: int, last: int) -> list[tuple[Any, ...]]:
    return told(engine(rule(Between(start, end)), start=first, zone="Europe/Stockholm"), to=last)


def test_a_night_runs_over_midnight() -> None:
    noon, next_noon = stockholm(1, 5, 12), stockholm(1, 6, 12)
    assert between(22 * 60, 6 * 60, noon, next_noon) == [
        (stockholm(1, 5, 22), "raised"),
        (stockholm(1, 6, 6), "resolved"),
    ]


def test_an_hour_that_passed_while_the_node_was_down_is_remembered() -> None:
    machine = engine(rule(Within(Between(60, 61), HOUR)))
    said = told(machine, door(0), NodeDown(HOUR - 5 * MIN), NodeUp(HOUR + 5 * MIN), to=3 * HOUR)
    assert said == [(HOUR + 5 * MIN, "raised"), (2 * HOUR + MIN, "resolved")]


@pytest.mark.parametrize(("hour", "turned"), [(23, 22), (22, 22), (21, 6), (6, 6), (5, -2), (0, -2)])
def test_since_when_the_clock_reads_so_is_known(hour: int, turned: int) -> None:
    day = 20 * 24 * HOUR
    assert WallClock("UTC").turned(day + hour * HOUR, 22 * 60, 6 * 60) == day + turned * HOUR


def test_a_clock_that_is_moved_meanwhile_changes_nothing_of_since_when() -> None:
    wall = WallClock("Europe/Stockholm")
    for month, day in ((3, 29), (10, 25)):
        for hour in (1, 2, 4, 5):
            at = stockholm(month, day, hour)
            assert wall.turned(at, 22 * 60, 6 * 60) == stockholm(month, day - 1, 22)
        assert wall.turned(stockholm(month, day, 7), 22 * 60, 6 * 60) == stockholm(month, day, 6)


def test_an_hour_that_is_skipped_never_comes() -> None:
    assert between(2 * 60, 3 * 60, stockholm(3, 28, 12), stockholm(3, 29, 12)) == []


def test_an_hour_that_is_repeated_comes_twice() -> None:
    first, second = stockholm(10, 25, 2, 30), stockholm(10, 25, 2, 30, fold=1)
    assert second - first == HOUR
    assert between(2 * 60 + 30, 2 * 60 + 45, stockholm(10, 24, 12), stockholm(10, 25, 12)) == [
        (first, "raised"),
        (first + 15 * MIN, "resolved"),
        (second, "raised"),
        (second + 15 * MIN, "resolved"),
    ]
