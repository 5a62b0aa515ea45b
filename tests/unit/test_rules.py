"""The shipped rules: each reads, fires when its requirement says so, holds still when it doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.config.model import Home, Mode, RuleUse
from homenode.config.rows import STANDARD_MODES
from homenode.config.rule_files import rule_names, shipped_folder
from homenode.engine import Engine, WallClock
from homenode.engine.events import Acknowledge, Event, Reading
from homenode.language import BoundRule, read_rule
from homenode.language.binding import bind

MIN, HOUR = 60_000, 3_600_000
NAMES = rule_names(Path("/nowhere"))
POINTS = {
    "battery_low": {"battery": ("a.battery",)},
    "co_alarm": {"co": ("a.co",)},
    "cold": {"temperature": ("a.temperature", "b.temperature")},
    "door_left_open": {"door": ("a.contact",)},
    "door_open_at_night": {"door": ("a.contact",)},
    "help_button": {"button": ("a.button",)},
    "out_of_bed_at_night": {"bed": ("a.occupancy",)},
    "smoke_alarm": {"smoke": ("a.smoke", "b.smoke")},
    "stove_left_on": {"stove": ("a.power",), "presence": ("b.motion", "c.motion")},
    "water_leak": {"water": ("a.water",)},
}


def shipped(name: str) -> BoundRule:
    path = shipped_folder() / f"{name}.yaml"
    rule = read_rule(path.read_text(encoding="utf-8"), path.name)
    modes = {mode: Mode(mode, longest) for mode, longest in STANDARD_MODES.items()}
    home = Home(Path("/home.yaml"), "h", "UTC", "sv", None, {}, {}, (), {}, modes)
    bound, mistakes = bind(rule, RuleUse(name, name, path, POINTS[name], {}), home)
    assert bound is not None, mistakes
    return bound


def events_of(name: str, *readings: tuple[int, str, object] | Event, to: int) -> list[tuple[int, str]]:
    """What a rule does with (instant, point, value); midnight is instant 0."""
    machine = Engine([shipped(name)], {}, start=0, wall=WallClock("UTC"))
    for item in readings:
        machine.feed(item if isinstance(item, Acknowledge) else Reading(item[1], item[2], item[0]))  # type: ignore[arg-type,misc]  # a trace
    return [
        (t.at, t.event.value) for t in machine.advance(to) if t.event.value in ("raised", "resolved", "fault")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_rule_reads_and_says_itself_in_both_languages(name: str) -> None:
    text = (shipped_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    rule = read_rule(text, name)
    assert text.startswith("# "), "a rule file begins with its requirement in plain words"
    assert rule.rule == name
    assert set(rule.says) == {"sv", "en"}
    assert all(set(step.text) == {"sv", "en"} for step in rule.steps if step.do == "say")
    assert all(setting.low is not None or ":" in setting.text for setting in rule.parameters.values())
    assert shipped(name).name == name


def test_every_shipped_rule_has_a_trace_here() -> None:
    assert set(NAMES) == set(POINTS)


def test_a_stove_with_nobody_in_the_kitchen_is_found_after_twenty_minutes() -> None:
    quiet = [(0, "b.motion", False), (0, "c.motion", False)]
    said = events_of("stove_left_on", (0, "a.power", 0), *quiet, (HOUR, "a.power", 1500), to=2 * HOUR)
    assert said == [(HOUR + 20 * MIN, "raised")]


def test_somebody_in_the_kitchen_stills_the_stove() -> None:
    seen = [(0, "b.motion", False), (0, "c.motion", False), (HOUR + 10 * MIN, "b.motion", True)]
    gone = [(HOUR + 11 * MIN, "b.motion", False)]
    stove = [(0, "a.power", 0), (HOUR, "a.power", 1500)]
    said = events_of("stove_left_on", *seen[:2], *stove, *seen[2:], *gone, to=2 * HOUR)
    assert said == [(HOUR + 31 * MIN, "raised")]


def test_a_thermostat_that_pauses_is_still_on_and_a_stove_turned_off_is_not() -> None:
    quiet = [(0, "b.motion", False), (0, "c.motion", False), (0, "a.power", 0)]
    cycles = [(HOUR + n * 4 * MIN, "a.power", 900 if n % 2 == 0 else 0) for n in range(10)]
    assert events_of("stove_left_on", *quiet, *cycles, to=HOUR + 21 * MIN) == [(HOUR + 20 * MIN, "raised")]
    brief = [(HOUR, "a.power", 900), (HOUR + 10 * MIN, "a.power", 0)]
    assert events_of("stove_left_on", *quiet, *brief, to=3 * HOUR) == []


@pytest.mark.parametrize("stuck", [None, True])
def test_a_motion_sensor_that_hangs_or_fails_never_stills_the_stove(stuck: bool | None) -> None:
    trace = [(0, "b.motion", False), (0, "c.motion", False), (0, "a.power", 0), (1, "c.motion", stuck)]
    said = events_of("stove_left_on", *trace, (2 * HOUR, "a.power", 1500), to=4 * HOUR)
    assert (2 * HOUR + 20 * MIN, "raised") in said


def test_water_is_told_at_once_and_ends_two_minutes_after_it_is_dry() -> None:
    said = events_of(
        "water_leak", (0, "a.water", False), (MIN, "a.water", True), (2 * MIN, "a.water", False), to=HOUR
    )
    assert said == [(MIN, "raised"), (4 * MIN, "resolved")]


def test_water_that_comes_and_goes_is_one_alert() -> None:
    drops = [(n * MIN, "a.water", n % 2 == 1) for n in range(20)]
    assert [event for _, event in events_of("water_leak", *drops, to=19 * MIN)] == ["raised"]


@pytest.mark.parametrize(("name", "point"), [("smoke_alarm", "a.smoke"), ("co_alarm", "a.co")])
def test_smoke_and_carbon_monoxide_stay_open_until_somebody_acknowledged(name: str, point: str) -> None:
    others = [(0, "b.smoke", False)] if name == "smoke_alarm" else []
    trace = [*others, (0, point, False), (MIN, point, True), (2 * MIN, point, False)]
    assert events_of(name, *trace, to=HOUR) == [(MIN, "raised")]
    said = events_of(name, *trace, Acknowledge(name, 9 * MIN), to=HOUR)
    assert said == [(MIN, "raised"), (9 * MIN, "resolved")]


def test_a_help_call_ends_only_when_somebody_has_taken_it() -> None:
    said = events_of("help_button", (MIN, "a.button", True), Acknowledge("help_button", 3 * MIN), to=HOUR)
    assert [line for line in said if line[1] != "fault"] == [(MIN, "raised"), (3 * MIN, "resolved")]


def test_a_door_that_stands_open_since_the_evening_is_found_when_night_begins() -> None:
    said = events_of("door_open_at_night", (20 * HOUR, "a.contact", True), to=30 * HOUR)
    assert (22 * HOUR, "raised") in said
    assert (30 * HOUR, "resolved") not in said, "morning doesn't close a door"


def test_a_door_open_by_day_is_nobodys_business() -> None:
    assert (
        events_of("door_open_at_night", (0, "a.contact", False), (8 * HOUR, "a.contact", True), to=20 * HOUR)
        == []
    )


def test_who_leaves_the_bed_at_night_and_is_not_back_is_missed() -> None:
    slept = [(0, "a.occupancy", True), (2 * HOUR, "a.occupancy", False)]
    assert events_of("out_of_bed_at_night", *slept, to=4 * HOUR) == [(2 * HOUR + 30 * MIN, "raised")]
    back = [*slept, (2 * HOUR + 10 * MIN, "a.occupancy", True)]
    assert events_of("out_of_bed_at_night", *back, to=4 * HOUR) == []


def test_who_has_not_gone_to_bed_yet_is_not_missed() -> None:
    assert events_of("out_of_bed_at_night", (0, "a.occupancy", False), to=4 * HOUR) == []


def test_a_cold_hour_is_told() -> None:
    warm = [(0, "a.temperature", 20.0), (0, "b.temperature", 20.5)]
    said = events_of(
        "cold", *warm, (HOUR, "b.temperature", 15.9), (3 * HOUR, "b.temperature", 17), to=6 * HOUR
    )
    assert said == [(2 * HOUR, "raised"), (3 * HOUR + 30 * MIN, "resolved")]
