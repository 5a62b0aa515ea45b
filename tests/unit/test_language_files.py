"""Each key of a rule file says what is wrong with it, and where."""

from __future__ import annotations

import pytest

from homenode.errors import FileMistakes
from homenode.language import read_rule, try_rule
from tests.unit.language_cases import mistakes_of

GOOD = {"rule": "rule: case", "roles": "roles: {door: {kind: contact}}", "when": "when: door"}


def fields(**lines: str) -> list[str]:
    """The fields that are told as wrong in a small file with some lines replaced ("" leaves one out)."""
    text = "\n".join(line for line in {**GOOD, **lines}.values() if line)
    return [mistake.field for mistake in try_rule(text + "\n", "case.yaml")[1]]


def test_three_lines_are_a_rule() -> None:
    assert fields() == []
    rule = read_rule("\n".join(GOOD.values()), "case.yaml")
    assert (rule.version, rule.severity, rule.to, rule.hold) == (1, "alarm", ("care",), False)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ({"rule": ""}, "rule"),
        ({"rule": "rule: Stove!"}, "rule"),
        ({"rule": "rule: [a]"}, "rule"),
        ({"when": ""}, "when"),
        ({"when": "when:"}, "when"),
        ({"when": "when: [door]"}, "when"),
        ({"x": "version: 0"}, "version"),
        ({"x": "version: true"}, "version"),
        ({"x": "version: 1.5"}, "version"),
        ({"x": "severity: loud"}, "severity"),
        ({"x": "severity: [alarm]"}, "severity"),
        ({"x": "to:"}, "to"),
        ({"x": "to: [care, [property]]"}, "to"),
        ({"x": "hold: true"}, "hold"),
        ({"x": "again: 0 s"}, "again"),
        ({"x": "again: 5 W"}, "again"),
        ({"x": "bridge: $none"}, "bridge"),
        ({"x": "grace: [5 s]"}, "grace"),
        ({"x": "says: loud"}, "says"),
        ({"x": "says: {}"}, "says"),
        ({"x": "says: {sv: [a]}"}, "says.sv"),
        ({"x": "says: {sv: }"}, "says.sv"),
        ({"x": "steps: {do: notify}"}, "steps"),
        ({"x": "steps: [notify]"}, "steps.1"),
        ({"x": "steps: [{after: 0 s}]"}, "steps.1.do"),
        ({"x": "steps: [{after: 0 s, do: notify, text: hello}]"}, "steps.1.text"),
        ({"x": "steps: [{after: 0 s, do: switch, role: dor, to: off}]"}, "steps.1.role"),
        ({"roles": "roles: [door]", "when": "when: mode == away"}, "roles"),
        ({"roles": "roles: {door: {kind: contact}, for: {kind: contact}}"}, "roles.for"),
        ({"roles": "roles: {door: {kind: contact}, a-b: {kind: contact}}"}, "roles.a-b"),
        ({"roles": "roles: {door: {kind: contact}, eye: motion}"}, "roles.eye"),
        ({"roles": "roles: {door: {kind: contact}, eye: {many: true}}"}, "roles.eye.kind"),
        ({"roles": "roles: {door: {kind: contact}, eye: {kind: moton}}"}, "roles.eye.kind"),
        ({"roles": "roles: {door: {kind: contact}, eye: {kind: []}}"}, "roles.eye.kind"),
        ({"roles": "roles: {door: {kind: contact}, eye: {kind: [camera, motion]}}"}, "roles.eye.kind"),
        ({"roles": "roles: {door: {kind: contact, many: on}}"}, "roles.door.many"),
        ({"roles": "roles: {door: {kind: contact, much: true}}"}, "roles.door.much"),
        ({"x": "parameters: [a]"}, "parameters"),
        ({"x": "parameters: {a-b: {default: 5}}"}, "parameters.a-b"),
        ({"x": "parameters: {a: 5 s}"}, "parameters.a"),
        ({"x": "parameters: {a: {min: 5 s}}"}, "parameters.a.default"),
        ({"x": "parameters: {a: {default: 5 parsec}}"}, "parameters.a.default"),
        ({"x": "parameters: {a: {default: }}"}, "parameters.a.default"),
        ({"x": "parameters: {a: {default: 5 s, min: 5 W}}"}, "parameters.a.min"),
        ({"x": "parameters: {a: {default: 5 W, max: 5 V}}"}, "parameters.a.max"),
        ({"x": "parameters: {a: {default: 5 s, min: 6 s}}"}, "parameters.a.default"),
        ({"x": "parameters: {a: {default: 7:00}}"}, "parameters.a.default"),
        ({"x": "when: door"}, "when"),
    ],
)
def test_one_mistake_is_one_line_about_the_right_field(lines: dict[str, str], field: str) -> None:
    assert fields(**lines) == [field]


@pytest.mark.parametrize(
    "lines",
    [
        {"x": "to: []"},
        {"x": "to: property"},
        {"x": "steps:"},
        {"x": "parameters: {a: {default: 5 s, min: 5 s, max: 5 s}}"},
        {"x": "parameters: {a: {default: 1h30min}, b: {default: -5 °C}}"},
        {"x": "parameters: {a: {default: open}, b: {default: 22:00}}"},
        {"roles": "roles: {door: {kind: [contact, lock], optional: false}}", "when": "when: door == true"},
    ],
)
def test_what_is_right_is_taken(lines: dict[str, str]) -> None:
    assert fields(**lines) == []


def test_a_camera_is_no_sensor() -> None:
    assert fields(roles="roles: {door: {kind: camera}}") == ["when"]


def test_a_rule_with_a_mistake_is_refused_with_all_of_them() -> None:
    with pytest.raises(FileMistakes) as wrong:
        read_rule("rule: A!\nversion: 0\n", "case.yaml")
    assert [mistake.field for mistake in wrong.value.mistakes] == ["when", "rule", "version"]


def test_the_file_that_is_no_mapping_is_told() -> None:
    assert try_rule("- a\n", "case.yaml")[1][0].field == "file"


def test_a_missing_role_of_a_step_names_those_that_fit() -> None:
    told = mistakes_of("door", "steps:\n  - {after: 0 s, do: switch, role: gard, to: off}\n")
    assert (told[0].accepted, told[0].suggestion) == ("guard", "guard")
