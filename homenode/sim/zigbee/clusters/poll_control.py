"""Poll control: a sleeper checks in and can be asked to stay awake (ZCL 3.16)."""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Attribute, Cluster, Reply
from homenode.sim.zigbee.zcl import Status

CHECK_IN, LONG_POLL, SHORT_POLL, FAST_TIMEOUT = 0x0000, 0x0001, 0x0002, 0x0003
_QUARTERS = 4
"""Its intervals are counted in quarters of a second."""


class PollControl(Cluster):
    """Sends a check-in to whoever is bound to the cluster."""

    RECEIVED: ClassVar[dict[int, str]] = {
        0x00: "check_in_response",
        0x01: "fast_poll_stop",
        0x02: "set_long",
        0x03: "set_short",
    }
    GENERATED = (0x00,)

    @property
    def interval_s(self) -> float:
        """Between check-ins; 0: never."""
        return self.number(CHECK_IN, 14400) / _QUARTERS

    def check_in(self) -> None:
        """Say "I am here; anything for me?"."""
        self.device.notify(self, b"", command=0x00)

    def written(self, attribute: Attribute, by: Aps) -> None:
        """A new check-in interval counts from the next check-in on, as in EmberZNet."""

    def check_in_response(self, payload: bytes, by: Aps) -> Reply:
        """Stay awake, or not."""
        if payload[0]:
            quarters = payload[1] | payload[2] << 8
            self.device.fast_poll((quarters or self.number(FAST_TIMEOUT, 40)) / _QUARTERS)
        return Status.SUCCESS

    def fast_poll_stop(self, payload: bytes, by: Aps) -> Reply:
        """Nothing more for you."""
        self.device.fast_poll(0.0)
        return Status.SUCCESS

    def set_long(self, payload: bytes, by: Aps) -> Reply:
        """New long poll interval, in quarters of a second."""
        quarters = int.from_bytes(payload[:4], "little")
        if len(payload) < 4 or quarters < 4:
            return Status.INVALID_VALUE
        self.set(LONG_POLL, quarters)
        self.device.long_poll(quarters / _QUARTERS)
        return Status.SUCCESS

    def set_short(self, payload: bytes, by: Aps) -> Reply:
        """New short poll interval, in quarters of a second."""
        self.set(SHORT_POLL, payload[0] | payload[1] << 8)
        return Status.SUCCESS
