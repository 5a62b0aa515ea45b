"""The formats that are a line each; `homenode.recordings` has the table."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import NamedTuple

from homenode.reading import Value
from homenode.recordings.local_time import LocalTime
from homenode.recordings.sensors import EDGE_KINDS, EVENT_KINDS, Sensor, of_entity
from homenode.recordings.telegrams import Telegrams

Said = tuple[int, str, Value]
Parse = Callable[[str], list[Said]]
"""One line to what it says; raises ValueError with the reason. An empty list: nothing about a sensor."""


class Format(NamedTuple):
    """How to read a file.

    Attributes:
        parse: One line.
        header: Whether the first line is a header.
        left: What is missing if the file ends here, "" if nothing.
    """

    parse: Parse
    header: bool
    left: Callable[[], str] = str


def recognise(first: str, zone: tzinfo, sensors: dict[str, Sensor]) -> Format | None:
    """How to read a file that begins with this line; None if it is of no known format.

    Args:
        first: Its first line.
        zone: Of time stamps that carry no offset.
        sensors: Is filled while reading with what the file says of each source.
    """
    if first.startswith("{"):
        return Format(parse_homenode_line, header=False)
    columns = first.split(",")
    if {"local_time", "sensor_id", "state"} <= set(columns):
        return Format(_events(first, zone, sensors), header=True)
    if {"entity_id", "state", "last_changed"} <= set(columns):
        return Format(_history(first, zone, sensors), header=True)
    if re.match(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d;", first):
        return Format(_meter(zone, sensors), header=False)
    if first.startswith("Time,"):
        return Format(_table(first, zone, sensors), header=True)
    if [part.strip() for part in first.split("|")][:4] == ["mark", "zone", "number", "state"]:
        return Format(_edge_list(zone, sensors), header=True)
    if re.match(r"/[A-Za-z0-9]{3}\S", first):
        telegrams = Telegrams(zone, sensors)
        return Format(telegrams.parse, header=False, left=telegrams.left)
    return None


def parse_homenode_line(line: str) -> list[Said]:
    """A line of `homenode replay`; one about the node or a mode says nothing of a sensor."""
    try:
        said = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(said, dict) or "at" not in said:
        raise ValueError('no JSON object with "at"')
    if "point" not in said:
        return []
    at = datetime.fromisoformat(str(said["at"]))
    if at.tzinfo is None:
        raise ValueError(f"{said['at']!r} has no offset such as +01:00")
    value = said.get("value")
    if "value" not in said or not (value is None or isinstance(value, bool | int | float)):
        raise ValueError('"value" is neither a number, true, false nor null')
    return [(math.floor(at.timestamp() * 1000 + 1e-6), str(said["point"]), value)]


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number that can be measured")
    return int(number) if number.is_integer() else number


def _one_of(text: str, words: dict[str, bool]) -> bool:
    if text not in words:
        raise ValueError(f"{text!r} is none of {', '.join(words)}")
    return words[text]


def _row(line: str, columns: list[str]) -> list[str]:
    row = next(csv.reader([line], strict=True))
    if len(row) != len(columns):
        raise ValueError(f"{len(row)} columns instead of {len(columns)}")
    return row


def _events(header: str, zone: tzinfo, sensors: dict[str, Sensor]) -> Parse:
    clock = LocalTime(zone)
    columns = next(csv.reader([header]))
    time_at, sensor_at, state_at = (columns.index(name) for name in ("local_time", "sensor_id", "state"))

    def parse(line: str) -> list[Said]:
        row = _row(line, columns)
        source = row[sensor_at]
        if not source:
            raise ValueError("no sensor_id")
        value = _one_of(row[state_at], {"on": True, "off": False})
        if source not in sensors:
            told = dict(zip(columns, row, strict=True))
            room, _, name = told.get("name", source).rpartition(",")
            sensors[source] = Sensor(name, EVENT_KINDS.get(told.get("kind", ""), ""), room)
        return [(clock.iso(row[time_at]), source, value)]

    return parse


HISTORY_WORDS = {"on": True, "off": False, "locked": True, "unlocked": False, "open": True, "closed": False}
NOT_KNOWN = ("unavailable", "unknown")


def _history(header: str, zone: tzinfo, sensors: dict[str, Sensor]) -> Parse:
    clock = LocalTime(zone)
    columns = next(csv.reader([header]))
    entity_at, state_at, time_at = (columns.index(name) for name in ("entity_id", "state", "last_changed"))

    def parse(line: str) -> list[Said]:
        row = _row(line, columns)
        entity, state = row[entity_at], row[state_at]
        value: Value
        if state in NOT_KNOWN:
            value = None
        else:
            value = HISTORY_WORDS[state] if state in HISTORY_WORDS else _number(state)
        sensors.setdefault(entity, of_entity(entity))
        return [(clock.iso(row[time_at]), entity, value)]

    return parse


def _meter(zone: tzinfo, sensors: dict[str, Sensor]) -> Parse:
    clock = LocalTime(zone)
    sensors["power"], sensors["power_8s"] = Sensor("", "power"), Sensor("8s")

    def parse(line: str) -> list[Said]:
        row = line.split(";")
        if len(row) not in (2, 3):
            raise ValueError(f"{len(row)} columns instead of time;W over 1 s;W over 8 s")
        values = [_number(text) for text in row[1:]]
        at = clock.day_first(row[0])
        return [(at, name, value) for name, value in zip(("power", "power_8s"), values, strict=False)]

    return parse


def _table(header: str, zone: tzinfo, sensors: dict[str, Sensor]) -> Parse:
    clock = LocalTime(zone)
    columns = next(csv.reader([header]))
    sensors.update((name, Sensor(name, "power")) for name in columns[1:])

    def parse(line: str) -> list[Said]:
        row = _row(line, columns)
        values = [(name, _number(text)) for name, text in zip(columns[1:], row[1:], strict=True) if text]
        at = clock.iso(row[0])
        return [(at, name, value) for name, value in values]

    return parse


def _edge_list(zone: tzinfo, sensors: dict[str, Sensor]) -> Parse:
    clock = LocalTime(zone)

    def parse(line: str) -> list[Said]:
        row = [part.strip() for part in line.split("|")]
        if len(row) == 1 and (set(row[0]) <= set("-+") or re.fullmatch(r"\(\d+ rows?\)", row[0])):
            return []  # the ruler under the header and the count at the end
        if len(row) != 7:
            raise ValueError(f"{len(row)} columns instead of 7")
        # ArgusMS are analogue (light level, state always 1); ArgusD and X10 are on and off (level 100 and 0)
        value = _number(row[4]) if row[5] == "ArgusMS" else _one_of(row[3], {"1": True, "0": False})
        source = row[1] + row[2]
        if source not in sensors:
            sensors[source] = Sensor(source, EDGE_KINDS.get(row[5], ""))
        return [(clock.iso(row[0]), source, value)]

    return parse
