"""Over-the-air upgrade, client side: it asks for images and takes "none" for an answer (ZCL 11)."""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Cluster, Reply
from homenode.sim.zigbee.zcl import Status

_VERSION, _MANUFACTURER, _IMAGE_TYPE = 0x0002, 0x0007, 0x0008


class Ota(Cluster):
    """The commands it takes come from a server, so they are to a client."""

    RECEIVED: ClassVar[dict[int, str]] = {0x00: "image_notify", 0x02: "query_response", 0x07: "end_response"}
    GENERATED = (0x01,)

    def image_notify(self, payload: bytes, by: Aps) -> Reply:
        """An image may be there: ask for it."""
        self.ask()
        return None

    def ask(self) -> None:
        """Query the next image of its own manufacturer and type."""
        code = self.number(_MANUFACTURER, self.device.spec.code)
        body = (
            b"\x00"
            + code.to_bytes(2, "little")
            + self.number(_IMAGE_TYPE, 0).to_bytes(2, "little")
            + self.number(_VERSION, 1).to_bytes(4, "little")
        )
        self.device.tell(self, body, command=0x01)

    def query_response(self, payload: bytes, by: Aps) -> Reply:
        """No image, or one that is declined: a virtual device has nothing to write it to."""
        return None if payload[0] == Status.NO_IMAGE_AVAILABLE else Status.NOT_AUTHORIZED

    def end_response(self, payload: bytes, by: Aps) -> Reply:
        """The end of an upgrade."""
        return Status.SUCCESS
