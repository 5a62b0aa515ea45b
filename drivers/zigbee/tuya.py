"""Tuya's own cluster 0xEF00: data points instead of attributes (pure).

Source: zha-quirks 2.3.0, tuya/__init__.py (TuyaData, TuyaNewManufCluster, BaseEnchantedDevice).
A data point is addressed like an attribute: ENDPOINT/ef00/NUMBER.
"""

from __future__ import annotations

from drivers.zigbee.zcl import AttributeValue, Malformed

CLUSTER = 0xEF00
MAKERS = ("_TZ", "_TY", "TUYATEC-")
"""How the manufacturer's names of devices with Tuya's firmware begin."""
SET, QUERY = 0x00, 0x03
"""Commands to the device: set a data point, tell all."""
TOLD = frozenset({0x01, 0x02, 0x05, 0x06})
"""Commands of the device that carry data points: answers and reports."""
AWAKENING = (0x0004, 0x0000, 0x0001, 0x0005, 0x0007, 0xFFFE)
"""Attributes of Basic that a Tuya gateway reads at first; firmware that wasn't asked stays half silent."""
_RAW, _BOOL, _VALUE, _STRING, _ENUM, _BITMAP = range(6)
_SIZES = {_BOOL: (1,), _VALUE: (4,), _ENUM: (1,), _BITMAP: (1, 2, 4)}


def records(body: bytes) -> list[tuple[int, AttributeValue]]:
    """(data point, value) of each record of a report; raw bytes and text as bytes. Raises Malformed."""
    if len(body) < 2:
        raise Malformed("data points without a number")
    found: list[tuple[int, AttributeValue]] = []
    at = 2  # status and transaction
    while at < len(body):
        if at + 4 > len(body):
            raise Malformed("a data point cut short")
        point, kind, length = body[at], body[at + 1], body[at + 2] << 8 | body[at + 3]
        at += 4
        data = body[at : at + length]
        if len(data) != length:
            raise Malformed(f"data point {point} of {length} bytes, {len(data)} are left")
        found.append((point, _value(point, kind, data)))
        at += length
    return found


def _value(point: int, kind: int, data: bytes) -> AttributeValue:
    if kind in (_RAW, _STRING):
        return data
    if len(data) not in _SIZES.get(kind, ()):
        raise Malformed(f"data point {point} has type {kind} and {len(data)} bytes")
    if kind == _BOOL:
        return bool(data[0])
    return int.from_bytes(data, "big", signed=kind == _VALUE)


def command(sequence: int, identifier: int, body: bytes = b"") -> bytes:
    """A frame of the cluster to the device."""
    return bytes((0x01, sequence & 0xFF, identifier)) + body


def question(sequence: int) -> bytes:
    """A frame that has it report all its data points."""
    return command(sequence, QUERY)


def order(sequence: int, point: int, on: bool) -> bytes:
    """A frame that sets a data point to on or off."""
    return command(sequence, SET, bytes((0, sequence & 0xFF, point, _BOOL, 0, 1, on)))
