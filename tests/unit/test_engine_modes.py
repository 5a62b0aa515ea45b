"""The mode of the home: set by commands, by steps and by itself (decision 8)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homenode.config.model import Mode
from homenode.engine import Engine, WallClock
from homenode.engine.events import ClockSet, Event, ModeSet, NodeDown, NodeUp, Reading
from homenode.engine.mode import MOST_STEPS, Over
from homenode.engine.snapshot import fingerprint
from homenode.language.bound import BoundRule, BoundStep, Compare, Expr, For, HasQuality, ModeIs, Not

SEC, MIN, HOUR = 1000, 60_000, 3_600_000
DAY = 24 * HOUR
HALL = Compare("hall.motion", "==", True)
MODES = {name: Mode(name, hours * HOUR) for name, hours in (("away", 168), ("night", 14), ("service", 2))}


def rule(when: Expr, *steps: BoundStep, name: str = "rule") -> BoundRule:
    fields: dict[str, Any] = {"grace_ms": 1000 * HOUR}
    return BoundRule(name, name, 1, "info", ("care",), when, Not(when), steps, **fields)


def sets(mode: str, after_ms: int | None = 0, number: int = 1) -> BoundStep:
    return BoundStep(number, "mode", after_ms, mode=mode)


def engine(*rules: BoundRule, start: int = 0, modes: dict[str, Mode] = MODES) -> Engine:
    return Engine(rules, {}, start=start, modes=modes, wall=WallClock("Europe/Stockholm"))


def told(machine: Engine, *events: Event, to: int) -> list[tuple[int, str, str]]:
    for event in events:
        machine.feed(event)
    return [(t.at, t.rule, t.do or t.event.value) for t in machine.advance(to)]


def modes_of(machine: Engine, *instants: int) -> list[str]:
    found = []
    for at in instants:
        machine.advance(at)
        found.append(machine.mode)
    return found


def seen(at: int, value: bool | None = True) -> Reading:
    return Reading("hall.motion", value, at)


# -- steps


def test_a_step_sets_the_mode_from_the_next_instant_on() -> None:
    machine = engine(rule(HALL, sets("home"), name="somebody"), rule(ModeIs("away"), name="away"))
    assert told(machine, ModeSet("away", 0), seen(MIN), to=HOUR) == [
        (0, "away", "raised"),
        (MIN, "somebody", "raised"),
        (MIN, "somebody", "mode"),
        (MIN + 1, "away", "resolved"),
    ]
    assert machine.mode == "home"


def test_a_mode_set_by_a_step_lasts_its_longest() -> None:
    machine = engine(rule(HALL, sets("night", MIN)))
    machine.feed(seen(0))
    assert modes_of(machine, MIN, MIN + 1, MIN + 14 * HOUR, MIN + 1 + 14 * HOUR) == [
        "home", "night", "night", "home",
    ]  # fmt: skip


def test_a_step_at_the_resolve_sets_it_too() -> None:
    machine = engine(rule(HALL, sets("away", None)))
    assert told(machine, seen(0), seen(MIN, False), to=MIN) == [
        (0, "rule", "raised"),
        (MIN, "rule", "resolved"),
        (MIN, "rule", "mode"),
    ]
    assert modes_of(machine, MIN, MIN + 1) == ["home", "away"]


def test_a_command_at_the_instant_a_step_sets_the_mode_has_the_last_word_whenever_it_was_fed() -> None:
    for early in (True, False):
        machine = engine(rule(HALL, sets("away")))
        machine.feed(seen(MIN))
        if early:
            machine.feed(ModeSet("night", MIN + 1))
        machine.advance(MIN)
        if not early:
            machine.feed(ModeSet("night", MIN + 1))
        assert modes_of(machine, MIN + 1, MIN + 2) == ["night", "night"]


def test_of_two_rules_that_set_the_mode_at_one_instant_the_later_in_the_home_has_it() -> None:
    machine = engine(rule(HALL, sets("away"), name="one"), rule(HALL, sets("night"), name="two"))
    machine.feed(seen(0))
    assert modes_of(machine, 1) == ["night"]


def test_a_restart_between_a_step_and_the_mode_it_sets_loses_nothing() -> None:
    machine = engine(rule(HALL, sets("away")))
    machine.feed(seen(MIN))
    machine.advance(MIN)
    data = json.loads(json.dumps(machine.dump()))
    again = Engine.load(data, machine.rules, {}, modes=MODES, wall=WallClock("Europe/Stockholm"))
    assert modes_of(again, MIN, MIN + 1) == ["home", "away"]


def test_a_node_that_goes_down_at_once_has_the_mode_when_it_is_up() -> None:
    machine = engine(rule(HALL, sets("away")))
    told(machine, seen(MIN), NodeDown(MIN + 1), NodeUp(HOUR), to=HOUR)
    assert machine.mode == "away"


def test_a_changed_rule_ends_with_its_mode_at_the_resolve() -> None:
    machine = engine(rule(HALL, sets("night", None)))
    told(machine, seen(0), to=MIN)
    ended = machine.reload([], {}, 2 * MIN)
    assert [(t.at, t.do or t.event.value) for t in ended] == [(2 * MIN, "resolved"), (2 * MIN, "mode")]
    assert modes_of(machine, 2 * MIN, 2 * MIN + 1) == ["home", "night"]


def test_what_a_step_set_stays_set_when_the_length_of_a_downtime_is_learnt() -> None:
    machine = engine(rule(HALL, sets("away")))
    told(machine, seen(0, False), NodeDown(MIN), NodeUp(2 * MIN, measured=False), seen(3 * MIN), to=4 * MIN)
    assert machine.mode == "away"
    told(machine, ClockSet(5 * MIN, slept_ms=3 * MIN), to=6 * MIN)
    assert machine.mode == "away"


def test_what_a_step_set_only_for_want_of_the_length_stays_set() -> None:
    machine = engine(rule(HasQuality("hall.motion", "unknown"), sets("away")))
    told(machine, seen(0), NodeDown(MIN), NodeUp(2 * MIN, measured=False), to=3 * MIN)
    assert machine.mode == "away"
    told(machine, ClockSet(5 * MIN, slept_ms=3 * MIN), to=6 * MIN)
    assert machine.mode == "away"


def test_the_mode_that_a_step_sets_is_part_of_what_the_rule_is() -> None:
    assert fingerprint(rule(HALL, sets("away"))) != fingerprint(rule(HALL, sets("night")))


def test_rules_from_before_there_was_a_mode_step_are_the_same_rules() -> None:
    assert "mode" not in repr(BoundStep(1, "notify", 0))


def test_a_memory_from_before_modes_set_themselves_is_read() -> None:
    machine = engine(rule(HALL))
    told(machine, ModeSet("away", MIN), to=2 * MIN)
    data = json.loads(json.dumps(machine.dump()))
    data["mode"] = data["mode"][:2]
    again = Engine.load(data, machine.rules, {}, modes=MODES, wall=WallClock("Europe/Stockholm"))
    assert modes_of(again, 2 * MIN, MIN + 7 * DAY - 1, MIN + 7 * DAY) == ["away", "away", "home"]
    assert again.modes_over() == [Over(MIN + 7 * DAY, "away", "", 7 * DAY)]


def test_a_mode_set_right_before_a_downtime_is_as_old_as_that_proves_to_be() -> None:
    machine = engine(rule(HALL, sets("away")), rule(For(ModeIs("away"), 5 * MIN), name="long"))
    told(machine, seen(0), NodeDown(1), NodeUp(2 * MIN, measured=False), to=3 * MIN)
    clock = ClockSet(4 * MIN, slept_ms=10 * MIN)
    assert told(machine, clock, to=5 * MIN) == [(4 * MIN, "long", "raised")]


# -- modes that last their longest


def test_a_memory_from_before_may_be_in_a_mode_that_the_home_no_longer_has() -> None:
    data = engine().dump() | {"mode": ["party", MIN]}
    machine = Engine.load(data, (), {}, modes=MODES)
    assert modes_of(machine, MIN - 1, MIN) == ["party", "home"]
    assert machine.modes_over() == [Over(MIN, "party", "", 0)]


def test_what_lasted_its_longest_is_told_once_with_how_it_came_and_how_long_it_was() -> None:
    machine = engine(rule(HALL, sets("away")))
    told(machine, ModeSet("service", MIN), seen(3 * HOUR), to=3 * HOUR)
    assert machine.modes_over() == [Over(MIN + 2 * HOUR, "service", "command", 2 * HOUR)]
    assert machine.modes_over() == []
    machine.advance(8 * DAY)
    assert machine.modes_over() == [Over(3 * HOUR + 1 + 7 * DAY, "away", "step", 7 * DAY)]


def test_a_mode_that_somebody_ends_is_not_over_by_itself() -> None:
    machine = engine()
    told(machine, ModeSet("service", MIN), ModeSet("home", MIN + 2 * HOUR), to=DAY)
    assert machine.modes_over() == []


def test_a_mode_found_to_be_over_when_the_length_of_a_downtime_is_learnt_is_told_then() -> None:
    machine = engine(rule(HALL))
    told(machine, ModeSet("service", MIN), NodeDown(HOUR), NodeUp(HOUR + MIN, measured=False), to=HOUR + MIN)
    told(machine, ClockSet(HOUR + 5 * MIN, slept_ms=3 * HOUR), to=HOUR + 5 * MIN)
    assert [(over.mode, over.lasted_ms) for over in machine.modes_over()] == [("service", 2 * HOUR)]
    told(machine, ModeSet("home", 4 * HOUR), to=4 * HOUR)
    assert machine.modes_over() == []


def test_a_mode_that_was_told_to_be_over_is_not_told_again_when_the_length_of_a_downtime_is_learnt() -> None:
    machine = engine(rule(HALL))
    told(machine, ModeSet("service", MIN), NodeDown(HOUR), NodeUp(HOUR + MIN, measured=False), to=3 * HOUR)
    assert [over.mode for over in machine.modes_over()] == ["service"]
    told(machine, ClockSet(3 * HOUR + 1, slept_ms=5 * MIN), to=4 * HOUR)
    assert machine.modes_over() == []


# -- the clock

NIGHTLY = {**MODES, "night": Mode("night", 14 * HOUR, 22 * 60, 6 * 60)}
ZONE = ZoneInfo("Europe/Stockholm")


def clock(day: int, hour: int, minute: int = 0, *, month: int = 1, fold: int = 0) -> int:
    return int(datetime(2026, month, day, hour, minute, fold=fold, tzinfo=ZONE).timestamp()) * 1000


def nightly(start: int, *events: Event, rules: tuple[BoundRule, ...] = ()) -> Engine:
    machine = engine(*rules, start=start, modes=NIGHTLY)
    for event in events:
        machine.feed(event)
    return machine


def test_night_comes_and_goes_at_the_hours_of_home_yaml() -> None:
    machine = nightly(clock(5, 12))
    assert modes_of(machine, clock(5, 22) - 1, clock(5, 22), clock(6, 6) - 1, clock(6, 6)) == [
        "home", "night", "night", "home",
    ]  # fmt: skip


@pytest.mark.parametrize(("hours", "first", "last"), [((0, 360), 0, 6), ((60, 0), 1, 24)])
def test_a_night_may_begin_or_end_at_midnight(hours: tuple[int, int], first: int, last: int) -> None:
    machine = engine(start=clock(4, 23, 59), modes={"night": Mode("night", None, *hours)})
    begin, end = clock(5, first), clock(5, 0) + last * HOUR
    assert modes_of(machine, begin - 1, begin, end - 1, end) == ["home", "night", "night", "home"]


def test_a_condition_on_night_is_true_from_its_first_instant() -> None:
    machine = nightly(clock(5, 12), rules=(rule(ModeIs("night")),))
    assert told(machine, to=clock(6, 12)) == [
        (clock(5, 22), "rule", "raised"),
        (clock(6, 6), "rule", "resolved"),
    ]


def test_a_node_that_starts_at_night_begins_with_it() -> None:
    assert modes_of(nightly(clock(5, 23)), clock(5, 23)) == ["night"]


def test_night_does_not_come_to_a_home_in_another_mode_but_as_soon_as_that_ends_by_itself() -> None:
    machine = nightly(clock(5, 12), ModeSet("away", clock(5, 20), 4 * HOUR))
    assert modes_of(machine, clock(5, 23, 59), clock(6, 0), clock(6, 6)) == ["away", "night", "home"]


def test_a_mode_that_outlasts_the_night_is_followed_by_none() -> None:
    machine = nightly(clock(5, 12), ModeSet("away", clock(5, 20), 11 * HOUR))
    assert modes_of(machine, clock(6, 6), clock(6, 7), clock(6, 22)) == ["away", "home", "night"]


@pytest.mark.parametrize("at", [clock(5, 22), clock(5, 23)])
def test_who_sets_home_at_night_keeps_it_until_the_next(at: int) -> None:
    machine = nightly(clock(5, 12), ModeSet("home", at))
    assert modes_of(machine, at, clock(6, 5), clock(6, 12), clock(6, 22)) == ["home", "home", "home", "night"]


def test_who_sets_night_by_day_has_it_until_the_morning() -> None:
    machine = nightly(clock(5, 12), ModeSet("night", clock(5, 20)))
    assert modes_of(machine, clock(5, 23), clock(6, 5, 59), clock(6, 6)) == ["night", "night", "home"]


def test_a_short_night_ends_after_its_longest_and_comes_back_the_next_evening() -> None:
    machine = engine(start=clock(5, 12), modes={"night": Mode("night", HOUR, 22 * 60, 6 * 60)})
    assert modes_of(machine, clock(5, 23) - 1, clock(5, 23), clock(6, 5), clock(6, 22)) == [
        "night", "home", "home", "night",
    ]  # fmt: skip


def test_hours_that_pass_while_the_node_is_down_pass() -> None:
    down = NodeDown(clock(5, 21)), NodeUp(clock(6, 7))
    assert modes_of(nightly(clock(5, 12), *down), clock(6, 7)) == ["home"]
    machine = nightly(clock(5, 12), NodeDown(clock(5, 21)), NodeUp(clock(5, 23)))
    assert modes_of(machine, clock(5, 23)) == ["night"]
    machine = nightly(
        clock(5, 12), ModeSet("home", clock(5, 23)), NodeDown(clock(5, 23) + 1), NodeUp(clock(6, 1))
    )
    assert modes_of(machine, clock(6, 1)) == ["home"]


def test_a_clock_that_is_not_trusted_brings_no_night_until_it_is() -> None:
    machine = nightly(clock(5, 12), ClockSet(clock(5, 13), trusted=False), ClockSet(clock(5, 23)))
    assert modes_of(machine, clock(5, 22, 30), clock(5, 23)) == ["home", "night"]


def test_a_node_that_never_knew_the_time_begins_no_night() -> None:
    wall = WallClock("Europe/Stockholm", trusted=False)
    machine = Engine((), {}, start=clock(5, 23), modes=NIGHTLY, wall=wall)
    assert modes_of(machine, clock(5, 23), clock(6, 5)) == ["home", "home"]


def test_trust_that_comes_by_day_ends_a_night_and_a_whole_day_missed_is_a_night_of_its_own() -> None:
    untrusted = ClockSet(clock(5, 23), trusted=False)
    machine = nightly(clock(5, 12), untrusted, ClockSet(clock(6, 9)))
    assert modes_of(machine, clock(6, 8), clock(6, 9)) == ["night", "home"]
    machine = nightly(clock(5, 12), untrusted, ClockSet(clock(6, 23)))
    assert modes_of(machine, clock(6, 13), clock(6, 23)) == ["home", "night"]


def test_what_somebody_set_while_the_clock_was_not_trusted_stays() -> None:
    untrusted = ClockSet(clock(5, 21), trusted=False)
    machine = nightly(clock(5, 12), untrusted, ModeSet("home", clock(5, 22, 30)), ClockSet(clock(5, 23)))
    assert modes_of(machine, clock(5, 23), clock(6, 22)) == ["home", "night"]
    machine = nightly(clock(5, 12), untrusted, ModeSet("home", clock(5, 21, 30)), ClockSet(clock(5, 23)))
    assert modes_of(machine, clock(5, 23)) == ["night"]


def test_a_clock_put_right_by_a_second_at_night_begins_no_other() -> None:
    machine = nightly(clock(5, 12), ModeSet("night", clock(5, 23), HOUR), ClockSet(clock(5, 23, 30), -700))
    assert modes_of(machine, clock(5, 23, 59), clock(6, 0)) == ["night", "home"]
    back = rule(HALL, sets("home"))
    machine = nightly(clock(5, 12), ClockSet(clock(5, 23), -700), seen(clock(6, 1)), rules=(back,))
    assert modes_of(machine, clock(6, 1), clock(6, 2)) == ["night", "home"]


def test_what_is_known_of_the_clock_at_a_start_counts_for_the_downtime_before() -> None:
    start = ClockSet(clock(5, 23), trusted=False), NodeUp(clock(5, 23), measured=False)
    machine = nightly(clock(5, 12), NodeDown(clock(5, 21)), *start)
    assert modes_of(machine, clock(5, 23)) == ["home"]
    machine.feed(ClockSet(clock(5, 23, 30), slept_ms=2 * HOUR))
    assert modes_of(machine, clock(5, 23, 30)) == ["night"]


def test_the_nights_of_daylight_saving_begin_and_end_as_the_clock_reads() -> None:
    early = {"night": Mode("night", 14 * HOUR, 2 * 60 + 30, 6 * 60)}
    machine = engine(start=clock(28, 23, month=3), modes=early)
    skipped = clock(29, 3, month=3)  # 02:00 to 03:00 is skipped
    assert modes_of(machine, skipped - 1, skipped, clock(29, 6, month=3)) == ["home", "night", "home"]
    machine = engine(start=clock(24, 23, month=10), modes=early)
    first, second = clock(25, 2, 30, month=10), clock(25, 2, 30, month=10, fold=1)
    again = first + HOUR // 2  # the clock goes back to 02:00
    assert modes_of(machine, first - 1, first, again - 1, again, second - 1, second) == [
        "home", "night", "night", "home", "home", "night",
    ]  # fmt: skip


def test_changed_hours_count_from_the_reload_on_and_unchanged_ones_change_nothing() -> None:
    machine = nightly(clock(5, 12), ModeSet("home", clock(5, 22, 30)))
    machine.advance(clock(5, 23))
    machine.reload([], {}, clock(5, 23) + 1)
    assert modes_of(machine, clock(5, 23) + 5) == ["home"]
    later = {**NIGHTLY, "night": Mode("night", 14 * HOUR, 23 * 60, 6 * 60)}
    machine.reload([], {}, clock(5, 23) + 10, modes=later)
    assert modes_of(machine, clock(5, 23) + 20) == ["night"]
    data = json.loads(json.dumps(machine.dump()))
    machine = Engine.load(data, (), {}, modes=NIGHTLY, wall=WallClock("Europe/Stockholm"))
    assert machine.next_deadline() == clock(5, 23) + 21


def test_a_restart_at_night_keeps_what_somebody_decided() -> None:
    machine = nightly(clock(5, 12), ModeSet("away", clock(5, 21), 2 * HOUR))
    for at in (clock(5, 22), clock(5, 22, 30), clock(5, 23)):
        machine.advance(at)
        data = json.loads(json.dumps(machine.dump()))
        machine = Engine.load(data, (), {}, modes=NIGHTLY, wall=WallClock("Europe/Stockholm"))
    assert machine.mode == "night"


def test_two_rules_that_set_the_mode_against_each_other_come_to_rest() -> None:
    machine = engine(
        rule(ModeIs("home"), sets("away"), name="one"), rule(ModeIs("away"), sets("home"), name="two")
    )
    steps = [line for line in told(machine, to=2 * HOUR) if line[2] == "mode"]
    assert MOST_STEPS == 60
    assert len(steps) == 2 * MOST_STEPS + 1
    assert machine.mode == "home"
    machine = Engine.load(json.loads(json.dumps(machine.dump())), machine.rules, {}, modes=MODES)
    steps = [line for line in told(machine, ModeSet("away", 2 * HOUR + 1), to=3 * HOUR) if line[2] == "mode"]
    assert len(steps) == 2 * MOST_STEPS + 2


def test_somebody_in_is_never_one_step_too_many() -> None:
    machine = engine(
        rule(Compare("door.contact", "==", True), sets("away"), name="gone"), rule(HALL, sets("home"))
    )
    for at in range(0, 4 * MOST_STEPS, 4):
        told(machine, Reading("door.contact", True, at), Reading("door.contact", False, at + 2), to=at + 3)
    assert machine.mode == "away"
    told(machine, seen(HOUR // 2), to=HOUR // 2 + 1)
    assert machine.mode == "home"
