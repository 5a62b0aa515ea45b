"""Bytes of the Zigbee Cluster Library: headers, attribute reports, read answers (pure).

Clauses are those of ZCL revision 8 (Zigbee document 07-5123).
"""

from __future__ import annotations

import math
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

AttributeValue = int | float | bool | bytes | tuple["AttributeValue", ...] | None
"""None where the type's own "non-value" was sent (2.6.2); a tuple of what is in a structure or an array."""

READ_ANSWER, WRITE_ANSWER, REPORT, DEFAULT_RESPONSE = 0x01, 0x04, 0x0A, 0x0B
"""General commands (2.5)."""
SUCCESS = 0x00

CLUSTER_SPECIFIC, RESERVED, MANUFACTURER_SPECIFIC, FROM_SERVER, NO_DEFAULT_RESPONSE = (
    0x01,
    0x02,
    0x04,
    0x08,
    0x10,
)
"""Bits of the frame control field (2.4.1.1)."""


class Malformed(ValueError):
    """The bytes end too early, or carry a type that ZCL doesn't have."""


class Frame(NamedTuple):
    """A ZCL frame.

    Attributes:
        control: Frame control field.
        manufacturer: Manufacturer code of a manufacturer's own frame, else None.
        sequence: Transaction sequence number.
        command: Command identifier; general or of the cluster, as `control` says.
        body: Payload after the header.
    """

    control: int
    manufacturer: int | None
    sequence: int
    command: int
    body: bytes

    @property
    def of_cluster(self) -> bool:
        """Whether `command` is one of the cluster, not a general one."""
        return self.control & 0x03 == CLUSTER_SPECIFIC

    @property
    def from_server(self) -> bool:
        """Whether the cluster's server (the side that has the attributes) sent it."""
        return bool(self.control & FROM_SERVER)


def parse(payload: bytes) -> Frame:
    """A ZCL frame from the payload of an APS frame. Raises Malformed."""
    try:
        control = payload[0]
        if control & MANUFACTURER_SPECIFIC:
            return Frame(control, payload[1] | payload[2] << 8, payload[3], payload[4], payload[5:])
        return Frame(control, None, payload[1], payload[2], payload[3:])
    except IndexError:
        raise Malformed(f"a header of {len(payload)} bytes") from None


def default_response(frame: Frame, status: int = SUCCESS) -> bytes:
    """The answer a frame asks for by not forbidding it (2.5.12)."""
    control = NO_DEFAULT_RESPONSE | (frame.control ^ FROM_SERVER) & FROM_SERVER
    if frame.manufacturer is None:
        return bytes((control, frame.sequence, DEFAULT_RESPONSE, frame.command, status))
    maker = frame.manufacturer.to_bytes(2, "little")
    control |= MANUFACTURER_SPECIFIC
    return bytes((control, *maker, frame.sequence, DEFAULT_RESPONSE, frame.command, status))


def reports(body: bytes) -> list[tuple[int, AttributeValue]]:
    """(attribute, value) of each record of a Report Attributes command (2.5.11). Raises Malformed."""
    found, at, end = [], 0, len(body)
    while at < end:
        if at + 3 > end:
            raise Malformed("a record cut short")
        attribute = body[at] | body[at + 1] << 8
        value, at = value_of(body[at + 2], body, at + 3)
        found.append((attribute, value))
    return found


def read_answers(body: bytes) -> list[tuple[int, int, AttributeValue]]:
    """(attribute, status, value) of each record of a Read Attributes Response (2.5.2). Raises Malformed."""
    found, at, end = [], 0, len(body)
    while at < end:
        if at + 3 > end:
            raise Malformed("a record cut short")
        attribute, status = body[at] | body[at + 1] << 8, body[at + 2]
        value: AttributeValue = None
        at += 3
        if status == SUCCESS:
            if at >= end:
                raise Malformed("a record without a type")
            value, at = value_of(body[at], body, at + 1)
        found.append((attribute, status, value))
    return found


def _sized(size: int, *, signed: bool = False, none: int | None = None) -> tuple[int, bool, int | None]:
    return size, signed, none


def _table() -> dict[int, tuple[int, bool, int | None]]:
    """Type identifier to (bytes, signed, the non-value), by table 2-10 (2.6.2)."""
    table = {
        0x00: _sized(0),
        0x10: _sized(1, none=0xFF),
        0x30: _sized(1, none=0xFF),
        0x31: _sized(2, none=0xFFFF),
    }
    for size in range(1, 9):
        table[0x08 + size - 1] = _sized(size)  # general data
        table[0x18 + size - 1] = _sized(size)  # bitmap
        table[0x20 + size - 1] = _sized(size, none=(1 << 8 * size) - 1)  # unsigned
        table[0x28 + size - 1] = _sized(size, signed=True, none=-(1 << 8 * size - 1))
    for identifier, size in ((0xE0, 4), (0xE1, 4), (0xE2, 4), (0xE8, 2), (0xE9, 2), (0xEA, 4), (0xF0, 8)):
        table[identifier] = _sized(size, none=(1 << 8 * size) - 1)
    return table


_SIZED = _table()
_FLOATS = {0x38: Struct("<e"), 0x39: Struct("<f"), 0x3A: Struct("<d")}
_DEEPEST = 4
"""Arrays in structures in arrays: real devices nest once."""


def value_of(kind: int, body: bytes, at: int, depth: int = 0) -> tuple[AttributeValue, int]:
    """The value of a type that begins here, and where it ends. Raises Malformed."""
    sized = _SIZED.get(kind)
    if sized is not None:
        size, signed, none = sized
        end = at + size
        if end > len(body):
            raise Malformed(f"type 0x{kind:02x} needs {size} bytes, {len(body) - at} are left")
        if kind == 0x10:
            return (None if body[at] == 0xFF else bool(body[at])), end
        number = int.from_bytes(body[at:end], "little", signed=signed)
        return (None if number == none or not size else number), end
    if kind in _FLOATS:
        layout = _FLOATS[kind]
        try:
            (real,) = layout.unpack_from(body, at)
        except StructError:
            raise Malformed(f"type 0x{kind:02x} cut short") from None
        return (real if math.isfinite(real) else None), at + layout.size
    if kind in (0x41, 0x42, 0x43, 0x44):
        return _string(1 if kind < 0x43 else 2, body, at)
    if kind == 0xF1:
        if at + 16 > len(body):
            raise Malformed("a key cut short")
        return body[at : at + 16], at + 16
    if kind in (0x48, 0x4C, 0x50, 0x51) and depth < _DEEPEST:
        return _collection(kind, body, at, depth)
    raise Malformed(f"type 0x{kind:02x} is not one of ZCL's")


def _string(width: int, body: bytes, at: int) -> tuple[AttributeValue, int]:
    start = at + width
    if start > len(body):
        raise Malformed("a string without a length")
    length = int.from_bytes(body[at:start], "little")
    if length == (1 << 8 * width) - 1:
        return None, start
    if start + length > len(body):
        raise Malformed(f"a string of {length} bytes, {len(body) - start} are left")
    return body[start : start + length], start + length


def _collection(kind: int, body: bytes, at: int, depth: int) -> tuple[AttributeValue, int]:
    """What is in an array, set, bag or structure."""
    structure = kind == 0x4C
    head = 2 if structure else 3
    if at + head > len(body):
        raise Malformed("a collection without a count")
    inner = 0 if structure else body[at]
    count = int.from_bytes(body[at + head - 2 : at + head], "little")
    at += head
    found: list[AttributeValue] = []
    for _ in range(0 if count == 0xFFFF else count):
        if structure:
            if at >= len(body):
                raise Malformed("a structure cut short")
            inner, at = body[at], at + 1
        if at >= len(body):
            raise Malformed("a collection cut short")
        one, at = value_of(inner, body, at, depth + 1)
        found.append(one)
    return tuple(found), at
