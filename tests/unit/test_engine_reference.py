"""The engine says the same as the definitions, to the millisecond, whatever happens."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.config.model import Mode, Silence
from homenode.engine import Engine, Transition, WallClock
from homenode.engine.events import Acknowledge, Event, Heard, ModeSet, NodeDown, NodeUp, Reading
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
    Since,
    Within,
)
from tests.unit.engine_reference import Line, transitions

ZONE = "Europe/Stockholm"
START = int(datetime(2026, 1, 5, 20, 59, 59, 985_000, tzinfo=UTC).timestamp() * 1000)
"""15 ms before 22:00 in Stockholm."""
STALE = {"a": 9, "b": -1, "c": 6}
MODES = {"away": Mode("away", 11), "night": Mode("night", 4)}
NIGHTS = (None, None), (22 * 60, 6 * 60), (6 * 60, 22 * 60)
"""Hours of the night: none; begins 15 ms after the start; ends then."""

BOOLEAN = ("a.contact", "b.motion", "c.button", "b.button")
SPANS = st.integers(0, 9)


def atoms() -> st.SearchStrategy[Expr]:
    numbers = st.builds(
        Compare,
        st.just("a.power"),
        st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
        st.sampled_from((2, 2, 1, 2.2, 3)),
    )
    flags = st.builds(Compare, st.sampled_from(BOOLEAN), st.sampled_from(("==", "!=")), st.booleans())
    changes = st.builds(Changes, st.sampled_from(BOOLEAN))
    quality = st.builds(
        HasQuality, st.sampled_from((*BOOLEAN, "a.power")), st.sampled_from(("stale", "unknown"))
    )
    counts = st.builds(
        Count,
        st.sampled_from(BOOLEAN),
        SPANS,
        st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
        st.integers(-1, 3),
    )
    between = st.sampled_from((Between(22 * 60, 6 * 60), Between(6 * 60, 22 * 60)))
    modes = st.builds(ModeIs, st.sampled_from(("home", "away", "night", "guest")))
    return st.one_of(numbers, flags, flags, changes, quality, counts, between, modes)


def wholes(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, parts),
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(For, parts, SPANS),
        st.builds(Within, parts, SPANS),
        st.builds(Since, parts, parts),
    )


EXPRS = st.recursive(atoms(), wholes, max_leaves=5)


def other_spans(expr: Expr, more_ms: int) -> Expr:
    match expr:
        case For(part, window_ms) | Within(part, window_ms):
            return type(expr)(other_spans(part, more_ms), window_ms + more_ms)
        case Not(part):
            return Not(other_spans(part, more_ms))
        case And(parts) | Or(parts):
            return type(expr)(tuple(other_spans(part, more_ms) for part in parts))
        case _:
            return expr


@st.composite
def steps(draw: st.DrawFn, does: tuple[str, ...]) -> tuple[BoundStep, ...]:
    found = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        do = draw(st.sampled_from(does))
        mode = draw(st.sampled_from(("home", "away", "night"))) if do == "mode" else ""
        if draw(st.integers(0, 4)) == 0:
            found.append(BoundStep(number, do, None, mode=mode))
        else:
            every, times = draw(st.sampled_from(((0, 1), (0, 1), (1, 3), (3, 2), (5, 4))))
            after = draw(st.integers(0, 8))
            found.append(BoundStep(number, do, after, every, times, parties=("care",), mode=mode))
    if found and draw(st.integers(0, 3)) == 0:
        found.pop(0)  # a step that is left out keeps its number
    return tuple(found)


@st.composite
def rules(draw: st.DrawFn, does: tuple[str, ...] = ("say", "notify", "mode")) -> tuple[BoundRule, ...]:
    found = []
    for name in ("one", "two", "three")[: draw(st.integers(1, 3))]:
        when = draw(EXPRS)
        if found and draw(st.integers(0, 2)) == 0:  # as two uses of one rule with other durations
            when = other_spans(found[0].when, draw(st.integers(1, 4)))
        found.append(
            BoundRule(
                name=name,
                rule=name,
                version=1,
                severity="alarm",
                to=("care",),
                when=when,
                clear=draw(st.one_of(st.just(Not(when)), EXPRS)),
                steps=draw(steps(does)),
                bridge_ms=draw(st.sampled_from((0, 3, 5, 8, 1000))),
                grace_ms=draw(st.integers(0, 7)),
                again_ms=draw(st.one_of(st.none(), st.integers(1, 8))),
                hold=draw(st.booleans()),
            )
        )
    return tuple(found)


@st.composite
def traces(draw: st.DrawFn) -> list[Event]:
    at, found = START, []
    boolean = st.sampled_from((True, False, True, False, None))
    for _ in range(draw(st.integers(1, 22))):
        at += draw(st.sampled_from((0, 0, 1, 1, 2, 3, 4, 5, 6, 9, 12)))
        what = draw(st.integers(0, 19))
        if what < 5:
            found.append(Reading("a.contact", draw(boolean), at))
        elif what < 8:
            found.append(Reading("b.motion", draw(boolean), at))
        elif what < 10:
            found.append(Reading(draw(st.sampled_from(("b.button", "c.button"))), draw(boolean), at))
        elif what < 12:
            found.append(Reading("a.power", draw(st.sampled_from((1, 2, 2.5, None))), at))
        elif what < 14:
            found.append(Acknowledge(draw(st.sampled_from(("one", "two", "three"))), at))
        elif what < 15:
            found.append(Heard(draw(st.sampled_from("abc")), at))
            found.append(Reading("c.occupancy", draw(boolean), at))
        elif what < 17:
            found.append(ModeSet(draw(st.sampled_from(("home", "away", "night", "guest"))), at))
        elif what < 18:
            found.append(NodeUp(at))
        else:
            found.append(NodeDown(at))
            if draw(st.integers(0, 3)):
                at += draw(st.integers(0, 9))
                found.append(NodeUp(at))
    return found


@st.composite
def homes(draw: st.DrawFn) -> dict[str, Mode]:
    start, end = draw(st.sampled_from(NIGHTS))
    quiet = draw(st.sampled_from((("b.motion",), ("b.motion", "c.occupancy"))))
    silence = Silence("a.contact", quiet, draw(st.integers(1, 6)), draw(st.integers(0, 4)), 15)
    return {
        "away": Mode(
            "away", draw(st.sampled_from((None, 11))), silence=draw(st.sampled_from((None, silence)))
        ),
        "night": Mode("night", draw(st.sampled_from((4, 40))), start, end),
    }


def engine_for(bound: tuple[BoundRule, ...], modes: dict[str, Mode] = MODES) -> Engine:
    return Engine(bound, STALE, start=START, modes=modes, wall=WallClock(ZONE))


def restarted(engine: Engine) -> Engine:
    data = json.loads(json.dumps(engine.dump()))
    return Engine.load(data, engine.rules, STALE, modes=engine.modes, wall=WallClock(ZONE))


def lines(told: list[Transition]) -> list[Line]:
    return [(t.at, t.rule, t.event.value, t.step, t.because) for t in told]


@given(rules(), traces(), st.integers(0, 25), homes())
@settings(max_examples=400)
def test_the_engine_says_what_the_definitions_say(
    bound: tuple[BoundRule, ...], events: list[Event], rest: int, modes: dict[str, Mode]
) -> None:
    engine, end = engine_for(bound, modes), events[-1].at + rest
    for event in events:
        engine.feed(event)
    told = engine.advance(end)
    assert lines(told) == transitions(bound, events, START, end, STALE, ZONE, modes)


@given(rules(), traces(), st.integers(0, 25), homes(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_a_restart_at_any_moment_changes_nothing(
    bound: tuple[BoundRule, ...], events: list[Event], rest: int, modes: dict[str, Mode], random: object
) -> None:
    end = events[-1].at + rest
    whole, parts = engine_for(bound, modes), engine_for(bound, modes)
    for event in events:
        whole.feed(event)
    told, waiting = [], list(events)
    for now in range(START, end + 1):
        while waiting and waiting[0].at == now:
            parts.feed(waiting.pop(0))
            if random.random() < 0.3:  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
                parts = restarted(parts)
        told += parts.advance(now)
        parts = restarted(parts)
    assert told == whole.advance(end)


@given(rules(), traces(), st.integers(0, 25))
@settings(max_examples=150)
def test_a_downtime_that_bridge_covers_and_in_which_nothing_was_due_changes_nothing(
    bound: tuple[BoundRule, ...], events: list[Event], rest: int
) -> None:
    events = [event for event in events if not isinstance(event, NodeDown | NodeUp)]
    # being blind is counted anew from each `up`, whatever `bridge`
    bound = tuple(replace(rule, bridge_ms=1000, grace_ms=10_000) for rule in bound)
    end = (events[-1].at if events else START) + rest
    whole = engine_for(bound)
    for event in events:
        whole.feed(event)
    told = whole.advance(end)
    busy = sorted({START, end, *(event.at for event in events), *(change.at for change in told)})
    for before, after in pairwise(busy):
        for up in {after - 1, after} - {before}:
            parts = engine_for(bound)
            for event in events:
                if event.at <= before:
                    parts.feed(event)
            parts.feed(NodeDown(before + 1))
            parts.feed(NodeUp(up))
            for event in events:
                if event.at > before:
                    parts.feed(event)
            assert parts.advance(end) == told


@given(rules(), traces())
@settings(max_examples=100)
def test_every_alert_and_every_fault_has_an_id_of_its_own(
    bound: tuple[BoundRule, ...], events: list[Event]
) -> None:
    engine = engine_for(bound)
    for event in events:
        engine.feed(event)
    told = engine.advance(events[-1].at + 30)
    begun = [t.alert for t in told if t.event.value in ("raised", "fault")]
    assert len(begun) == len(set(begun))
    assert {t.alert for t in told} <= set(begun)


@given(rules(), traces())
@settings(max_examples=60)
def test_nothing_happens_but_at_a_deadline_that_was_told(
    bound: tuple[BoundRule, ...], events: list[Event]
) -> None:
    engine = engine_for(bound)
    for event in events:
        engine.feed(event)
    for now in range(START, events[-1].at + 30):
        due = engine.next_deadline()
        told = engine.advance(now)
        assert not told or due == now
