"""Door and silence: a home that was left is away though nobody said so, and never for long (decision 8)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.config.model import Mode, Silence
from homenode.engine import Engine, WallClock
from homenode.engine.events import Event, ModeSet, NodeDown, NodeUp, Reading
from homenode.language.bound import BoundRule, ModeIs, Not
from tests.unit.engine_reference import transitions
from tests.unit.test_engine_reference import START, ZONE, lines

SEC, MIN, HOUR = 1000, 60_000, 3_600_000
DAY = 24 * HOUR
LEFT = Silence("door.contact", ("hall.motion", "bed.occupancy"), 30 * MIN)
MODES = {"away": Mode("away", 7 * DAY, silence=LEFT), "night": Mode("night", 14 * HOUR)}
STALE = {"door": -1, "hall": 2 * HOUR, "bed": 4 * HOUR}


def engine(modes: dict[str, Mode] = MODES, stale: dict[str, int] = STALE, start: int = 0) -> Engine:
    return Engine(rules(modes), stale, start=start, modes=modes, wall=WallClock(ZONE))


def rules(modes: dict[str, Mode]) -> tuple[BoundRule, ...]:
    """One rule a mode: its transitions tell the mode."""
    more: dict[str, Any] = {"grace_ms": 1000 * HOUR}
    return tuple(
        BoundRule(name, name, 1, "info", (), ModeIs(name), Not(ModeIs(name)), **more) for name in modes
    )


def door(at: int, value: bool | None = True) -> Reading:
    return Reading("door.contact", value, at)


def hall(at: int, value: bool | None = True) -> Reading:
    return Reading("hall.motion", value, at)


def bed(at: int, value: bool | None = True) -> Reading:
    return Reading("bed.occupancy", value, at)


def known(at: int = 0) -> list[Event]:
    return [door(at, False), hall(at, False), bed(at, False)]


def goes(at: int) -> list[Event]:
    """Somebody is seen in the hall, opens, closes, and is seen a minute longer."""
    return [hall(at), door(at + 5 * SEC), door(at + 12 * SEC, False), hall(at + 75 * SEC, False)]


def heartbeat(until: int, *, since: int = 0) -> list[Event]:
    return [hall(at, False) for at in range(since + HOUR, until, HOUR)] + [
        bed(at, False) for at in range(since + HOUR, until, HOUR)
    ]


def changes(machine: Engine, *events: Event, to: int) -> list[tuple[int, str, str]]:
    for event in sorted(events, key=lambda event: event.at):
        machine.feed(event)
    return [(t.at, t.rule, t.event.value) for t in machine.advance(to)]


GONE = 10 * MIN + 75 * SEC + 30 * MIN + 1
"""A home that is left at 10 min is away from then on: what was seen last is 30 min past, and one instant."""


def test_who_goes_out_and_is_not_seen_for_half_an_hour_is_away() -> None:
    told = changes(engine(), *known(), *goes(10 * MIN), to=HOUR)
    assert told == [(GONE, "away", "raised")]


def test_a_home_that_is_only_silent_is_not_away() -> None:
    assert changes(engine(), *known(), hall(MIN), hall(2 * MIN, False), *heartbeat(DAY), to=DAY) == []


def test_who_comes_in_is_not_away_however_silent_it_is_then() -> None:
    comes = [door(10 * MIN), door(10 * MIN + 5 * SEC, False), hall(10 * MIN + 6 * SEC), hall(12 * MIN, False)]
    assert changes(engine(), *known(), *comes, *heartbeat(DAY, since=12 * MIN), to=DAY) == []


def test_who_is_seen_long_after_the_door_is_not_away() -> None:
    stays = [hall(9 * MIN), door(10 * MIN), door(10 * MIN + 5 * SEC, False), hall(16 * MIN, False)]
    assert changes(engine(), *known(), *stays, *heartbeat(DAY, since=16 * MIN), to=DAY) == []


def test_the_first_sign_of_life_ends_it_from_the_next_instant_on() -> None:
    for life in (door(2 * HOUR), hall(2 * HOUR), bed(2 * HOUR)):
        told = changes(engine(), *known(), *goes(10 * MIN), *heartbeat(2 * HOUR), life, to=2 * HOUR + MIN)
        assert told == [(GONE, "away", "raised"), (2 * HOUR + 1, "away", "resolved")]


def test_a_sensor_that_is_silent_or_broken_ends_it_and_begins_none() -> None:
    told = changes(engine(), *known(), *goes(10 * MIN), to=DAY)
    assert told == [
        (GONE, "away", "raised"),
        (10 * MIN + 75 * SEC + 2 * HOUR + 1, "away", "resolved"),  # the hall is stale
    ]
    told = changes(engine(), *known(), *goes(10 * MIN), bed(HOUR, None), to=DAY)
    assert told[-1] == (HOUR + 1, "away", "resolved")
    assert changes(engine(), *known(), bed(MIN, None), *goes(10 * MIN), to=DAY) == []
    assert changes(engine(), hall(0, False), bed(0, False), *goes(10 * MIN)[:2], to=DAY) == []


def test_it_lasts_a_day_at_most_so_that_who_lies_on_the_floor_is_missed() -> None:
    events = [*known(), *goes(10 * MIN), *heartbeat(3 * DAY)]
    assert changes(engine(), *events, to=3 * DAY) == [
        (GONE, "away", "raised"),
        (GONE + DAY, "away", "resolved"),
    ]


def test_a_shorter_longest_of_away_holds() -> None:
    modes = {"away": Mode("away", 6 * HOUR, silence=LEFT)}
    events = [*known(), *goes(10 * MIN), *heartbeat(3 * DAY)]
    told = changes(engine(modes), *events, to=3 * DAY)
    assert told == [(GONE, "away", "raised"), (GONE + 6 * HOUR, "away", "resolved")]


def test_what_somebody_set_is_not_ended_and_not_replaced() -> None:
    said = ModeSet("away", HOUR)
    told = changes(engine(), *known(), *goes(10 * MIN), said, hall(2 * HOUR), to=3 * HOUR)
    assert told == [(GONE, "away", "raised")]
    said = ModeSet("night", 5 * MIN)
    told = changes(engine(), *known(), said, *goes(10 * MIN), hall(2 * HOUR), to=3 * HOUR)
    assert told == [(5 * MIN, "night", "raised")]


def test_who_says_that_somebody_is_home_is_believed_until_the_door_is_used_again() -> None:
    said = ModeSet("home", HOUR)
    told = changes(engine(), *known(), *goes(10 * MIN), said, *heartbeat(DAY), to=DAY)
    assert told == [(GONE, "away", "raised"), (HOUR, "away", "resolved")]
    later = [*heartbeat(2 * HOUR), *goes(2 * HOUR)]
    told = changes(engine(), *known(), *goes(10 * MIN), said, *later, to=3 * HOUR)
    assert told[-1] == (GONE + 2 * HOUR - 10 * MIN, "away", "raised")


def test_home_that_somebody_says_is_believed_until_the_door_is_used_again() -> None:
    for said, away in ((10 * MIN + 12 * SEC - 1, True), (10 * MIN + 12 * SEC, False), (GONE - 1, False)):
        events = [*known(), *goes(10 * MIN), ModeSet("home", said), *heartbeat(2 * HOUR)]
        assert changes(engine(), *events, to=2 * HOUR) == ([(GONE, "away", "raised")] if away else [])
    machine = engine()
    assert changes(machine, *known(), *goes(10 * MIN), ModeSet("home", 20 * MIN), to=HOUR) == []
    again = changes(machine, *goes(HOUR + 10 * MIN), to=2 * HOUR)
    assert again == [(GONE + HOUR, "away", "raised")]


def test_away_that_somebody_sets_lasts_its_own_longest() -> None:
    machine = engine(MODES)
    machine.feed(ModeSet("away", MIN))
    machine.advance(MIN + 7 * DAY - 1)
    assert machine.mode == "away"


def test_an_away_by_silence_at_night_is_night_when_somebody_is_back() -> None:
    modes = {**MODES, "night": Mode("night", 14 * HOUR, 22 * 60, 6 * 60)}
    start = START - 2 * HOUR  # 20:00
    moved = [e._replace(at=start + e.at) for e in (*known(), *goes(10 * MIN), *heartbeat(4 * HOUR))]
    told = changes(engine(modes, start=start), *moved, door(start + 4 * HOUR), to=start + 5 * HOUR)
    assert [(name, what) for _, name, what in told] == [
        ("away", "raised"), ("away", "resolved"), ("night", "raised"),
    ]  # fmt: skip
    assert told[1][0] == told[2][0] == start + 4 * HOUR + 1


def test_a_long_downtime_ends_it_for_nobody_knows_who_came() -> None:
    down = NodeDown(50 * MIN), NodeUp(70 * MIN)
    told = changes(engine(), *known(), *goes(10 * MIN), *down, to=2 * HOUR)
    assert told == [(GONE, "away", "raised"), (70 * MIN + 1, "away", "resolved")]
    down = NodeDown(50 * MIN), NodeUp(60 * MIN)
    assert changes(engine(), *known(), *goes(10 * MIN), *down, to=2 * HOUR) == [(GONE, "away", "raised")]


def test_a_home_yaml_that_no_longer_asks_for_it_ends_it() -> None:
    machine = engine()
    changes(machine, *known(), *goes(10 * MIN), to=HOUR)
    plain = {"away": Mode("away", 7 * DAY), "night": MODES["night"]}
    machine.reload(rules(plain), STALE, HOUR + 1, modes=plain)
    machine.advance(HOUR + 1)
    assert machine.mode == "home"
    machine = engine()
    changes(machine, *known(), *goes(10 * MIN), to=HOUR)
    machine.reload(rules(MODES), STALE, HOUR + 1)
    machine.advance(HOUR + 2)
    assert machine.mode == "away"
    other = {**MODES, "away": Mode("away", 7 * DAY, silence=replace(LEFT, after_ms=40 * MIN))}
    machine.reload(rules(other), STALE, HOUR + 3, modes=other)
    machine.advance(HOUR + 4)
    assert machine.mode == "home", "what it began is over"


def test_nobody_is_told_of_it_as_of_a_rule() -> None:
    machine = engine()
    changes(machine, *known(), *goes(10 * MIN), to=HOUR)
    assert [alert.rule for alert in machine.open_alerts()] == ["away"]
    assert set(machine.verdicts()) == set(MODES)


# -- in bulk


@st.composite
def doings(draw: st.DrawFn) -> list[Event]:
    """People come and go, sensors fail now and then."""
    at, is_open = START, False
    events: list[Event] = known(START)
    for _ in range(draw(st.integers(1, 14))):
        at += draw(st.sampled_from((0, 1, 2, 3, 5, 8, 13)))
        what = draw(st.integers(0, 15))
        if what < 6:
            is_open = not is_open
            events.append(door(at, is_open))
        elif what < 10:
            events.append(hall(at, draw(st.sampled_from((False, False, True, None)))))
        elif what < 12:
            events.append(bed(at, draw(st.sampled_from((False, True)))))
        elif what < 14:
            events.append(ModeSet(draw(st.sampled_from(("home", "away", "night"))), at))
        else:
            events.append(NodeDown(at))
            at += draw(st.integers(0, 6))
            events.append(NodeUp(at))
    return events


@st.composite
def homes(draw: st.DrawFn) -> dict[str, Mode]:
    quiet = draw(st.sampled_from((("hall.motion",), ("hall.motion", "bed.occupancy"))))
    left = Silence("door.contact", quiet, draw(st.integers(1, 7)), draw(st.integers(0, 5)), 15)
    hours = draw(st.sampled_from(((None, None), (22 * 60, 6 * 60))))
    return {
        "away": Mode("away", draw(st.sampled_from((None, 11))), silence=left),
        "night": Mode("night", 30, *hours),
        "home": Mode("home", None),
    }


@given(doings(), homes(), st.integers(0, 30), st.sampled_from(({}, {"hall": 9})))
@settings(max_examples=300)
def test_the_mode_is_what_the_definition_says_at_every_instant_and_over_every_restart(
    events: list[Event], modes: dict[str, Mode], rest: int, stale: dict[str, int]
) -> None:
    end = events[-1].at + rest
    machine, parts = engine(modes, stale, START), engine(modes, stale, START)
    for event in events:
        machine.feed(event)
    told = machine.advance(end)
    assert lines(told) == transitions(rules(modes), events, START, end, stale, ZONE, modes)
    again, waiting = [], list(events)
    for now in range(START, end + 1):
        while waiting and waiting[0].at == now:
            parts.feed(waiting.pop(0))
        again += parts.advance(now)
        data = json.loads(json.dumps(parts.dump()))
        parts = Engine.load(data, parts.rules, stale, modes=modes, wall=WallClock(ZONE))
    assert again == told
