"""The short way of a known device's frame: straight from the stick's framing to a reading.

zigpy's general path costs two to five times as much; it stays for interviews, answers and everything that
isn't understood here. Layouts: EZSP reference (UG100), incomingMessageHandler; from version 14 on the fields
stand in another order and carry the sender's IEEE address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import NamedTuple

from drivers.zigbee.ear import Ear, Known
from drivers.zigbee.standard import PROFILES
from drivers.zigbee.zcl import NO_DEFAULT_RESPONSE

INCOMING_MESSAGE = b"\x45\x00"
"""Frame id of incomingMessageHandler."""
_HEADER = 5
"""Sequence, frame control (2), frame id (2): EZSP from version 8 on."""
_TRUNCATED = 0x02
"""Bit of the frame control: the stick had no room for all of it."""
_UNICAST, _UNICAST_REPLY, _MULTICAST, _BROADCAST = 0, 1, 2, 4
_TAKEN_TYPES = frozenset({_UNICAST, _UNICAST_REPLY, _MULTICAST, _BROADCAST})
_FRAGMENT = 0x8000
"""APS option: one part of a longer message."""
_LAYOUT_13 = Struct("<BHHBBHHBBbHBBB")
"""type, profile, cluster, endpoints, options, group, sequence, LQI, RSSI, sender, two indexes, length."""
_LAYOUT_14 = Struct("<BHHBBHHBHQBBBbIB")
"""type … sequence as before; sender, its IEEE address, two indexes, LQI, RSSI, time, length."""
_NO_IEEE = frozenset({0, 0xFFFF_FFFF_FFFF_FFFF})


class Incoming(NamedTuple):
    """A message as the stick hands it on; `ieee` 0 where the stick doesn't tell it."""

    type: int
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    options: int
    group: int
    sequence: int
    lqi: int
    rssi: int
    sender: int
    ieee: int
    payload: bytes


def decode(data: bytes, version: int) -> Incoming | None:
    """An incomingMessageHandler frame, or None if the bytes aren't one."""
    layout = _LAYOUT_13 if version < 14 else _LAYOUT_14
    start = _HEADER + layout.size
    if len(data) < start or data[3:5] != INCOMING_MESSAGE or data[1] & _TRUNCATED:
        return None
    fields = layout.unpack_from(data, _HEADER)
    payload = data[start : start + fields[-1]]
    if len(payload) != fields[-1]:
        return None
    if version < 14:
        kind, profile, cluster, source, target, options, group, sequence, lqi, rssi, sender, _, _, _ = fields
        ieee = 0
    else:
        (kind, profile, cluster, source, target, options, group, sequence, sender, ieee) = fields[:10]
        lqi, rssi = fields[12:14]
        ieee = 0 if ieee in _NO_IEEE else ieee
    return Incoming(
        kind, profile, cluster, source, target, options, group, sequence, lqi, rssi, sender, ieee, payload
    )


class ShortPath:
    """Stands before the general path and takes what it can.

    Args:
        version: EZSP protocol version of the stick.
        general: Takes a frame of the stick (bellows' own handler).
        by_address: Interviewed devices by network address.
        ear: What is told of a frame.
        found: This is from a network address that is not known, or not known as that IEEE address: what is
            known of its device, or None.
        answer: Send a default response to this message.
        touched: A frame was heard of a device; True if it is to take the general path as well.

    Attributes:
        taken, passed_on: Frames of the stick that went the short and the general way.
        incoming: Messages of devices among both.
        heard_already: While a frame goes the general way: its readings have been told.
    """

    def __init__(
        self,
        version: int,
        general: Callable[[bytes], None],
        by_address: Mapping[int, Known],
        ear: Ear,
        found: Callable[[Incoming], Known | None],
        answer: Callable[[Incoming], None],
        touched: Callable[[Known, Incoming], bool],
    ) -> None:
        self._version, self._general, self._by_address, self._ear = version, general, by_address, ear
        self._found, self._answer, self._touched = found, answer, touched
        self.taken = 0
        self.passed_on = 0
        self.incoming = 0
        self.heard_already = False

    def frame_received(self, data: bytes) -> None:
        """A frame of the stick, whatever it is."""
        try:
            if data[3:5] == INCOMING_MESSAGE:
                self.incoming += 1
                if self._take(data):
                    self.taken += 1
                    return
            self.passed_on += 1
            self._general(data)
        finally:
            self.heard_already = False

    def _take(self, data: bytes) -> bool:
        message = decode(data, self._version)
        if (
            message is None
            or message.type not in _TAKEN_TYPES
            or message.profile not in PROFILES
            or message.options & _FRAGMENT
        ):
            return False
        known = self._by_address.get(message.sender)
        if known is None or (message.ieee and known.number != message.ieee):
            known = self._found(message)
            if known is None:
                return False
        self.heard_already = True
        understood = self._ear.hear(
            known, message.source_endpoint, message.cluster, message.payload, message.sequence, message.lqi
        )
        if not understood or self._touched(known, message):
            return False
        self.heard_already = False
        if not message.payload[0] & NO_DEFAULT_RESPONSE and message.type in (_UNICAST, _UNICAST_REPLY):
            self._answer(message)
        return True
