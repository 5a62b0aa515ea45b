"""`homenode rules test`: stories in, what a rule did otherwise out; every slip of the hand with its line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from homenode.cases.case import Case
from homenode.cases.command import command
from homenode.cases.reader import read_cases
from homenode.cases.run import run
from homenode.engine.events import Acknowledge, Heard, ModeSet, NodeDown, NodeUp, Reading
from homenode.errors import FileMistakes
from homenode.language import read_rule

RULE = """rule: hob
roles:
  stove: {kind: power}
  eye:   {kind: motion, many: true}
  lamp:  {kind: light, optional: true}
parameters: {hot: {default: 50 W, min: 10 W, max: 500 W}}
when: stove > $hot for 10 min and not any(eye)
clear: (stove <= $hot) for 1 min
again: 1 h
steps:
  - {after: 0 s, do: light, role: lamp, to: on}
  - {after: 5 min, do: notify}
"""
BIND = "bind: {stove: stove.power, eye: [eye.motion, hall.motion]}\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "rules" / "traces").mkdir(parents=True)
    (tmp_path / "rules" / "hob.yaml").write_text(RULE, encoding="utf-8")
    return tmp_path


def write(home: Path, text: str) -> Path:
    path = home / "rules" / "traces" / "hob.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def story(*lines: str, more: str = "", bind: str = BIND) -> str:
    told = "".join(f"      - {line}\n" for line in lines)
    return f"{bind}cases:\n  - it: shows it\n{more}    story:\n{told}"


def case(home: Path, *lines: str, **said: str) -> Case:
    return read_cases(write(home, story(*lines, **said)), read_rule(RULE, "hob.yaml"))[0]


def outcome(home: Path, *lines: str, **said: str) -> list[str]:
    return list(run(case(home, *lines, **said)).lines())


def refused(home: Path, text: str) -> str:
    with pytest.raises(FileMistakes) as wrong:
        read_cases(write(home, text), read_rule(RULE, "hob.yaml"))
    return str(wrong.value)


def told(home: Path, *what: str) -> tuple[int, str]:
    out = io.StringIO()
    return command(what, home, out), out.getvalue()


START = "17:00 stove 0 W, eye gone, hall gone"


def test_a_case_that_holds_says_nothing(rules: Path) -> None:
    assert outcome(rules, START, "17:05 stove 900 W", "17:15 => raised", "17:30 end") == []


def test_what_did_not_happen_and_what_happened_unasked_are_told_in_order(rules: Path) -> None:
    lines = outcome(
        rules, START, "17:05:00.250 stove 900 W", "17:15 => raised", "17:20 stove 0 W", "17:30 end"
    )
    assert lines == [
        "17:15 raised: did not happen",
        "17:15:00.250 raised: happened, and no line says so",
        "17:21 resolved: happened, and no line says so",
    ]


def test_steps_acknowledgements_and_lapses_are_told_all_or_none(rules: Path) -> None:
    lines = [START, "17:05 stove 900 W", "17:15 => raised", "17:16 ack", "18:25 end"]
    assert outcome(rules, *lines) == []
    lines.insert(4, "18:16 => lapsed")
    assert outcome(rules, *lines) == []
    lines.insert(4, "18:15 => step 1 light")
    assert outcome(rules, *lines) == [
        "18:15 step 1 light: did not happen",
        "18:21 step 2 notify: happened, and no line says so",
    ]


def test_the_same_line_twice_is_two_things(rules: Path) -> None:
    lines = [START, "17:05 stove 900 W", "17:15 => raised, raised", "17:30 end"]
    assert outcome(rules, *lines) == ["17:15 raised: did not happen"]


def test_a_fault_may_name_who_is_to_blame(rules: Path) -> None:
    lines = [START, "17:05 eye fault", "17:05 stove 900 W", "17:25 => fault eye", "17:30 end"]
    assert outcome(rules, *lines) == []
    lines[3] = "17:25 => fault"
    assert outcome(rules, *lines) == []
    lines[3] = "17:25 => fault hall"
    assert outcome(rules, *lines) == [
        "17:25 fault hall.motion: did not happen",
        "17:25 fault eye.motion: happened, and no line says so",
    ]


def test_a_sensor_is_believed_for_ever_unless_the_case_says_how_long(rules: Path) -> None:
    lines = [START, "day 3 17:00 end"]
    assert outcome(rules, *lines) == []
    said = "    stale_after: {stove: 2 h}\n"
    assert outcome(rules, *lines, more=said) == ["19:20 fault stove.power: happened, and no line says so"]


def test_times_run_on_over_midnight_and_days(rules: Path) -> None:
    read = case(rules, "22:00 stove 0", "02:00 stove 1", "day 4 01:00 stove 2", "00:59:59.999 end")
    hours = [round((event.at - read.start) / 3_600_000, 3) for event in read.events]
    assert hours == [0, 4, 51]
    assert read.end - read.start == 75 * 3_600_000 - 1
    assert read.calendar.reads(read.events[2].at) == "day 4 01:00"
    assert read.calendar.reads(read.end) == "day 5 00:59:59.999"
    assert read.calendar.reads(read.start + 1000) == "22:00:01"


def test_date_and_time_zone_are_the_first_day_of_the_clock_on_the_wall(rules: Path) -> None:
    read = case(
        rules, "00:30 stove 0", "02:30 end", more="    date: 2026-03-29\n    timezone: Europe/Stockholm\n"
    )
    assert read.start == 1774740600000  # 2026-03-28T23:30Z
    spring = case(rules, "00:30 stove 0", "04:30 end", more="    date: 2026-03-29\n")
    assert spring.end - spring.start == 3 * 3_600_000, "an hour is skipped"
    assert case(rules, "00:00 stove 0", "01:00 end").start == 1767567600000  # 2026-01-05T00:00+01:00
    utc = case(rules, "00:00 stove 0", "01:00 end", more="    timezone: UTC\n")
    assert utc.start == 1767571200000


def test_every_line_is_what_it_says(rules: Path) -> None:
    read = case(
        rules,
        "17:00 stove -3.5 W, eye seen, hall.motion true",
        "17:01 eye fault, hall gone",
        "17:02 eye heard",
        "17:03 node down",
        "17:04 node up",
        "17:05 mode away",
        "17:06 ack",
        "17:10 end",
    )  # fmt: skip
    minute = [(event.at - read.start) // 60_000 for event in read.events]
    assert minute == [0, 0, 0, 1, 1, 2, 3, 4, 5, 6]
    kinds = [type(event) for event in read.events]
    assert kinds == [Reading] * 5 + [Heard, NodeDown, NodeUp, ModeSet, Acknowledge]
    values = [event.value for event in read.events if isinstance(event, Reading)]
    assert values == [-3.5, True, True, None, False]


def test_lines_that_repeat_take_turns(rules: Path) -> None:
    read = case(
        rules, "17:00 every 2 min until 17:04 eye seen", "17:01 every 2 min until 17:04 eye gone", "18:00 end"
    )
    said = [((e.at - read.start) // 60_000, e.value) for e in read.events if isinstance(e, Reading)]
    assert said == [(0, True), (1, False), (2, True), (3, False), (4, True)]


def test_a_case_binds_and_sets_anew_what_the_file_says(rules: Path) -> None:
    bind = BIND + "set: {hot: 100 W}\n"
    assert case(rules, START, "17:01 end", bind=bind).rule.parameters["hot"] == "100 W"
    more = "    bind: {eye: [eye.motion], lamp: lamp.light}\n    set: {hot: 200 W}\n"
    read = case(rules, "17:00 eye gone", "17:01 end", bind=bind, more=more)
    assert read.rule.parameters["hot"] == "200 W"
    assert read.rule.roles == {"stove": ("stove.power",), "eye": ("eye.motion",), "lamp": ("lamp.light",)}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("17:10 stove hot", "found 'hot'; accepted: a number (W), or fault"),
        ("17:10 stove 5 kW", "found '5 kW'; accepted: a number (W), or fault"),
        ("17:10 stove 9999999 W", "outside -1e+06 to 1e+06 W"),
        ("17:10 eye sen", "accepted: seen, gone, true, false or fault; did you mean seen?"),
        ("17:10 ey seen", "did you mean eye?"),
        ("17:10 eye", "found 'eye'; accepted: eye, hall or stove with a value"),
        ("17:10 node asleep", "node down, node up"),
        ("17:10 mode awa", "did you mean away?"),
        ("17:10 stove heared", "found 'heared'"),
        ("17:10 => rased", "did you mean raised?"),
        ("17:10 => step 1", "step 1 say"),
        ("17:10 => step 1 sing", "step 1 say"),
        ("17:10 => fault ey", "did you mean eye?"),
        ("17:10 =>", "found ''"),
        ("1710 stove 5", "accepted: a time and what happens"),
        ("24:00 stove 5", "accepted: a time and what happens"),
        ("17:10", "accepted: a time and what happens"),
        ("day 1 16:00 stove 5", "a time not before that of the line above (day 1)"),
        ("17:10 every 5 min until stove 5", "every DURATION until TIME and what happens"),
        ("17:10 every 5 mi until 18:00 stove 5", "a duration such as"),
        ("17:10 every 0 s until 18:00 stove 5", "at most 20,000 repeats"),
        ("17:10 every 1 s until 17:00 stove 5", "at most 20,000 repeats"),
        ("{17:10: stove 5}", "accepted: a time and what happens"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_what_it_may_be(rules: Path, line: str, says: str) -> None:
    said = refused(rules, story("17:00 stove 0", line, "18:00 end"))
    assert "traces/hob.yaml:6:" in said, "the line of the file"
    assert "cases.1.story.2: found" in said
    assert says in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "a mapping with bind: and cases:"),
        (BIND, "1:1: cases: found a mapping; accepted: a list"),
        (BIND + "cases: []\n", "cases: found an empty list"),
        (BIND + "cases: [5]\n", "cases.1: found 5"),
        (BIND + "kases: []\ncases: [{}]\n", "kases: found the unknown key 'kases'"),
        (BIND + "cases: [{it: x, story: [17:00 end], tory: []}]\n", "did you mean story?"),
        (BIND + "cases: [{story: [17:00 end]}]\n", "cases.1.it: found nothing"),
        (BIND + "cases: [{it: x}]\n", "cases.1.story: found nothing"),
        (BIND + "cases: [{it: x, story: [17:00 stove 5]}]\n", "found no end; accepted: TIME end"),
        (BIND + "cases: [{it: x, story: [17:00 end, 17:05 stove 5]}]\n", "end as the last line"),
        ("cases: [{it: x, story: [17:00 end]}]\n", "rules.hob: found no stove"),
        ("bind: [a]\ncases: [{it: x, story: [17:00 end]}]\n", "1:7: bind: found a list of 1"),
        ("bind: {stove: stove}\ncases: [{it: x, story: [17:00 end]}]\n", "a point DEVICE.KIND"),
        ("bind: {stove: 5}\ncases: [{it: x, story: [17:00 end]}]\n", "a point DEVICE.KIND"),
        (BIND + "bin: {}\n" + "cases: [{it: x, story: [17:00 end]}]\n", "did you mean bind?"),
        ("bind: {stove: a.motion, eye: [b.motion]}\ncases: [{it: x, story: [17:00 end]}]\n", "of kind power"),
        (BIND + "set: {hot: 1 W}\ncases: [{it: x, story: [17:00 end]}]\n", "hob.yaml:2:7: rules.hob.set.hot"),
        (BIND + "stale_after: {stov: 1 h}\ncases: [{it: x, story: [17:00 end]}]\n", "did you mean stove?"),
        (BIND + "stale_after: {stove: 1}\ncases: [{it: x, story: [17:00 end]}]\n", "a duration such as"),
        (BIND + "date: yesterday\ncases: [{it: x, story: [17:00 end]}]\n", "a date such as 2026-01-05"),
        (BIND + "timezone: Mars\ncases: [{it: x, story: [17:00 end]}]\n", "a time zone such as"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(rules: Path, text: str, says: str) -> None:
    assert says in refused(rules, text)


def test_all_mistakes_are_told_in_one_go_and_each_once(rules: Path) -> None:
    text = BIND + "set: {hot: 1 W}\ncases:\n"
    text += "  - {it: a, story: [17:00 sove 5, 17:00 end]}\n  - {it: b, story: [x, 17:00 end]}\n"
    said = refused(rules, text)
    assert said.count("rules.hob.set.hot") == 1
    text = text.replace("set: {hot: 1 W}\n", "")
    said = refused(rules, text)
    assert "cases.1.story.1" in said
    assert "cases.2.story.1" in said


def test_the_command_tells_each_case_and_fails_if_one_does(rules: Path) -> None:
    write(rules, story(START, "17:05 stove 900 W", "17:15 => raised", "17:30 end"))
    assert told(rules, "hob") == (0, "hob\n  ok   shows it\n")
    path = write(rules, story(START, "17:05 stove 900 W", "17:30 end"))
    status, text = told(rules, "hob")
    assert status == 1
    assert text == (
        f"hob\n  FAIL shows it\n       {path}:3\n       17:15 raised: happened, and no line says so\n"
    )


def test_a_rule_is_named_by_its_name_its_file_or_that_of_its_cases(rules: Path) -> None:
    trace = write(rules, story(START, "17:01 end"))
    for what in ("hob", str(rules / "rules" / "hob.yaml"), str(trace)):
        assert told(rules, what) == (0, "hob\n  ok   shows it\n")


def test_a_rule_without_cases_is_told_and_fails(rules: Path) -> None:
    status, text = told(rules, "hob")
    assert status == 1
    assert "no cases" in text
    assert "hob.yaml does not exist" in text


def test_without_a_name_the_rules_of_the_home_and_the_shipped_ones_are_run(rules: Path) -> None:
    write(rules, story(START, "17:05 stove 900 W", "17:30 end"))
    status, text = told(rules)
    assert status == 1
    assert "FAIL shows it" in text
    assert "\nwater_leak\n" in text
    assert text.endswith("41 rules, 1 with something to mend\n")


def test_a_rule_that_is_nowhere_is_told_with_its_neighbour(rules: Path) -> None:
    with pytest.raises(FileMistakes, match=r"did you mean hob\?"):
        told(rules, "hub")
    with pytest.raises(FileMistakes, match="no such rule"):
        told(rules, "../hob")
    with pytest.raises(FileMistakes, match="no such file"):
        told(rules, "nowhere/hub.yaml")
