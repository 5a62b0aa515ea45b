"""IAS zone: how an alarm sensor enrols and tells its status (ZCL 8.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Attribute, Cluster, Reply
from homenode.sim.zigbee.zcl import Status

STATE, TYPE, STATUS, CIE, ZONE_ID = 0x0000, 0x0001, 0x0002, 0x0010, 0x0011
ALARM_1, ALARM_2, TAMPER, BATTERY, SUPERVISION, RESTORE = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
TROUBLE, MAINS_LOST, TEST, BATTERY_DEFECT = 0x40, 0x80, 0x100, 0x200
"""Bits of the zone status (table 8-6)."""
_NOTIFICATION, _ENROLL_REQUEST, _ENROLL_RESPONSE = 0x00, 0x01, 0x00


class Zone(Cluster):
    """The enrolment is a state machine of one bit; the ways into it are what differs between devices.

    =====================  ==========================================================  =============
    way (`spec.enrolment`)  what the device does by itself                              enrolled by
    =====================  ==========================================================  =============
    ``request``             asks when the CIE address is written, and when tripped      response 0
    ``trip``                asks when tripped only ("trip to pair")                     response 0
    ``response``            never asks                                                  response 0
    ``none``                tells its status without being enrolled                     not needed
    =====================  ==========================================================  =============

    A response that nobody asked for ("auto-enroll-response") is taken in all of them once the CIE
    address is written (8.2.2.2.3).
    """

    RECEIVED: ClassVar[dict[int, str]] = {
        _ENROLL_RESPONSE: "enroll_response",
        0x01: "normal_mode",
        0x02: "test_mode",
    }
    GENERATED = (_NOTIFICATION, _ENROLL_REQUEST)

    def started(self) -> None:
        """Not enrolled, nobody to tell."""
        self._to = 1
        self._cie_address = 0
        self._untold = False
        self.attributes.setdefault(STATE, Attribute(STATE, 0x30, 0)).value = 0
        self.attributes.setdefault(TYPE, Attribute(TYPE, 0x31, 0x0000))
        self.attributes.setdefault(STATUS, Attribute(STATUS, 0x19, 0))
        self.attributes.setdefault(CIE, Attribute(CIE, 0xF0, 0)).value = 0
        self.attributes[CIE].writable = True
        self.attributes.setdefault(ZONE_ID, Attribute(ZONE_ID, 0x20, 0xFF)).value = 0xFF

    @property
    def enrolled(self) -> bool:
        """Whether it tells its status."""
        return self.value(STATE) == 1

    def forget(self) -> None:
        """Factory reset: nobody's zone."""
        super().forget()
        for id_, value in ((STATE, 0), (CIE, 0), (ZONE_ID, 0xFF)):
            self.attributes[id_].value = value

    def memory(self) -> dict[str, Any]:
        """Where it tells."""
        return {"to": self._to, "cie": self._cie_address}

    def recall(self, memory: dict[str, Any]) -> None:
        """Take up where it tells."""
        self._to, self._cie_address = memory.get("to", 1), memory.get("cie", 0)

    def written(self, attribute: Attribute, by: Aps) -> None:
        """The CIE address: whoever wrote it hears of the zone from now on."""
        if attribute.id != CIE:
            return
        self._to, self._cie_address = by.source_endpoint, by.source
        if not self.value(CIE):
            self.attributes[STATE].value = 0
        elif not self.enrolled and self.device.spec.enrolment == "request":
            self.device.after(0, self._ask, real=True)  # behind the write response

    def raise_bits(self, bits: int, on: bool, *, tell: bool = True) -> None:
        """Set or clear bits of the status; a change is told."""
        before = self.number(STATUS)
        after = before | bits if on else before & ~bits
        if after != before:
            self.set(STATUS, after)
            if tell:
                self.tell()

    def tell(self) -> None:
        """Send the status, if enrolled (or if it never needs to be); else ask, if it is one that asks."""
        enrolment = self.device.spec.enrolment
        if self.enrolled or enrolment == "none":
            zone = self.number(ZONE_ID, 0xFF)
            body = self.number(STATUS).to_bytes(2, "little") + bytes((0, zone, 0, 0))
            self.device.tell(
                self, body, command=_NOTIFICATION, destination=self._cie_address, endpoint=self._to
            )
        else:
            self._untold = True
            if enrolment in ("request", "trip") and self.value(CIE):
                self._ask()

    def _ask(self) -> None:
        body = self.number(TYPE).to_bytes(2, "little") + self.device.spec.code.to_bytes(2, "little")
        self.device.tell(
            self, body, command=_ENROLL_REQUEST, destination=self._cie_address, endpoint=self._to
        )

    def enroll_response(self, payload: bytes, by: Aps) -> Reply:
        """Enrolled, if the code is success and a CIE address is there."""
        code, zone = payload[0], payload[1]
        if code == 0x00 and self.value(CIE):
            self.set(ZONE_ID, zone)
            self.set(STATE, 1)
            if self._untold:  # what happened before goes out now, as from EmberZNet's queue
                self._untold = False
                self.tell()
        return Status.SUCCESS

    def normal_mode(self, payload: bytes, by: Aps) -> Reply:
        """End of test mode."""
        self.raise_bits(TEST, False)
        return Status.SUCCESS

    def test_mode(self, payload: bytes, by: Aps) -> Reply:
        """Test for so many seconds: status changes carry the test bit."""
        self.raise_bits(TEST, True)
        self.device.after(payload[0], lambda: self.raise_bits(TEST, False))
        return Status.SUCCESS
