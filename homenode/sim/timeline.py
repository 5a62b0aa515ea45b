"""The apartment's time: a wall clock that may run faster, and what is due on it."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import count

from homenode.errors import HomenodeError
from homenode.gateway.clock import Clock

log = logging.getLogger("homenode.sim")

Cancel = Callable[[], None]


@dataclass(order=True, slots=True)
class _Due:
    """What is called when; of one time in the order it was asked for."""

    at_ms: int
    number: int
    call: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        self.call = None


class Timeline:
    """Calls what is due, in order of time; belongs to the running event loop.

    Args:
        clock: Shared with the node by --speed, --start and --anchor.
        zone: Of the scenario's times of day.
    """

    def __init__(self, clock: Clock, zone: tzinfo) -> None:
        self.clock, self.zone = clock, zone
        self._loop = asyncio.get_running_loop()
        self._due: list[_Due] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> datetime:
        """What a clock on the apartment's wall says."""
        return datetime.fromtimestamp(self.clock.now() / 1000, self.zone)

    def at(self, when: datetime, call: Callable[[], None]) -> Cancel:
        """Call at a time; at once if it is past. Returns what cancels it."""
        return self._put(round(when.timestamp() * 1000), call)

    def after(self, seconds: float, call: Callable[[], None], *, real_s: float = 0.0) -> Cancel:
        """Call in so many of the apartment's seconds, but not before so many real ones."""
        return self._put(self.clock.now() + round(max(seconds, real_s * self.clock.speed) * 1000), call)

    def run_at(self, speed: float) -> None:
        """From now on the clock runs so many times as fast."""
        self.clock = Clock(speed=speed, start_ms=self.clock.now())
        self._arm()

    def stop(self) -> None:
        """Nothing more is called."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _put(self, at_ms: int, call: Callable[[], None]) -> Cancel:
        due = _Due(at_ms, next(self._numbers), call)
        heapq.heappush(self._due, due)
        self._arm()
        return due.cancel

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            self._timer = self._loop.call_later(self.clock.real_seconds(self._due[0].at_ms), self._call)

    def _call(self) -> None:
        self._timer = None
        now = self.clock.now()
        while self._due and self._due[0].at_ms <= now:
            call = heapq.heappop(self._due).call
            if call is None:
                continue
            try:
                call()
            except HomenodeError as error:
                log.warning(f"it didn't happen: {error}")
            except Exception as error:  # noqa: BLE001 - one wrong act doesn't stop the apartment's time
                log.error(f"in the apartment: {type(error).__name__}: {error}")
        self._arm()
