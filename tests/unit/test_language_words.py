"""What a rule file becomes in a home, to the last field, and in which words a mistake is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from homenode.config.model import RuleUse
from homenode.errors import Mistake
from homenode.kinds import KINDS
from homenode.language import try_rule
from homenode.language.binding import bind
from homenode.language.bound import BoundStep
from homenode.language.values import Quantity, Span, TimeOfDay, Word, parse_value, truth, truth_words
from tests.unit.language_cases import BINDS, bound, home_with, mistakes_of, rule_text

MIN = 60_000


def steps(*lines: str) -> str:
    return "steps:\n" + "".join(f"  - {line}\n" for line in lines)


def of_step(line: str, when: str = "door") -> list[tuple[str, str, str, str]]:
    return [words(mistake) for mistake in mistakes_of(when, steps(line))]


def words(mistake: Mistake) -> tuple[str, str, str, str]:
    return mistake.field, mistake.found, mistake.accepted, mistake.suggestion


# -- what is right


def test_each_step_is_what_its_line_says() -> None:
    rule, mistakes = bound(
        "door",
        steps(
            '{after: 0 s, do: say, text: {sv: "{alone} av {hot}"}}',
            "{after: $alone, do: switch, role: guard, to: on}",
            "{after: 1 min, do: notify, to: property, every: 5 min, times: $often}",
            "{after: 2 min, do: notify}",
            "{at: resolve, do: notify, to: [resident, care]}",
            "{at: resolve, do: switch, role: guard, to: false}",
        ),
        {**BINDS, "guard": ("g.switch",)},
        {"often": "4"},
    )
    assert (mistakes, rule is None) == ([], False)
    assert rule is not None
    assert rule.steps == (
        BoundStep(1, "say", 0, text={"sv": "20 min av 50 W"}),
        BoundStep(2, "switch", 20 * MIN, point="g.switch", turn=True),
        BoundStep(3, "notify", MIN, 5 * MIN, 4, parties=("property",)),
        BoundStep(4, "notify", 2 * MIN, parties=("care",)),
        BoundStep(5, "notify", None, parties=("resident", "care")),
        BoundStep(6, "switch", None, point="g.switch", turn=False),
    )


def test_what_a_file_leaves_out_is_the_careful_choice() -> None:
    rule, _ = bound("door")
    assert rule is not None
    assert (rule.severity, rule.to, rule.version, rule.hold) == ("alarm", ("care",), 1, False)
    assert (rule.bridge_ms, rule.grace_ms, rule.again_ms) == (15 * MIN, 10 * MIN, None)
    assert (rule.steps, rule.says, rule.name, rule.rule) == ((), {}, "case", "case")


def test_what_a_file_says_is_what_the_home_gets() -> None:
    rest = "severity: alarm\nto: []\nversion: 3\nhold: acknowledged\nbridge: 0 s\ngrace: $alone\nagain: 1 h\n"
    rule, _ = bound("door", rest)
    assert rule is not None
    assert (rule.severity, rule.to, rule.version, rule.hold) == ("alarm", (), 3, True)
    assert (rule.bridge_ms, rule.grace_ms, rule.again_ms) == (0, 20 * MIN, 60 * MIN)
    assert rule.roles == {role: tuple(points) for role, points in BINDS.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50 W", Quantity(50, "W")),
        ("50W", Quantity(50, "W")),
        ("-2.5", Quantity(-2.5)),
        ("3", Quantity(3)),
        ("20 min", Span(20 * MIN)),
        ("1h30min", Span(90 * MIN)),
        ("1 h 30 min", Span(90 * MIN)),
        (" 22:05 ", TimeOfDay(22 * 60 + 5)),
        ("open", Word("open")),
        ("true", Word("true")),
    ],
)
def test_a_parameter_is_a_number_a_span_a_time_or_a_word(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert isinstance(parse_value("3"), Quantity)


@pytest.mark.parametrize("text", ["", "50 Q", "5 W W", "24:00", "22:60", "1e5", "--5", "1234567890123456"])
def test_anything_else_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|duration|years"):
        parse_value(text)


def test_words_suit_their_kinds_and_no_other() -> None:
    assert [truth(word, KINDS["contact"]) for word in ("open", "closed", "true", "false", "on", "")] == [
        True,
        False,
        True,
        False,
        None,
        None,
    ]
    assert truth("true", KINDS["power"]) is None
    assert truth("true", KINDS["motion"]) is True
    assert truth_words([KINDS["switch"]]) == ["true", "false", "on", "off"]
    assert truth_words([KINDS["switch"], KINDS["light"]]) == ["true", "false", "on", "off"]
    assert truth_words([KINDS["switch"], KINDS["contact"]]) == ["true", "false"]
    assert truth_words([KINDS["motion"]]) == ["true", "false"]


# -- what is wrong


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("notify", ("steps.1", "notify", "{after: 0 s, do: notify}", "")),
        ("{after: 0 s}", ("steps.1.do", "nothing", "", "")),
        ("{after: 0 s, do: [say]}", ("steps.1.do", "", "", "")),
        ("{after: 0 s, do: swich}", ("steps.1.do", "swich", "say, light", "switch")),
        ("{do: notify}", ("steps.1.after", "nothing", "after: DURATION or at: resolve", "")),
        (
            "{after: 0 s, at: resolve, do: notify}",
            ("steps.1.after", "both after: and at:", "after: DURATION or at: resolve", ""),
        ),
        ("{after: 0 s, do: notify, times: 2}", ("steps.1.every", "nothing", "every: DURATION", "")),
        ("{after: 0 s, do: notify, every: 2 s}", ("steps.1.times", "nothing", "every: DURATION", "")),
        (
            "{at: resolve, do: notify, every: 1 s, times: 2}",
            ("steps.1.every", "1 s", "after: (a step at the resolve runs once)", ""),
        ),
        ("{after: 0 s, do: notify, every: 0 s, times: 2}", ("steps.1.every", "0 s", "longer than 0 s", "")),
        (
            "{after: 0 s, do: notify, every: 1 s, times: 2 W}",
            ("steps.1.times", "2 W", "a whole number from 1", ""),
        ),
        ("{after: 0 s, do: switch, to: on}", ("steps.1.role", "nothing", "role: …", "")),
        ("{after: 0 s, do: switch, role: guard}", ("steps.1.to", "nothing", "to: …", "")),
        ("{after: 0 s, do: switch, role: gard, to: on}", ("steps.1.role", "gard", "guard", "guard")),
        ("{after: 0 s, do: siren, role: x, to: on}", ("steps.1.role", "x", "a role of kind siren", "")),
        (
            "{after: 0 s, do: switch, role: door, to: on}",
            ("steps.1.role", "door, of kind contact", "a role of kind switch", ""),
        ),
        (
            "{after: 0 s, do: switch, role: guard, to: of}",
            ("steps.1.to", "of", "true, false, on or off", "off"),
        ),
        ("{after: 0 s, do: offer_video, role: vew}", ("steps.1.role", "vew", "view", "view")),
        ("{after: 0 s, do: notify, to: [care, nurse]}", ("steps.1.to", "", "care", "")),
    ],
)
def test_a_wrong_step_is_told_in_these_words(line: str, told: tuple[str, str, str, str]) -> None:
    (found,) = of_step(line)
    field, what, accepted, suggestion = told
    assert (found[0], found[3]) == (field, suggestion)
    assert what in found[1]
    assert accepted in found[2]


def test_steps_that_are_no_list_are_told_and_none_is_none() -> None:
    (told,) = mistakes_of("door", "steps: notify\n")
    assert (told.field, told.accepted) == ("steps", "a list, each step as {after: 0 s, do: notify}")
    assert mistakes_of("door", "steps:\n") == mistakes_of("door", "steps: []\n") == []


def test_a_mistake_in_the_second_step_is_told_of_the_second() -> None:
    (told,) = mistakes_of("door", steps("{after: 0 s, do: notify}", "{after: 0 s, do: say}"))
    assert (told.field, told.line) == ("steps.2.text", 17)


@pytest.mark.parametrize(
    ("binds", "found", "accepted", "suggestion"),
    [
        ({"stove": ()}, "a list of 0", "one point", ""),
        ({"stove": ("s.power", "s.power_2")}, "a list of 2", "one point", ""),
        ({"eye": ()}, "an empty list", "a list of at least one point", ""),
        ({"door": ("d.motion",)}, "d.motion", "a point of kind contact", "d.contact"),
        ({"door": ("d.nothing",)}, "d.nothing", "a point of kind contact", "d.contact"),
        ({"dor": ("d.contact",)}, "an unknown role", "stove, door, eye, help, guard or view", "door"),
        ({"view": ("hall",)}, "hall", "a name under cameras: none", ""),
    ],
)
def test_a_wrong_binding_is_told_in_these_words(
    binds: dict[str, tuple[str, ...]], found: str, accepted: str, suggestion: str
) -> None:
    _, (told,) = bound("door", "", {**BINDS, **binds})
    assert words(told)[1:] == (found, accepted, suggestion)
    assert told.file == "/home.yaml"


def test_a_point_that_the_device_lacks_is_never_suggested() -> None:
    rule, _ = try_rule(rule_text("stove > 5 W"), "case.yaml")
    assert rule is not None
    use = RuleUse("case", "case", Path("case.yaml"), {**BINDS, "stove": ("d.contact",)}, {})
    home = home_with()
    for plug, meant in ((("switch", "power"), "s.power"), (None, "")):
        devices = {
            **home.devices,
            "d": replace(home.devices["d"], kinds=("contact",)),
            "s": replace(home.devices["s"], kinds=plug),
        }
        _, (told,) = bind(rule, use, replace(home, devices=devices))
        assert words(told)[1:] == ("d.contact", "a point of kind power", meant)


def test_one_point_given_as_a_list_is_told() -> None:
    _, (told,) = bound("door", lists=frozenset({"door"}))
    assert words(told) == ("rules.case.bind.door", "a list of 1", "one point", "")


def test_a_mode_that_a_home_lacks_is_told_wherever_it_stands() -> None:
    for when, rest in (("not (mode == guest for 5 s)", ""), ("door", "clear: door or mode == guest\n")):
        _, (told,) = bound(when, rest)
        assert words(told)[1:] == ("mode == guest", "a mode of this home: away, home or night", "")


def test_an_acknowledgement_that_lapses_at_once_is_told() -> None:
    _, mistakes = bound("door", "again: $alone\n", sets={"alone": "1 min"})
    assert mistakes == []
    (told,) = mistakes_of("door", "again: 0 s\n") or bound("door", "again: 0 s\n")[1]
    assert told.accepted == "longer than 0 s"


@pytest.mark.parametrize(
    ("rest", "field"),
    [
        ("hold: yes\n", "hold"),
        ("version: 0\n", "version"),
        ("version: one\n", "version"),
        ("severity: bad\n", "severity"),
        ("to: nurse\n", "to"),
        ("says: text\n", "says"),
        ("bridge: 5\n", "bridge"),
        ("grace: $hot\n", "grace"),
        ("again: soon\n", "again"),
        ("colour: red\n", "colour"),
    ],
)
def test_a_wrong_line_of_a_rule_file_is_told_by_its_name(rest: str, field: str) -> None:
    (told,) = mistakes_of("door", rest)
    assert told.field == field
    assert told.line == 15
    assert told.accepted


def test_what_every_rule_file_needs_is_told_where_it_is_missing() -> None:
    rule, mistakes = try_rule("version: 1\n", "bare.yaml")
    assert rule is None
    assert {"rule", "when"} <= {mistake.field for mistake in mistakes}
