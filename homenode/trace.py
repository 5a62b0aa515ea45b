"""Reads a recording for replay: a line of JSON each, in order of time, into events of the engine.

::

    {"at": "2026-01-05T06:12:03.250+01:00", "point": "stove.power", "value": 1420}
    {"at": …, "node": "down"|"up"}   {"at": …, "mode": "away"}   {"at": …, "ack": "RULE"}
    {"at": …, "end": true}

Unlike `homenode.recordings`, which takes what others recorded as it comes, a line that is wrong ends it.
A month of a busy home has 1.6 million lines, so a reading as it is usually written is taken apart by one
pattern. That path decides nothing by itself: what a minute, a point or a word means it has from the slow one.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from homenode.config.durations import LONGEST_MS
from homenode.config.model import Device
from homenode.contract.times import wall_ms
from homenode.engine.events import Acknowledge, Event, ModeSet, NodeDown, NodeUp, Reading
from homenode.errors import FileMistakes, Mistake
from homenode.kinds import Kind, Shape, kind_of, values_of, why_not
from homenode.reading import How, Instant

LONGEST = 65_536
"""Bytes of a line; a longer one is no line of a recording, and isn't held in memory."""

LAST_MS = 253_370_764_800_000
"""9999-01-01T00:00Z: deadlines that follow can still be written as dates."""

OTHERS = "other names"
"""Stands for all names beyond the first `NAMES_KEPT` that the home doesn't have."""
NAMES_KEPT = 1000
_MINUTES_KEPT = 1000
_POINTS_KEPT = 10_000
_WHATS = frozenset(("point", "node", "mode", "ack", "end"))
_SHOWN = 60
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"

_READING = re.compile(
    rb'\{"at": ?"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)(?:\.(\d{3})\d{0,3})?(Z|[+-]\d\d:\d\d)", ?'
    rb'"point": ?"([a-z0-9_]{1,64}\.[a-z0-9_]{1,64})", ?'
    rb'"value": ?(?:(true|false|null)|(-?(?:0|[1-9]\d{0,14})(\.\d{1,15})?))\}\r?\n?'
)
_SECONDS = {b"%02d" % second: second * 1000 for second in range(60)}
_THOUSANDTHS: dict[bytes | None, int] = {None: 0, **{b"%03d" % ms: ms for ms in range(1000)}}
_WORDS = {b"true": True, b"false": False, b"null": None}


@dataclass(slots=True)
class Downtimes:
    """When the node was down: how often, and how long in all, the one that lasts not counted."""

    count: int = 0
    total_ms: int = 0
    since: Instant | None = None

    def down(self, at: Instant) -> None:
        """It went down."""
        if self.since is None:
            self.count += 1
            self.since = at

    def up(self, at: Instant) -> None:
        """It came back."""
        if self.since is not None:
            self.total_ms += at - self.since
            self.since = None


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
        down: When the node was down.
        heard: Points of the home that were read.
        notes: Nothing.
    """

    def __init__(
        self, name: str, devices: Mapping[str, Device], modes: Collection[str], rules: Collection[str]
    ) -> None:
        self.name = name
        self._devices, self._modes, self._rules = devices, modes, rules
        self.skipped: Counter[str] = Counter()
        self.strange: Counter[str] = Counter()
        self.start: Instant | None = None
        self.last: Instant | None = None
        self.lines = 0
        self.down = Downtimes()
        self.heard: set[str] = set()
        self.notes: list[str] = []
        self._text = ""
        self._minutes: dict[bytes, int] = {}
        self._points: dict[bytes, tuple[str, Kind | None, bool]] = {}

    def events(self) -> Iterator[tuple[Instant, Event | None]]:
        """Every line's instant and event; None where it only lets time run on.

        Raises:
            FileMistakes: The file can't be read, or a line is wrong; names it.
        """
        ended, last, latest = False, -1, LAST_MS
        minutes, points, skipped = self._minutes, self._points, self.skipped
        fast, live, made = _READING.fullmatch, How.LIVE, tuple.__new__
        event: Event | None
        number = 0
        with _opened(self.name) as stream:
            for number, text in enumerate(self._lines(stream), 1):
                match = fast(text)
                if match is not None and not ended:
                    minute, second, part, zone, point, word, figure, broken = match.groups()
                    try:
                        at = minutes[minute + zone] + _SECONDS[second] + _THOUSANDTHS[part]
                        name, kind, is_number = points[point]
                    except KeyError:
                        pass  # not seen before, or no time at all
                    else:
                        if last <= at <= latest:
                            if kind is None:
                                skipped[name] += 1
                                last = at
                                yield at, None
                                continue
                            if figure is None:
                                value: bool | float | None = _WORDS[word]
                                fits = value is None or not is_number
                            else:
                                value = int(figure) if broken is None else float(figure)
                                fits = is_number and kind.low <= value <= kind.high
                            if fits:
                                last = at
                                # Reading(name, value, at) in half the time
                                yield at, made(Reading, (name, value, at, live))
                                continue
                if not text.strip():
                    continue
                self.lines = number
                if ended:
                    raise self._wrong("end", "a line after the end", '{"end": true} as the last line')
                said = self._object(text)
                at = self._at(said)
                if at < last:
                    raise self._wrong("at", repr(said["at"]), "a time not before that of the line above")
                if self.start is None:
                    self.start = at
                    latest = min(latest, at + LONGEST_MS)
                if at > latest:
                    raise self._wrong(
                        "at", repr(said["at"]), "a time at most a hundred years after the first"
                    )
                self.last = last = at
                ended = "end" in said
                event = self._event(said, at)
                if match is not None:
                    self._learn(match, at)
                yield at, event
        self.lines = number
        if self.start is None:
            self.lines = 1
            raise self._wrong("file", "nothing", 'lines such as {"at": …, "point": …, "value": …}')
        self.last = last

    def wall_ms(self, at: Instant) -> int:
        """A recording's instants are times of the wall."""
        return at

    # -- the slow path: everything that a line may be

    def _lines(self, stream: IO[bytes]) -> Iterator[bytes]:
        number = 0
        try:
            for number, text in enumerate(iter(partial(stream.readline, LONGEST + 1), b""), 1):
                if len(text) > LONGEST:
                    self.lines = number
                    raise self._wrong("line", f"more than {LONGEST:,} bytes", "a shorter line")
                yield text
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.lines = number + 1
            raise self._wrong("file", f"a damaged end ({error})", "a whole gzip file", column=0) from error
        except OSError as error:
            self.lines = number + 1
            reason = error.strerror or str(error)
            raise self._wrong("file", reason, "a readable file", column=0) from error

    def _object(self, text: bytes) -> dict[str, Any]:
        if self.lines == 1:
            text = text.removeprefix(_BOM)
        try:
            self._text = text.decode()
            said = _DECODER.decode(self._text)
        except (ValueError, RecursionError) as error:
            if not isinstance(error, json.JSONDecodeError):
                why, column = str(error), 0
            else:
                why, column = error.msg, error.colno
            shown = text[:_SHOWN].decode(errors="replace").rstrip()
            raise self._wrong("line", repr(shown), f"one JSON object ({why})", column=column) from error
        if not isinstance(said, dict):
            raise self._wrong("line", f"a {type(said).__name__}", "a JSON object")
        return said

    def _at(self, said: Mapping[str, Any]) -> Instant:
        text = said.get("at")
        accepted = "a time such as 2026-01-05T06:12:03.250+01:00"
        if not isinstance(text, str):
            raise self._wrong("at", "nothing" if text is None else repr(text)[:_SHOWN], accepted)
        try:
            at = wall_ms(text)
        except (ValueError, OverflowError) as error:
            raise self._wrong("at", repr(text[:_SHOWN]), accepted) from error
        if not 0 <= at < LAST_MS:
            raise self._wrong("at", repr(text[:_SHOWN]), "a time from 1970 to 9998")
        return at

    def _event(self, said: Mapping[str, Any], at: Instant) -> Event | None:
        if len(_WHATS & said.keys()) > 1:
            raise self._none_or_several(said)
        match said:
            case {"point": str(point)} if "value" in said:
                return self._reading(point, said["value"], at)
            case {"node": "down"}:
                self.down.down(at)
                return NodeDown(at)
            case {"node": "up"}:
                self.down.up(at)
                return NodeUp(at)
            case {"mode": str(mode)}:
                if mode not in self._modes:
                    self.strange[_kept(self.strange, f"mode {mode}")] += 1
                return ModeSet(mode, at)
            case {"ack": str(rule)}:
                if rule not in self._rules:
                    self.strange[_kept(self.strange, f"rule {rule}")] += 1
                return Acknowledge(rule, at)
            case {"end": True}:
                return None
            case _:
                raise self._none_or_several(said)

    def _none_or_several(self, said: Mapping[str, Any]) -> FileMistakes:
        shown = ", ".join(f"{key}: {value!r}" for key, value in said.items() if key != "at")
        accepted = 'one of: point and value, node: "down" or "up", mode, ack, end: true'
        return self._wrong("line", shown[:_SHOWN] or "only a time", accepted)

    def _reading(self, point: str, value: Any, at: Instant) -> Event | None:
        kind = self._kind(point)
        if kind is None:
            self.skipped[_kept(self.skipped, point)] += 1
            return None
        if why_not(kind, value):
            shown = json.dumps(value, ensure_ascii=False)[:_SHOWN]
            raise self._wrong(f"value of {point}", shown, values_of(kind), column=self._column("value"))
        if len(self.heard) < _POINTS_KEPT:
            self.heard.add(point)
        return Reading(point, value, at)

    def _kind(self, point: str) -> Kind | None:
        """The kind of a point of the home; None if it has no such point."""
        name, _, part = point.partition(".")
        device = self._devices.get(name)
        if device is None or (device.kinds is not None and part not in device.kinds):
            return None
        return kind_of(part)

    def _learn(self, match: re.Match[bytes], at: Instant) -> None:
        """The slow path took this line: its minute and its point mean the same in the lines to come."""
        minute, second, part, zone, point = match.group(1, 2, 3, 4, 5)
        if len(self._minutes) >= _MINUTES_KEPT:
            self._minutes.clear()
        self._minutes[minute + zone] = at - _SECONDS[second] - _THOUSANDTHS[part]
        if len(self._points) < _POINTS_KEPT:
            name = point.decode()
            kind = self._kind(name)
            name = name if kind else _kept(self.skipped, name)
            self._points[point] = name, kind, kind is not None and kind.shape is Shape.NUMBER

    def _column(self, key: str) -> int:
        return self._text.find(f'"{key}"') + 1

    def _wrong(self, field: str, found: str, accepted: str, *, column: int | None = None) -> FileMistakes:
        if column is None:
            column = self._column(field)
        return FileMistakes([Mistake(self.name, self.lines, field, found, accepted, column=column)])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:_SHOWN]!r} stands in it twice")
    return said


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _kept(counted: Counter[str], name: str) -> str:
    """Under which name it is counted: a recording of another house may have any number of them."""
    name = name[:_SHOWN]
    return name if name in counted or len(counted) < NAMES_KEPT else OTHERS


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """The recording's bytes, unpacked."""
    if name == "-":
        if sys.stdin.isatty():
            raise FileMistakes([Mistake(name, 0, "file", "a terminal", "a recording by | or <")])
        with _unpacked(sys.stdin.buffer, name) as stream:
            yield stream
        return
    try:
        raw = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening it is tried here
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileMistakes([Mistake(name, 0, "file", reason, "a recording that can be read")]) from error
    with raw, _unpacked(raw, name) as stream:
        yield stream


@contextmanager
def _unpacked(raw: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    if name.endswith(".gz") or _is_packed(raw):
        with gzip.GzipFile(fileobj=raw) as packed:
            yield io.BufferedReader(packed)
    else:
        yield raw


def _is_packed(raw: IO[bytes]) -> bool:
    """Whether it begins as gzip does. A file that can't be read says so when it is read."""
    try:
        return isinstance(raw, io.BufferedReader) and raw.peek(2)[:2] == _GZIP
    except OSError:
        return False
