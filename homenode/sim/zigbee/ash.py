"""ASH frames, the serial framing of EZSP sticks: bytes to frames and back. Pure.

Source of every constant and rule: Silicon Labs UG101, "UART Gateway Protocol Reference".
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

FLAG, ESCAPE, XON, XOFF, SUBSTITUTE, CANCEL = 0x7E, 0x7D, 0x11, 0x13, 0x18, 0x1A
VERSION = 2
"""The ASH version in RSTACK and ERROR."""

LONGEST_DATA_B = 220
"""Longest EZSP frame that current sticks take (UG100 2.1: 200, raised to 220 with protocol 13)."""

_LONGEST_FRAME_B = 2 * (1 + LONGEST_DATA_B + 2)


class Reset(IntEnum):
    """Codes of RSTACK and ERROR (UG101, 6)."""

    UNKNOWN = 0x00
    EXTERNAL = 0x01
    POWER_ON = 0x02
    WATCHDOG = 0x03
    ASSERT = 0x06
    BOOTLOADER = 0x09
    SOFTWARE = 0x0B
    ACK_TIMEOUTS = 0x51

    @property
    def fails(self) -> bool:
        """Whether the stick comes up in the FAILED state and says ERROR rather than RSTACK."""
        return self in (Reset.WATCHDOG, Reset.ASSERT, Reset.ACK_TIMEOUTS)


@dataclass(frozen=True, slots=True)
class Data:
    """One EZSP frame."""

    number: int
    ack: int
    again: bool
    ezsp: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """All frames before `ack` have arrived; `nak`: and what followed was not understood."""

    ack: int
    not_ready: bool = False
    nak: bool = False


@dataclass(frozen=True, slots=True)
class Rst:
    """The host wants the stick to reset."""


@dataclass(frozen=True, slots=True)
class RstAck:
    """The stick was reset; `failed`: the frame is ERROR."""

    code: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no frame: bad checksum, too short or too long, unknown type, a line error."""

    what: str


Frame = Data | Ack | Rst | RstAck | Garbage


def _pseudo_random() -> bytes:
    """The sequence that DATA is xored with (UG101 4.3): an 8-bit shift register from 0x42."""
    out, register = bytearray(), 0x42
    for _ in range(_LONGEST_FRAME_B):
        out.append(register)
        register = register >> 1 ^ (0xB8 if register & 1 else 0)
    return bytes(out)


_MASK = [int.from_bytes(_pseudo_random()[:length], "big") for length in range(_LONGEST_FRAME_B)]
_STUFF = {bytes((b,)): bytes((ESCAPE, b ^ 0x20)) for b in (FLAG, ESCAPE, XON, XOFF, SUBSTITUTE, CANCEL)}
_RESERVED = re.compile(b"[\x7e\x7d\x11\x13\x18\x1a]")
_END = re.compile(b"[\x7e\x18\x1a]")
_FLOW = bytes((XON, XOFF))


def randomised(data: bytes) -> bytes:
    """DATA's field xored with the pseudo-random sequence; doing it twice gives the field back."""
    length = len(data)
    return (int.from_bytes(data, "big") ^ _MASK[length]).to_bytes(length, "big")


def wire(body: bytes) -> bytes:
    """Control byte and data field as they go over the line: checksum, stuffing, flag."""
    body += crc_hqx(body, 0xFFFF).to_bytes(2, "big")
    return _RESERVED.sub(lambda found: _STUFF[found[0]], body) + b"\x7e"


def encode_data(number: int, ack: int, again: bool, ezsp: bytes) -> bytes:
    """A DATA frame as wire bytes. This is the hot path of the whole simulator."""
    return wire(bytes((number << 4 | again << 3 | ack,)) + randomised(ezsp))


def encode(frame: Frame) -> bytes:
    """Any frame as wire bytes."""
    match frame:
        case Data():
            return encode_data(frame.number, frame.ack, frame.again, frame.ezsp)
        case Ack():
            return wire(bytes(((0xA0 if frame.nak else 0x80) | frame.not_ready << 3 | frame.ack,)))
        case Rst():
            return wire(b"\xc0")
        case RstAck():
            return wire(bytes((0xC2 if frame.failed else 0xC1, VERSION, frame.code)))
        case Garbage():
            raise ValueError(f"{frame} can't be sent")


def decode(body: bytes) -> Frame:
    """A frame from what stands between two flags, unstuffed, with its checksum."""
    if len(body) < 3:
        return Garbage("too short")
    if crc_hqx(body, 0xFFFF):
        return Garbage("bad checksum")
    control, field = body[0], body[1:-2]
    if control < 0x80:
        if not 3 <= len(field) <= LONGEST_DATA_B:
            return Garbage("DATA of a length that can't be")
        return Data(control >> 4, control & 7, bool(control & 8), randomised(field))
    if control < 0xC0 and not field:
        return Ack(control & 7, bool(control & 8), bool(control & 0x20))
    if control == 0xC0 and not field:
        return Rst()
    if control in (0xC1, 0xC2) and len(field) == 2 and field[0] == VERSION:
        return RstAck(field[1], control == 0xC2)
    return Garbage("unknown frame type")


class Deframer:
    """Cuts a byte stream into frames; remembers what is incomplete and whether the other side says stop.

    Attributes:
        stopped: The other side has sent XOFF and no XON since.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._rest = b""
        self._discarding = False

    def reset(self) -> None:
        """Forget the incomplete frame."""
        self._rest, self._discarding, self.stopped = b"", False, False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames that `data` completes, in order."""
        if XON in data or XOFF in data:
            self.stopped = data.rfind(XOFF) > data.rfind(XON)
            data = data.translate(None, _FLOW)
        data = self._rest + data
        start = 0
        for end in _END.finditer(data):
            body, start = data[start : end.start()], end.end()
            match end[0][0]:
                case 0x1A:  # CANCEL: what came since the last flag was a start-up glitch
                    self._discarding = False
                case 0x18:  # SUBSTITUTE: the UART saw a framing error; void until the next flag
                    self._discarding = True
                case _ if self._discarding:
                    self._discarding = False
                    yield Garbage("line error")
                case _ if body:
                    yield decode(_unstuffed(body))
        self._rest = data[start:]
        if len(self._rest) > _LONGEST_FRAME_B:
            self._rest, self._discarding = b"", True


def _unstuffed(body: bytes) -> bytes:
    if ESCAPE not in body:
        return body
    head, *parts = body.split(b"\x7d")
    return head + b"".join(bytes((part[0] ^ 0x20,)) + part[1:] for part in parts if part)
