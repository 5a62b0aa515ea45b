"""Reads a recording for replay: a line of JSON each, in order of time, into events of the engine.

::

    {"at": "2026-01-05T06:12:03.250+01:00", "point": "stove.power", "value": 1420}
    {"at": …, "node": "down"|"up"}   {"at": …, "mode": "away"}   {"at": …, "ack": "RULE"}
    {"at": …, "end": true}

Unlike `homenode.recordings`, which takes what others recorded as it comes, a line that is wrong ends it.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from homenode.config.model import Device
from homenode.contract.times import wall_ms
from homenode.engine.events import Acknowledge, Event, ModeSet, NodeDown, NodeUp, Reading
from homenode.errors import FileMistakes, Mistake
from homenode.kinds import Kind, kind_of, why_not
from homenode.reading import Instant

LONGEST = 65_536
"""Bytes of a line; a longer one is no line of a recording, and isn't held in memory."""

_SHOWN = 60


class Trace:
    """One recording.

    Args:
        name: Path, or ``-`` for standard input; ``.gz`` is unpacked.
        devices: Of the home; a point they don't have is skipped.
        modes, rules: Names that lines may use; others are counted and told.

    Attributes:
        skipped: Points that home.yaml doesn't have, and how many lines of each.
        strange: Modes and rules that the home doesn't have, likewise.
        start, last: Instants of the first and the latest line; None before the first.
        lines: Lines read.
    """

    def __init__(
        self, name: str, devices: Mapping[str, Device], modes: Collection[str], rules: Collection[str]
    ) -> None:
        self.name = name
        self._devices, self._modes, self._rules = devices, modes, rules
        self._kinds: dict[str, Kind | None] = {}
        self.skipped: Counter[str] = Counter()
        self.strange: Counter[str] = Counter()
        self.start: Instant | None = None
        self.last: Instant | None = None
        self.lines = 0

    def events(self) -> Iterator[tuple[Instant, Event | None]]:
        """Every line's instant and event; None where it only lets time run on.

        Raises:
            FileMistakes: The file can't be read, or a line is wrong; names it.
        """
        ended = False
        with _opened(self.name) as stream:
            for number, text in self._numbered(stream):
                self.lines = number
                if ended:
                    raise self._wrong("end", "a line after the end", '{"end": true} as the last line')
                said = self._object(text)
                at = self._at(said)
                if self.last is not None and at < self.last:
                    raise self._wrong("at", repr(said["at"]), "a time not before that of the line above")
                if self.start is None:
                    self.start = at
                self.last = at
                ended = "end" in said
                yield at, self._event(said, at)
        if self.start is None:
            self.lines = 1
            raise self._wrong("file", "nothing", 'lines such as {"at": …, "point": …, "value": …}')

    # -- one line

    def _numbered(self, stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
        number = 0
        while True:
            number += 1
            self.lines = number
            try:
                text = stream.readline(LONGEST + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise self._wrong("file", f"a damaged end ({error})", "a whole gzip file") from error
            except OSError as error:
                raise self._wrong("file", error.strerror or str(error), "a readable file") from error
            if not text:
                self.lines = number - 1
                return
            if len(text) > LONGEST:
                raise self._wrong("line", f"more than {LONGEST:,} bytes", "a shorter line")
            if text.strip():
                yield number, text

    def _object(self, text: bytes) -> dict[str, Any]:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError) as error:
            shown = text[:_SHOWN].decode(errors="replace").rstrip()
            raise self._wrong("line", repr(shown), f"one JSON object ({error})") from error
        if not isinstance(said, dict):
            raise self._wrong("line", f"a {type(said).__name__}", "a JSON object")
        return said

    def _at(self, said: Mapping[str, Any]) -> Instant:
        text = said.get("at")
        accepted = "a time such as 2026-01-05T06:12:03.250+01:00"
        if not isinstance(text, str):
            raise self._wrong("at", "nothing" if text is None else repr(text)[:_SHOWN], accepted)
        try:
            return wall_ms(text)
        except (ValueError, OverflowError) as error:
            raise self._wrong("at", repr(text[:_SHOWN]), accepted) from error

    def _event(self, said: Mapping[str, Any], at: Instant) -> Event | None:
        match said:
            case {"point": str(point)} if "value" in said:
                return self._reading(point, said["value"], at)
            case {"node": "down"}:
                return NodeDown(at)
            case {"node": "up"}:
                return NodeUp(at)
            case {"mode": str(mode)}:
                if mode not in self._modes:
                    self.strange[f"mode {mode}"] += 1
                return ModeSet(mode, at)
            case {"ack": str(rule)}:
                if rule not in self._rules:
                    self.strange[f"rule {rule}"] += 1
                return Acknowledge(rule, at)
            case {"end": True}:
                return None
            case _:
                shown = ", ".join(f"{key}: {value!r}" for key, value in said.items() if key != "at")
                accepted = 'point and value, node: "down" or "up", mode, ack, or end: true'
                raise self._wrong("line", shown[:_SHOWN] or "only a time", accepted)

    def _reading(self, point: str, value: Any, at: Instant) -> Event | None:
        kind = self._kinds.get(point)
        if kind is None:
            if point not in self._kinds:
                kind = self._kinds[point] = self._kind(point)
            if kind is None:
                self.skipped[point] += 1
                return None
        if why := why_not(kind, value):
            raise self._wrong(f"value of {point}", repr(value)[:_SHOWN], why)
        return Reading(point, value, at)

    def _kind(self, point: str) -> Kind | None:
        """The kind of a point of the home; None if it has no such point."""
        name, _, part = point.partition(".")
        device = self._devices.get(name)
        if device is None or (device.kinds is not None and part not in device.kinds):
            return None
        return kind_of(part)

    def _wrong(self, field: str, found: str, accepted: str) -> FileMistakes:
        return FileMistakes([Mistake(self.name, self.lines, field, found, accepted)])


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """The recording's bytes, unpacked."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        raw = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening it is tried here
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileMistakes([Mistake(name, 0, "file", reason, "a recording that can be read")]) from error
    with raw:
        if name.endswith(".gz"):
            with gzip.open(raw, "rb") as stream:
                yield stream  # type: ignore[misc]  # GzipFile reads like any binary file
        else:
            yield raw
