"""Door lock: bolt, operation events (ZCL 7.3)."""

from __future__ import annotations

from typing import ClassVar

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters.cluster import Answer, Cluster, Reply
from homenode.sim.zigbee.zcl import Status

LOCK_STATE = 0x0000
_LOCKED, _UNLOCKED, _NOT_FULLY = 0x01, 0x02, 0x00
_EVENT = 0x20
KEYPAD, RF, MANUAL = 0x00, 0x01, 0x02
_EVENT_LOCK, _EVENT_UNLOCK, _EVENT_KEY_LOCK, _EVENT_KEY_UNLOCK = 0x01, 0x02, 0x08, 0x09
_LOCAL_TIME_UNKNOWN = b"\xff\xff\xff\xff"


class DoorLock(Cluster):
    """A motor lock; a jam leaves it "not fully locked"."""

    RECEIVED: ClassVar[dict[int, str]] = {0x00: "lock", 0x01: "unlock", 0x02: "toggle"}
    GENERATED = (0x00, 0x01, 0x02, _EVENT)

    def started(self) -> None:
        """The bolt is an output of the device, if this is a lock at all."""
        self.is_lock = LOCK_STATE in self.attributes and self.device.spec.thing in ("lock", "")
        if self.is_lock:
            self.device.has_output("lock", self.endpoint, self.value(LOCK_STATE) == _LOCKED)

    def move(self, locked: bool, source: int = MANUAL) -> Status:
        """Move the bolt, say so by report and by operation event."""
        if not self.is_lock:
            return Status.FAILURE
        if self.device.jammed:
            self.set(LOCK_STATE, _NOT_FULLY)
            return Status.FAILURE
        self.set(LOCK_STATE, _LOCKED if locked else _UNLOCKED)
        self.device.output("lock", self.endpoint, locked)
        if source == MANUAL:
            code = _EVENT_KEY_LOCK if locked else _EVENT_KEY_UNLOCK
        else:
            code = _EVENT_LOCK if locked else _EVENT_UNLOCK
        event = bytes((source, code, 0xFF, 0xFF, 0x00)) + _LOCAL_TIME_UNKNOWN + b"\x00"
        self.device.notify(self, event, command=_EVENT)
        return Status.SUCCESS

    def lock(self, payload: bytes, by: Aps) -> Reply:
        """Lock."""
        return Answer(0x00, bytes((self.move(True, RF),)))

    def unlock(self, payload: bytes, by: Aps) -> Reply:
        """Unlock."""
        return Answer(0x01, bytes((self.move(False, RF),)))

    def toggle(self, payload: bytes, by: Aps) -> Reply:
        """The other way."""
        return Answer(0x02, bytes((self.move(self.value(LOCK_STATE) != _LOCKED, RF),)))
