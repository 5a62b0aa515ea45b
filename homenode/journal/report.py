"""A journal read by people and by other programs: verified, shown, exported for replay.

Reads the files as they stand and takes no lock, so that it can be asked of a node that runs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

from homenode.errors import SetupError, StorageError
from homenode.journal.codec import CODES, NAMES, Damage, decode
from homenode.journal.segment import Segment, find, name_of, records

Record = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SYSTEM = CODES["system"]


def verify(data: Path, out: TextIO) -> int:
    """Read everything; print what is damaged and what is there. 0 if nothing is damaged, else 1."""
    folder, files = _files(data)
    damage = _missing(files)
    counted: Counter[str] = Counter()
    first = last = 0
    for found in records(folder, found=damage.append):
        counted[NAMES.get(found.code, "of a later version")] += 1
        first, last = first or found.number, max(last, found.number)
    for one in damage:
        print(one, file=out)
    size = sum(segment.path.stat().st_size for segment in files)
    classes = ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"
    epoch = next((segment.epoch for segment in reversed(files) if segment.epoch), "unknown")
    print(f"{len(files)} files, {size} bytes, epoch {epoch}", file=out)
    print(f"records {first} to {last}: {classes}", file=out)
    serious = [one for one in damage if not one.torn]
    print(f"{len(serious)} damaged places" if serious else "no damage", file=out)
    return 1 if serious else 0


def show(data: Path, out: TextIO) -> int:
    """Every record on a line: number, time (UTC), class, what it says."""
    folder, _ = _files(data)
    clock = _WallTime(folder)
    for found in records(folder):
        record = decode(found.payload)
        at = record.pop("at", None)
        when = clock.text(found.number, at) if isinstance(at, int) else "-"
        said = json.dumps(record, ensure_ascii=False)
        print(found.number, when, NAMES.get(found.code, found.code), said, file=out)
    return 0


def export(data: Path, out: TextIO) -> int:
    """JSON lines for `homenode replay`: readings, modes, acknowledgements, downtimes, and the end."""
    folder, _ = _files(data)
    for line in _replayable(folder):
        print(json.dumps(line, ensure_ascii=False), file=out)
    return 0


def _replayable(folder: Path) -> Iterator[dict[str, Any]]:
    clock = _WallTime(folder)
    rules: dict[str, str] = {}  # of alerts
    answered: set[str] = set()
    wall_ms, up, anything = 0, True, False
    for found in records(folder):
        record = decode(found.payload)
        at = record.get("at")
        if not isinstance(at, int):
            continue
        kind = record.get("t")
        before = _text(wall_ms)
        # Never back: replay wants its lines in order, and the node, too, took a late one as of now.
        wall_ms = max(wall_ms, clock.wall_ms(found.number, at))
        when = _text(wall_ms)
        if kind == "r" and record.get("h") != "historical":
            yield {"at": when, "point": record["p"], "value": record["v"]}
        elif kind == "mode":
            yield {"at": when, "mode": record["mode"]}
        elif kind == "tr" and record.get("event") == "raised":
            rules[record["alert"]] = record["rule"]
        elif kind == "ack" and record.get("alert") in rules and record["alert"] not in answered:
            answered.add(record["alert"])
            yield {"at": when, "ack": rules[record["alert"]]}
        elif kind == "down" and up:
            up = False
            yield {"at": when, "node": "down"}
        elif kind == "up" and anything:
            if up:  # the plug was pulled: down since the last that was heard of it
                yield {"at": before, "node": "down"}
            up = True
            yield {"at": when, "node": "up"}
        anything = True
    if anything:
        yield {"at": _text(wall_ms), "end": True}


class _WallTime:
    """Wall time of the node's instants: in each run of the node what its clock said last, trusted if it was.

    The last and not the one of the moment: a node boots in 1970 and learns the time later, and durations
    within a run must not change by that.
    """

    def __init__(self, folder: Path) -> None:
        self._runs: list[tuple[int, int]] = [(0, 0)]  # first number of the run, offset in ms
        self._known = self._trusted = False
        said: Record | None = None  # the clock of a start is written before its down and up
        for found in records(folder):
            if found.code != _SYSTEM:
                continue
            record = decode(found.payload)
            kind = record.get("t")
            if kind == "up":
                self._runs.append((found.number, self._runs[-1][1]))
                self._trusted = False
            if said is not None and kind != "down":
                self._told(said)
                said = None
            if kind == "clock":
                said = record
        if said is not None:
            self._told(said)
        self._at = 0

    def _told(self, clock: Record) -> None:
        """What the clock of the newest run said, unless it knew better before."""
        if self._trusted and not clock.get("trusted"):
            return
        self._trusted = bool(clock.get("trusted"))
        if self._trusted and not self._known:  # nothing known before: as good for the runs until here
            self._known = True
            self._runs = [(number, clock["offset_ms"]) for number, _ in self._runs]
        self._runs[-1] = (self._runs[-1][0], clock["offset_ms"])

    def wall_ms(self, number: int, at: int) -> int:
        """For records in the order of the journal."""
        while self._at + 1 < len(self._runs) and self._runs[self._at + 1][0] <= number:
            self._at += 1
        return at + self._runs[self._at][1]

    def text(self, number: int, at: int) -> str:
        """RFC 3339, UTC, with milliseconds."""
        return _text(self.wall_ms(number, at))


def _text(wall_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=wall_ms)).isoformat(timespec="milliseconds")


def _files(data: Path) -> tuple[Path, list[Segment]]:
    folder = data / "journal"
    try:
        return folder, find(folder)
    except FileNotFoundError as error:
        raise SetupError(
            "no journal is here", where=str(data), do="name the node's data with --data"
        ) from error
    except OSError as error:
        raise StorageError(f"the journal can't be read: {error.strerror}", where=str(folder)) from error
    except ValueError as error:
        raise StorageError(
            f"the journal was written by a later homenode: {error}", where=str(folder), do="use that version"
        ) from error


def _missing(files: list[Segment]) -> list[Damage]:
    found = []
    if files and files[0].low > 1:
        span = name_of(1, files[0].low - 1)
        found.append(Damage(span, 0, 0, 1, files[0].first - 1, "file is missing"))
    for older, newer in pairwise(files):
        if newer.low > older.high + 1:
            first = (older.point.last if older.point else older.first) + 1
            span = name_of(older.high + 1, newer.low - 1)
            found.append(Damage(span, 0, 0, first, newer.first - 1, "file is missing"))
    return found
