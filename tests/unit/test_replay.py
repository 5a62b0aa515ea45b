"""`homenode replay`: the recording's lines in, transitions out; nothing of a recording that is wrong."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.errors import FileMistakes
from homenode.replay import replay
from homenode.replay_lines import IN_MEMORY, when_read

HOME = """home: replayed
timezone: Europe/Stockholm
language: sv
radios: {zigbee: {driver: zigbee, port: /dev/null, adapter: ezsp}}
devices:
  stove: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}
  door:  {driver: gpio, pin: 17, kind: contact, room: hall}
  fridge: {driver: gpio, pin: 18, kind: contact, room: kitchen}
rules:
  - {use: door_left_open, bind: {door: door.contact}, set: {open: 5 min}}
  - {use: hot, bind: {stove: stove.power}}
"""
RULE_OF_DOOR = "  - {use: door_left_open, bind: {door: door.contact}, set: {open: 5 min}}\n"
RULE_OF_STOVE = "  - {use: hot, bind: {stove: stove.power}}\n"
HOT = "rule: hot\nto: [care]\nroles: {stove: {kind: power}}\nwhen: stove > 50 W\ngrace: 1 min\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "hot.yaml").write_text(HOT, encoding="utf-8")
    (tmp_path / "home.yaml").write_text(HOME, encoding="utf-8")
    return tmp_path / "home.yaml"


def at(clock: str, **said: object) -> dict[str, object]:
    return {"at": f"2026-01-05T{clock}+01:00", **said}


def write(home: Path, *lines: dict[str, object] | str, name: str = "trace.jsonl") -> str:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path = home.with_name(name)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


def replayed(home: Path, source: str) -> tuple[list[dict[str, object]], str]:
    out, err = io.StringIO(), io.StringIO()
    assert replay(home, source, out, err, as_json=True) == 0
    return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def refused(home: Path, *lines: dict[str, object] | str) -> str:
    out = io.StringIO()
    with pytest.raises(FileMistakes) as wrong:
        replay(home, write(home, *lines), out, io.StringIO(), as_json=True)
    assert out.getvalue() == "", "nothing of a wrong recording looks complete"
    return str(wrong.value)


def test_a_door_left_open_is_told_line_by_line(home: Path) -> None:
    lines, _ = replayed(
        home,
        write(
            home,
            at("06:00:00", point="stove.power", value=0),
            at("06:00:00.2509", point="door.contact", value=False),
            at("06:12:03.250", point="door.contact", value=True),
            at("06:19:00", ack="door_left_open"),
            at("06:20:00", point="door.contact", value=False),
            at("06:30:00", end=True),
        ),
    )
    raised = "2026-01-05T06:17:03.250+01:00"
    alert = lines[0]["alert"]
    rest = {"rule": "door_left_open", "alert": alert}
    assert lines == [
        {"at": raised, **rest, "event": "raised"},
        {"at": raised, **rest, "event": "step", "step": 1, "do": "say"},
        {"at": "2026-01-05T06:19:00.000+01:00", **rest, "event": "acknowledged"},
        {"at": "2026-01-05T06:21:00.000+01:00", **rest, "event": "resolved"},
    ]


def test_one_line_is_not_many(home: Path) -> None:
    out = io.StringIO()
    replay(home, write(home, at("06:00:00", point="door.contact", value=False)), out, io.StringIO())
    assert out.getvalue().startswith("1 line, 2026-01-05 06:00:00 to ")


def test_what_happens_exactly_at_the_end_is_told_and_nothing_after_it(home: Path) -> None:
    opened = at("06:00:00", point="door.contact", value=True), at("06:00:00", point="stove.power", value=1)
    assert len(replayed(home, write(home, *opened, at("06:05:00", end=True)))[0]) == 2
    assert replayed(home, write(home, *opened, at("06:04:59.999", end=True)))[0] == []
    assert replayed(home, write(home, *opened))[0] == []


def test_a_silent_radio_sensor_is_stale_by_its_kind_and_a_wire_never(home: Path) -> None:
    said = at("06:00:00", point="stove.power", value=0), at("06:00:00", point="door.contact", value=False)
    lines, _ = replayed(home, write(home, *said, at("23:00:00", end=True)))
    assert [(line["at"], line["event"], line["because"]) for line in lines] == [
        ("2026-01-05T07:01:00.000+01:00", "fault", ["stove.power"])
    ]


def test_lines_of_one_instant_are_in_the_order_of_home_yaml(home: Path) -> None:
    said = (
        at("06:00:00", point="door.contact", value=True),
        at("06:00:00", point="stove.power", value=0),
        at("06:05:00", point="stove.power", value=99),
    )
    lines, _ = replayed(home, write(home, *said))
    assert [(line["rule"], line["event"]) for line in lines] == [
        ("door_left_open", "raised"),
        ("door_left_open", "step"),
        ("hot", "raised"),
    ]


def test_gzip_works_and_the_same_input_gives_the_same_ids(home: Path) -> None:
    said = [at("06:00:00", point="stove.power", value=99)]
    packed = replayed(home, write(home, *said, name="trace.jsonl.gz"))
    assert packed == replayed(home, write(home, *said))
    assert packed[0][0]["alert"]


def test_points_that_the_home_does_not_have_are_skipped_and_counted(home: Path) -> None:
    other = at("06:00:00", point="cellar.motion", value=True)
    wrong = at("06:00:00", point="fridge.motion", value=True)
    lines, err = replayed(home, write(home, other, other, wrong))
    assert lines == []
    assert "cellar.motion: 2 lines" in err
    assert "fridge.motion: 1 line" in err


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (at("05:59:59", point="stove.power", value=1), "at: found"),
        (at("06:00:01", point="stove.power", value="hot"), 'found "hot"; accepted: a number from '),
        (at("06:00:01", point="stove.power", value=True), "found true; accepted: a number"),
        (at("06:00:01", point="stove.power", value=1e7), "accepted: a number from "),
        (
            '{"at": "2026-01-05T06:00:01+01:00", "point": "stove.power", "value": NaN}',
            "found NaN; accepted: a number",
        ),
        (at("06:00:01", point="door.contact", value=1), "found 1; accepted: true or false"),
        (at("06:00:01", point="stove.power"), "line: found"),
        (at("06:00:01", node="asleep"), "line: found"),
        (at("06:00:01"), "only a time"),
        (
            at("06:00:01", point="stove.power", value=1, mode="away"),
            "accepted: one of: point and value, node",
        ),
        (at("06:00:01", node="up", end=True), "accepted: one of: point and value, node"),
        ({"at": "2026-01-05T06:00:01", "node": "up"}, "a time such as"),
        ({"at": "2026-13-05T06:00:01Z", "node": "up"}, "a time such as"),
        ({"at": 5, "node": "up"}, "a time such as"),
        ({"node": "up"}, "at: found nothing"),
        ('{"at": "2026-01-05T06:00:01+01:00", "poi', "one JSON object"),
        ("[1]", "a JSON object"),
        ("[" * 60_000, "one JSON object"),
        ("x" * 70_000, "a shorter line"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_printed(
    home: Path, line: dict[str, object] | str, field: str
) -> None:
    said = refused(home, at("06:00:00", point="stove.power", value=99), line)
    assert "trace.jsonl:2:" in said
    assert field in said


def test_a_line_after_the_end_an_empty_file_and_no_file_are_told(home: Path) -> None:
    assert "after the end" in refused(home, at("06:00:00", end=True), at("06:00:00", end=True))
    assert "found nothing" in refused(home)
    with pytest.raises(FileMistakes, match="No such file"):
        replay(home, "/nowhere/trace.jsonl", io.StringIO(), io.StringIO())


def test_a_gzip_file_that_is_cut_short_is_told(home: Path) -> None:
    many = [at("06:00:00", point="stove.power", value=number) for number in range(1000)]
    path = Path(write(home, *many, name="trace.jsonl.gz"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FileMistakes, match="a damaged end"):
        replay(home, str(path), io.StringIO(), io.StringIO())


def test_the_report_says_what_fired_and_what_was_blind(home: Path) -> None:
    out = io.StringIO()
    said = at("06:00:00", point="door.contact", value=True), at("06:30:00", end=True)
    assert replay(home, write(home, *said), out, io.StringIO()) == 0
    text = out.getvalue()
    assert "door_left_open (warning): 1 alert" in text
    assert "2 steps, still open" in text
    assert "blind 1 time, 30 min in all (100.0 %), because of stove.power" in text
    assert "it could never decide" in text


def test_a_step_that_sets_the_mode_is_told_and_counts(home: Path) -> None:
    home.with_name("rules").joinpath("back.yaml").write_text(
        "rule: back\nseverity: info\nroles: {door: {kind: contact}}\nwhen: mode == away and door changes\n"
        "clear: mode == home\nsteps: [{after: 0 s, do: mode, to: home}]\n",
        encoding="utf-8",
    )
    uses = HOME.split("rules:")[0] + "rules: [{use: back, bind: {door: door.contact}}]\n"
    home.write_text(uses, encoding="utf-8")
    lines = [at("08:00:00", point="door.contact", value=False), at("09:00:00", mode="away")]
    lines += [at(f"10:00:0{second}", point="door.contact", value=second % 2 == 0) for second in range(3)]
    told, _ = replayed(home, write(home, *lines))
    assert [(line["at"], line["event"], line.get("do")) for line in told] == [
        ("2026-01-05T10:00:00.000+01:00", "raised", None),
        ("2026-01-05T10:00:00.000+01:00", "step", "mode"),
        ("2026-01-05T10:00:00.001+01:00", "resolved", None),
    ]


DAYS = (
    at("06:00:00", point="stove.power", value=0),
    at("06:00:00", point="door.contact", value=True),
    at("06:05:30", point="door.contact", value=False),
    at("07:00:00", point="door.contact", value=True),
    at("07:10:00", ack="door_left_open"),
    at("07:55:00", point="door.contact", value=False),
    at("20:00:00", node="down"),
    at("20:10:00", node="up"),
    {"at": "2026-01-15T06:00:00+01:00", "end": True},
)

REPORT = """\
9 lines, 2026-01-05 06:00:00 to 2026-01-15 06:00:00 (10 d)
node down 1 time, 10 min in all (<0.1 %)

rule                     alerts  a week  median open  longest   blind
door_left_open  warning       2     1.4  26 min 15 s   51 min       -
hot             alarm         -       -            -        -  99.6 %

door_left_open (warning): 2 alerts
  morning 6-12 2
  steps: say 2
  2026-01-05 06:05:00  1 step, resolved after 1 min 30 s
  2026-01-05 07:05:00  1 step, acknowledged after 5 min, resolved after 51 min

hot (alarm): no alerts
  blind 1 time, 9 d 23 h in all (99.6 %), because of stove.power
"""

DIFFERENCE = """\
9 lines, 2026-01-05 06:00:00 to 2026-01-15 06:00:00 (10 d)
node down 1 time, 10 min in all (<0.1 %)

rule            alerts  only A  only B  earlier  later  steps        blind
door_left_open   2 → 1       1       -        -      1      2            -
hot              0 → –       -       -        -      -  0 → –   99.6 % → –
second           – → 0       -       -        -      -  – → 0  – → 100.0 %
(earlier, later: alerts that both have, as B has them)

door_left_open
  steps: notify 0 → 1, say 2 → 1
  where both have one: B 5 min later
  2026-01-05 06:05:00  only in A
  2026-01-05 07:05:00  B 5 min later

hot
  only in A: no alerts

second
  only in B: no alerts
"""


def test_the_report_is_a_table_and_what_there_is_to_say_of_each_rule(home: Path) -> None:
    assert told(home, *DAYS) == REPORT


def test_the_difference_of_two_homes_is_told_occasion_by_occasion(home: Path) -> None:
    against = other(home)
    assert told(home, *DAYS, against=against) == f"A: {home}\nB: {against}\n{DIFFERENCE}"


def test_the_lines_of_two_homes_are_in_order_of_time_and_say_whose_they_are(home: Path) -> None:
    both = [json.loads(line) for line in told(home, *DAYS, against=other(home), as_json=True).splitlines()]
    assert [line["at"] for line in both] == sorted(line["at"] for line in both)
    for where, path in (("home", home), ("other", home.with_name("other.yaml"))):
        alone, _ = replayed(path, write(home, *DAYS))
        assert [{k: v for k, v in line.items() if k != "in"} for line in both if line["in"] == where] == alone


def test_a_point_that_only_one_of_two_homes_has_is_heard_there_and_counted(home: Path) -> None:
    home.write_text(
        HOME.replace("kind: contact, room: hall", "kind: water, room: hall").replace(RULE_OF_DOOR, "")
    )
    out, err = io.StringIO(), io.StringIO()
    replay(home, write(home, *DAYS), out, err, against=other(home))
    assert f"skipped, {home} has no point door.contact: 4 lines" in err.getvalue()
    assert "only in B: 1 alert" in out.getvalue()


def test_of_many_points_that_only_one_of_two_homes_has_none_is_passed_over(home: Path) -> None:
    against = home.with_name("other.yaml")
    against.write_text(HOME.replace("  stove: ", "  hob: ").replace(RULE_OF_STOVE, ""), encoding="utf-8")
    lines = [at("06:00:00", point=f"stove.power_{number}", value=1) for number in range(2, 15)]
    err = io.StringIO()
    replay(home, write(home, *lines), io.StringIO(), err, against=against)
    told = [line for line in err.getvalue().splitlines() if str(against) in line]
    assert len(told) == 11
    assert told[-1] == f"skipped, {against} has no point: 3 lines of 3 others"


def test_output_that_fits_no_memory_waits_too_for_the_end_of_the_recording() -> None:
    def lines(whole: bool) -> Iterator[str]:
        for number in range(100):
            yield f"{number:05d} " + "å" * (IN_MEMORY // 30) + "\n"
        if not whole:
            raise FileMistakes([])

    out = io.StringIO()
    with pytest.raises(FileMistakes):
        when_read(lines(whole=False), out)
    assert out.getvalue() == ""
    when_read(lines(whole=True), out)
    assert out.getvalue() == "".join(lines(whole=True))


def told(home: Path, *lines: dict[str, object], against: Path | None = None, as_json: bool = False) -> str:
    out = io.StringIO()
    assert replay(home, write(home, *lines), out, io.StringIO(), as_json=as_json, against=against) == 0
    return out.getvalue()


def other(home: Path) -> Path:
    """Another home.yaml: patient at the door, one rule less and one more."""
    second = "  - {use: door_left_open, as: second, bind: {door: fridge.contact}}\n"
    text = HOME.replace("open: 5 min", "open: 10 min").replace(RULE_OF_STOVE, second)
    path = home.with_name("other.yaml")
    path.write_text(text, encoding="utf-8")
    return path
