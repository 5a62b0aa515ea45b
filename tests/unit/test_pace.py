"""What changes all the time is told as often as it is worth it."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.config.fields import filled
from homenode.pace import Pace, pace_fields

FIELDS = pace_fields(at_most_ms=5_000, at_least_ms=300_000, power_w=10, current_a=0.1)
T = 1_790_000_000_000
"""Some instant."""


def pace(**options: Any) -> Pace:
    return Pace(filled(FIELDS, **options))


def test_its_fields_accept_what_makes_sense() -> None:
    assert {field.name: (field.default, field.low, field.high) for field in FIELDS} == {
        "at_most_every": (5_000, 0, 600_000),
        "at_least_every": (300_000, 1_000, 1_800_000),
        "power_change": (10, 0, 10_000),
        "current_change": (0.1, 0, 100),
    }


@pytest.mark.parametrize(
    ("kind", "first", "jitters", "moves"),
    [
        ("power", 244.0, 253.9, 254.0),
        ("power_4", 0.0, -9.9, -10.0),
        ("current_2", 0.0, 0.09, 0.1),
        ("current", 1.0, 0.91, 0.0),
        ("voltage_3", 230.0, 231.9, 228.0),
        ("energy", 60995.4, 60995.409, 60995.41),
        ("temperature", 21.0, 21.0, 21.1),
    ],
)
def test_the_first_is_told_and_what_jitters_is_not(
    kind: str, first: float, jitters: float, moves: float
) -> None:
    its = pace()
    assert its.offer(kind, first, T)
    assert not its.offer(kind, jitters, T + 10_000)
    assert its.offer(kind, moves, T + 20_000)
    assert its.told(kind) == (moves, T + 20_000)


def test_what_does_not_change_is_told_at_least_so_often() -> None:
    its = pace()
    assert its.offer("power", 244.0, T)
    assert not its.offer("power", 244.0, T + 299_999)
    assert its.offer("power", 244.0, T + 300_000)


def test_what_comes_too_soon_is_kept_until_its_time_and_only_the_newest() -> None:
    its = pace()
    assert its.offer("power", 0.0, T)
    assert its.offer("current", 0.0, T + 500)
    assert not its.offer("power", 1000.0, T + 1_000)
    assert not its.offer("power", 2000.0, T + 2_000)
    assert not its.offer("current", 9.0, T + 2_000)
    assert its.due_at() == T + 5_000
    assert not list(its.due(T + 4_999))
    assert list(its.due(T + 5_000)) == [("power", 2000.0)]
    assert its.due_at() == T + 5_500
    assert its.told("power") == (2000.0, T + 5_000)


def test_what_went_back_meanwhile_is_not_told_late() -> None:
    its = pace()
    assert its.offer("power", 0.0, T)
    assert not its.offer("power", 1000.0, T + 1_000)
    assert not its.offer("power", 0.0, T + 2_000)
    assert its.due_at() is None


@pytest.mark.parametrize("watts", [244.0, 5.0, 0.0])
def test_unknown_and_known_again_are_told_at_once(watts: float) -> None:
    its = pace()
    assert its.offer("power", watts, T)
    assert its.offer("power", None, T + 1)
    assert not its.offer("power", None, T + 2)
    assert its.offer("power", watts, T + 3)


def test_a_yes_or_no_is_never_held_back() -> None:
    its = pace()
    assert its.offer("water", False, T)
    assert not its.offer("water", False, T + 1)
    assert its.offer("water", True, T + 2)
    assert its.offer("water", False, T + 3)


def test_forgotten_it_is_as_at_first() -> None:
    its = pace()
    assert its.offer("power", 244.0, T)
    assert not its.offer("power", 900.0, T + 1)
    its.forget()
    assert its.due_at() is None
    assert its.told("power") is None
    assert its.offer("power", 244.0, T + 2)
