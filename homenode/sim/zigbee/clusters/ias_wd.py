"""IAS warning device: the siren (ZCL 8.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Cluster, Reply
from homenode.sim.zigbee.zcl import Status

_MAX_DURATION = 0x0000


class WarningDevice(Cluster):
    """Sounds for as long as it was told, and never longer than its maximum duration."""

    RECEIVED: ClassVar[dict[int, str]] = {0x00: "warning", 0x01: "squawk"}

    def started(self) -> None:
        """The siren is an output of the device."""
        self._stop: Callable[[], None] | None = None
        self.device.has_output("siren", self.endpoint, False)

    def sound(self, on: bool, seconds: float = 0.0) -> None:
        """Sound or be quiet; 0 s: for the maximum duration."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self.device.output("siren", self.endpoint, on)
        if on:
            longest = self.number(_MAX_DURATION, 240)
            due = min(seconds, longest) if seconds else longest
            self._stop = self.device.after(due, lambda: self.sound(False))

    def warning(self, payload: bytes, by: Aps) -> Reply:
        """Mode in the upper four bits (0 stop), duration in seconds behind."""
        seconds = payload[1] | payload[2] << 8
        self.sound(bool(payload[0] >> 4) and seconds > 0, seconds)
        return Status.SUCCESS

    def squawk(self, payload: bytes, by: Aps) -> Reply:
        """A chirp ("armed"): over before anybody could ask."""
        return Status.SUCCESS if payload else Status.MALFORMED_COMMAND
