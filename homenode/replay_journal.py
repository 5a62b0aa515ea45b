"""A node's own journal as a recording: what the engine was told live, to the millisecond.

Richer than lines of JSON can be: signs of life, silence that devices were allowed, parties that acknowledged,
downtimes of unknown length and a clock that was set are all in it. Not in it is which rules the node had:
those of home.yaml are run throughout.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from typing import Any

from homenode import records
from homenode.config.model import Device, Mode
from homenode.engine.events import (
    Acknowledge,
    ClockSet,
    Event,
    Heard,
    ModeSet,
    NodeDown,
    NodeUp,
    Reading,
    StaleAfter,
)
from homenode.errors import FileMistakes, Mistake
from homenode.journal import segment
from homenode.journal.codec import CODES, Damage, decode
from homenode.journal.report import files_of
from homenode.journal.wall_time import WallTime
from homenode.reading import Instant
from homenode.trace import Downtimes

LATE_MS = 3_600_000
"""So much later than a newer one an input may stand in the journal: inputs of one batch are written as they
come, and applied in order of time. A batch is milliseconds, at a hundred times the speed minutes."""

FIRST_STATE = 10_000
"""Records within which a whole journal has its first state."""

_STATE = CODES["state"]
_JUDGED_AT_ONCE = ("ok", "fault", "well", "fack")
"""After these the instant was closed, and what came of it later counted as of the next (`Judge`)."""


class JournalTrace:
    """The journal of a node.

    Args:
        data: The node's data folder.
        devices: Of the home; a point they don't have is skipped.
        modes: Of the home, for how long one that began before the recording still holds.
        mode_names, rules: Names that records may use; others are counted and told.

    Attributes: as of `homenode.replay.Source`.
    """

    def __init__(
        self,
        data: Path,
        devices: Mapping[str, Device],
        modes: Mapping[str, Mode],
        mode_names: Collection[str],
        rules: Collection[str],
    ) -> None:
        self.name = str(data)
        self._devices, self._modes, self._mode_names, self._rules = devices, modes, mode_names, rules
        self._folder, self._files = files_of(data)
        self.start: Instant | None = None
        self.last: Instant | None = None
        self.lines = 0
        self.down = Downtimes()
        self.heard: set[str] = set()
        self.skipped: Counter[str] = Counter()
        self.strange: Counter[str] = Counter()
        self.notes: list[str] = []
        self._clock = WallTime(self._folder)
        self._runs: list[tuple[Instant, int]] = []
        self._rule_of: dict[str, str] = {}
        self._closed: Instant = -1
        self._unreadable = self._changed = 0

    def wall_ms(self, at: Instant) -> int:
        """What a right clock on the wall showed at an instant."""
        index = bisect_right(self._runs, at, key=lambda run: run[0]) - 1
        return at + self._runs[max(0, index)][1]

    def events(self) -> Iterator[tuple[Instant, Event | None]]:
        """Every input in order of time.

        Raises:
            FileMistakes: There is nothing in the journal.
        """
        waiting: list[tuple[Instant, int, Event]] = []
        newest = -1
        begun = False
        for serial, event in enumerate(self._inputs()):
            heappush(waiting, (event.at, serial, event))
            newest = max(newest, event.at)
            if not begun and self.start is not None:
                begun = True
                yield self.start, None
            while waiting[0][0] < newest - LATE_MS:
                at, _, event = heappop(waiting)
                yield at, event
        while waiting:
            at, _, event = heappop(waiting)
            yield at, event
        if self.start is None or self.last is None:
            accepted = "the data folder of a node that has run"
            raise FileMistakes([Mistake(self.name, 0, "journal", "nothing", accepted)])
        yield self.last, None
        self._note()

    # -- where it begins

    def _inputs(self) -> Iterator[Event]:
        """Every input, as it stands in the journal."""
        since = self._first_whole()
        damage: list[Damage] = []
        if since:
            yield from self._before(since)
        for found in segment.records(self._folder, since, damage.append):
            record = decode(found.payload)
            at = record.get("at")
            if type(at) is not int:
                continue
            if self.start is None:
                self.start = self._first_start(at)
            self.lines += 1
            self.last = at if self.last is None else max(self.last, at)
            if not self._runs or record["t"] == "up":
                self._runs.append((at, self._clock.offset_ms(found.number)))
            try:
                event = self._input(record)
            except (KeyError, TypeError, ValueError):
                self._unreadable += 1
                continue
            if event is not None:
                yield event if event.at > self._closed else event._replace(at=self._closed + 1)
        lost = sum(one.last - one.first + 1 for one in damage if one.last >= one.first and not one.torn)
        if lost:
            records = "1 record of the journal is" if lost == 1 else f"{lost} records of the journal are"
            self.notes.append(f"{records} damaged and missing")

    def _first_whole(self) -> int:
        """Number of the first record behind all files that no longer have their readings; 0 if all do."""
        compact = [index for index, file in enumerate(self._files) if file.compact]
        if not compact:
            return 0
        behind = self._files[compact[-1] + 1 :]
        return behind[0].first if behind else 0

    def _first_start(self, at: Instant) -> Instant:
        """When the engine started: a little before the first record. The first state tells."""
        if self._first_whole():
            return at
        for found in islice(segment.records(self._folder), FIRST_STATE):
            if found.code == _STATE:
                start = decode(found.payload)["judge"]["engine"]["start"]
                return min(at, int(start))
        return at

    def _before(self, since: int) -> Iterator[Event]:
        """What still holds of a time whose readings are gone: the mode, the clock, allowed silence."""
        holds: dict[tuple[str, str], Event] = {}
        for found in segment.records(self._folder):
            record = decode(found.payload)
            if found.number >= since:
                start = record.get("at")
                if type(start) is int:
                    break
                continue
            if record.get("t") == "tr":
                self._transition(record)
            elif record.get("t") in ("mode", "clock", "stale"):
                event = records.to_event(record)
                assert isinstance(event, ModeSet | ClockSet | StaleAfter)
                holds[type(event).__name__, getattr(event, "device", "")] = event
        else:
            return
        self.start = start
        self._runs.append((start, self._clock.offset_ms(since)))
        self.notes.append("the journal begins with the oldest reading that it still has")
        for event in holds.values():
            if not isinstance(event, ModeSet):
                yield event._replace(at=start)
            elif (left := self._left(event, start)) is None or left > 0:
                yield ModeSet(event.mode, start, left)

    def _left(self, event: ModeSet, start: Instant) -> int | None:
        """How much of a mode's longest duration is left."""
        longest_ms = event.longest_ms
        if longest_ms is None and event.mode in self._modes:
            longest_ms = self._modes[event.mode].longest_ms
        return None if longest_ms is None else event.at + longest_ms - start

    # -- one record

    def _input(self, record: Mapping[str, Any]) -> Event | None:
        if record["t"] == "tr":
            return self._transition(record)
        if record["t"] in _JUDGED_AT_ONCE:
            self._closed = max(self._closed, record["at"])
            return None
        event = records.to_event(record)
        match event:
            case Reading(point):
                if not self._has(point):
                    self.skipped[point] += 1
                    return None
                self.heard.add(point)
            case Heard(device) | StaleAfter(device):
                return event if device in self._devices else None
            case Acknowledge(target):
                # by its name, as with other rules the alert would have another ID
                return event._replace(target=self._rule_of.get(target, target))
            case ModeSet(mode) if mode not in self._mode_names:
                self.strange[f"mode {mode}"] += 1
            case ClockSet() if self.lines == 1 and self.start is not None:
                return event._replace(at=self.start)
            case NodeDown(at):
                self.down.down(at)
            case NodeUp(at):
                self.down.up(at)
        return event

    def _transition(self, record: Mapping[str, Any]) -> Event | None:
        """What was told is no input, save that the resident answered: which alerts that was stands here."""
        rule, happened = record["rule"], record["event"]
        if happened == "raised":
            self._rule_of[record["alert"]] = rule
            if rule not in self._rules:
                self.strange[f"rule {rule}"] += 1
        elif record.get("reason") == "rule changed":
            self._changed += 1
        elif happened == "acknowledged" and record.get("reason") == "resident" and "parties" not in record:
            return Acknowledge(rule, record["at"], by="resident")
        return None

    def _has(self, point: str) -> bool:
        name, _, part = point.partition(".")
        device = self._devices.get(name)
        return device is not None and (device.kinds is None or part in device.kinds)

    def _note(self) -> None:
        if self._unreadable:
            self.notes.append(f"{self._unreadable} records can't be read: a later homenode wrote them")
        if self._changed:
            self.notes.append("the node's rules changed meanwhile; those of home.yaml were run throughout")
