"""A rule is told in plain words, with the home's sensors and numbers, whatever it says."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.cli import main
from homenode.config.model import RuleUse
from homenode.config.rule_files import shipped_folder
from homenode.errors import FileMistakes, SetupError
from homenode.kinds import KINDS, Shape
from homenode.language import read_rule, try_rule
from homenode.language.applied import Applied
from homenode.language.explain import explain
from homenode.language.sentences import Sentences
from homenode.language.syntax import Counted, Timed, walk
from homenode.language.words import ENGLISH, LANGUAGES, SWEDISH
from homenode.rule_tools import explain as command
from tests.unit.language_cases import BINDS, home_with, rule_text
from tests.unit.test_language_lint import CONDITIONS

BOUND = {**BINDS, "guard": ("g.switch",)}


def applied(
    when: str, rest: str = "", binds: dict[str, tuple[str, ...]] | None = None, **sets: str
) -> Applied:
    rule, mistakes = try_rule(rule_text(when, rest), "case.yaml")
    assert rule is not None, mistakes
    return Applied(rule, home_with(), RuleUse("case", "case", Path("case.yaml"), BOUND, sets))


def said(when: str, language: str) -> str:
    """`when`, a line each, indented as it is told."""
    one = applied(when)
    return "\n".join(Sentences(one, LANGUAGES[language]).said(one.rule.when.expr).lines())


@pytest.mark.parametrize(
    ("when", "en", "sv"),
    [
        ("door", "d (kitchen) is open", "d (kitchen) står öppen"),
        ("not door", "d (kitchen) is closed", "d (kitchen) är stängd"),
        ("door != open", "d (kitchen) is closed", "d (kitchen) är stängd"),
        ("door == closed", "d (kitchen) is closed", "d (kitchen) är stängd"),
        ("door changes", "d (kitchen) is opened or closed", "d (kitchen) öppnas eller stängs"),
        ("not door changes", "d (kitchen) does not change at that moment",
         "d (kitchen) ändras inte just då"),
        ("not help changes", "h (kitchen) is not pressed", "h (kitchen) trycks inte in"),
        ("door is stale", "d (kitchen) has been silent too long", "d (kitchen) har varit tyst för länge"),
        ("not door is unknown", "d (kitchen) works and has been heard", "d (kitchen) fungerar och har hörts"),
        ("stove > 50 W", "the power of s (kitchen) is above 50 W", "effekten hos s (kitchen) är över 50 W"),
        ("not (stove > $hot)", "the power of s (kitchen) is at most 50 W",
         "effekten hos s (kitchen) är högst 50 W"),
        ("any(eye)", "at least one of e (kitchen) and f (kitchen) sees motion",
         "minst en av e (kitchen) och f (kitchen) ser rörelse"),
        ("all(eye)", "each of e (kitchen) and f (kitchen) sees motion",
         "var och en av e (kitchen) och f (kitchen) ser rörelse"),
        ("not any(eye)", "none of e (kitchen) and f (kitchen) sees motion",
         "ingen av e (kitchen) och f (kitchen) ser rörelse"),
        ("not all(eye)", "at least one of e (kitchen) and f (kitchen) sees no motion",
         "minst en av e (kitchen) och f (kitchen) ser ingen rörelse"),
        ("not any(eye == false)", "each of e (kitchen) and f (kitchen) sees motion",
         "var och en av e (kitchen) och f (kitchen) ser rörelse"),
        ("all(eye is stale)", "each of e (kitchen) and f (kitchen) has been silent too long",
         "var och en av e (kitchen) och f (kitchen) har varit tyst för länge"),
        ("count(door, 5 min) >= 3",
         "it has happened at least 3 times in the last 5 min that d (kitchen) is open",
         "det har hänt minst 3 gånger de senaste 5 min att d (kitchen) står öppen"),
        ("not (count(help, 1 h) > 1)",
         "it has happened at most 1 time in the last hour that h (kitchen) is pressed",
         "det har hänt högst 1 gång den senaste timmen att h (kitchen) trycks in"),
        ("between $from and 06:00", "the time is between 22:00 and 06:00",
         "klockan är mellan 22:00 och 06:00"),
        ("not between 22:00 and 06:00", "the time is not between 22:00 and 06:00",
         "klockan är inte mellan 22:00 och 06:00"),
        ("mode == away", "the home is in the mode away", "hemmet är i läget away (bortrest)"),
        ("not mode == night", "the home is not in the mode night", "hemmet är inte i läget night (natt)"),
        ("door for $alone", "d (kitchen) is open for 20 min on end",
         "d (kitchen) står öppen i 20 min i sträck"),
        ("(not door) for 5 s", "d (kitchen) is closed for 5 s on end",
         "d (kitchen) är stängd i 5 s i sträck"),
        ("not (door for 5 s)", "not without a break in the last 5 s: d (kitchen) is open",
         "inte utan avbrott de senaste 5 s: d (kitchen) står öppen"),
        ("help within 5 s", "h (kitchen) is pressed at some time in the last 5 s",
         "h (kitchen) trycks in någon gång de senaste 5 s"),
        ("not help within 5 s", "at no time in the last 5 s: h (kitchen) is pressed",
         "inte en enda gång de senaste 5 s: h (kitchen) trycks in"),
        ("any(eye) for 5 s", "for 5 s on end: at least one of e (kitchen) and f (kitchen) sees motion",
         "i 5 s i sträck: minst en av e (kitchen) och f (kitchen) ser rörelse"),
        ("(stove > 50 W within 8 min) for 20 min",
         "for 20 min on end: the power of s (kitchen) is above 50 W at some time in the last 8 min",
         "i 20 min i sträck: effekten hos s (kitchen) är över 50 W någon gång de senaste 8 min"),
        ("door since help", "d (kitchen) is open, ever since the moment when h (kitchen) is pressed",
         "d (kitchen) står öppen, ända sedan det ögonblick då h (kitchen) trycks in"),
        ("not (door since help)",
         "it is not so that: d (kitchen) is open, ever since the moment when h (kitchen) is pressed",
         "det stämmer inte att: d (kitchen) står öppen, ända sedan det ögonblick då h (kitchen) trycks in"),
    ],
)  # fmt: skip
def test_a_condition_is_a_sentence(when: str, en: str, sv: str) -> None:
    assert (said(when, "en"), said(when, "sv")) == (f"- {en}", f"- {sv}")


def test_and_and_or_are_lists_in_lists() -> None:
    when = "door and not (help or not any(eye)) and (stove > 50 W or mode == away) for 5 min"
    assert said(when, "en").splitlines() == [
        "- all of this is so:",
        "  - d (kitchen) is open",
        "  - h (kitchen) is not pressed",
        "  - at least one of e (kitchen) and f (kitchen) sees motion",
        "  - for 5 min on end, at least one of these is so:",
        "    - the power of s (kitchen) is above 50 W",
        "    - the home is in the mode away",
    ]
    assert said("(door or help) since (door and help)", "sv").splitlines() == [
        "- det andra har gällt utan avbrott ända sedan det första:",
        "  - det första, allt detta stämmer:",
        "    - d (kitchen) står öppen",
        "    - h (kitchen) trycks in",
        "  - det andra, minst ett av detta stämmer:",
        "    - d (kitchen) står öppen",
        "    - h (kitchen) trycks in",
    ]


def test_that_something_has_not_held_since_is_one_sentence() -> None:
    assert said("not (door since (door and help))", "en").splitlines() == [
        "- it is not so that the second has held without a break ever since the first:",
        "  - the first, all of this is so:",
        "    - d (kitchen) is open",
        "    - h (kitchen) is pressed",
        "  - the second: d (kitchen) is open",
    ]


def test_points_of_several_kinds_each_have_their_own_words() -> None:
    text = rule_text("any(eye)").replace("eye: {kind: motion", "eye: {kind: [motion, occupancy]")
    rule, _ = try_rule(text, "case.yaml")
    assert rule is not None
    binds = {**BINDS, "eye": ("e.motion", "f.motion", "g.occupancy_2")}
    one = Applied(rule, home_with(), RuleUse("case", "case", Path("case.yaml"), binds, {}))
    sentences = Sentences(one, ENGLISH)
    many = "at least one of e (kitchen) and f (kitchen) sees motion"
    assert sentences.said(rule.when.expr).text == f"{many} or g occupancy_2 (kitchen) is occupied"
    none = "none of e (kitchen) and f (kitchen) sees motion"
    assert sentences.said(rule.when.expr, False).text == f"{none} and g occupancy_2 (kitchen) is empty"


REST = """\
clear: (door == closed) for 2 min
severity: alarm
to: [care, property]
again: 30 min
hold: acknowledged
bridge: 5 min
grace: $alone
steps:
  - {at: resolve, do: switch, role: guard, to: on}
  - {after: 0 s, do: say, text: {sv: "Dörren, {alone}.", en: "The door, {alone}."}}
  - {after: $alone, do: notify, every: 5 min, times: $often}
  - {after: 2 min, do: offer_video, role: view}
  - {after: 1 min, do: mode, to: away}
  - {after: 1 min, do: notify, to: resident}
says: {sv: "Öppet i {alone}.", en: "Open for {alone}."}
"""


def test_a_whole_rule_in_both_languages() -> None:
    one = applied("door for $alone and between $from and 06:00", REST, alone="25 min")
    for language in LANGUAGES:
        expected = Path(__file__).with_name(f"explained.{language}.txt").read_text(encoding="utf-8")
        assert explain(one, language, {"d": 4 * 3_600_000}) == expected


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("door", ["without d (kitchen) it can't be raised in the long run"]),
        ("door or help", ["without d (kitchen) it can still be raised",
                          "without h (kitchen) it can still be raised"]),
        ("any(eye)", ["without e (kitchen) it can still be raised",
                      "without f (kitchen) it can still be raised"]),
        ("door is stale",
         ["with d (kitchen) silent it can still be raised, with d (kitchen) faulty it can't"]),
        ("door is unknown",
         ["with d (kitchen) faulty it can still be raised, with d (kitchen) silent it can't"]),
        ("count(door, 1 s) > 0", ["without d (kitchen) it can't be raised in the long run"]),
        ("count(door, 1 s) >= 0", ["without d (kitchen) it can still be raised"]),
        ("count(door, 1 s) != -1", ["without d (kitchen) it can still be raised"]),
        ("not (stove > 50 W and door)", ["without s (kitchen) it can still be raised",
                                         "without d (kitchen) it can still be raised"]),
    ],
)  # fmt: skip
def test_what_a_silent_sensor_means_is_worked_out_from_the_rule(when: str, told: list[str]) -> None:
    lines = explain(applied(when), "en").splitlines()
    assert [line[2:] for line in lines if line.startswith(("- with ", "- without "))] == told


def test_a_sensor_that_never_counts_as_silent_can_only_be_faulty() -> None:
    text = explain(applied("door is stale"), "en", {"d": -1})
    assert "- d (kitchen) never counts as silent (it is wired, or home.yaml says so)" in text
    assert "- without d (kitchen) it can't be raised in the long run" in text


@pytest.mark.parametrize(
    ("rest", "there"),
    [
        ("", "It ends as soon as that is no longer so.\n"),
        ("hold: acknowledged\n", "no longer so and somebody who was told has acknowledged.\n"),
        ("clear: door is stale\n", "It can end also while its sensors are silent."),
        ("bridge: 0 s\n", "After a power cut:\n- Nothing is known of any sensor until it has"),
        ("", "- at once: care is told, unless it is acknowledged\n"),
        ("to: []\n", "An alarm that stays in the home.\n"),
        ("to: []\n", "What is done while it is open:\n- nothing\n"),
        ("steps: [{at: resolve, do: notify}]\n", "- when it ends: care is told that it is over\n"),
        ("steps: [{after: 0 s, do: notify, to: []}]\n", "- at once: nobody is told\n"),
        ("severity: info\nto: property\n", "A notice, told to the landlord.\n"),
        ("", "The acknowledgement holds until the alert ends."),
    ],
)  # fmt: skip
def test_what_a_rule_leaves_out_is_told_too(rest: str, there: str) -> None:
    assert there in explain(applied("door", rest), "en")


def test_whom_nobody_tells_nobody_acknowledges() -> None:
    assert "acknowledge" not in explain(applied("door", "to: []\n"), "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("file", sorted(shipped_folder().glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_rule_is_told_without_a_home(file: Path, language: str) -> None:
    rule = read_rule(file.read_text(encoding="utf-8"), str(file))
    text = explain(Applied(rule), language)
    assert LANGUAGES[language].sentences["no home"] in text
    assert all(f"- {role}: " in text for role in (*rule.roles, *rule.parameters))
    assert "{" not in text


def test_both_languages_have_every_word() -> None:
    assert SWEDISH.sentences.keys() == ENGLISH.sentences.keys()
    for words in LANGUAGES.values():
        assert words.kinds.keys() == KINDS.keys()
        for name, kind in KINDS.items():
            own = words.kinds[name]
            assert bool(own.noun) is (kind.shape is Shape.NUMBER)
            assert bool(own.yes and own.no) is (kind.shape is not Shape.NUMBER)
            assert bool(own.on and own.off) is (name in ("light", "switch", "valve", "siren"))


@given(CONDITIONS, CONDITIONS, st.sampled_from(("sv", "en")), st.booleans())
@settings(max_examples=200)
def test_any_rule_is_told_with_all_its_points_and_times(
    when: str, clear: str, language: str, at_home: bool
) -> None:
    one = applied(when, f"clear: {clear}\n")
    one = one if at_home else replace(one, home=None, use=None)
    text = explain(one, language)
    assert "{" not in text
    assert "None" not in text
    raised, _, rest = text.partition("\n\n")[2].partition("\n\n")
    for told, condition in ((raised, one.rule.when), (rest.partition("\n\n")[0], one.rule.clear)):
        assert condition is not None
        for part in walk(condition.expr):
            for point in one.roles[part.role] if hasattr(part, "role") else ():
                assert Sentences(one, ENGLISH).name(point) in told
            if isinstance(part, Timed | Counted):
                assert one.shown(part.window) in told


# -- the command

HOME = """\
home: a
timezone: UTC
language: sv
broker: {url: "mqtts://b.example"}
devices:
  front: {driver: gpio, pin: 17, kind: contact, room: hall}
  back: {driver: gpio, pin: 27, kind: contact, room: kök}
rules:
  - {use: door_left_open, bind: {door: front.contact}, set: {open: 10 min}}
  - {use: door_left_open, as: back_open, bind: {door: back.contact}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home.yaml").write_text(HOME, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*names: str, home: str | None = None, language: str | None = None) -> str:
    out = io.StringIO()
    assert command(names, home, language, out) == 0
    return out.getvalue()


def test_the_home_here_is_meant_and_its_language_spoken(folder: Path) -> None:
    text = told("back_open")
    assert text.startswith("back_open\nEn varning till hemtjänsten.\n")
    assert "- back (kök) står öppen i 15 min i sträck\n" in text
    assert "- back (kök) räknas aldrig som tyst" in text
    assert "is open for 15 min on end" in told("back_open", language="en")


def test_a_rule_is_told_in_the_use_that_goes_by_its_name_else_in_all_its_uses(folder: Path) -> None:
    assert "front (hall) står öppen i 10 min" in told("door_left_open")
    (folder / "home.yaml").write_text(
        HOME.replace("{use: door_left_open,", "{use: door_left_open, as: f,", 1)
    )
    text = told("door_left_open")
    assert text.startswith("f\n")
    assert "\n\nback_open\n" in text


def test_a_number_that_the_home_gives_without_a_unit_is_told_with_it(folder: Path) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "hot.yaml").write_text(
        "rule: hot\nroles: {p: {kind: power}}\nparameters: {most: {default: 20 W}}\nwhen: p > $most\n"
        'says: {sv: "Över {most}", en: "Above {most}"}\n'
    )
    more = "  plug: {driver: gpio, pin: 5, kind: power, room: hall}\nrules:\n"
    use = "  - {use: hot, bind: {p: plug.power}, set: {most: 50}}\n"
    (folder / "home.yaml").write_text(HOME.replace("rules:\n", more + use), encoding="utf-8")
    assert told("hot").count("50 W") == 3


def test_home_and_rule_come_in_any_order(folder: Path) -> None:
    other = folder / "other.yaml"
    other.write_text(HOME.replace("10 min", "12 min"), encoding="utf-8")
    expected = told("door_left_open", home="other.yaml")
    assert "i 12 min i sträck" in expected
    assert told("other.yaml", "door_left_open") == told("door_left_open", "other.yaml") == expected


def test_a_rule_that_the_home_does_not_use_and_a_file_are_told_alone(folder: Path) -> None:
    assert "Told without a home" in told("co_alarm")
    (folder / "mine.yaml").write_text("rule: mine\nroles: {d: {kind: contact}}\nwhen: d for 3 min\n")
    assert "- d is open for 3 min on end" in told("mine.yaml")


def test_the_commands_are_asked_for_as_their_help_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "explain", "back_open", "--home", "home.yaml", "--language", "en"]) == 0
    assert "is open for 15 min on end" in capsys.readouterr().out
    assert main(["rules", "explain", "back_opn"]) == 1
    assert "did you mean back_open?" in capsys.readouterr().err
    assert main(["rules", "check"]) == 0
    (folder / "bad.yaml").write_text("rule: bad\nwhen: d\n")
    assert main(["rules", "check", "home.yaml", "bad.yaml"]) == 2
    assert main(["rules", "explain", "bad.yaml"]) == 2
    assert capsys.readouterr().err.endswith("    2 | when: d\n      |       ^\n")


def test_several_rules_are_told_one_after_the_other(folder: Path) -> None:
    text = told("co_alarm", "cold")
    assert text.index("co_alarm") < text.index("\n\ncold\n")


def test_a_shipped_rule_tells_what_its_roles_may_be_bound_to(folder: Path) -> None:
    text = told("smoke_alarm")
    assert "- smoke: smoke; one or more\n" in text
    assert "- lamp: light; may stay unbound\n" in text


def test_what_is_wrong_is_told_and_not_explained(folder: Path) -> None:
    with pytest.raises(SetupError, match="did you mean door_left_open"):
        told("door_left_opne")
    with pytest.raises(SetupError, match="no rule"):
        command(["home.yaml", "home.yaml"], None, None, io.StringIO())
    (folder / "mine.yaml").write_text("rule: mine\nwhen: d\n")
    with pytest.raises(FileMistakes, match="no role"):
        told("mine.yaml")
    (folder / "home.yaml").write_text(HOME.replace("10 min", "10 W"), encoding="utf-8")
    with pytest.raises(FileMistakes, match=r"set\.open"):
        told("door_left_open")
    assert "back (kök)" in told("back_open")
    with pytest.raises(FileMistakes, match="no such file"):
        told("co_alarm", home="nowhere.yaml")


def test_a_head_that_only_one_thing_follows_has_a_list_of_one() -> None:
    text = explain(applied("(door since (stove > 50 W and not door)) for 30 min"), "en", {})
    assert "\nIt is raised when:\n- for 30 min on end, the second has held" in text


def test_one_party_is_not_many() -> None:
    text = explain(applied("door", "to: []\nsteps: [{after: 0 s, do: say, text: {en: a}}]\n"), "en", {})
    assert "the operator will hear that it is blind." in text
