"""A healthy sensor is never called silent: weeks of recorded doors with the check-ins that devices have."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.zigbee.rows import row_for
from drivers.zigbee.supervision import HEARTBEATS_S, LONGEST_S, UNTOLD_S, documented_s, stale_after_ms
from homenode.replay import replay

SHARED = Path(__file__).parents[4] / "shared/data"
WEEK = timedelta(days=7)
DEFAULT_MS = LONGEST_S * 1000
"""Of `stale_after` (design, section 3)."""
DAY_S = 24 * 3600
LATE = 0.1
"""Clocks of sensors run on cheap crystals and warm hands; their check-ins drift by less than this."""
LOST = 0.02
"""Frames that never arrive, after three tries of the radio and three of its application layer. Rows are at
least twice the longest documented silence, which such losses are in."""

PATTERNS = {
    "IKEA: poll control each 55 min": ("IKEA of Sweden", "BADRING Water Leakage Sensor", 3300),
    "the node's own: poll control each hour": ("frient A/S", "SMSZB-120", 3600),
    "Aqara: heartbeat each 50 min": ("LUMI", "lumi.sensor_wleak.aq1", None),
    "a battery that is reported each 3 h": ("any", "IAS", 10800),
    "a sensor that agreed to no more than 6 h": ("any", "slow", 21600),
    "Tuya: battery each 12 h": ("_TZ3000_any", "TS0203", None),
    "nothing known: battery once a day": ("_TZ3000_any", "TS0207", None),
}
HOME = """\
home: silent-1
timezone: UTC
devices:
  door: {{driver: gpio, pin: 17, kind: contact, room: hall, stale_after: {limit}}}
rules:
  - {{use: watched, bind: {{door: door.contact}}}}
"""
RULE = """\
rule: watched
version: 1
severity: warning
to: [care]
grace: 1 s
roles: {door: {kind: contact}}
when: door
steps: [{after: 0 s, do: notify}]
says: {sv: "öppen", en: "open"}
"""


def _door() -> list[tuple[datetime, bool]]:
    """The door that moves least in home A's first week: what it says between check-ins hardly helps."""
    file = SHARED / "homes/houseA.events.csv.gz"
    if not file.exists():
        pytest.skip(f"no recording at {file}")
    text = io.StringIO(gzip.decompress(file.read_bytes()).decode())
    rows = [row for row in csv.DictReader(text) if row["kind"] == "door"]
    names = {row["sensor_id"] for row in rows}
    quietest = min(names, key=lambda name: sum(row["sensor_id"] == name for row in rows))
    edges = [
        (datetime.fromtimestamp(int(row["epoch_local_as_utc"]), UTC), row["state"] == "on")
        for row in rows
        if row["sensor_id"] == quietest
    ]
    return [edge for edge in edges if edge[0] < edges[0][0] + WEEK]


def _faults(
    folder: Path, limit_ms: int, check_in_s: float, lost: float, *, until: timedelta = WEEK
) -> list[str]:
    """What a node would have said in a week; the sensor repeats its state as it checks in."""
    edges, dice = _door(), random.Random(4711)
    begin, state, readings = edges[0][0], edges[0][1], list(edges)
    at = begin
    while at < begin + until:
        at += timedelta(seconds=check_in_s * dice.uniform(1 - LATE, 1 + LATE))
        if dice.random() >= lost:
            state = [value for when, value in edges if when <= at][-1]
            readings.append((at, state))
    readings = sorted(reading for reading in readings if reading[0] < begin + until)
    lines = [{"at": when.isoformat(), "point": "door.contact", "value": value} for when, value in readings]
    lines.append({"at": (begin + WEEK).isoformat(), "end": True})  # type: ignore[dict-item]  # as design says
    (folder / "rules").mkdir()
    (folder / "rules/watched.yaml").write_text(RULE)
    (folder / "home.yaml").write_text(HOME.format(limit=f"{limit_ms // 60_000} min"))
    (folder / "week.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out, err = io.StringIO(), io.StringIO()
    assert replay(str(folder / "home.yaml"), str(folder / "week.jsonl"), out, err, as_json=True) == 0
    return [line for line in out.getvalue().splitlines() if json.loads(line)["event"] == "fault"]


def _limit_ms(manufacturer: str, model: str, heard_s: int | None) -> int:
    row_ms = row_for(manufacturer, model).stale_after_ms
    return stale_after_ms(row_ms, heard_s, documented_s(manufacturer, row_ms))


def _period_s(manufacturer: str, model: str, heard_s: int | None) -> int:
    documented = documented_s(manufacturer, row_for(manufacturer, model).stale_after_ms)
    return heard_s or documented or DAY_S


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_week_of_check_ins_is_no_silence(tmp_path: Path, pattern: str) -> None:
    device = PATTERNS[pattern]
    maker, name, _ = device
    by_row = row_for(maker, name).stale_after_ms is not None
    period_s = _period_s(*device) / (1 + LATE if by_row else 1)
    assert _faults(tmp_path, _limit_ms(*device), period_s, 0.0 if by_row else LOST) == []


@pytest.mark.parametrize("pattern", PATTERNS)
def test_one_that_left_silently_in_the_middle_of_the_week_is_missed(tmp_path: Path, pattern: str) -> None:
    device = PATTERNS[pattern]
    limit_ms = _limit_ms(*device)
    assert len(_faults(tmp_path, limit_ms, _period_s(*device), 0.0, until=timedelta(days=3))) >= 1
    assert limit_ms <= 73 * 3_600_000, "peers take 25 to 73 h"
    assert limit_ms <= 25 * 3_600_000 or device[2] is None


def test_the_sensors_of_a_recorded_flat_are_given_two_check_ins_or_more() -> None:
    file = SHARED / "zigbee-network/bridge_devices.json"
    if not file.exists():
        pytest.skip(f"no recording at {file}")
    sensors = [one for one in json.loads(file.read_text()) if one.get("power_source") == "Battery"]
    assert len(sensors) > 10
    for one in sensors:
        row = row_for(one["manufacturer"], one["model_id"])
        period_s = documented_s(one["manufacturer"], row.stale_after_ms)
        assert period_s is not None, one["model_id"]
        assert (row.stale_after_ms or DEFAULT_MS) >= 2000 * period_s


def test_one_lost_check_in_of_those_that_were_agreed_to_is_no_silence_and_4_h_are_the_least() -> None:
    assert stale_after_ms(None, None, None) == 2500 * UNTOLD_S
    assert stale_after_ms(None, 3600, None) == DEFAULT_MS
    assert stale_after_ms(None, None, 3600) == DEFAULT_MS
    assert stale_after_ms(None, LONGEST_S, None) == 2500 * LONGEST_S
    assert stale_after_ms(1, LONGEST_S, None) == 1
    assert HEARTBEATS_S["LUMI"] * 2000 <= DEFAULT_MS
