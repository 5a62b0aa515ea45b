"""The mode of the home: set by commands, by steps and by itself (decision 8)."""

from __future__ import annotations

import json
from typing import Any

from homenode.config.model import Mode
from homenode.engine import Engine, WallClock
from homenode.engine.events import ClockSet, Event, ModeSet, NodeDown, NodeUp, Reading
from homenode.engine.snapshot import fingerprint
from homenode.language.bound import BoundRule, BoundStep, Compare, Expr, ModeIs, Not

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
