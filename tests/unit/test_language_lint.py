"""What a rule says that nobody can have meant is told with its place; what may be meant is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.config.model import RuleUse
from homenode.config.rule_files import shipped_folder
from homenode.engine import Engine, WallClock
from homenode.engine.events import Event, ModeSet, Reading
from homenode.language import read_rule, try_rule
from homenode.language.applied import Applied
from homenode.language.lint import Findings, lint
from homenode.language.possible import Possible
from tests.unit.language_cases import BINDS, bound, home_with, rule_text

NOBODY = "to: []\nsteps: [{after: 0 s, do: say, text: {en: a}}]\n"
SILENT = "any(eye is stale) or any(eye is unknown)"
UNUSED = "which nothing uses"


def found(
    when: str, rest: str = NOBODY, sets: dict[str, str] | None = None, *, at_home: bool = False
) -> Findings:
    """Of a rule that tells nobody unless it says so; unused roles and parameters are left out."""
    rule, mistakes = try_rule(rule_text(when, rest), "case.yaml")
    assert rule is not None, mistakes
    use = RuleUse("case", "case", Path("case.yaml"), BINDS, sets or {})
    findings = lint(Applied(rule, home_with(), use) if at_home or sets else Applied(rule))
    findings.warnings = [warning for warning in findings.warnings if UNUSED not in warning.found]
    return findings


def test_what_is_accepted_of_what_is_never_false_isnt_that_of_what_is_never_true() -> None:
    assert found("count(door, 1 min) >= 0").warnings[0].accepted == "a count from 1"
    assert found("count(door, 1 min) < 0").mistakes[0].accepted == "a count from 0"
    never_false = found("(door or not door) for 1 min").warnings[0]
    assert never_false.accepted == "what isn't so whatever happens"


@pytest.mark.parametrize(
    ("when", "column", "told"),
    [
        ("stove > 2000000 W", 7, "stove > 2000000 W, which is never true"),
        ("stove < -1000000 W", 7, "never true"),
        ("door and stove == 1000001 W", 16, "stove == 1000001 W, which is never true"),
        ("not (stove <= 1000000 W)", 12, "stove <= 1000000 W, which is never false"),
        ("count(door, 1 min) < 0", 7, "count(door, 1 min) < 0, which is never true"),
        ("count(door, 1 min) == -1", 7, "never true"),
        ("count(door, 5 s) > 2 and count(door, 5 s) < 3", 32, "together with count(door, 5 s) > 2"),
        ("help for 5 s", 16, "for 5 s of what lasts an instant, which is never true"),
        ("help == true for $alone", 24, "for 20 min of what lasts an instant"),
        ("door changes for 1 min", 24, "never true"),
        ("(door and help) for 1 s", 27, "for 1 s of what lasts an instant"),
        ("(help or door changes) for 1 s", 34, "for 1 s of what lasts an instant"),
        ("(not help) within 5 s", 25, "within 5 s of what lasts an instant, which is never false"),
        ("stove > 50 W and stove < 30 W", 24, "stove < 30 W, never true together with stove > 50 W"),
        ("stove > $hot and stove <= 50 W", 24, "stove <= 50 W, never true together with stove > 50 W"),
        ("(stove > 50 W for 5 s) and (stove < 50 W for 1 s)", 35, "never true together with"),
        ("not (stove > 50 W or stove <= 60 W)", 28, "stove <= 60 W, never false together with stove > 50 W"),
        ("door and door == closed", 16, "door == closed, never true together with door"),
        ("door and not (door within 5 s)", 21, "not door, never true together with door"),
        ("door is stale and door", 25, "door, never true together with door is stale"),
        ("door is stale and door is unknown", 25, "never true together with door is stale"),
        ("help changes and help is unknown", 24, "never true together with help changes"),
        ("any(eye) and all(eye == false)", 20, "all(eye == false), never true together with any(eye)"),
        ("all(eye) and not any(eye)", 24, "not any(eye), never true together with all(eye)"),
        ("between 22:00 and 23:00 and between 08:00 and 09:00", 35, "never true together with between 22:00"),
        ("mode == away and mode == home", 24, "mode == home, never true together with mode == away"),
        ("door since (mode == away and mode == night)", 36, "never true together"),
    ],
)  # fmt: skip
def test_what_is_never_true_or_never_false_is_told_at_its_place(when: str, column: int, told: str) -> None:
    findings = found(when)
    (one,) = findings.mistakes or findings.warnings
    assert told in one.found
    assert (one.line, one.column, one.field) == (14, column, "when")
    assert bool(findings.mistakes) is ("never true" in one.found)


@pytest.mark.parametrize(
    "when",
    [
        "stove > 50 W and stove <= 51 W",
        "stove != 50 W and stove >= 50 W",
        "count(door, 5 s) > 2 and count(door, 6 s) < 2",
        "count(door, 5 s) >= 1",
        "help within 5 s",
        "(not help) for 5 s",
        "(help or door) for 5 s",
        "between 22:00 and 06:00 for 1 h",
        "(mode == away) for 5 min",
        "(count(help, 5 s) >= 1) for 5 s",
        "(door since help) for 5 s",
        "door and (door == closed within 5 s)",
        "door and not (door for 5 s)",
        "any(eye) and any(eye == false)",
        "any(eye is stale) and any(eye)",
        "between 22:00 and 06:00 and between 05:59 and 12:00",
        "not (mode == away) and not (mode == home)",
        "(door == closed) since door",
        "door for $alone and stove > $hot",
        "help and door changes",
    ],
)
def test_what_may_be_meant_is_left_alone(when: str) -> None:
    assert found(when) == Findings()


def test_what_the_home_sets_can_make_a_condition_impossible() -> None:
    assert found("stove > $hot and stove < 100 W", sets={"hot": "60 W"}) == Findings()
    (told,) = found("stove > $hot and stove < 100 W", sets={"hot": "200 W"}).mistakes
    assert told.found == "stove < 100 W, never true together with stove > 200 W"


def test_a_home_has_no_other_modes_than_its_own() -> None:
    when = "not (mode == away) and not (mode == home) and not (mode == night)"
    assert found(when) == Findings()
    (told,) = found(when, at_home=True).mistakes
    assert told.found == "not mode == night, never true together with the rest"


def test_only_the_smallest_part_that_is_impossible_is_told() -> None:
    (told,) = found(
        "help and ((door and not door) for 5 s or (stove > 50 W and door and not door))"
    ).mistakes[:1]
    assert told.found == "not door, never true together with door"
    assert len(found("help and (door and not door) for 5 s").mistakes) == 1


def test_the_place_is_right_in_a_folded_condition_and_in_clear() -> None:
    (told,) = found(">-\n  door\n  and (stove > 50 W\n  and stove < 30 W)").mistakes
    assert (told.line, told.column) == (17, 7)
    (told,) = found("door", f"{NOBODY}clear: stove > 2000000 W\n").mistakes
    assert (told.line, told.column, told.field) == (17, 8, "clear")


@pytest.mark.parametrize(
    ("when", "column", "told"),
    [
        ("door for 0 s", 16, "for 0 s"),
        ("door within 0 s", 19, "within 0 s"),
        ("count(door, 0 s) > 0", 19, "count"),
    ],
)
def test_a_window_of_nothing_is_a_warning(when: str, column: int, told: str) -> None:
    findings = found(when)
    (one,) = findings.warnings
    assert findings.mistakes == []
    assert (one.column, told in one.found) == (column, True)


@pytest.mark.parametrize(
    ("when", "phrase"),
    [
        (
            "stove > $hot and not any(eye)",
            "(not any(eye) or any(eye is stale) or any(eye is unknown) or any(eye) for 1 h)",
        ),
        ("stove > $hot and not any(eye) within 5 min", "any(eye is stale)"),
        ("stove > $hot and all(eye == false) for 5 min", "any(eye is unknown)"),
        ("door and not any(eye changes) within 5 min", "any(eye is unknown)"),
        ("door and (not any(eye) or any(eye is stale))", "any(eye is unknown)"),
        (f"door and (not any(eye) or {SILENT})", "any(eye) for 1 h"),
        (f"door and (not any(eye) or {SILENT} or any(eye == false) for 1 h)", "any(eye) for 1 h"),
        ("door and not any(eye changes) within 5 min", "any(eye is stale) or any(eye is unknown))"),
        ("door and not any(eye) and (any(eye is stale) or any(eye is unknown) or help)", "any(eye is stale)"),
        ("not (any(eye) or door == closed)", "any(eye is unknown)"),
    ],
)
def test_presence_that_stills_an_alarm_by_silence_gets_the_phrase_to_write(when: str, phrase: str) -> None:
    (told,) = found(when).warnings
    assert phrase in told.accepted
    assert told.found == "eye, which stills the alarm even when silent or stuck"
    assert when[told.column - 7 :].startswith(("any", "all"))
    assert found(when, f"{NOBODY}severity: info\n") == Findings()


@pytest.mark.parametrize(
    "when",
    [
        f"stove > $hot and (not any(eye) or {SILENT} or any(eye) for 1 h) for 5 min",
        f"door and (not any(eye changes) within 5 min or {SILENT})",
        "door and not (any(eye) and not any(eye is stale)"
        " and not any(eye is unknown) and not (any(eye) for 1 h))",
        "not any(eye changes) within 12 h",
        "stove > $hot and any(eye)",
    ],
)
def test_presence_that_is_guarded_or_is_the_matter_itself_is_left_alone(when: str) -> None:
    assert found(when) == Findings()


@pytest.mark.parametrize(
    ("when", "rest", "key"),
    [
        ("door", "says: {en: a}\n", "when"),
        ("door", "says: {en: a}\nclear: door == closed\n", "clear"),
        ("stove > 50 W", "says: {en: a}\nclear: stove < 20 W for 10 s\n", "clear"),
        ("door or mode == away", "says: {en: a}\nclear: not (door for 5 min)\n", "clear"),
        ("door", "says: {en: a}\nclear: not (door since help)\n", "clear"),
        ("door", "says: {en: a}\nclear: stove < 20 W since stove < 10 W\n", "clear"),
    ],
)
def test_an_end_that_every_flicker_brings_is_a_warning(when: str, rest: str, key: str) -> None:
    (told,) = found(when, rest).warnings
    assert told.field == key
    assert told.found == ("an end at once" if key == "clear" else "no clear: it ends at once")
    assert told.accepted == "clear: (…) for 2 min, or each flicker is an alert of its own"


@pytest.mark.parametrize(
    ("when", "rest"),
    [
        ("door for 5 min", ""),
        ("door", "clear: (door == closed) for 1 min\n"),
        ("door", "clear: not door within 1 min\n"),
        ("door", "clear: help\n"),
        ("door", "hold: acknowledged\n"),
        ("door", "clear: between 06:00 and 22:00 or mode == away\n"),
        ("count(door, 5 min) > 2", ""),
        ("(stove > 50 W) since door changes", ""),
    ],
)
def test_an_end_that_takes_time_or_a_hand_is_left_alone(when: str, rest: str) -> None:
    assert found(when, f"says: {{en: a}}\n{rest}") == Findings()


@pytest.mark.parametrize(
    ("rest", "field", "told"),
    [
        ("to: []\n", "to", "nobody who is told, and no step"),
        ("to: []\nsteps: [{after: 0 s, do: notify}]\n", "steps.1", "notify of nobody"),
        (
            "steps: [{after: 0 s, do: notify}, {after: 0 s, do: notify, to: []}]\nsays: {en: a}\n",
            "steps.2",
            "nobody",
        ),
        ("steps: [{at: resolve, do: notify}]\nsays: {en: a}\n", "steps.1", "notify only at the resolve"),
        ("to: care\n", "says", "nothing"),
        (f"{NOBODY}hold: acknowledged\n", "hold", "nobody who is told"),
        (
            "to: []\nsteps: [{after: 0 s, do: switch, role: guard, to: off},"
            " {after: 0 s, do: switch, role: guard, to: on}]\n",
            "steps.2",
            "on, and off in step 1 at the same instant",
        ),
    ],
)
def test_who_is_told_and_what_is_done_must_be_somebody_and_something(
    rest: str, field: str, told: str
) -> None:
    (one,) = found("door for 5 min", rest).warnings
    assert (one.field, told in one.found) == (field, True)
    assert one.line > 0 < one.column


def test_a_lamp_that_goes_on_and_later_off_is_no_contradiction() -> None:
    steps = (
        "to: []\nsteps: [{after: 0 s, do: switch, role: guard, to: on},"
        " {after: 5 min, do: switch, role: guard, to: off},"
        " {at: resolve, do: switch, role: guard, to: off}]\n"
    )
    assert found("door for 5 min", steps) == Findings()


def test_roles_and_parameters_that_nothing_uses_are_told() -> None:
    rule, _ = try_rule(rule_text("door for $alone", NOBODY), "case.yaml")
    assert rule is not None
    told = [warning.field for warning in lint(Applied(rule)).warnings]
    assert told == [f"roles.{role}" for role in ("stove", "eye", "help", "guard", "view")] + [
        f"parameters.{name}" for name in ("hot", "from", "often")
    ]


def test_a_file_of_another_name_than_its_rule_is_told_in_a_home() -> None:
    rule, _ = try_rule(rule_text("door", NOBODY), "other.yaml")
    assert rule is not None
    assert not [w for w in lint(Applied(rule)).warnings if w.field == "rule"]
    use = RuleUse("case", "other", Path("other.yaml"), BINDS, {})
    (told,) = [w for w in lint(Applied(rule, home_with(), use)).warnings if w.field == "rule"]
    assert told.found == "case in the file other.yaml"


@pytest.mark.parametrize("file", sorted(shipped_folder().glob("*.yaml")), ids=lambda file: file.stem)
def test_the_shipped_rules_have_nothing_odd(file: Path) -> None:
    assert lint(Applied(read_rule(file.read_text(encoding="utf-8"), str(file)))) == Findings()


# -- certain only where it says never

ATOMS = (
    "door", "door == closed", "door changes", "help", "help != true", "stove > 2 W", "stove <= 2 W",
    "stove != 1 W", "any(eye)", "all(eye == false)", "any(eye is stale)", "door is unknown", "help is stale",
    "count(help, 3 s) >= 0", "count(help, 3 s) == 1", "count(door, 2 s) < 1", "count(door, 2 s) != -1",
    "mode == away", "mode == home", "between 00:00 and 00:01", "between 00:01 and 00:00",
)  # fmt: skip
JOINTS = ("({}) and ({})", "({}) or ({})", "({}) since ({})")
LONE = ("not ({})", "({}) for 2 s", "({}) within 2 s", "({}) for 0 s", "({}) within 0 s")
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda part: st.one_of(
        st.builds(str.format, st.sampled_from(LONE), part),
        st.builds(str.format, st.sampled_from(JOINTS), part, part),
    ),
    max_leaves=5,
)
BOTH = (True, False)
POINTS = {
    "d.contact": BOTH,
    "s.power": (1, 2, 3),
    "e.motion": BOTH,
    "f.motion": BOTH,
    "h.button": (True,),
}


@st.composite
def pasts(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = []
    at = 0
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from((0, 500, 1000, 2000, 2500, 61_000)))
        point = draw(st.sampled_from((*POINTS, "mode")))
        if point == "mode":
            events.append(ModeSet(draw(st.sampled_from(("home", "away", "night"))), at))
        else:
            events.append(Reading(point, draw(st.sampled_from((*POINTS[point], None))), at))
    return events


@given(CONDITIONS, pasts(), st.booleans())
@settings(max_examples=300)
def test_what_is_said_to_be_never_so_never_is(when: str, past: list[Event], positive: bool) -> None:
    text = when if positive else f"not ({when})"
    rule, mistakes = try_rule(rule_text(text), "case.yaml")
    assert rule is not None, mistakes
    use = RuleUse("case", "case", Path("case.yaml"), BINDS, {})
    if not Possible(Applied(rule, home_with(), use)).can(rule.when.expr, True):
        in_home, _ = bound(text)
        assert in_home is not None
        engine = Engine([replace(in_home, clear=in_home.when)], {"e": 1500}, start=0, wall=WallClock("UTC"))
        for event in past:
            engine.feed(event)
        told = [change.event.value for change in engine.advance(past[-1].at + 3000)]
        assert "raised" not in told
