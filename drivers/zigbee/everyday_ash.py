"""ASH's everyday frames, read without bellows: data in its order, and acknowledgements.

bellows reads them byte by byte and into objects: a tenth of what a report costs. What is damaged, out of
order, repeated, a reset or flow control goes to bellows as it came, and so does everything if a later bellows
keeps its state otherwise. Layouts: UG101 (ASH), sections 2 and 4.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Any

from bellows.ash import PSEUDO_RANDOM_DATA_SEQUENCE, AckFrame

_FLAG, _ESCAPE, _FLIPPED = b"\x7e", b"\x7d", 0x20
_RESERVED = frozenset(b"\x7e\x7d\x11\x13\x18\x1a")
_UNUSUAL = b"\x11\x13\x18\x1a"
"""XON, XOFF, SUBSTITUTE and CANCEL: never within a frame, where they are escaped."""
_SHORTEST, _LONGEST = 3, 3 + len(PSEUDO_RANDOM_DATA_SEQUENCE)
_NO_DATA, _KIND, _ACK = 0x80, 0xE0, 0x80
"""Of the control byte: not a data frame; which other one; an acknowledgement."""
_NEEDED = (
    "_buffer", "_discarding_until_next_flag", "_ezsp_protocol", "_handle_ack", "_in_reject_condition",
    "_pending_data_frames", "_rx_seq", "_suppress_acks", "_transport",
)  # fmt: skip


def _acknowledgement(number: int) -> bytes:
    frame = AckFrame(res=0, ncp_ready=0, ack_num=number).to_bytes()
    return b"".join(
        _ESCAPE + bytes((byte ^ _FLIPPED,)) if byte in _RESERVED else bytes((byte,)) for byte in frame
    )


_ACKNOWLEDGEMENTS = tuple(_acknowledgement(number) + _FLAG for number in range(8))


class EverydayAsh:
    """Stands before bellows' protocol, whose state it shares.

    Args:
        ash: bellows' `AshProtocol`.
    """

    def __init__(self, ash: Any) -> None:
        self._ash, self._general = ash, ash.data_received

    def data_received(self, data: bytes) -> None:
        """Bytes of the stick, however they are cut."""
        ash, at = self._ash, 0
        if ash._buffer:
            data = bytes(ash._buffer) + data
            ash._buffer.clear()
        try:
            while not ash._discarding_until_next_flag and (end := data.find(_FLAG, at)) >= 0:
                frame = _unstuffed(data[at:end])
                if frame is None or not self._knows(frame):
                    break
                at = end + 1  # before: whatever is raised is not read twice
                self._take(frame)
        finally:
            if at < len(data):
                self._general(data[at:])

    def _knows(self, frame: bytes) -> bool:
        """Whether this is whole, and an acknowledgement or the data that is to come next."""
        if not _SHORTEST <= len(frame) <= _LONGEST or crc_hqx(frame, 0xFFFF):
            return False
        control, ash = frame[0], self._ash
        if control & _NO_DATA:
            return control & _KIND == _ACK
        usual = not ash._in_reject_condition and control >> 4 == ash._rx_seq
        return usual and ash._transport is not None and not ash._transport.is_closing()

    def _take(self, frame: bytes) -> None:
        control, ash = frame[0], self._ash
        if ash._pending_data_frames:
            ash._handle_ack(AckFrame(res=0, ncp_ready=0, ack_num=control & 0x07))
        if control & _NO_DATA:
            return
        ash._rx_seq = (ash._rx_seq + 1) % 8
        if not ash._suppress_acks:
            ash._transport.write(_ACKNOWLEDGEMENTS[ash._rx_seq])
        length = len(frame) - _SHORTEST
        mask = int.from_bytes(PSEUDO_RANDOM_DATA_SEQUENCE[:length], "big")
        ash._ezsp_protocol.data_received((int.from_bytes(frame[1:-2], "big") ^ mask).to_bytes(length, "big"))


def _unstuffed(stuffed: bytes) -> bytes | None:
    """What stands between two flags, without escapes; None if there is what can't be within a frame."""
    if len(stuffed.translate(None, _UNUSUAL)) != len(stuffed):
        return None
    first, *rest = stuffed.split(_ESCAPE)
    if not rest:
        return stuffed
    for part in rest:
        if not part or part[0] ^ _FLIPPED not in _RESERVED:
            return None
    return first + b"".join(bytes((part[0] ^ _FLIPPED,)) + part[1:] for part in rest)


def stand_before(ash: Any) -> None:
    """Read the everyday frames of this protocol, if it keeps its state as bellows 1.2 does."""
    if all(hasattr(ash, name) for name in _NEEDED):
        ash.data_received = EverydayAsh(ash).data_received
