"""What a condition says is what is written; what can't be meant is told with its place."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.language import try_rule
from homenode.language.bound import (
    And,
    Between,
    Changes,
    Compare,
    Count,
    For,
    HasQuality,
    ModeIs,
    Not,
    Or,
    Since,
    Within,
)
from homenode.language.grammar import SyntaxMistake, parse
from tests.unit.language_cases import BINDS, bound, meaning_of, mistakes_of

DOOR = Compare("d.contact", "==", True)
EYES = Or((Compare("e.motion", "==", True), Compare("f.motion", "==", True)))
MIN = 60_000
WORDS = (
    "door",
    "stove",
    "any",
    "(",
    ")",
    "eye",
    ",",
    "for",
    "5",
    "s",
    "within",
    "not",
    "and",
    "==",
    ">",
    "W",
    "$hot",
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("door", DOOR),
        ("door == open", DOOR),
        ("door == closed", Compare("d.contact", "==", False)),
        ("door != true", Compare("d.contact", "!=", True)),
        ("stove > 50 W", Compare("s.power", ">", 50)),
        ("stove >= -2.5W", Compare("s.power", ">=", -2.5)),
        ("stove < $hot", Compare("s.power", "<", 50)),
        ("door for 1 h 30 min", For(DOOR, 90 * MIN)),
        ("door for 1h30min", For(DOOR, 90 * MIN)),
        ("door within 0.5 s", Within(DOOR, 500)),
        ("door for $alone within 1 d", Within(For(DOOR, 20 * MIN), 86_400_000)),
        ("door since help", Since(DOOR, Compare("h.button", "==", True))),
        ("not door within 5 s", Not(Within(DOOR, 5000))),
        ("not (door for 5 s)", Not(For(DOOR, 5000))),
        ("(not door) for 5 s", For(Not(DOOR), 5000)),
        ("not (door for 5 s) within 9 s", Not(Within(For(DOOR, 5000), 9000))),
        ("not not door", Not(Not(DOOR))),
        ("door or help and door", Or((DOOR, And((Compare("h.button", "==", True), DOOR))))),
        ("any(eye)", EYES),
        ("all(eye == false)", And((Compare("e.motion", "==", False), Compare("f.motion", "==", False)))),
        ("any(eye changes)", Or((Changes("e.motion"), Changes("f.motion")))),
        ("any(eye is stale)", Or((HasQuality("e.motion", "stale"), HasQuality("f.motion", "stale")))),
        ("help is unknown", HasQuality("h.button", "unknown")),
        ("door changes", Changes("d.contact")),
        ("count(help, 1 min) >= 3", Count("h.button", MIN, ">=", 3)),
        ("count(door, $alone) < $often", Count("d.contact", 20 * MIN, "<", 3)),
        ("between 22:00 and 06:00 and door", And((Between(22 * 60, 6 * 60), DOOR))),
        ("between $from and 23:59", Between(22 * 60, 23 * 60 + 59)),
        ("mode == away", ModeIs("away")),
    ],
)
def test_a_condition_means_what_it_says(text: str, meant: object) -> None:
    assert meaning_of(text) == meant


@pytest.mark.parametrize(
    ("text", "column", "found", "accepted"),
    [
        ("not door for 5 s", 7, "two ways", "not (A for D) or (not A) for D"),
        ("not not door for 5 s", 7, "two ways", "not (A for D)"),
        ("not (door) since help", 7, "two ways", "(not A) since B"),
        ("door and not door within 1 s for 2 s", 16, "two ways", "not (A for D)"),
        ("dor", 7, "no role", "stove"),
        ("stove", 7, "stove alone", "stove > 10"),
        ("stove changes", 7, "changes, of a number", "stove > 10"),
        ("stove > 50 kWh", 15, "50 kWh", "W, the unit of power"),
        ("stove > open", 15, "a word", "a number"),
        ("stove > $alone", 15, "a duration", "a number"),
        ("stove > $hott", 15, "no parameter", "$hot"),
        ("door == on", 15, "'on'", "open or closed"),
        ("door > open", 14, ">", "== or !="),
        ("door = open", 12, "'='", "a sign"),
        ("door for 5", 17, "the end", "s, min, h or d"),
        ("door for 0.0001 s", 16, "0.0001", "whole number of milliseconds"),
        ("door for $hot", 16, "a number", "a duration"),
        ("eye", 7, "many points", "any(eye"),
        ("any(door)", 7, "any(door)", "many: true"),
        ("guard", 7, "optional role", "always bound"),
        ("view", 7, "optional role", "always bound"),
        ("between 22:00 and $from", 7, "A and A", "two different"),
        ("between 22:00 and 24:00", 25, "24:00", "00:00 to 23:59"),
        ("between 7:00 and 22:00", 15, "7:00", "00:00"),
        ("count(stove, 1 min) > 1", 7, "a number", "true or false"),
        ("count(eye, 1 min) > 1", 7, "count(eye)", "one point"),
        ("count(help, 1 min) > 1.5", 28, "1.5", "a whole number"),
        ("count(help, 1 min)", 25, "the end", ">= 3"),
        ("(door", 12, "the end", ")"),
        ("door)", 11, "')'", "the end"),
        ("door door", 12, "'door'", "and, or"),
        ("", 7, "the end", "a role"),
        ("mode == 5", 15, "'5'", "away"),
        ("door & help", 12, "'&'", "a sign"),
        ("stove > 1e5 W", 15, "", ""),
        ("stove > 99999999999999999999 W", 15, "9999", "15 digits"),
    ],
)
def test_a_mistake_is_told_at_its_place(text: str, column: int, found: str, accepted: str) -> None:
    mistakes = mistakes_of(f'"{text}"' if text == "" else text)
    assert mistakes, text
    told = mistakes[0]
    assert told.field == "when"
    assert found in told.found
    assert accepted in told.accepted
    assert told.line == 14
    if text and "e5" not in text and "999" not in text:
        assert told.column == column


def test_misspelt_words_get_a_suggestion() -> None:
    assert mistakes_of("dor")[0].suggestion == "door"
    assert mistakes_of("stove > $hott")[0].suggestion == "$hot"
    assert mistakes_of("door == opn")[0].suggestion == "open"
    assert mistakes_of("door fro 5 s")[0].suggestion == "for"
    assert mistakes_of("door for 5 mins")[0].suggestion == "min"
    assert mistakes_of("stove > 50 kWh")[0].suggestion == "W"


def test_the_place_is_right_in_a_folded_condition() -> None:
    told = mistakes_of(">-\n  door\n  and (stove > $hot\n  or windw)")[0]
    assert (told.line, told.column) == (17, 6)


def test_all_mistakes_of_a_file_are_told_in_one_go() -> None:
    rest = "sverity: alarm\nto: [nurse]\nsteps:\n  - {after: 1 W, do: notfy}\n  - {do: say}\n"
    told = mistakes_of("dor and windw", rest)
    fields = [mistake.field for mistake in told]
    assert fields == ["when", "when", "sverity", "to", "steps.1.do", "steps.2.text", "steps.2.after"]
    assert told[2].suggestion == "severity"
    assert told[4].suggestion == "notify"


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("{after: 0 s, do: say}", "steps.1.text"),
        ("{after: 0 s, do: say, text: hello}", "steps.1.text"),
        ('{after: 0 s, do: say, text: {sv: "{alon}"}}', "steps.1.text.sv"),
        ("{after: 0 s, do: switch, role: guard, to: open}", "steps.1.to"),
        ("{after: 0 s, do: switch, role: door, to: off}", "steps.1.role"),
        ("{after: 0 s, do: switch, to: off}", "steps.1.role"),
        ("{after: 0 s, do: offer_video, role: guard}", "steps.1.role"),
        ("{after: 0 s, at: resolve, do: notify}", "steps.1.after"),
        ("{at: raise, do: notify}", "steps.1.at"),
        ("{after: 0 s, do: notify, every: 5 min}", "steps.1.times"),
        ("{after: 0 s, do: notify, every: 0 s, times: 2}", "steps.1.every"),
        ("{after: 0 s, do: notify, every: 1 s, times: 0}", "steps.1.times"),
        ("{after: 0 s, do: notify, every: 1 s, times: 1.5}", "steps.1.times"),
        ("{at: resolve, do: notify, every: 1 s, times: 2}", "steps.1.every"),
        ("{after: -1 s, do: notify}", "steps.1.after"),
        ("{after: 0 s, do: notify, to: [police]}", "steps.1.to"),
        ("{after: 0 s, do: mode}", "steps.1.to"),
        ("{after: 0 s, do: mode, to: [home]}", "steps.1.to"),
        ("{after: 0 s, do: mode, to: At Home}", "steps.1.to"),
    ],
)
def test_a_wrong_step_is_told(step: str, field: str) -> None:
    assert [mistake.field for mistake in mistakes_of("door", f"steps:\n  - {step}\n")] == [field]


def test_nothing_that_is_right_is_a_mistake() -> None:
    steps = """steps:
  - {after: 0 s, do: say, text: {sv: "{alone} av {hot}"}}
  - {after: $alone, do: switch, role: guard, to: off}
  - {after: 5 min, do: offer_video, role: view}
  - {after: 1 min, do: notify, to: property, every: 5 min, times: $often}
  - {at: resolve, do: notify}
  - {at: resolve, do: mode, to: home}
hold: acknowledged
again: $alone
bridge: 0 s
grace: 10 min
"""
    assert mistakes_of("door", steps) == []


def test_a_mode_that_a_step_sets_is_one_of_the_homes() -> None:
    rule, _ = bound("door", "steps:\n  - {after: 0 s, do: mode, to: night}\n")
    assert rule is not None
    assert [(step.do, step.mode) for step in rule.steps] == [("mode", "night")]
    rule, (told,) = bound("door", "steps:\n  - {after: 0 s, do: mode, to: nigt}\n")
    assert rule is None
    assert (told.field, told.found, told.suggestion) == ("rules.case.use", "step 1 to: nigt", "night")
    assert told.accepted == "a mode of this home: away, home or night"


def test_a_step_whose_role_is_not_bound_is_left_out_and_the_others_keep_their_number() -> None:
    steps = "steps:\n  - {after: 0 s, do: switch, role: guard, to: off}\n  - {after: 0 s, do: notify}\n"
    rule, _ = bound("door", steps)
    assert rule is not None
    assert [(step.number, step.do) for step in rule.steps] == [(2, "notify")]
    rule, _ = bound("door", steps, {**BINDS, "guard": ("g.switch",)})
    assert rule is not None
    assert [(step.number, step.point, step.turn) for step in rule.steps] == [
        (1, "g.switch", False),
        (2, "", False),
    ]


@pytest.mark.parametrize(
    ("binds", "sets", "field", "accepted"),
    [
        ({"stove": ()}, {}, "bind.stove", "one point"),
        ({"door": ("d.motion",)}, {}, "bind.door", "a point of kind contact"),
        ({"eye": ()}, {}, "bind.eye", "at least one"),
        ({"dor": ("d.contact",)}, {}, "bind.dor", "door"),
        ({"view": ("hall",)}, {}, "bind.view", "cameras"),
        ({}, {"hot": "5 W"}, "set.hot", "at least 10 W"),
        ({}, {"hot": "20 min"}, "set.hot", "a number such as 50 W"),
        ({}, {"hot": "60 A"}, "set.hot", "50 W"),
        ({}, {"hot": "hot"}, "set.hot", "50 W"),
        ({}, {"hto": "60 W"}, "set.hto", "hot"),
        ({}, {"alone": "3 h"}, "set.alone", "at most 2 h"),
        ({}, {"alone": "forever now"}, "set.alone", "duration"),
    ],
)
def test_a_wrong_use_is_told_with_the_line_in_home_yaml(
    binds: dict[str, tuple[str, ...]], sets: dict[str, str], field: str, accepted: str
) -> None:
    rule, mistakes = bound("door", "", {**BINDS, **binds}, sets)
    assert rule is None
    assert [mistake.field for mistake in mistakes] == [f"rules.case.{field}"]
    assert accepted in mistakes[0].accepted
    assert mistakes[0].line == (9 if field == "set.hot" else 7)


def test_a_role_that_is_not_bound_and_an_unknown_mode_are_told() -> None:
    _, mistakes = bound(
        "mode == awya", "", {role: points for role, points in BINDS.items() if role != "door"}
    )
    assert [mistake.found for mistake in mistakes] == ["no door", "mode == awya"]
    assert mistakes[1].suggestion == "away"


def test_what_the_home_sets_replaces_the_default_everywhere() -> None:
    rule, _ = bound(
        "door for $alone", 'says: {en: "open for {alone}"}\ngrace: $alone\n', sets={"alone": "25 min"}
    )
    assert rule is not None
    assert rule.when == For(DOOR, 25 * MIN)
    assert rule.grace_ms == 25 * MIN
    assert rule.says == {"en": "open for 25 min"}
    assert rule.clear == Not(rule.when)
    assert rule.bridge_ms == 15 * MIN


@pytest.mark.parametrize(
    ("sets", "accepted", "suggestion"),
    [
        ({"from": "6:00"}, "a time from 00:00 to 23:59", "06:00"),
        ({"from": "24:00"}, "a time from 00:00 to 23:59", ""),
        ({"from": "6 timmar"}, "a time from 00:00 to 23:59", ""),
        ({"from": "22.00"}, "a time HH:MM such as 22:00", "22:00"),
        ({"alone": "20 minutes"}, "a unit of time: s, min, h or d", "20 min"),
        ({"alone": "40000 d"}, "at most a hundred years (36525 d)", ""),
        ({"hot": "20 watts"}, "a unit: %, A", ""),
    ],
)
def test_what_a_home_may_set_is_told_by_the_sort_of_the_parameter(
    sets: dict[str, str], accepted: str, suggestion: str
) -> None:
    _, (mistake,) = bound("stove > $hot for $alone and between $from and 23:00", sets=sets)
    assert mistake.accepted.startswith(accepted)
    assert mistake.suggestion == suggestion


def test_between_two_times_that_a_home_makes_equal_is_told() -> None:
    rule, mistakes = bound("between $from and 23:00", sets={"from": "23:00"})
    assert rule is None
    assert "two different times" in mistakes[0].accepted


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "not " * 4_000,
        "(" * 60 + "door" + ")" * 60,
        "door" + " for 1 s" * 2_000,
        "door since (" * 1_000,
        "door" + " and door" * 2_000,
        "9" * 19_000,
        "\u0000",
        "x" * 1_000_000,
    ],
)
def test_hostile_conditions_are_refused_or_read_and_never_hurt(text: str) -> None:
    with suppress(SyntaxMistake):
        parse(text)


@given(st.lists(st.sampled_from(WORDS)))
@settings(max_examples=300)
def test_any_row_of_words_is_a_condition_or_a_mistake(words: list[str]) -> None:
    assert isinstance(mistakes_of(" ".join(words) or "door"), list)


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_is_a_rule_file_or_mistakes(text: str) -> None:
    rule, mistakes = try_rule(text, "any.yaml")
    assert (rule is None) == bool(mistakes)


def test_a_number_without_a_unit_has_that_of_the_default() -> None:
    rule, _ = bound("stove > $hot", 'says: {en: "more than {hot}"}\n', sets={"hot": "60"})
    assert rule is not None
    assert rule.when == Compare("s.power", ">", 60)
    assert rule.says == {"en": "more than 60 W"}
