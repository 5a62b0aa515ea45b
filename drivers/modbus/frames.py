"""Questions and answers of Modbus, as bytes (pure).

A question asks one unit for SIZE registers of 16 bits from ADDRESS on, by function 3 (holding registers) or
4 (input registers): Modbus Application Protocol 1.1b3, clauses 6.3 and 6.4. On a serial line a frame is the
unit's number, that, and a CRC-16 of both (Modbus over Serial Line 1.02, clause 2.5.1); over TCP a header
stands before it instead (Modbus Messaging on TCP/IP 1.0b, clause 3.1.3).

Own code: two functions are 60 lines. pymodbus 3.16 costs 3 MB and wants pyserial, drops what follows noise,
and its names change from one minor version to the next; the tests speak to its server.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HOLDING, INPUT = 3, 4
MOST = 125
"""Registers of one question (clause 6.3)."""
_FAILED = 0x80

DENIALS = {
    1: "doesn't know this function",
    2: "has no such register",
    3: "refuses the number of registers",
    4: "has failed",
    5: "needs longer",
    6: "is busy",
    8: "has a memory error",
    10: "can't be reached by the gateway",
    11: "doesn't answer the gateway",
}
"""Exception codes (clause 7)."""


class Denied(Exception):
    """The unit answers that it can't. `code`: clause 7."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"{DENIALS.get(code, 'refuses')} (exception {code})")


class Question(NamedTuple):
    """Registers of one unit."""

    unit: int
    function: int
    address: int
    size: int

    def over_serial(self) -> bytes:
        """The frame of RTU."""
        body = struct.pack(">BBHH", *self)
        return body + crc(body)

    def over_tcp(self, number: int) -> bytes:
        """The frame of Modbus TCP, `number` of its transaction."""
        return struct.pack(">HHHBBHH", number, 0, 6, *self)

    def from_serial(self, came: bytes) -> tuple[int, ...] | None:
        """The registers in what came, noise or not; None if the answer isn't there. Raises Denied."""
        for at in range(len(came)):
            length = self._length(came[at:])
            frame = came[at : at + length + 2]
            if length and len(frame) == length + 2 and crc(frame[:-2]) == frame[-2:]:
                return self._registers(frame[:-2])
        return None

    def from_tcp(self, came: bytes, number: int) -> tuple[int, ...] | None:
        """The same over TCP: answers of other transactions, which came late, are none."""
        head, at = struct.pack(">HH", number, 0), -1
        while (at := came.find(head, at + 1)) >= 0:
            body = came[at + 6 :]
            length = self._length(body)
            if length and len(body) >= length and came[at + 4 : at + 6] == struct.pack(">H", length):
                return self._registers(body[:length])
        return None

    def _length(self, body: bytes) -> int:
        """Of the answer that `body` begins with, from the unit on; 0 if it begins with none."""
        unit, rest = body[:1], body[1:3]
        if unit == bytes([self.unit]) and rest == bytes([self.function, 2 * self.size]):
            return 3 + 2 * self.size
        return 3 if unit == bytes([self.unit]) and rest[:1] == bytes([self.function | _FAILED]) else 0

    def _registers(self, body: bytes) -> tuple[int, ...]:
        if body[1] & _FAILED:
            raise Denied(body[2])
        return struct.unpack(f">{self.size}H", body[3:])


def crc(data: bytes) -> bytes:
    """CRC-16, low byte first (Modbus over Serial Line, clause 6.2.2)."""
    found = 0xFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0xA001 if found & 1 else 0)
    return struct.pack("<H", found)
