"""What happens by itself at a known instant. Moving a deadline later costs nothing until it would come."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count

from homenode.reading import Instant


class Timer:
    """Something with a deadline.

    Attributes:
        due: Instant at which it wants to be looked at; None if never.
        booked: The earliest entry of it in the queue; it may be earlier than `due`.
    """

    __slots__ = ("booked", "due")

    def __init__(self) -> None:
        self.due: Instant | None = None
        self.booked: Instant | None = None


class Timers:
    """All deadlines, the earliest first."""

    __slots__ = ("_queue", "_serial")

    def __init__(self) -> None:
        self._queue: list[tuple[Instant, int, Timer]] = []
        self._serial = count()

    def book(self, timer: Timer) -> None:
        """Take note of ``timer.due``; to be called whenever it may have become earlier."""
        due = timer.due
        if due is not None and (timer.booked is None or due < timer.booked):
            timer.booked = due
            heappush(self._queue, (due, next(self._serial), timer))

    def next(self) -> Instant | None:
        """The earliest deadline."""
        queue = self._queue
        while queue:
            at, _, timer = queue[0]
            if timer.booked == at:
                if timer.due == at:
                    return at
                timer.booked = None
                heappop(queue)  # no mutant: else it goes the next time
                self.book(timer)
            else:
                heappop(queue)
        return None

    def take(self, until: Instant) -> list[Timer]:
        """Every timer due at or before `until`; each has its `due` cleared."""
        taken = []
        while (at := self.next()) is not None and at <= until:
            timer = heappop(self._queue)[2]
            timer.booked = timer.due = None
            taken.append(timer)
        return taken
