"""EZSP frames that come by the thousand, packed by hand: messages in, messages out, what became of them.

Fields and their order: UG100, 9 (protocol 13), and the structures of the Simplicity SDK from 14 on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct, error

from homenode.sim.zigbee.ezsp import callback_header

SEND_UNICAST, SEND_BROADCAST, SEND_MULTICAST = 0x0034, 0x0036, 0x0038
INCOMING_MESSAGE, MESSAGE_SENT = 0x0045, 0x003F

LONGEST_PAYLOAD_B = 82
"""What fits into one frame on the air with network security (UG100, maximumPayloadLength)."""


class Option(IntEnum):
    """Bits of the APS options that matter here."""

    RETRY = 0x0040
    ROUTE_DISCOVERY = 0x0100


class Incoming(IntEnum):
    """How a message came."""

    UNICAST = 0
    MULTICAST = 2
    BROADCAST = 4


class Outgoing(IntEnum):
    """How a message is sent."""

    DIRECT = 0
    ADDRESS_TABLE = 1
    BINDING = 2
    MULTICAST = 3
    BROADCAST = 5


_IN_OLD = Struct("<BHHBBHHBBbHBBB")
"""Type; profile, cluster, endpoints, options, group, sequence; LQI, RSSI, sender, indices, length."""
_IN_NEW = Struct("<BHHBBHHBHQBBBbIB")
"""From 14 on: type; APS frame; sender, its IEEE address, indices, LQI, RSSI, time, length."""
_NO_INDEX = 0xFF
_APS = Struct("<HHBBHHB")


@dataclass(frozen=True, slots=True)
class Message:
    """What a host wants to have sent.

    Attributes:
        kind: How.
        target: Network address, group, or index of the address or binding table.
    """

    kind: int
    target: int
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    options: int
    group: int
    tag: int
    payload: bytes


def incoming(
    new: bool,
    sequence: int,
    kind: int,
    sender: int,
    ieee: int,
    profile: int,
    cluster: int,
    source_endpoint: int,
    destination_endpoint: int,
    group: int,
    aps_sequence: int,
    ack: bool,
    link_quality: int,
    rssi: int,
    time_us: int,
    payload: bytes,
) -> bytes:
    """An incomingMessageHandler frame. Positional, because this is the hot path."""
    options = Option.ROUTE_DISCOVERY | Option.RETRY if ack else Option.ROUTE_DISCOVERY
    head = callback_header(sequence, INCOMING_MESSAGE)
    if new:
        return (
            head
            + _IN_NEW.pack(
                kind, profile, cluster, source_endpoint, destination_endpoint, options, group, aps_sequence,
                sender, ieee, _NO_INDEX, _NO_INDEX, link_quality, rssi, time_us & 0xFFFFFFFF, len(payload),
            )
            + payload
        )  # fmt: skip
    return (
        head
        + _IN_OLD.pack(
            kind, profile, cluster, source_endpoint, destination_endpoint, options, group, aps_sequence,
            link_quality, rssi, sender, _NO_INDEX, _NO_INDEX, len(payload),
        )
        + payload
    )  # fmt: skip


def sent(
    new: bool, sequence: int, message: Message, aps_sequence: int, status: bytes, contents: bytes
) -> bytes:
    """A messageSentHandler frame. `status` as the version has it on the wire."""
    aps = _APS.pack(
        message.profile,
        message.cluster,
        message.source_endpoint,
        message.destination_endpoint,
        message.options,
        message.group,
        aps_sequence,
    )
    who = bytes((message.kind,)) + message.target.to_bytes(2, "little") + aps
    tag = message.tag.to_bytes(2 if new else 1, "little")
    body = status + who + tag if new else who + tag + status
    return callback_header(sequence, MESSAGE_SENT) + body + bytes((len(contents),)) + contents


_REQUESTS = {
    (SEND_UNICAST, False): Struct("<BHHHBBHHBBB"),
    (SEND_UNICAST, True): Struct("<BHHHBBHHBHB"),
    (SEND_BROADCAST, False): Struct("<HHHBBHHBBBB"),
    (SEND_BROADCAST, True): Struct("<HHBHHBBHHBBHB"),
    (SEND_MULTICAST, False): Struct("<HHBBHHBBBBB"),
    (SEND_MULTICAST, True): Struct("<HHBBHHBBHHBHB"),
}


def requested(new: bool, command: int, parameters: bytes) -> Message | None:
    """A sendUnicast, sendBroadcast or sendMulticast command; None if it is too short."""
    layout = _REQUESTS[command, new]
    try:
        fields = layout.unpack_from(parameters)
    except error:
        return None
    length = fields[-1]
    payload = parameters[layout.size : layout.size + length]
    if len(payload) < length:
        return None
    tag = fields[-2]
    if command == SEND_UNICAST:
        kind, target, aps = fields[0], fields[1], fields[2:9]
    elif command == SEND_BROADCAST:
        kind, target = Outgoing.BROADCAST, fields[1] if new else fields[0]
        aps = fields[3:10] if new else fields[1:8]
    else:
        kind, aps = Outgoing.MULTICAST, fields[0:7]
        target = aps[5]
    profile, cluster, source, destination, options, group, _ = aps
    return Message(kind, target, profile, cluster, source, destination, options, group, tag, payload)
