"""Bytes of the Zigbee Cluster Library: frame header, data types, status codes.

An own small codec, so that the simulator shares no code with the stack under test and a report costs
microseconds; the tests hold it against zigpy's. Source of all numbers: ZCL specification revision 8
(Zigbee document 07-5123-08), chapter 2.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

Data = bool | int | float | str | bytes | None
"""Value of an attribute; None is the type's "invalid" value; bytes for types kept as they are."""


class Malformed(Exception):
    """A frame that ends too early or has a type nobody can measure; its receiver drops or refuses it."""


class Status(IntEnum):
    """ZCL status (table 2-12). The device says so in responses."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUP_CLUSTER_COMMAND = 0x81
    UNSUP_GENERAL_COMMAND = 0x82
    UNSUP_MANUF_CLUSTER_COMMAND = 0x83
    UNSUPPORTED_ATTRIBUTE = 0x86
    INVALID_VALUE = 0x87
    READ_ONLY = 0x88
    INSUFFICIENT_SPACE = 0x89
    NOT_FOUND = 0x8B
    UNREPORTABLE_ATTRIBUTE = 0x8C
    INVALID_DATA_TYPE = 0x8D
    NO_IMAGE_AVAILABLE = 0x98
    UNSUPPORTED_CLUSTER = 0xC3


class General(IntEnum):
    """General commands (table 2-3)."""

    READ = 0x00
    READ_RSP = 0x01
    WRITE = 0x02
    WRITE_UNDIVIDED = 0x03
    WRITE_RSP = 0x04
    WRITE_NO_RSP = 0x05
    CONFIGURE_REPORTING = 0x06
    CONFIGURE_REPORTING_RSP = 0x07
    READ_REPORTING = 0x08
    READ_REPORTING_RSP = 0x09
    REPORT = 0x0A
    DEFAULT_RSP = 0x0B
    DISCOVER = 0x0C
    DISCOVER_RSP = 0x0D
    DISCOVER_RECEIVED = 0x11
    DISCOVER_RECEIVED_RSP = 0x12
    DISCOVER_GENERATED = 0x13
    DISCOVER_GENERATED_RSP = 0x14
    DISCOVER_EXTENDED = 0x15
    DISCOVER_EXTENDED_RSP = 0x16


TYPES: dict[str, int] = {
    "nodata": 0x00,
    **{f"data{8 * n}": 0x07 + n for n in range(1, 9)},
    "bool": 0x10,
    **{f"map{8 * n}": 0x17 + n for n in range(1, 9)},
    **{f"uint{8 * n}": 0x1F + n for n in range(1, 9)},
    **{f"int{8 * n}": 0x27 + n for n in range(1, 9)},
    "enum8": 0x30,
    "enum16": 0x31,
    "semi": 0x38,
    "single": 0x39,
    "double": 0x3A,
    "octstr": 0x41,
    "string": 0x42,
    "octstr16": 0x43,
    "string16": 0x44,
    "array": 0x48,
    "struct": 0x4C,
    "set": 0x50,
    "bag": 0x51,
    "ToD": 0xE0,
    "date": 0xE1,
    "UTC": 0xE2,
    "clusterId": 0xE8,
    "attribId": 0xE9,
    "bacOID": 0xEA,
    "EUI64": 0xF0,
    "key128": 0xF1,
}
"""Name of a type, as the specification and ZHA's dumps write it, to its number (table 2-10)."""

_WIDTH: dict[int, int] = {
    0x10: 1,
    0x30: 1,
    0x31: 2,
    0xE0: 4,
    0xE1: 4,
    0xE2: 4,
    0xE8: 2,
    0xE9: 2,
    0xEA: 4,
    0xF0: 8,
    **{first + n: n + 1 for first in (0x08, 0x18, 0x20, 0x28) for n in range(8)},
}
_FLOAT = {0x38: "<e", 0x39: "<f", 0x3A: "<d"}
_COUNTED = {0x41: 1, 0x42: 1, 0x43: 2, 0x44: 2}
_TEXT = (0x42, 0x44)
_KEY = 0xF1
_SIGNED = range(0x28, 0x30)
_ANALOG = frozenset({*range(0x20, 0x30), *_FLOAT, 0xE0, 0xE1, 0xE2})


def analog(kind: int) -> bool:
    """Whether a change can be measured: only then a reporting configuration carries a reportable change."""
    return kind in _ANALOG


def encode(kind: int, value: Data) -> bytes:
    """Bytes of `value` in type `kind`; None becomes the type's invalid value.

    Raises:
        Malformed: The value doesn't fit the type.
    """
    if isinstance(value, bytes | bytearray) and kind not in _COUNTED:
        return bytes(value)
    try:
        if kind in _WIDTH:
            width, signed = _WIDTH[kind], kind in _SIGNED
            if value is None:
                return (1 << (8 * width - 1)).to_bytes(width, "little") if signed else b"\xff" * width
            return int(value).to_bytes(width, "little", signed=signed)
        if kind in _FLOAT:
            return struct.pack(_FLOAT[kind], float("nan") if value is None else float(value))
        if kind in _COUNTED:
            width = _COUNTED[kind]
            if value is None:
                return b"\xff" * width
            text = bytes(value) if isinstance(value, bytes | bytearray) else str(value).encode()
            return len(text).to_bytes(width, "little") + text
        if kind == 0x00:
            return b""
    except (ValueError, OverflowError, struct.error, TypeError) as error:
        raise Malformed(f"{value!r} does not fit type 0x{kind:02x}") from error
    raise Malformed(f"type 0x{kind:02x} takes bytes only")


def decode(kind: int, data: bytes, at: int = 0) -> tuple[Data, int]:
    """Value of type `kind` at offset `at`, and the offset after it.

    Raises:
        Malformed: The data ends too early, or the type has no length that could be known.
    """
    if kind in _COUNTED:
        start = at + _COUNTED[kind]
        head = data[at:start]
        if len(head) < _COUNTED[kind]:
            raise Malformed("a string without its length")
        if head == b"\xff" * len(head):
            return None, start
        end = start + int.from_bytes(head, "little")
        raw = _slice(data, start, end)
        return (raw.decode("utf-8", "replace") if kind in _TEXT else raw), end
    if kind in _FLOAT:
        end = at + struct.calcsize(_FLOAT[kind])
        value: float = struct.unpack(_FLOAT[kind], _slice(data, at, end))[0]
        return value, end
    if kind == _KEY:
        return _slice(data, at, at + 16), at + 16
    if kind in _WIDTH:
        end = at + _WIDTH[kind]
        return int.from_bytes(_slice(data, at, end), "little", signed=kind in _SIGNED), end
    if kind == 0x00:
        return None, at
    raise Malformed(f"type 0x{kind:02x} has no known length")


def _slice(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise Malformed(f"{len(data)} bytes where {end} are needed")
    return data[start:end]


class Frame(NamedTuple):
    """A ZCL frame (clause 2.4).

    Attributes:
        cluster_specific: A command of the cluster; else a general one.
        manufacturer: Code of a manufacturer-specific frame, else 0.
        to_client: Direction server to client.
        quiet: Disable default response: success needs no answer.
        sequence: Transaction number; the answer carries the same.
    """

    cluster_specific: bool
    manufacturer: int
    to_client: bool
    quiet: bool
    sequence: int
    command: int
    payload: bytes


def parse(data: bytes) -> Frame:
    """The frame in an APS payload. Raises Malformed."""
    if len(data) < 3:
        raise Malformed(f"{len(data)} bytes are no ZCL frame")
    control = data[0]
    at = 3 if control & 0x04 else 1
    if control & 0x03 > 1 or len(data) < at + 2:
        raise Malformed(f"frame control 0x{control:02x} with {len(data)} bytes")
    manufacturer = int.from_bytes(data[1:3], "little") if at == 3 else 0
    return Frame(
        bool(control & 0x01),
        manufacturer,
        bool(control & 0x08),
        bool(control & 0x10),
        data[at],
        data[at + 1],
        data[at + 2 :],
    )


def build(frame: Frame) -> bytes:
    """Bytes of a frame."""
    control = (
        (0x01 if frame.cluster_specific else 0)
        | (0x04 if frame.manufacturer else 0)
        | (0x08 if frame.to_client else 0)
        | (0x10 if frame.quiet else 0)
    )
    code = frame.manufacturer.to_bytes(2, "little") if frame.manufacturer else b""
    return bytes((control,)) + code + bytes((frame.sequence, frame.command)) + frame.payload
