"""When a sleeper asks its parent for what waits: long polls, and fast ones after something happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from homenode.sim.zigbee.air import Air

if TYPE_CHECKING:
    from homenode.sim.zigbee.device import VirtualDevice

FAST_POLL_S = 0.25
"""Short poll interval: the default of the poll control cluster, one quarter second (ZCL 3.16.5.1.3)."""
AWAKE_AFTER_SENDING_S = 1.0
"""How long a sleeper waits for the answer to what it sent: EmberZNet's default wake time-out."""


class Sleep:
    """The polling of one device. Polls run in real time: they answer to the real time-outs of a stack."""

    def __init__(self, device: VirtualDevice, air: Air) -> None:
        self._device, self._air = device, air
        self._fast_left = 0
        self._cancel: Callable[[], None] | None = None
        self.long_poll_s = device.spec.long_poll_s

    def start(self) -> None:
        """The device is on a network."""
        if self._device.sleepy:
            self._next()

    def stop(self) -> None:
        """It left, or lost power."""
        self._fast_left = 0
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def awake(self, seconds: float) -> None:
        """Poll fast for so long from now on."""
        if not self._device.sleepy:
            return
        was_asleep = self._fast_left == 0
        self._fast_left = max(self._fast_left, round(seconds / FAST_POLL_S))
        if was_asleep:
            self._next()

    def sent(self) -> None:
        """Something was sent; an answer may come."""
        if self._fast_left == 0:
            self.awake(AWAKE_AFTER_SENDING_S)

    def asleep(self) -> None:
        """End fast polling."""
        self._fast_left = 0

    def _next(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        pause = FAST_POLL_S if self._fast_left else self.long_poll_s
        if pause:
            self._cancel = self._device.after(pause, self._poll, real=True)

    def _poll(self) -> None:
        self._cancel = None
        if self._fast_left:
            self._fast_left -= 1
        if self._device.present:
            self._air.poll(self._device)
        if self._device.on_network and self._cancel is None:
            self._next()
