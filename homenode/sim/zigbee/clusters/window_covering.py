"""Window covering: up, down, stop, to a percentage (ZCL 7.4)."""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Cluster, Reply
from homenode.sim.zigbee.zcl import Status

LIFT_PERCENT = 0x0008


class WindowCovering(Cluster):
    """A blind that arrives at once. 0 % is open, 100 % closed."""

    RECEIVED: ClassVar[dict[int, str]] = {0x00: "up", 0x01: "down", 0x02: "stop", 0x05: "to_percent"}

    def up(self, payload: bytes, by: Aps) -> Reply:
        """Open."""
        self.set(LIFT_PERCENT, 0)
        return Status.SUCCESS

    def down(self, payload: bytes, by: Aps) -> Reply:
        """Close."""
        self.set(LIFT_PERCENT, 100)
        return Status.SUCCESS

    def stop(self, payload: bytes, by: Aps) -> Reply:
        """Stay."""
        return Status.SUCCESS

    def to_percent(self, payload: bytes, by: Aps) -> Reply:
        """Go there."""
        if payload[0] > 100:
            return Status.INVALID_VALUE
        self.set(LIFT_PERCENT, payload[0])
        return Status.SUCCESS
