"""The shipped rules: each reads, does what its cases say, and degrades towards safety."""

from __future__ import annotations

import json
from functools import cache

import pytest

from homenode.cases.case import Case
from homenode.cases.command import trace_of
from homenode.cases.reader import read_cases
from homenode.cases.run import compare, run
from homenode.config.model import NEVER
from homenode.config.rule_files import shipped_folder
from homenode.engine import Engine, WallClock
from homenode.engine.events import NodeDown, NodeUp, Reading
from homenode.kinds import kind_of
from homenode.language import read_rule
from homenode.language.bound import Compare, ModeIs, atoms_of
from homenode.language.rule_file import RuleFile

NAMES = sorted(path.stem for path in shipped_folder().glob("*.yaml"))
IN_EVERY_MODE = [
    name
    for name in NAMES
    if name.startswith(
        ("stove", "cooker", "burner", "smoke", "co_", "gas", "heat", "water", "help", "tamper")
    )
]
HELD = ["co_alarm", "gas_alarm", "heat_alarm", "help_button", "smoke_alarm"]
NOT_STILLED = {
    "guide_light": "presence raises it, none stills it",
    "guide_light_by_clock": "presence raises it, none stills it",
    "long_in_bathroom_occupancy": "presence raises it, none stills it",
    "somebody_home": "presence raises it, none stills it",
    "somebody_in_bed": "presence raises it, none stills it",
    "no_sign_of_life": "one silent sensor would make it an alert for ever: it is blind, and says so",
    "no_sign_of_life_door": "one silent sensor would make it an alert for ever: it is blind, and says so",
}
"""Rules that read presence and raise nothing when a sensor of it is silent, and why."""


@cache
def shipped(name: str) -> RuleFile:
    return read_rule((shipped_folder() / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")


@cache
def cases(name: str) -> tuple[Case, ...]:
    return read_cases(trace_of(shipped_folder() / f"{name}.yaml"), shipped(name))


def presence(case: Case) -> set[str]:
    """The points of a case that say whether somebody is there."""
    return {point for points in case.rule.roles.values() for point in points if is_presence(point)}


def is_presence(point: str) -> bool:
    kind = kind_of(point)
    return kind is not None and kind.name in ("motion", "occupancy")


def fires(case: Case) -> bool:
    return any(expected.what == "raised" for expected in case.expected)


ALL = [pytest.param(case, id=f"{name}: {case.it}") for name in NAMES for case in cases(name)]


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_rule_reads_and_says_itself_in_both_languages(name: str) -> None:
    rule = shipped(name)
    text = (shipped_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# "), "a rule file begins with its requirement in plain words"
    assert rule.rule == name
    assert set(rule.says) == {"sv", "en"}
    assert all(set(step.text) == {"sv", "en"} for step in rule.steps if step.do == "say")
    ranged = [s for s in rule.parameters.values() if ":" not in s.text]
    assert all(s.low is not None and s.high is not None for s in ranged), "a range for all but times of day"


@pytest.mark.parametrize("case", ALL)
def test_it_does_what_its_case_says_and_nothing_else(case: Case) -> None:
    outcome = run(case)
    assert outcome.holds, "\n".join([f"{case.file}:{case.line}", *outcome.lines()])


@pytest.mark.parametrize("case", ALL)
def test_it_does_the_same_when_its_memory_goes_through_the_disk_at_every_line(case: Case) -> None:
    wall = WallClock(case.calendar.timezone)
    engine = Engine([case.rule], case.limits_ms, start=case.start, modes=case.modes, wall=wall)
    told = []
    for event in case.events:
        told += engine.advance(event.at - 1)
        memory = json.loads(json.dumps(engine.dump()))
        wall = WallClock(case.calendar.timezone)
        engine = Engine.load(memory, [case.rule], case.limits_ms, modes=case.modes, wall=wall)
        engine.feed(event)
    outcome = compare(case, told + engine.advance(case.end))
    assert outcome.holds, "\n".join([f"{case.file}:{case.line}", *outcome.lines()])


@pytest.mark.parametrize("name", NAMES)
def test_its_cases_show_it_fire_and_hold_still(name: str) -> None:
    assert any(fires(case) for case in cases(name)), "a case in which it is raised"
    assert any(not fires(case) for case in cases(name)), "a case in which nothing is raised"
    steps = {step.number for step in shipped(name).steps}
    shown = {int(e.what.split()[1]) for case in cases(name) for e in case.expected if "step" in e.what}
    assert shown == steps, "every step is shown"


@pytest.mark.parametrize("name", NAMES)
def test_a_sensor_that_breaks_or_falls_silent_is_in_its_cases(name: str) -> None:
    def goes_bad(case: Case) -> bool:
        faults = {event.point for event in case.events if isinstance(event, Reading) and event.value is None}
        silent = {device for device, limit_ms in case.limits_ms.items() if limit_ms != NEVER}
        read = set(case.rule.points) if not presence(case) else presence(case)
        return bool(faults & read) or bool(silent & {point.partition(".")[0] for point in read})

    bad = [case for case in cases(name) if goes_bad(case)]
    assert bad
    if presence(cases(name)[0]) and name not in NOT_STILLED:
        assert any(fires(case) for case in bad), "a sensor of presence that is bad stills nothing"


@pytest.mark.parametrize("name", NAMES)
def test_every_alarm_comes_again_and_a_call_for_help_is_held(name: str) -> None:
    rule = shipped(name)
    assert rule.severity != "alarm" or rule.again is not None
    assert rule.hold == (name in HELD)


@pytest.mark.parametrize("name", IN_EVERY_MODE)
def test_no_mode_silences_fire_water_stove_help_and_tamper(name: str) -> None:
    rule = cases(name)[0].rule
    assert not any(isinstance(atom, ModeIs) for atom in atoms_of(rule.when))


@pytest.mark.parametrize("name", NAMES)
def test_whoever_cannot_hear_sees_a_light_that_goes_out_at_the_end(name: str) -> None:
    steps = shipped(name).steps
    said = {step.after for step in steps if step.do == "say"}
    lit = {step.after for step in steps if step.do == "light" and step.turn == "on"}
    assert said <= lit
    out = [step for step in steps if step.do == "light" and step.turn == "off" and step.after is None]
    assert bool(out) == bool(lit)


@pytest.mark.parametrize("name", NAMES)
def test_a_stuck_presence_is_in_the_cases_of_a_rule_that_it_could_still(name: str) -> None:
    def stuck(case: Case) -> bool:
        """Whether a presence says "somebody" for an hour before the alert, without a word to the contrary."""
        raised = next((e.at for e in case.expected if e.what == "raised"), None)
        for point in presence(case) if raised else ():
            said = [e for e in case.events if isinstance(e, Reading) and e.point == point and e.at < raised]
            since = next((e.at for e in reversed(said) if e.value is not True), case.start - 1)
            true = [e.at for e in said if e.at > since]
            if true and raised - true[0] >= 3_600_000:
                return True
        return False

    rule = cases(name)[0].rule
    stills = any(isinstance(a, Compare) and is_presence(a.point) for a in atoms_of(rule.when))
    if stills and name not in NOT_STILLED:
        assert any(stuck(case) for case in cases(name))


@pytest.mark.parametrize("name", sorted({*IN_EVERY_MODE, "out_at_night", "out_of_bed_at_night"}))
def test_a_node_that_starts_with_nothing_heard_raises_nothing(name: str) -> None:
    case = cases(name)[0]
    for hour in range(0, 24, 3):
        start = case.calendar.instant(1, hour * 3_600_000)
        engine = Engine([case.rule], {}, start=start, wall=WallClock(case.calendar.timezone))
        engine.feed(NodeDown(start + 3_600_000))
        engine.feed(NodeUp(start + 3 * 3_600_000))
        happened = {change.event.value for change in engine.advance(start + 86_400_000)}
        assert "raised" not in happened
