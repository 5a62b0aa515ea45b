"""A journal read by people and by other programs: verified, shown, exported for replay.

Reads the files as they stand and takes no lock, so that it can be asked of a node that runs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

from homenode.errors import SetupError, StorageError
from homenode.journal.codec import CODES, NAMES, Damage, decode
from homenode.journal.erase import PLAN
from homenode.journal.segment import Segment, find, name_of, records
from homenode.journal.wall_time import WallTime, text_of
from homenode.session.log import wrongs

Record = dict[str, Any]


def verify(data: Path, out: TextIO, err: TextIO) -> int:
    """Read everything; print what is damaged and what is there. 0 if nothing is damaged, else 1."""
    del err  # what is damaged is what was asked for
    folder, files = files_of(data)
    damage = _missing(files)
    counted: Counter[str] = Counter()
    first = last = 0
    for found in records(folder, found=damage.append):
        counted[NAMES.get(found.code, "of a later version")] += 1
        first, last = first or found.number, max(last, found.number)
    for one in damage:
        print(one, file=out)
    looks = wrongs(*entries_of(data))
    for wrong in looks:
        print(f"log of looks: {wrong}", file=out)
    size = sum(segment.path.stat().st_size for segment in files)
    classes = ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"
    epoch = next((segment.epoch for segment in reversed(files) if segment.epoch), "unknown")
    print(f"{len(files)} file{'' if len(files) == 1 else 's'}, {size} bytes, epoch {epoch}", file=out)
    print(f"records {first} to {last}: {classes}", file=out)
    serious = [one for one in damage if not one.torn]
    places = "1 damaged place" if len(serious) == 1 else f"{len(serious)} damaged places"
    print(places if serious else "no damage", file=out)
    return 1 if serious or looks else 0


def entries_of(data: Path) -> tuple[list[Record], list[Record]]:
    """The log of looks in a journal, and where it ended at each state that was written.

    Raises:
        SetupError, StorageError: As `files_of`.
    """
    folder, _ = files_of(data)
    entries, heads = [], []
    for found in records(folder):
        if found.code == CODES["reading"]:
            continue
        record = decode(found.payload)
        if record.get("t") == "look":
            entries.append(record["entry"])
        elif record.get("t") == "state" and "looks" in record:
            heads.append(record["looks"])
    return entries, heads


def show(data: Path, out: TextIO, err: TextIO) -> int:
    """Every record on a line: number, time (UTC), class, what it says. `err`: what is damaged; then 1."""
    folder, _ = files_of(data)
    clock = WallTime(folder)
    damage: list[Damage] = []
    for found in records(folder, found=damage.append):
        record = decode(found.payload)
        at = record.pop("at", None)
        when = clock.text(found.number, at) if isinstance(at, int) else "-"
        said = json.dumps(record, ensure_ascii=False)
        print(found.number, when, NAMES.get(found.code, found.code), said, file=out)
    return _told(damage, err)


def export(data: Path, out: TextIO, err: TextIO) -> int:
    """JSON lines for `homenode replay`: readings, modes, acks, downtimes, the end. `err`: as `show`."""
    folder, _ = files_of(data)
    damage: list[Damage] = []
    for line in _replayable(folder, damage):
        print(json.dumps(line, ensure_ascii=False), file=out)
    return _told(damage, err)


def _told(damage: list[Damage], err: TextIO) -> int:
    serious = [one for one in damage if not one.torn]
    for one in serious:
        print(one, file=err)
    return 1 if serious else 0


def _replayable(folder: Path, damage: list[Damage]) -> Iterator[dict[str, Any]]:
    clock = WallTime(folder)
    rules: dict[str, str] = {}  # of alerts
    answered: set[str] = set()
    wall_ms, up, anything = 0, True, False
    for found in records(folder, found=damage.append):
        record = decode(found.payload)
        at = record.get("at")
        if not isinstance(at, int):
            continue
        kind = record.get("t")
        before = text_of(wall_ms)
        # Never back: replay wants its lines in order, and the node, too, took a late one as of now.
        wall_ms = max(wall_ms, clock.wall_ms(found.number, at))
        when = text_of(wall_ms)
        if kind == "r" and record.get("h") != "historical":
            yield {"at": when, "point": record["p"], "value": record["v"]}
        elif kind == "mode":
            yield {"at": when, "mode": record["mode"]}
        elif kind == "tr":
            if record.get("event") == "raised":
                rules[record["alert"]] = record["rule"]
            elif record.get("event") == "lapsed":
                answered.discard(record["alert"])
            elif record.get("reason") == "resident":
                yield {"at": when, "ack": record["rule"]}
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
        yield {"at": text_of(wall_ms), "end": True}


def files_of(data: Path) -> tuple[Path, list[Segment]]:
    """The folder of the journal of a node, and its files, oldest first.

    Raises:
        SetupError: There is none.
        StorageError: It can't be read.
    """
    folder = data / "journal"
    try:
        return folder, find(folder)
    except FileNotFoundError as error:
        if (data / PLAN).exists():
            raise SetupError(
                "it was being erased", where=str(data), do="`homenode journal erase` or a start finishes that"
            ) from error
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
