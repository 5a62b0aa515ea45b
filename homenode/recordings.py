"""Reads recordings of homes, whoever made them, as one stream: (wall time, source, value).

Formats are recognised by their first line, not by their name; ``.gz`` works for each:

=============  =========================================================================  =================
format         a line                                                                     sources
=============  =========================================================================  =================
homenode       ``{"at": "2026-01-05T06:12:03.250+01:00", "point": "stove.power", …}``      the points
home events    ``local_time,epoch_local_as_utc,sensor_id,name,kind,state`` (CSV, an edge)  sensor ids
plug meter     ``17/12/2011 00:00:02;0;0`` (W over 1 s; W over 8 s; tracebase)             power, power_8s
table          ``Time,Aggregate,Kettle,…`` (CSV, a column a channel)                       the columns
edge list      ``mark | zone | number | state | level | source | info`` (MavHome)          zone + number: V25
=============  =========================================================================  =================

Lines come as they stand: repeats, edges out of order and all. A line that can't be read is counted and
told with its number; it never ends the reading.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple

from homenode.errors import FileMistakes, Mistake, SetupError
from homenode.reading import Value

SHOWN = 20
"""Bad lines kept word for word; more are only counted, so that a bad file takes no memory."""

TRIED = 10
"""Lines among which the first good one is looked for: a recording may begin in the middle of a line."""

LONGEST = 65_536
"""Characters of a line; a longer one is no line of a recording, and isn't held in memory."""


class Recorded(NamedTuple):
    """One value of one source.

    Attributes:
        wall_ms: Milliseconds since 1970, UTC.
        source: What the recording calls the sensor.
        value: As recorded; None where the device said fault.
        line: 1-based line of the file.
    """

    wall_ms: int
    source: str
    value: Value
    line: int


Said = tuple[int, str, Value]
Parse = Callable[[str], list[Said]]
"""One line to what it says; raises ValueError with the reason. An empty list: nothing about a sensor."""


def _naive(text: str, pattern: str, zone: tzinfo) -> int:
    return round(datetime.strptime(text, pattern).replace(tzinfo=zone).timestamp() * 1000)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number that can be measured")
    return int(number) if number.is_integer() else number


def _one_of(text: str, words: dict[str, bool]) -> bool:
    if text not in words:
        raise ValueError(f"{text!r} is none of {', '.join(words)}")
    return words[text]


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


def _events(header: str, zone: tzinfo) -> Parse:
    columns = next(csv.reader([header]))
    time_at, sensor_at, state_at = (columns.index(name) for name in ("local_time", "sensor_id", "state"))

    def parse(line: str) -> list[Said]:
        row = next(csv.reader([line], strict=True))
        if len(row) != len(columns):
            raise ValueError(f"{len(row)} columns instead of {len(columns)}")
        if not row[sensor_at]:
            raise ValueError("no sensor_id")
        value = _one_of(row[state_at], {"on": True, "off": False})
        return [(_naive(row[time_at], "%Y-%m-%d %H:%M:%S", zone), row[sensor_at], value)]

    return parse


def _meter(zone: tzinfo) -> Parse:
    def parse(line: str) -> list[Said]:
        row = line.split(";")
        if len(row) not in (2, 3):
            raise ValueError(f"{len(row)} columns instead of time;W over 1 s;W over 8 s")
        at = _naive(row[0], "%d/%m/%Y %H:%M:%S", zone)
        return [(at, name, _number(text)) for name, text in zip(("power", "power_8s"), row[1:], strict=False)]

    return parse


def _table(header: str, zone: tzinfo) -> Parse:
    names = next(csv.reader([header]))[1:]

    def parse(line: str) -> list[Said]:
        row = next(csv.reader([line], strict=True))
        if len(row) != len(names) + 1:
            raise ValueError(f"{len(row)} columns instead of {len(names) + 1}")
        at = _naive(row[0], "%Y-%m-%d %H:%M:%S", zone)
        return [(at, name, _number(text)) for name, text in zip(names, row[1:], strict=True) if text]

    return parse


def _edge_list(zone: tzinfo) -> Parse:
    def parse(line: str) -> list[Said]:
        row = [part.strip() for part in line.split("|")]
        if len(row) == 1 and (set(row[0]) <= set("-+") or re.fullmatch(r"\(\d+ rows?\)", row[0])):
            return []  # the ruler under the header and the count at the end
        if len(row) != 7:
            raise ValueError(f"{len(row)} columns instead of 7")
        at = _naive(row[0], "%Y-%m-%d %H:%M:%S", zone)
        # ArgusMS are analogue (light level, state always 1); ArgusD and X10 are on and off (level 100 and 0)
        value = _number(row[4]) if row[5] == "ArgusMS" else _one_of(row[3], {"1": True, "0": False})
        return [(at, row[1] + row[2], value)]

    return parse


def _recognise(first: str, zone: tzinfo) -> tuple[Parse, bool] | None:
    """How to read a file that begins with this line, and whether the line is a header."""
    if first.startswith("{"):
        return parse_homenode_line, False
    if {"local_time", "sensor_id", "state"} <= set(first.split(",")):
        return _events(first, zone), True
    if re.match(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d;", first):
        return _meter(zone), False
    if first.startswith("Time,"):
        return _table(first, zone), True
    if [part.strip() for part in first.split("|")][:4] == ["mark", "zone", "number", "state"]:
        return _edge_list(zone), True
    return None


class Recording:
    """A file of recorded readings; iterate it as often as you like, it is read anew each time.

    Memory stays at one line and `SHOWN` mistakes, however long the file.

    Args:
        path: The file.
        zone: Time zone of time stamps that carry none; UTC keeps local times as they read.
    """

    def __init__(self, path: Path, zone: tzinfo = UTC) -> None:
        self.path, self.zone = path, zone
        self.bad = 0
        """Lines that could not be read, in the last iteration."""
        self.mistakes: list[Mistake] = []
        """The first `SHOWN` of them."""

    def __iter__(self) -> Iterator[Recorded]:
        """Raises SetupError if the file can't be opened, FileMistakes if it is of no known format."""
        self.bad, self.mistakes = 0, []
        try:
            with self._open() as file:
                yield from self._read(file)
        except OSError as error:
            why = error.strerror or str(error)
            raise SetupError(
                f"can't be read: {why}", where=str(self.path), do="check path and permissions"
            ) from error

    def _open(self) -> IO[str]:
        with self.path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if packed:
            return gzip.open(self.path, "rt", encoding="utf-8-sig", errors="replace")
        return self.path.open(encoding="utf-8-sig", errors="replace")

    def _lines(self, file: IO[str]) -> Iterator[tuple[int, str]]:
        number = 0
        try:
            while line := file.readline(LONGEST):
                number += 1
                if len(line) == LONGEST and not line.endswith("\n"):
                    self._mistake(number, f"a line of more than {LONGEST} characters", "a shorter one")
                    while (line := file.readline(LONGEST)) and not line.endswith("\n"):
                        pass
                elif line := line.strip():
                    yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self._mistake(number + 1, f"a damaged end ({error})", "a whole gzip file")

    def _read(self, file: IO[str]) -> Iterator[Recorded]:
        lines = self._lines(file)
        begin = list(islice(lines, TRIED))
        known = None
        while begin and not (known := _recognise(begin[0][1], self.zone)):
            number, line = begin.pop(0)
            self._mistake(
                number, repr(line[:60]), "the first line of a known format, see homenode/recordings.py"
            )
        if known is None:
            if self.mistakes:
                raise FileMistakes(self.mistakes[:1])
            return
        parse, header = known
        for number, line in chain(begin[1:] if header else begin, lines):
            try:
                said = parse(line)
            except (ValueError, IndexError, OverflowError, csv.Error) as error:
                self._mistake(number, repr(line[:60]), f"a line like the others ({error})")
                continue
            for wall_ms, source, value in said:
                yield Recorded(wall_ms, source, value, number)

    def _mistake(self, line: int, found: str, accepted: str) -> None:
        self.bad += 1
        if len(self.mistakes) < SHOWN:
            self.mistakes.append(Mistake(str(self.path), line, "recording", found, accepted))
