"""The two packets of MQTT that every reading takes, made and read without paho (pure).

paho keeps what it publishes, with a lock and a condition each, and reads a packet byte by byte. The outbox
keeps it already; the code that this saves is cold each time a reading comes, and was a sixth of its cost.
"""

from __future__ import annotations

FIRST_ID, LAST_ID = 1024, 0xFFFF
"""Packet identifiers of what is published; paho counts its own, for subscriptions, from 1 on."""

_PUBLISH_QOS_1, _RETAIN = 0x32, 0x01
_PUBACK = b"\x40\x02"
"""Of two bytes: in MQTT 3.1.1 every one, in MQTT 5 one that says "taken" and no more (3.4.2.1)."""
_PUBACK_B = 4


def publish(number: int, topic: str, payload: bytes, *, retain: bool, with_properties: bool) -> bytes:
    """A PUBLISH at QoS 1 (MQTT 5, section 3.3).

    Args:
        number: Its packet identifier.
        with_properties: As in MQTT 5; there are none.
    """
    name = topic.encode()
    left = len(name) + len(payload) + 4 + with_properties
    head = bytearray((_PUBLISH_QOS_1 | retain * _RETAIN,))
    while left > 0x7F:
        head.append(left & 0x7F | 0x80)
        left >>= 7
    head.append(left)
    properties = b"\0" if with_properties else b""
    return b"".join(
        (head, len(name).to_bytes(2, "big"), name, number.to_bytes(2, "big"), properties, payload)
    )


def taken(data: bytes, at: int) -> tuple[list[int], int]:
    """The identifiers in the run of PUBACKs of two bytes that begins at `at`, and where it ends."""
    numbers = []
    while data.startswith(_PUBACK, at) and len(data) >= at + _PUBACK_B:
        numbers.append(data[at + 2] << 8 | data[at + 3])
        at += _PUBACK_B
    return numbers, at
