"""On/off and level control of lamps and plugs (ZCL 3.8, 3.10)."""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Cluster, Reply
from homenode.sim.zigbee.zcl import Status

ON_OFF, LEVEL = 0x0000, 0x0000
_START_UP = 0x4003
_LAMPS = frozenset({0x0100, 0x0101, 0x0102, 0x010C, 0x010D, 0x0200, 0x0210, 0x0220})
"""Device types that are lamps (Zigbee lighting and occupancy specification; light link)."""


class OnOff(Cluster):
    """A relay or a lamp."""

    RECEIVED: ClassVar[dict[int, str]] = {
        0x00: "off",
        0x01: "on",
        0x02: "toggle",
        0x40: "off_effect",
        0x41: "on_recall",
        0x42: "on_timed",
    }

    def started(self) -> None:
        """It is one of the device's outputs, if the device acts at all (a contact has the cluster too)."""
        self.kind = ""
        spec = self.device.spec
        if spec.battery_powered and spec.thing not in ("valve", "switch", "light"):
            return
        if ON_OFF not in self.attributes or spec.thing == "siren":
            return
        row = next(one for one in spec.endpoints if one.number == self.endpoint)
        self.kind = "light" if row.device_type in _LAMPS else "valve" if spec.thing == "valve" else "switch"
        self.device.has_output(self.kind, self.endpoint, bool(self.value(ON_OFF)))

    def switch(self, on: bool) -> None:
        """Move it, from the air or by hand."""
        self.set(ON_OFF, on)
        if self.kind:
            self.device.output(self.kind, self.endpoint, on)

    def powered(self) -> None:
        """Start-up behaviour: 0 off, 1 on, 2 toggle, else as before (3.8.2.2.6)."""
        start = self.number(_START_UP, 0xFF)
        before = bool(self.value(ON_OFF))
        self.switch({0: False, 1: True, 2: not before}.get(start, before))

    def off(self, payload: bytes, by: Aps) -> Reply:
        """Off."""
        self.switch(False)
        return Status.SUCCESS

    def on(self, payload: bytes, by: Aps) -> Reply:
        """On."""
        self.switch(True)
        return Status.SUCCESS

    def toggle(self, payload: bytes, by: Aps) -> Reply:
        """The other way."""
        self.switch(not self.value(ON_OFF))
        return Status.SUCCESS

    def off_effect(self, payload: bytes, by: Aps) -> Reply:
        """Off with a fade."""
        if len(payload) < 2:
            return Status.MALFORMED_COMMAND
        return self.off(payload, by)

    def on_recall(self, payload: bytes, by: Aps) -> Reply:
        """On with the scene from before."""
        return self.on(payload, by)

    def on_timed(self, payload: bytes, by: Aps) -> Reply:
        """On, and off again after so many tenths of a second."""
        tenths = payload[1] | payload[2] << 8
        if payload[0] & 0x01 and not self.value(ON_OFF):
            return Status.SUCCESS
        self.switch(True)
        if 0 < tenths < 0xFFFF:
            self.device.after(tenths / 10, lambda: self.switch(False))
        return Status.SUCCESS


class Level(Cluster):
    """Brightness. Moves are instant: transitions are nothing a safety rule could see."""

    RECEIVED: ClassVar[dict[int, str]] = {
        0x00: "move_to",
        0x01: "move",
        0x02: "step",
        0x03: "stop",
        0x04: "move_to_with_on_off",
        0x05: "move_with_on_off",
        0x06: "step_with_on_off",
        0x07: "stop",
    }

    def _to(self, level: int, switches: bool) -> Status:
        level = max(0, min(254, level))
        self.set(LEVEL, max(1, level))
        relay = self.device.servers.get((self.endpoint, 0x0006))
        if switches and isinstance(relay, OnOff):
            relay.switch(level > 0)
        return Status.SUCCESS

    def _step(self, payload: bytes) -> int:
        return self.number(LEVEL, 254) + (payload[1] if payload[0] == 0 else -payload[1])

    def move_to(self, payload: bytes, by: Aps) -> Reply:
        """Go to a level."""
        return self._to(payload[0], False)

    def move_to_with_on_off(self, payload: bytes, by: Aps) -> Reply:
        """Go to a level; 0 is off."""
        return self._to(payload[0], True)

    def move(self, payload: bytes, by: Aps) -> Reply:
        """Dim up or down until stopped: here, to the end."""
        return self._to(254 if payload[0] == 0 else 1, False)

    def move_with_on_off(self, payload: bytes, by: Aps) -> Reply:
        """The same, off at the lower end."""
        return self._to(254 if payload[0] == 0 else 0, True)

    def step(self, payload: bytes, by: Aps) -> Reply:
        """A step up or down."""
        return self._to(max(1, self._step(payload)), False)

    def step_with_on_off(self, payload: bytes, by: Aps) -> Reply:
        """The same, off at the lower end."""
        return self._to(self._step(payload), True)

    def stop(self, payload: bytes, by: Aps) -> Reply:
        """Stop where it is."""
        return Status.SUCCESS
