"""The journal of a node as a recording: what was kept, what it knew of the clock, what can't be told."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from homenode.contract.times import wall_ms
from homenode.errors import FileMistakes, SetupError
from homenode.journal import Journal
from homenode.journal.codec import CODES, decode
from homenode.journal.report import export
from homenode.journal.rewrite import rewrite
from homenode.journal.segment import find
from homenode.replay import replay

HOME = """home: journalled
timezone: Europe/Stockholm
language: en
modes: {away: {longest: 2 h}}
radios: {zigbee: {driver: zigbee, port: /dev/null, adapter: ezsp}}
devices:
  door: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: hall, stale_after: 1 h}
rules:
  - {use: open, bind: {door: door.contact}}
  - {use: gone, bind: {door: door.contact}}
"""
OPEN = """rule: open
severity: warning
roles: {door: {kind: contact}}
when: door for 1 min
again: 5 min
steps: [{after: 0 s, do: say, text: {en: "The door."}}, {after: 10 min, do: notify}]
"""
GONE = "rule: gone\nseverity: info\nroles: {door: {kind: contact}}\nwhen: mode == away and door\ngrace: 1 d\n"

START = 1_767_589_200_000
"""2026-01-05T05:00Z on the wall; the node's steady clock is an hour behind."""
HOUR = 3_600_000
MIN = 60_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "open.yaml").write_text(OPEN)
    (tmp_path / "rules" / "gone.yaml").write_text(GONE)
    (tmp_path / "home.yaml").write_text(HOME)
    return tmp_path / "home.yaml"


def written(folder: Path, *records: dict[str, Any]) -> None:
    classes: dict[str, Any] = {"r": "reading", "a": "reading", "tr": "alert", "ack": "alert"}
    with Journal.open(folder) as journal:
        for record in records:
            journal.append(
                {**record, "at": START - HOUR + record["at"]}, klass=classes.get(record["t"], "system")
            )


CLOCK = {"t": "clock", "at": 0, "offset_ms": HOUR, "trusted": True, "slept_ms": None}


def door(at: int, value: bool | None) -> dict[str, Any]:
    return {"t": "r", "p": "door.contact", "v": value, "at": at}


def replayed(home: Path) -> tuple[list[tuple[int, str, str]], list[str]]:
    """Of each line the ms since the start, rule, event (or what a step does); and what is told beside."""
    out, err = io.StringIO(), io.StringIO()
    assert replay(home, "", out, err, as_json=True, journal=home.parent) == 0
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return [
        (_since(line["at"]), line["rule"], line.get("do", line["event"])) for line in lines
    ], err.getvalue().splitlines()


def _since(text: str) -> int:
    return wall_ms(text) - START


def test_times_are_those_of_the_wall(home: Path) -> None:
    written(home.parent, CLOCK, door(0, True), {"t": "beat", "at": 2 * MIN})
    assert replayed(home) == ([(MIN, "open", "raised"), (MIN, "open", "say")], [])


def test_a_sign_of_life_keeps_a_sensor_from_being_stale(home: Path) -> None:
    """Lines of JSON can't say it."""
    alive = {"t": "a", "d": "door", "at": HOUR - 1}
    written(
        home.parent,
        CLOCK,
        door(0, False),
        alive,
        door(HOUR + 10 * MIN, False),
        {"t": "beat", "at": 70 * MIN + 1},
    )
    assert replayed(home) == ([], [])


def test_an_acknowledgement_counts_for_the_rule_though_its_alert_has_another_name_now(home: Path) -> None:
    written(
        home.parent,
        CLOCK,
        door(0, True),
        {"t": "tr", "at": MIN, "rule": "open", "alert": "open:other", "event": "raised"},
        {"t": "ack", "at": 2 * MIN, "alert": "open:other", "parties": ["care"], "by": "Eva"},
        {"t": "beat", "at": 12 * MIN},
    )
    told, _ = replayed(home)
    assert told[2:] == [(2 * MIN, "open", "acknowledged"), (7 * MIN, "open", "lapsed")]


def test_the_answer_of_the_resident_counts_as_it_was_judged(home: Path) -> None:
    answer = {
        "t": "tr",
        "at": 2 * MIN + 1,
        "rule": "open",
        "alert": "open:1",
        "event": "acknowledged",
        "reason": "resident",
    }
    written(
        home.parent, CLOCK, door(0, True), {"t": "ok", "at": 2 * MIN}, answer, {"t": "beat", "at": 3 * MIN}
    )
    assert replayed(home)[0][2:] == [(2 * MIN + 1, "open", "acknowledged")]


def test_a_downtime_of_unknown_length_is_too_long_until_it_is_measured(home: Path) -> None:
    written(
        home.parent,
        CLOCK,
        door(0, True),
        {"t": "down", "at": 30_000},
        {"t": "clock", "at": 31_000, "offset_ms": HOUR, "trusted": False, "slept_ms": None},
        {"t": "up", "at": 31_000, "measured": False},
        {"t": "clock", "at": 90_000, "offset_ms": HOUR + 5 * MIN, "trusted": True, "slept_ms": 5 * MIN},
        {"t": "beat", "at": 95_000},
    )
    told, _ = replayed(home)
    assert [what for _, _, what in told] == ["raised", "say"]
    assert told[0][0] == 90_000 + 5 * MIN, "the wall clock of that run was put right"


def test_what_the_rules_and_the_home_no_longer_have_is_told(home: Path) -> None:
    gone = {"t": "tr", "at": 5, "rule": "old", "alert": "old:1"}
    written(
        home.parent,
        CLOCK,
        {"t": "r", "p": "cellar.water", "v": False, "at": 1},
        {**gone, "event": "raised"},
        {**gone, "event": "resolved", "reason": "rule changed"},
        {"t": "mode", "mode": "party", "at": 7, "longest_ms": None},
        {"t": "r", "p": "door.contact", "v": "ajar", "at": 8},
    )
    told, beside = replayed(home)
    assert told == []
    assert beside == [
        "skipped, home.yaml has no point cellar.water: 1 line",
        "home.yaml has no mode party: 1 line",
        "home.yaml has no rule old: 1 line",
        "1 records can't be read: a later homenode wrote them",
        "the node's rules changed meanwhile; those of home.yaml were run throughout",
    ]


def test_where_readings_are_gone_it_begins_behind_them_with_what_still_holds(home: Path) -> None:
    """A mode that was set an hour before holds for the hour that is left of it."""
    folder = home.parent
    written(folder, CLOCK, door(1, True), {"t": "mode", "mode": "away", "at": HOUR, "longest_ms": None})
    _compact(folder / "journal")
    written(
        folder,
        door(2 * HOUR, False),
        door(2 * HOUR + 5, True),
        door(3 * HOUR - 1, True),
        door(4 * HOUR, False),
    )
    told, beside = replayed(home)
    assert beside == ["the journal begins with the oldest reading that it still has"]
    assert [line for line in told if line[1] == "gone"] == [
        (2 * HOUR + 5, "gone", "raised"),
        (3 * HOUR, "gone", "resolved"),
    ]


def _compact(folder: Path) -> None:
    """As retention does with files that are old: their readings go."""
    with Journal.open(folder.parent) as journal:
        epoch, last = journal.epoch, journal.last
    files = find(folder)
    span = files[0].low, files[-1].high
    low, high = span
    for _ in rewrite(
        folder,
        files,
        span=span,
        epoch=epoch,
        first=1,
        next_first=last + 1,
        keep=lambda frame: frame.code != CODES["reading"] and decode(frame.payload)["t"] != "beat",
        compact=True,
        newest_at=START,
        found=lambda damage: None,
    ):
        pass
    assert (low, high) == span


def test_nothing_and_no_journal_are_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no journal is here"):
        replay(home, "", io.StringIO(), io.StringIO(), journal=tmp_path / "elsewhere")
    written(home.parent)
    with pytest.raises(FileMistakes, match="found nothing"):
        replayed(home)


def test_what_an_export_can_say_gives_the_same(home: Path) -> None:
    acknowledged = {"t": "ack", "alert": "open:1", "parties": ["care"], "by": "Eva"}
    change = {"t": "tr", "rule": "open", "alert": "open:1"}
    written(
        home.parent,
        CLOCK,
        door(0, True),
        {**change, "at": MIN, "event": "raised"},
        {**acknowledged, "at": 2 * MIN},
        {**change, "at": 7 * MIN, "event": "lapsed"},
        {**acknowledged, "at": 8 * MIN},
        {"t": "down", "at": 9 * MIN},
        {**CLOCK, "at": 11 * MIN},
        {"t": "up", "at": 11 * MIN, "measured": True},
        {"t": "mode", "mode": "away", "at": 12 * MIN, "longest_ms": None},
        door(14 * MIN, False),
        {"t": "beat", "at": 15 * MIN},
    )
    text = io.StringIO()
    assert export(home.parent, text, text) == 0
    path = home.with_name("export.jsonl")
    path.write_text(text.getvalue())
    out = io.StringIO()
    replay(home, str(path), out, io.StringIO(), as_json=True)
    again = io.StringIO()
    replay(home, "", again, io.StringIO(), as_json=True, journal=home.parent)
    assert _unnamed(out.getvalue()) == _unnamed(again.getvalue())
    assert [line["event"] for line in _unnamed(out.getvalue())].count("acknowledged") == 2


def _unnamed(text: str) -> list[dict[str, Any]]:
    """Lines without the names of alerts: those have the instant in them, on another clock."""
    return [{k: v for k, v in json.loads(line).items() if k != "alert"} for line in text.splitlines()]
