"""A recording: what was applied of its lines, when the node was up, and what the wall clock read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.reader import MS, Home

EVER, NEVER = -(10**18), 10**18
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Trace:
    first: int
    last: int
    values: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    """Readings of a point that were heard, in order; null is None."""
    heard: dict[str, list[int]] = field(default_factory=dict)
    """When a device was heard."""
    modes: list[tuple[int, str]] = field(default_factory=list)
    acks: list[tuple[int, str]] = field(default_factory=list)
    downs: list[tuple[int, int]] = field(default_factory=list)
    """[down, up) each, also of no length."""

    def up(self, instant: int) -> bool:
        """After all that happened at this instant."""
        return not any(down <= instant < up for down, up in self.downs)


def read_trace(lines: Sequence[str], home: Home) -> Trace:
    told = [json.loads(line) for line in lines]
    stamps = [_instant(line["at"]) for line in told]
    trace = Trace(stamps[0], stamps[-1])
    down: int | None = None
    for at, line in zip(stamps, told, strict=True):
        if line.get("node") == "up" and down is not None:
            trace.downs.append((down, at))
            down = None
        elif down is not None or "end" in line:
            continue
        elif line.get("node") == "down":
            down = at
        elif "mode" in line:
            trace.modes.append((at, line["mode"]))
        elif "ack" in line:
            trace.acks.append((at, line["ack"]))
        elif "point" in line and home.knows(line["point"]):
            trace.values.setdefault(line["point"], []).append((at, line["value"]))
            trace.heard.setdefault(line["point"].partition(".")[0], []).append(at)
    if down is not None:
        trace.downs.append((down, NEVER))
    return trace


def _instant(text: str) -> int:
    """Finer stamps are cut."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def local(instant: int, zone: ZoneInfo) -> str:
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(zone).isoformat(timespec="milliseconds")


def hours(zone: ZoneInfo, begin: int, end: int, first: int, last: int) -> list[tuple[int, int]]:
    """Spans [a, b) about first..last in which the wall clock reads in [begin, end); it may be over midnight.

    The offset from UTC is constant between its changes, and there the clock reads as in plain arithmetic.
    """
    day, found = MS["d"], list[tuple[int, int]]()
    start = first - 2 * day
    while start <= last:
        offset, stop = _offset(start, zone), start
        while stop <= last + day and _offset(stop + MS["h"], zone) == offset:
            stop += MS["h"]
        low, high = stop, stop + MS["h"]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
        midnight = (start + offset) // day * day - day - offset
        while midnight < high:
            a, b = midnight + begin, midnight + end + (day if end < begin else 0)
            if max(a, start) < min(b, high):
                found.append((max(a, start), min(b, high)))
            midnight += day
        start = high
    return found


def _offset(instant: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + timedelta(milliseconds=instant)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)
