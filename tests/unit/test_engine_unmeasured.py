"""A node that boots without the time doesn't know how long it was down; when it learns, nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homenode.engine import Engine, WallClock
from homenode.engine.events import ClockSet, Event, NodeDown, NodeUp, Reading
from homenode.language.bound import BoundRule, BoundStep, Compare, For, Not
from tests.unit.test_engine_reference import STALE, START, ZONE, engine_for, lines, rules, traces

MIN = 60_000
HOT = Compare("stove.power", ">", 50)
STOVE = BoundRule(
    "stove",
    "stove",
    1,
    "alarm",
    ("care",),
    For(HOT, 20 * MIN),
    Not(HOT),
    (BoundStep(1, "say", 0), BoundStep(2, "notify", 3 * MIN, parties=("care",))),
    grace_ms=60 * MIN,
)


def moved(events: list[Event], by_ms: int) -> list[Event]:
    return [event._replace(at=event.at + by_ms) for event in events]


@given(rules(), traces(), traces(), st.integers(0, 12), st.integers(0, 12), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_when_the_length_is_told_every_condition_is_as_if_it_had_been_known(
    bound: tuple[BoundRule, ...],
    before: list[Event],
    since: list[Event],
    believed: int,
    longer: int,
    restart: bool,
) -> None:
    before = [event for event in before if not isinstance(event, NodeDown | NodeUp)] or [
        Reading("a.power", 1, START)
    ]
    since = [event for event in since if not isinstance(event, NodeDown | NodeUp)]
    down = before[-1].at + 1
    up = down + believed
    after = moved(since, up + 1 - START)
    clock = after[-1].at + 1 if after else up + 1
    engine = engine_for(bound)
    for event in [*before, NodeDown(down), NodeUp(up, measured=False), *after]:
        engine.feed(event)
    engine.advance(clock - 1)
    if restart:
        data = json.loads(json.dumps(engine.dump()))
        engine = Engine.load(data, bound, STALE, modes=engine.modes, wall=WallClock(ZONE))
    engine.feed(ClockSet(clock, slept_ms=believed + longer))

    known = Engine(bound, STALE, start=START - longer, modes=engine.modes, wall=WallClock(ZONE))
    for event in [*moved(before, -longer), NodeDown(down - longer), NodeUp(up), *after]:
        known.feed(event)
    for now in (clock, clock + 1, clock + 4, clock + 20):
        engine.advance(now)
        known.advance(now)
        truths = {name: verdict.truth for name, verdict in engine.verdicts().items()}
        assert truths == {name: verdict.truth for name, verdict in known.verdicts().items()}


def overdue(slept_ms: int, *, bridge_ms: int = 15 * MIN) -> list[tuple[int, str, int]]:
    engine = Engine([replace(STOVE, bridge_ms=bridge_ms)], {}, start=0, wall=WallClock("UTC"))
    for event in (
        Reading("stove.power", 1500, 0),
        NodeDown(15 * MIN),
        NodeUp(15 * MIN + 1000, measured=False),
        ClockSet(16 * MIN, slept_ms=slept_ms),
    ):
        engine.feed(event)
    return [(at, event, step) for at, _, event, step, _ in lines(engine.advance(30 * MIN))]


def test_what_became_overdue_during_an_unmeasured_downtime_happens_when_its_length_is_told() -> None:
    raised_had_it_been_known = 15 * MIN + 1000
    assert overdue(10 * MIN) == [
        (16 * MIN, "raised", 0),
        (16 * MIN, "step", 1),
        (raised_had_it_been_known + 3 * MIN, "step", 2),
    ]


def test_what_is_not_yet_overdue_comes_at_its_own_instant() -> None:
    assert overdue(2 * MIN)[0] == (18 * MIN + 1000, "raised", 0)


def test_a_downtime_that_proves_too_long_leaves_the_rule_not_knowing() -> None:
    assert overdue(10 * MIN, bridge_ms=9 * MIN) == []
