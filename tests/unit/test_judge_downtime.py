"""After a long downtime what sleeps gets its time before it counts as missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homenode.engine.engine import Engine
from homenode.engine.events import ClockSet
from homenode.judge import Judge
from homenode.language.bound import And, Between, Compare, Not
from homenode.reading import Reading
from tests.unit.test_judge import (
    MIN,
    MODES,
    RULE,
    a_judge,
    down_for,
)


def blind(*points: str, bridge_ms: int = 15 * MIN, heard: bool = True, asks_clock: bool = False) -> Judge:
    """One rule that reads these points, heard a second after the first start."""
    clock = (Between(0, 24 * 60),) if asks_clock else ()
    when = And((*(Compare(point, "==", True) for point in points), *clock))
    rule = replace(RULE, when=when, clear=Not(when), bridge_ms=bridge_ms)
    judge = a_judge(Engine([rule], {"eye": 60 * MIN, "plug": 60 * MIN}, start=0, modes=MODES))
    judge.rules = {rule.name: rule}
    judge.delivery.reload({}, judge.rules)
    for point in points:
        if heard:
            judge.feed(Reading(point, False, 1000))
    judge.advance(2000)
    return judge


def told_to_care(judge: Judge, to: int) -> list[int]:
    """When care was told that the rule is blind."""
    return [m.at for m in judge.advance(to).messages if m.topic == "hn1/h1/care/alerts"]


def test_what_sleeps_is_told_as_missing_only_when_it_had_its_time_after_a_long_downtime() -> None:
    judge = blind("eye.motion")
    up = down_for(judge, 20 * MIN)
    assert told_to_care(judge, up + 60 * MIN - 1) == []
    assert told_to_care(judge, up + 60 * MIN) == [up + 60 * MIN]
    judge = blind("eye.motion")
    judge.feed(Reading("eye.motion", False, down_for(judge, 20 * MIN) + 30 * MIN))
    assert told_to_care(judge, 100 * MIN) == []


@pytest.mark.parametrize(("bridge_ms", "span_ms"), [(0, MIN), (15 * MIN, 20 * MIN), (120 * MIN, 70 * MIN)])
def test_that_counts_from_each_downtime_that_a_rule_does_not_bridge_or_that_is_long(
    bridge_ms: int, span_ms: int
) -> None:
    judge = blind("eye.motion", bridge_ms=bridge_ms)
    up = down_for(judge, span_ms)
    assert told_to_care(judge, up + 90 * MIN) == [up + 60 * MIN]


def test_what_can_be_asked_is_told_as_missing_at_once() -> None:
    judge = blind("eye.motion", "plug.switch")
    up = down_for(judge, 20 * MIN)
    assert told_to_care(judge, up + 90 * MIN) == [up + 11 * MIN]


def test_what_was_heard_again_and_has_a_fault_is_told_at_once() -> None:
    judge = blind("eye.motion")
    up = down_for(judge, 20 * MIN, Reading("eye.motion", None, 0))
    assert told_to_care(judge, up + 90 * MIN) == [up + 11 * MIN]


def test_what_was_never_heard_is_told_at_once() -> None:
    judge = blind("eye.motion", heard=False)
    up = down_for(judge, 20 * MIN)
    assert told_to_care(judge, up + 90 * MIN) == [up + 11 * MIN]


def test_a_clock_that_is_not_set_is_told_at_once() -> None:
    judge = blind("eye.motion", asks_clock=True)
    judge.feed(ClockSet(2500, trusted=False))
    up = down_for(judge, 20 * MIN, measured=False)
    assert told_to_care(judge, up + 90 * MIN) == [up + 11 * MIN]


def test_a_device_that_sleeps_is_silent_only_when_it_had_its_time_after_a_long_downtime() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    up = down_for(judge, 5 * 60 * MIN)
    judge.silence(up)
    assert judge.silence_due == up + MIN
    judge.silence(up + 60 * MIN - 5)
    assert judge.silent == set()
    assert judge.silence_due == up + 60 * MIN
    judge.silence(up + 60 * MIN)
    assert judge.silent == {"eye"}
    judge = a_judge()
    judge.feed(Reading("eye.power", 5, 1000))
    judge.silence(down_for(judge, 5 * 60 * MIN))
    assert judge.silent == {"eye"}
