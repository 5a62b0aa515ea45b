"""When an attribute is reported by itself: minimum and maximum interval, reportable change (ZCL 2.5.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from homenode.sim.zigbee.zcl import Data, analog

CANCELLED_S = 0xFFFF
"""Maximum interval that takes a configuration away (ZCL 2.5.7.1.6)."""


class Reported(Protocol):
    """The attribute, as reporting sees it."""

    type: int
    value: Data


class Reporting:
    """The reporting configuration of one attribute.

    The device's own clock is `after`; nothing else is needed: within the minimum interval a change waits,
    at the maximum interval the value is told though nothing changed.
    """

    __slots__ = (
        "_after",
        "_attribute",
        "_last",
        "_send",
        "_stop_max",
        "_waiting",
        "change",
        "max_s",
        "min_s",
    )

    def __init__(
        self,
        attribute: Reported,
        min_s: int,
        max_s: int,
        change: Data,
        *,
        send: Callable[[], None],
        after: Callable[[float, Callable[[], None]], Callable[[], None]],
    ) -> None:
        self.min_s, self.max_s, self.change = min_s, max_s, change
        self._attribute, self._send, self._after = attribute, send, after
        self._last: Data = attribute.value
        self._waiting = False
        self._stop_max: Callable[[], None] | None = None
        self._arm()

    def changed(self) -> None:
        """The attribute was set: report it if it moved enough and the minimum interval allows."""
        if not self._waiting and self._moved():
            self.send()

    def send(self) -> None:
        """Report now; both intervals start anew."""
        self._last = self._attribute.value
        self._send()
        if self.min_s:
            self._waiting = True
            self._after(self.min_s, self._rested)
        self._arm()

    def stop(self) -> None:
        """The configuration is replaced or the device is off."""
        if self._stop_max is not None:
            self._stop_max()
            self._stop_max = None

    def resume(self) -> None:
        """Power is back: all timers start anew."""
        self._waiting = False
        self._arm()

    def _rested(self) -> None:
        self._waiting = False
        self.changed()

    def _arm(self) -> None:
        self.stop()
        if 0 < self.max_s < CANCELLED_S:
            self._stop_max = self._after(self.max_s, self.send)

    def _moved(self) -> bool:
        old, new = self._last, self._attribute.value
        if old == new:
            return False
        if not analog(self._attribute.type) or not isinstance(self.change, int | float):
            return True
        if not isinstance(old, int | float) or not isinstance(new, int | float):
            return True
        return abs(new - old) >= self.change
