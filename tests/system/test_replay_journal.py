"""The journal of a node that really ran, replayed with its own home, says what the node told live."""

from __future__ import annotations

import io
import json
import random
import time
from pathlib import Path
from typing import Any

from homenode.contract.times import wall_ms
from homenode.journal.codec import decode
from homenode.journal.segment import records
from homenode.journal.wall_time import WallTime
from homenode.replay import replay
from tests.system.nodes import NodeProcess

DOOR = """\
rule: door
severity: warning
to: [care]
roles: {door: {kind: contact}, eye: {kind: motion}}
parameters: {open: {default: 0.4 s}}
when: (door for $open) or count(door, 10 s) > 3
clear: (not door) for 0.2 s
again: 1 s
steps:
  - {after: 0 s, do: say, text: {en: "The door."}}
  - {after: 0.5 s, do: notify, every: 0.6 s, times: 3}
  - {at: resolve, do: notify}
"""
QUIET = """\
rule: quiet
severity: info
roles: {eye: {kind: motion}, door: {kind: contact}}
when: (not (eye within 0.7 s)) since door changes
bridge: 1 s
grace: 0.3 s
steps: [{after: 0.2 s, do: notify}]
"""
HOT = "rule: hot\nroles: {stove: {kind: power}}\nwhen: stove > 50 W for 0.3 s\ngrace: 0.5 s\n"

HOME = """\
home: journal-1
timezone: Europe/Stockholm
language: en
clock: {trust: always}
modes: {away: {longest: 1 s}}
resident: {ok: answer.button}
radios:
  tape: {driver: recording, file: tape.jsonl}
devices:
  front: {via: tape, sensor: door, kind: contact, room: hall}
  eye: {via: tape, sensor: eye, kind: motion, room: hall, stale_after: 1.5 s}
  stove: {via: tape, sensor: stove, kind: power, room: kitchen, stale_after: 0.8 s}
  answer: {via: tape, sensor: ok, kind: button, room: hall}
rules:
  - {use: door, bind: {door: front.contact, eye: eye.motion}}
  - {use: quiet, bind: {door: front.contact, eye: eye.motion}}
  - {use: hot, bind: {stove: stove.power}}
"""


def _tape(seed: int) -> str:
    """Four seconds of a busy flat."""
    chance = random.Random(seed)
    lines = []
    for at_ms in sorted(chance.sample(range(4000), 60)):
        sensor = chance.choice(("door", "door", "eye", "stove", "ok"))
        value: object = chance.random() < 0.5
        if sensor == "stove":
            value = chance.choice((0, 60, None))
        if sensor == "ok":
            value = True
        lines.append({"at": f"2026-01-05T06:00:{at_ms / 1000:06.3f}+01:00", "point": sensor, "value": value})
    return "".join(json.dumps(line) + "\n" for line in lines)


def _written(folder: Path) -> None:
    (folder / "rules").mkdir()
    for name, text in (("door", DOOR), ("quiet", QUIET), ("hot", HOT)):
        (folder / "rules" / f"{name}.yaml").write_text(text)
    (folder / "home.yaml").write_text(HOME)


def _lived(folder: Path) -> None:
    """A node that is killed and started again, acknowledged and told to be away."""
    for seed in range(5):
        (folder / "tape.jsonl").write_text(_tape(seed))
        with NodeProcess(folder / "home.yaml", folder / "data") as node:
            node.until("ready")
            for _ in range(6):
                time.sleep(0.35)
                node.ask("ack", "door")
            node.ask("mode", "away")
            time.sleep(0.3 * seed)
            node.kill()
        time.sleep(0.4 * seed)
    with NodeProcess(folder / "home.yaml", folder / "data") as node:
        node.until("ready")
        node.stop()


def _told_live(folder: Path) -> list[dict[str, Any]]:
    clock = WallTime(folder / "data" / "journal")
    told = []
    for found in records(folder / "data" / "journal"):
        record = decode(found.payload)
        if record["t"] == "tr":
            line = {
                key: record[key]
                for key in ("rule", "alert", "event", "step", "do", "because")
                if key in record
            }
            told.append({"at": clock.wall_ms(found.number, record["at"]), **line})
    return told


def _sorted(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(line, sort_keys=True) for line in lines)


def _replayed(
    folder: Path, source: str = "", journal: Path | None = None
) -> tuple[list[dict[str, Any]], str]:
    out, err = io.StringIO(), io.StringIO()
    assert replay(folder / "home.yaml", source, out, err, as_json=True, journal=journal) == 0
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return [{**line, "at": wall_ms(line["at"])} for line in lines], err.getvalue()


def test_a_journal_with_kill_9_in_it_gives_what_was_told_live(tmp_path: Path) -> None:
    _written(tmp_path)
    _lived(tmp_path)
    live = _told_live(tmp_path)
    events = {line["event"] for line in live}
    assert events >= {"raised", "acknowledged", "lapsed", "resolved", "step", "fault", "recovered"}
    again, err = _replayed(tmp_path, journal=tmp_path / "data")
    end = max(line["at"] for line in live)
    assert _sorted([line for line in again if line["at"] <= end]) == _sorted(live)
    assert err == ""
