"""Stretches of time, and what can be said of them with pencil and paper: the engine's code has no part in it.

Instants are whole milliseconds; a stretch is [start, end).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from homenode.importing.gather import Imported
from homenode.reading import Instant, Value

Spans = list[tuple[Instant, Instant]]
MINUTE_MS = 60_000


def where(readings: Iterable[Imported], point: str, holds: Callable[[Value], bool], end: Instant) -> Spans:
    """When a point's value satisfies `holds`; a value lasts until the next, the last one until `end`."""
    own = [reading for reading in readings if reading.point == point and reading.at < end]
    spans: Spans = []
    for n, reading in enumerate(own):
        until = own[n + 1].at if n + 1 < len(own) else end
        if reading.value is not None and holds(reading.value) and until > reading.at:
            spans.append((reading.at, until))
    return union(spans)


def union(*of: Sequence[tuple[Instant, Instant]]) -> Spans:
    """When any of them holds."""
    joined: Spans = []
    for start, end in sorted(span for spans in of for span in spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def outside(spans: Spans, start: Instant, end: Instant) -> Spans:
    """When none of them holds, of [start, end)."""
    edges = [start, *(instant for span in spans for instant in span), end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(max(a, start), min(b, end)) for a, b in pairs if min(b, end) > max(a, start)]


def both(one: Spans, other: Spans) -> Spans:
    """When both hold."""
    met = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return union([(start, end) for start, end in met if end > start])


def longer(spans: Spans, by_ms: int) -> Spans:
    """When one holds, or held at most `by_ms` ago."""
    return union([(start, end + by_ms) for start, end in spans])


def shorter(spans: Spans, at_most_ms: int) -> Spans:
    """Of each only the first `at_most_ms`."""
    return [(start, min(end, start + at_most_ms)) for start, end in spans]


def lasted(spans: Spans, for_ms: int) -> Spans:
    """When one holds and has held for at least `for_ms`."""
    return [(start + for_ms, end) for start, end in spans if end > start + for_ms]


def first(spans: Spans, after: Instant) -> Instant | None:
    """The first instant from `after` on at which one holds."""
    return min((max(start, after) for start, end in spans if end > after), default=None)


def clock(start: str, end: str, zone: ZoneInfo, begin: Instant, until: Instant) -> Spans:
    """When the clock on the wall reads in [start, end), by looking at it every minute."""
    spans: Spans = []
    for at in range(begin - begin % MINUTE_MS, until, MINUTE_MS):
        now = datetime.fromtimestamp(at / 1000, zone).strftime("%H:%M")
        if (start <= now < end) if start < end else (now >= start or now < end):
            spans.append((at, at + MINUTE_MS))
    return union(spans)
