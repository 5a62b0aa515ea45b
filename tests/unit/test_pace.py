"""What changes all the time is told as often as it is worth it."""

from __future__ import annotations

from typing import Any

from homenode.config.fields import filled
from homenode.pace import Pace, pace_fields

FIELDS = pace_fields(at_most_ms=5_000, at_least_ms=300_000, power_w=10, current_a=0.1)


def pace(**options: Any) -> Pace:
    return Pace(filled(FIELDS, **options))


def test_the_first_is_told_and_what_jitters_is_not() -> None:
    its = pace()
    assert its.offer("power", 244.0, 0)
    assert not its.offer("power", 253.9, 10_000)
    assert its.offer("power", 254.0, 20_000)
    assert its.offer("current_2", 0.4, 20_000)
    assert not its.offer("current_2", 0.49, 30_000)
    assert its.offer("voltage", 230.0, 20_000)
    assert not its.offer("voltage", 231.9, 30_000)


def test_what_does_not_change_is_told_at_least_so_often() -> None:
    its = pace()
    assert its.offer("power", 244.0, 0)
    assert not its.offer("power", 244.0, 299_999)
    assert its.offer("power", 244.0, 300_000)


def test_what_comes_too_soon_is_kept_until_its_time_and_only_the_newest() -> None:
    its = pace()
    assert its.offer("power", 0.0, 0)
    assert not its.offer("power", 1000.0, 1_000)
    assert not its.offer("power", 2000.0, 2_000)
    assert its.due_at() == 5_000
    assert not list(its.due(4_999))
    assert list(its.due(5_000)) == [("power", 2000.0)]
    assert its.due_at() is None
    assert its.told("power") == (2000.0, 5_000)


def test_what_went_back_meanwhile_is_not_told_late() -> None:
    its = pace()
    assert its.offer("power", 0.0, 0)
    assert not its.offer("power", 1000.0, 1_000)
    assert not its.offer("power", 0.0, 2_000)
    assert its.due_at() is None


def test_unknown_and_known_again_are_told_at_once() -> None:
    its = pace()
    assert its.offer("power", 244.0, 0)
    assert its.offer("power", None, 1)
    assert not its.offer("power", None, 2)
    assert its.offer("power", 244.0, 3)


def test_a_yes_or_no_is_never_held_back() -> None:
    its = pace()
    assert its.offer("water", False, 0)
    assert not its.offer("water", False, 1)
    assert its.offer("water", True, 2)
    assert its.offer("water", False, 3)


def test_forgotten_it_is_as_at_first() -> None:
    its = pace()
    assert its.offer("power", 244.0, 0)
    assert not its.offer("power", 900.0, 1)
    its.forget()
    assert its.due_at() is None
    assert its.offer("power", 244.0, 2)
