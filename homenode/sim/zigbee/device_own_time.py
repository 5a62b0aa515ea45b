"""The time that a device keeps by itself; its pace may change, also for what it already waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homenode.sim.zigbee.air import Air


@dataclass(eq=False, slots=True)
class _Waiting:
    """What is to be called: so many own seconds after `since_s` of the air's clock."""

    seconds: float
    call: Callable[[], None]
    since_s: float = 0.0
    cancel: Callable[[], None] = lambda: None


class OwnTime:
    """Calls what is due.

    Args:
        air: Keeps the real time.
        pace: Own seconds per real second.
    """

    def __init__(self, air: Air, pace: float) -> None:
        self._air, self._pace = air, pace
        self._waiting: set[_Waiting] = set()

    @property
    def pace(self) -> float:
        """Own seconds per real second."""
        return self._pace

    @pace.setter
    def pace(self, pace: float) -> None:
        before, self._pace = self._pace, pace
        for waiting in tuple(self._waiting):
            waiting.cancel()
            passed = (self._air.time() - waiting.since_s) * before
            waiting.seconds = max(0.0, waiting.seconds - passed)
            self._book(waiting)

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call in so many own seconds; returns what cancels it."""
        waiting = _Waiting(seconds, call)
        self._book(waiting)

        def cancel() -> None:
            self._waiting.discard(waiting)
            waiting.cancel()

        return cancel

    def _book(self, waiting: _Waiting) -> None:
        def due() -> None:
            self._waiting.discard(waiting)
            waiting.call()

        waiting.since_s = self._air.time()
        waiting.cancel = self._air.later(waiting.seconds / self._pace, due)
        self._waiting.add(waiting)
