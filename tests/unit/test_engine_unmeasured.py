"""A node that boots without the time doesn't know how long it was down; when it learns, nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.engine import Engine, WallClock
from homenode.engine.engine import MOST_SINCE
from homenode.engine.events import Acknowledge, ClockSet, Event, Heard, ModeSet, NodeDown, NodeUp, Reading
from homenode.language.bound import (
    And,
    Between,
    BoundRule,
    BoundStep,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    ModeIs,
    Not,
    Or,
    Within,
)
from tests.unit.test_engine_reference import STALE, START, ZONE, engine_for, lines, rules, traces

MIN, HOUR = 60_000, 3_600_000
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


@given(rules(("say", "notify")), traces(), traces(), st.integers(0, 12), st.integers(0, 12), st.booleans())
@settings(max_examples=150)
def test_when_the_length_is_told_every_condition_is_as_if_it_had_been_known(
    bound: tuple[BoundRule, ...],
    before: list[Event],
    since: list[Event],
    believed: int,
    longer: int,
    restart: bool,
) -> None:
    bound = tuple(  # a mode that a step really set stays set, whatever would have been
        replace(rule, steps=tuple(step for step in rule.steps if step.do != "mode")) for rule in bound
    )
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
    engine.feed(ClockSet(clock, offset_ms=longer, slept_ms=believed + longer))

    wall = WallClock(ZONE, offset_ms=longer)  # what was before reads the same on the wall
    known = Engine(bound, STALE, start=START - longer, modes=engine.modes, wall=wall)
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


# -- what was really told stays told, and counts from when it would have been

OPEN = Compare("door.contact", "==", True)
MISSED = 5 * MIN
"""What was missing of every downtime below: it is believed to be 1 s long."""
DOWN, UP, TOLD = 10 * MIN, 10 * MIN + 1000, 20 * MIN


def door(at: int, value: bool | None = True) -> Reading:
    return Reading("door.contact", value, at)


def a_rule(when: Expr = OPEN, *steps: BoundStep, clear: Expr | None = None, **more: object) -> BoundRule:
    rule = replace(STOVE, when=when, clear=clear or Not(when), steps=steps, grace_ms=600 * MIN)
    return replace(rule, name="rule", **more)  # type: ignore[arg-type]  # fields of BoundRule


def an_engine(*rules: BoundRule, stale: dict[str, int] | None = None) -> Engine:
    return Engine(rules, stale or {}, start=0, wall=WallClock("UTC"))


def fed(engine: Engine, *events: Event) -> Engine:
    for event in events:
        engine.feed(event)
    return engine


def clock(slept_ms: int = 1000 + MISSED, at: int = TOLD) -> ClockSet:
    return ClockSet(at, slept_ms=slept_ms)


def said(engine: Engine, to: int) -> list[tuple[int, str, int]]:
    return [(at, event, step) for at, _, event, step, _ in lines(engine.advance(to))]


def over_a_downtime(rule: BoundRule, *before: Event, since: tuple[Event, ...] = ()) -> Engine:
    return fed(an_engine(rule), *before, NodeDown(DOWN), NodeUp(UP, measured=False), *since, clock())


def test_an_open_alert_stays_the_same_and_its_steps_come_sooner_by_what_was_missing() -> None:
    say, notify = BoundStep(1, "say", 40 * MIN), BoundStep(2, "notify", 50 * MIN, parties=("care",))
    engine = over_a_downtime(a_rule(OPEN, say, notify), door(MIN))
    assert said(engine, TOLD) == [(MIN, "raised", 0)]
    assert [alert.raised_at for alert in engine.open_alerts()] == [MIN - MISSED]
    assert said(engine, 60 * MIN) == [(41 * MIN - MISSED, "step", 1), (51 * MIN - MISSED, "step", 2)]


def test_an_acknowledgement_before_the_downtime_lapses_sooner_by_what_was_missing() -> None:
    engine = over_a_downtime(a_rule(again_ms=30 * MIN), door(MIN), Acknowledge("rule", 2 * MIN))
    assert said(engine, 60 * MIN)[2:] == [(32 * MIN - MISSED, "lapsed", 0)]


def test_a_step_that_is_overdue_by_what_was_missing_runs_when_the_length_is_told() -> None:
    engine = over_a_downtime(a_rule(OPEN, BoundStep(1, "say", 22 * MIN)), door(MIN))
    assert said(engine, 60 * MIN) == [(MIN, "raised", 0), (TOLD, "step", 1)]


@pytest.mark.parametrize("later_ms", [0, 1])
def test_what_is_due_when_the_length_is_told_or_just_after_comes_at_its_own_instant(later_ms: int) -> None:
    window_ms = TOLD + later_ms + MISSED - 4 * MIN
    engine = over_a_downtime(a_rule(For(OPEN, window_ms), BoundStep(1, "say", 0)), door(4 * MIN))
    assert said(engine, 60 * MIN) == [(TOLD + later_ms, "raised", 0), (TOLD + later_ms, "step", 1)]


def test_a_step_that_ran_while_the_length_was_unknown_does_not_run_again_but_its_next_one_does() -> None:
    step = BoundStep(1, "say", 11 * MIN, every_ms=20 * MIN, times=2)
    engine = over_a_downtime(a_rule(OPEN, step), door(MIN))
    assert said(engine, 60 * MIN) == [
        (MIN, "raised", 0),
        (12 * MIN, "step", 1),
        (32 * MIN - MISSED, "step", 1),
    ]


def test_who_was_told_while_the_length_was_unknown_must_still_acknowledge() -> None:
    step = BoundStep(1, "notify", 11 * MIN, parties=("care", "property"))
    engine = over_a_downtime(a_rule(OPEN, step, hold=True), door(MIN))
    engine.advance(TOLD)
    (alert,) = engine.open_alerts()
    assert alert.told == ("care", "property")
    fed(engine, Acknowledge("rule", TOLD + 1, ("care",)), door(TOLD + 2, False))
    assert said(engine, TOLD + 2) == [(TOLD + 1, "acknowledged", 0)]
    fed(engine, Acknowledge("rule", TOLD + 3, ("property",)))
    assert said(engine, TOLD + 3)[-1] == (TOLD + 3, "resolved", 0)


def test_an_alert_raised_late_is_counted_from_when_it_would_have_been() -> None:
    say, notify = BoundStep(1, "say", 20 * MIN), BoundStep(2, "notify", 21 * MIN, parties=("care",))
    engine = over_a_downtime(a_rule(For(OPEN, 8 * MIN), say, notify), door(4 * MIN), since=(door(UP + 1),))
    assert said(engine, TOLD) == [(UP + 1 + 8 * MIN, "raised", 0)]
    assert engine.open_alerts()[0].alert == f"rule:{UP + 1 + 8 * MIN}"
    assert engine.open_alerts()[0].raised_at == UP
    assert said(engine, 60 * MIN) == [(UP + 20 * MIN, "step", 1), (UP + 21 * MIN, "step", 2)]


def test_an_alert_first_told_with_the_length_counts_from_then_in_its_name_and_from_its_raise_in_time() -> (
    None
):
    steps = BoundStep(1, "say", 60 * MIN), BoundStep(2, "notify", 61 * MIN, parties=("care",))
    engine = over_a_downtime(a_rule(For(OPEN, 12 * MIN), *steps), door(4 * MIN))
    assert said(engine, TOLD) == [(TOLD, "raised", 0)]
    (alert,) = engine.open_alerts()
    raised_at = 16 * MIN - MISSED
    assert (alert.alert, alert.raised_at) == (f"rule:{TOLD}", raised_at)
    assert said(engine, 90 * MIN) == [(raised_at + 60 * MIN, "step", 1), (raised_at + 61 * MIN, "step", 2)]


def test_an_alert_without_notify_steps_that_is_told_late_was_told_to_its_parties() -> None:
    engine = over_a_downtime(a_rule(For(OPEN, 12 * MIN)), door(4 * MIN))
    engine.advance(TOLD)
    assert engine.open_alerts()[0].told == ("care",)


def test_an_alert_that_would_be_over_is_resolved_when_the_length_is_told() -> None:
    lately = Within(OPEN, 12 * MIN)
    engine = over_a_downtime(a_rule(lately), door(MIN), door(4 * MIN, False))
    assert said(engine, 60 * MIN) == [(MIN, "raised", 0), (TOLD, "resolved", 0)]


def test_a_rule_that_was_blind_only_for_want_of_the_length_recovers_when_it_is_told() -> None:
    engine = over_a_downtime(a_rule(grace_ms=MIN), door(MIN, False))
    told = engine.advance(60 * MIN)
    assert [(t.at, t.event.value) for t in told] == [(UP + MIN, "fault"), (TOLD, "recovered")]
    assert told[0].alert == told[1].alert


def test_a_rule_that_is_blind_in_spite_of_the_length_stays_so_and_is_told_once() -> None:
    engine = over_a_downtime(a_rule(grace_ms=MIN), door(0, False), door(DOWN - 1, None))
    told = engine.advance(60 * MIN)
    assert [(t.at, t.event.value) for t in told] == [(UP + MIN, "fault")]
    assert [alert.alert for alert in engine.open_alerts()] == [told[0].alert]


def test_what_would_have_blinded_a_rule_is_a_fault_when_the_length_is_told() -> None:
    """Not knowing the length makes a point unknown, where with the length it is stale."""
    rule = a_rule(Or((HasQuality("door.contact", "unknown"), OPEN)), grace_ms=MIN)
    engine = an_engine(rule, stale={"door": 12 * MIN})
    fed(engine, door(MIN, False), NodeDown(DOWN), NodeUp(UP, measured=False), clock())
    told = [(at, event, because) for at, _, event, _, because in lines(engine.advance(60 * MIN))]
    raised = [(0, "raised", ()), (MIN, "resolved", ()), (UP, "raised", ())]
    assert told == [*raised, (TOLD, "fault", ("door.contact",))]
    assert engine.open_alerts()[-1].alert == f"rule:blind:{TOLD}"


def test_a_change_heard_while_the_length_is_unknown_is_told_once() -> None:
    engine = over_a_downtime(a_rule(Changes("door.contact")), door(MIN, False), since=(door(UP + MIN),))
    assert said(engine, 60 * MIN) == [(UP + MIN, "raised", 0), (UP + MIN + 1, "resolved", 0)]


# -- what is kept, and for how long


@pytest.mark.parametrize("slept_ms", [1000, 5 * MIN])
def test_a_downtime_exactly_as_long_as_the_bridge_is_covered(slept_ms: int) -> None:
    """Also one that was as long as it was believed to be."""
    for bridge_ms, told in ((slept_ms, True), (slept_ms - 1, False)):
        engine = an_engine(a_rule(For(OPEN, 12 * MIN), bridge_ms=bridge_ms))
        fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False), clock(slept_ms))
        assert bool(said(engine, 60 * MIN)) is told


def test_a_downtime_of_no_length_changes_nothing() -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN), bridge_ms=0))
    fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(DOWN, measured=False), clock(0))
    assert said(engine, 60 * MIN) == [(TOLD, "raised", 0)]


def test_the_instant_before_the_length_is_told_counts() -> None:
    pressed = Within(Compare("help.button", "==", True), 5 * MIN)
    engine = over_a_downtime(a_rule(pressed), since=(Reading("help.button", True, TOLD - 1),))
    assert said(engine, 60 * MIN) == [(TOLD - 1, "raised", 0), (TOLD - 1 + 5 * MIN + 1, "resolved", 0)]


def test_a_mode_ends_sooner_by_what_was_missing() -> None:
    engine = over_a_downtime(a_rule(ModeIs("away")), ModeSet("away", MIN, 30 * MIN))
    assert said(engine, 60 * MIN) == [(MIN, "raised", 0), (31 * MIN - MISSED, "resolved", 0)]


def test_without_the_length_a_clock_that_is_set_ends_nothing() -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN)))
    fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False))
    fed(engine, ClockSet(UP + MIN, trusted=False), clock())
    assert said(engine, 60 * MIN) == [(TOLD, "raised", 0)]


def test_a_second_downtime_leaves_the_first_too_long() -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN)))
    fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False), Heard("door", UP + 5))
    fed(engine, NodeDown(UP + 10), NodeUp(UP + 20), clock())
    assert said(engine, 60 * MIN) == []


def test_of_two_downtimes_in_a_row_the_length_of_the_last_is_told() -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN)))
    fed(engine, NodeDown(MIN), NodeUp(2 * MIN, measured=False), door(4 * MIN))
    fed(engine, NodeDown(DOWN), NodeUp(UP, measured=False), clock())
    assert said(engine, 60 * MIN) == [(TOLD, "raised", 0)]


@pytest.mark.parametrize(("more", "told"), [(0, True), (1, False)])
def test_so_much_is_kept_while_the_length_is_unknown_and_no_more(more: int, told: bool) -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN)))
    fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False))
    fed(engine, *(Heard("door", UP + 1 + nth) for nth in range(MOST_SINCE + more)), clock())
    assert bool(said(engine, 60 * MIN)) is told


def test_hours_of_a_busy_home_are_kept() -> None:
    assert MOST_SINCE == 10_000


@pytest.mark.parametrize("while_down", [True, False])
def test_a_restart_before_the_length_is_told_forgets_nothing(while_down: bool) -> None:
    rule = a_rule(For(OPEN, 12 * MIN))
    engine = fed(an_engine(rule), door(4 * MIN), NodeDown(DOWN))
    engine.advance(DOWN)
    if while_down:
        engine = Engine.load(json.loads(json.dumps(engine.dump())), [rule], {})
    fed(engine, NodeUp(UP, measured=False), door(UP + MIN))
    engine.advance(UP + 2 * MIN)
    engine = Engine.load(json.loads(json.dumps(engine.dump())), [rule], {})
    assert said(fed(engine, clock()), 60 * MIN) == [(TOLD, "raised", 0)]


def test_a_reload_before_the_length_is_told_leaves_the_downtime_too_long() -> None:
    rule = a_rule(For(OPEN, 12 * MIN))
    engine = fed(an_engine(rule), door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False))
    assert engine.reload([rule], {}, UP + MIN) == engine.advance(UP + MIN) == []
    assert said(fed(engine, clock()), 60 * MIN) == []


def test_what_was_heard_at_the_instant_of_the_downtime_is_moved_with_it() -> None:
    engine = over_a_downtime(a_rule(For(OPEN, 20 * MIN)), door(DOWN))
    assert said(engine, 60 * MIN) == [(DOWN + 20 * MIN - MISSED, "raised", 0)]


def test_silence_counts_through_what_was_missing() -> None:
    engine = an_engine(a_rule(HasQuality("door.contact", "stale")), stale={"door": 30 * MIN})
    fed(engine, door(MIN), NodeDown(DOWN), NodeUp(UP, measured=False), clock())
    assert said(engine, 60 * MIN) == [(31 * MIN - MISSED, "raised", 0)]


def test_turns_are_counted_through_what_was_missing() -> None:
    engine = over_a_downtime(
        a_rule(Count("door.contact", 60 * MIN, ">=", 2)), door(0, False), door(MIN), door(2 * MIN, False),
        door(3 * MIN),
    )  # fmt: skip
    assert said(engine, 120 * MIN) == [(3 * MIN, "raised", 0), (61 * MIN - MISSED + 1, "resolved", 0)]


def test_the_wall_clock_that_is_told_with_the_length_counts_for_the_time_before_too() -> None:
    early = a_rule(And((OPEN, Between(0, 60))))
    engine = an_engine(early)
    fed(engine, ClockSet(0, trusted=False), door(MIN), NodeDown(DOWN), NodeUp(UP, measured=False))
    fed(engine, ClockSet(TOLD, offset_ms=-TOLD, slept_ms=1000 + MISSED))
    assert said(engine, 90 * MIN) == [(TOLD, "raised", 0), (TOLD + 60 * MIN, "resolved", 0)]


def test_what_was_before_the_first_start_stays_unknown_and_is_so_much_longer_ago() -> None:
    engine = over_a_downtime(a_rule(Within(OPEN, 30 * MIN), clear=OPEN), door(0, False))
    engine.advance(30 * MIN - MISSED - 1)
    assert engine.verdicts()["rule"].truth == "UNKNOWN"
    engine.advance(30 * MIN - MISSED)
    assert engine.verdicts()["rule"].truth == "FALSE"
    assert engine.start == -MISSED


def test_what_was_otherwise_before_the_downtime_is_as_long_ago_as_it_really_was() -> None:
    engine = Engine([STOVE], {}, start=0, wall=WallClock("UTC"))
    for event in (
        Reading("stove.power", 0, 0),
        Reading("stove.power", 1500, MIN),
        NodeDown(5 * MIN),
        NodeUp(6 * MIN, measured=False),
        ClockSet(7 * MIN, slept_ms=4 * MIN),
    ):
        engine.feed(event)
    assert lines(engine.advance(HOUR))[0][:3] == (18 * MIN, "stove", "raised")


def test_a_length_told_at_the_instant_of_up_counts_from_the_next() -> None:
    engine, up = Engine([STOVE], {}, start=0, wall=WallClock("UTC")), 15 * MIN + 1000
    for event in (
        Reading("stove.power", 1500, 0),
        NodeDown(15 * MIN),
        NodeUp(up, measured=False),
        ClockSet(up, slept_ms=10 * MIN),
    ):
        engine.feed(event)
    assert lines(engine.advance(up + 1))[0][:3] == (up + 1, "stove", "raised")


def test_a_length_told_at_the_instant_of_up_may_come_after_a_reading() -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN)))
    fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False), door(UP), clock(at=UP))
    assert said(engine, 60 * MIN) == [(16 * MIN - MISSED, "raised", 0)]


def test_a_node_that_goes_down_again_at_once_takes_the_length_of_the_first_downtime_with_it() -> None:
    engine = an_engine(a_rule(For(OPEN, 12 * MIN)))
    fed(engine, door(4 * MIN), NodeDown(DOWN), NodeUp(UP, measured=False), clock(at=UP), NodeDown(UP))
    assert said(fed(engine, NodeUp(UP + 20)), 60 * MIN) == []
