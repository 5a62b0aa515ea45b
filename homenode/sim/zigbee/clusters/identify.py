"""Identify: a device blinks so that an installer finds it (ZCL 3.5)."""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Answer, Cluster, Reply
from homenode.sim.zigbee.zcl import Status

_TIME = 0x0000


class Identify(Cluster):
    """Counts its time down in the attribute, as read by whoever asks."""

    RECEIVED: ClassVar[dict[int, str]] = {0x00: "identify", 0x01: "query", 0x40: "effect"}
    GENERATED = (0x00,)

    def identify(self, payload: bytes, by: Aps) -> Reply:
        """Blink for so many seconds."""
        seconds = payload[0] | payload[1] << 8
        self.set(_TIME, seconds)
        if seconds:
            self.device.after(seconds, lambda: self.set(_TIME, 0))
        return Status.SUCCESS

    def query(self, payload: bytes, by: Aps) -> Reply:
        """Only who blinks answers."""
        seconds = self.number(_TIME)
        return Answer(0x00, seconds.to_bytes(2, "little")) if seconds else Status.SUCCESS

    def effect(self, payload: bytes, by: Aps) -> Reply:
        """Blink, breathe, okay …: nothing that the air could see."""
        return Status.SUCCESS
