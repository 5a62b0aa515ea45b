"""Readings that the broker has not got: a bounded number in memory, the rest waits in the journal (pure).

While the link is up they go in the order heard. When it comes back, the newest of each topic go first, so
that a receiver knows the present at once; everything older follows as historical.
"""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from homenode.contract.reading import as_historical
from homenode.message import Message
from homenode.reading import Instant

_Identity = tuple[int, str, Instant]


def _identity(message: Message) -> _Identity:
    return message.record, message.topic, message.at


@dataclass(slots=True)
class Segment:
    """Journal records whose shared readings are to be sent, save those in `kept`: they are in memory."""

    first: int
    last: int
    kept: set[_Identity] = field(default_factory=set)


class Unsent:
    """The readings' part of the outbox.

    Args:
        limit: Readings in memory, of live and of historical ones each.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._live: deque[Message] = deque()
        self._history: deque[Message] = deque()
        self._segments: deque[Segment] = deque()
        self._newest: dict[str, Instant] = {}
        self._spill_at = limit
        self._last_record = 0
        self._wanted: Callable[[str], bool] | None = None

    def __len__(self) -> int:
        return len(self._live) + len(self._history)

    def has_segments(self) -> bool:
        """Whether some wait in the journal."""
        return bool(self._segments)

    def add(self, message: Message) -> None:
        """One just heard."""
        self._live.append(message)
        if message.record > self._last_record:
            self._last_record = message.record
        if len(self._live) > self._spill_at:
            self._spill_live()

    def put_back(self, message: Message) -> None:
        """One that was in flight when the link was lost; called newest first."""
        if self._wanted is None or self._wanted(message.topic):
            (self._live if message.retain else self._history).appendleft(message)

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """What is shared has changed: only readings of wanted topics go out from now on."""
        self._wanted = wanted
        self._live = deque(message for message in self._live if wanted(message.topic))
        self._history = deque(message for message in self._history if wanted(message.topic))

    def pop(self) -> Message | None:
        """The next to be sent, marked historical if a newer one of its topic was sent before."""
        if self._live:
            message = self._live.popleft()
            if message.at >= self._newest.get(message.topic, message.at) and message.retain:
                self._newest[message.topic] = message.at
                return message
        elif self._history:
            message = self._history.popleft()
        else:
            return None
        if message.retain:
            return message._replace(payload=as_historical(message.payload), retain=False)
        return message

    def sort_backlog(self) -> None:
        """Keep the newest of each topic in front; the rest is history."""
        older = self._split()
        if len(self._history) + len(older) <= self._limit:
            self._history.extend(older)
        else:
            self._to_journal(older)

    def _split(self) -> list[Message]:
        """Leave only the newest of each topic in `_live`; return the others in order."""
        newest = {message.topic: message for message in self._live if message.retain}
        kept, older = deque[Message](), []
        for message in self._live:
            if newest.get(message.topic) is message:
                kept.append(message)
            else:
                older.append(message)
        self._live = kept
        return older

    def _spill_live(self) -> None:
        self._to_journal(self._split())
        self._spill_at = max(self._limit, 2 * len(self._live))

    def _to_journal(self, messages: list[Message]) -> None:
        """Forget these; they will be read again from the journal."""
        fresh: list[int] = []
        for message in messages:
            if not message.record:
                continue  # it stands nowhere, so the memory limit costs it
            home = next((s for s in self._segments if s.first <= message.record <= s.last), None)
            if home is None:
                fresh.append(message.record)
            else:
                home.kept.discard(_identity(message))
        for first, last in self._between_segments(fresh):
            segment = Segment(first, last)
            segment.kept = {
                _identity(message)
                for message in (*self._live, *self._history)
                if first <= message.record <= last
            }
            self._segments.append(segment)

    def _between_segments(self, records: list[int]) -> list[tuple[int, int]]:
        """Spans that cover the records and overlap no segment, or what stands there would be sent twice."""
        starts = sorted(segment.first for segment in self._segments)
        spans: dict[int, tuple[int, int]] = {}
        for record in records:
            place = bisect(starts, record)
            first, last = spans.get(place, (record, record))
            spans[place] = min(first, record), max(last, record)
        return list(spans.values())

    def in_journal(self, segment: Segment) -> None:
        """These records may hold readings that were not acknowledged."""
        if segment.first <= segment.last:
            self._segments.append(segment)
            self._last_record = max(self._last_record, segment.last)

    def wants(self) -> tuple[int, int] | None:
        """The records to read next, once there is room for them."""
        if not self._segments or len(self._history) > self._limit // 4:
            return None
        return self._segments[0].first, self._segments[0].last

    def refill(self, readings: Iterable[Message], through: int) -> None:
        """What the first segment held up to record `through`."""
        segment = self._segments[0]
        for message in readings:
            if _identity(message) not in segment.kept:
                self._history.append(message)
        segment.first = through + 1
        if segment.first > segment.last:
            self._segments.popleft()

    def first_record(self, last: int) -> int:
        """Every reading of a lower record was sent; `last` is the journal's last record."""
        waiting = [message.record for message in (*self._live, *self._history) if message.record]
        segments = [segment.first for segment in self._segments]
        return min([*waiting, *segments, max(self._last_record, last) + 1])
