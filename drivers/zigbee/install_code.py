"""The install code printed on a device: read, checked, and told apart from what people type instead (pure).

Base Device Behaviour 1.0, 10.1: 6, 8, 12 or 16 bytes and a CRC-16/X-25 of them, least byte first.
"""

from __future__ import annotations

import re

from homenode.errors import Refused

LENGTHS = (6, 8, 12, 16)
_CRC = 2
_QR = re.compile(r"(?i)^Z:(?P<ieee>[0-9a-f]{16})\$I:(?P<code>[0-9a-f]+)")
"""What the square on the device says, as EmberZNet's makers print it."""
_LOOK = "read it again from the device: 8 and B, 0 and D, 5 and 6 look alike; it is not the serial number"


def crc(data: bytes) -> int:
    """CRC-16/X-25."""
    left = 0xFFFF
    for byte in data:
        left ^= byte
        for _ in range(8):
            left = left >> 1 ^ 0x8408 if left & 1 else left >> 1
    return left ^ 0xFFFF


def read_code(text: str, address: str = "") -> tuple[bytes, str]:
    """Code with its checksum, and the device's IEEE address as home.yaml writes it.

    Args:
        text: As printed, or as a scanner of the square gives it.
        address: The device's, unless the text has it.

    Raises:
        Refused: It is none, or one digit is wrong, or whose it is isn't known.
    """
    scanned = _QR.match(text.strip())
    if scanned:
        text, address = scanned["code"], address or scanned["ieee"]
    digits = re.sub(r"[\s:.-]", "", text)
    where = "install code"
    if wrong := re.search(r"(?i)[^0-9a-f]", digits):
        raise Refused(
            f"an install code has the digits 0-9 and A-F, and no {wrong[0]!r}", where=where, do=_LOOK
        )
    lengths = [2 * (length + _CRC) for length in LENGTHS]
    if len(digits) not in lengths:
        least = "its last four digits, the checksum, are missing" if len(digits) + 4 in lengths else ""
        raise Refused(
            f"an install code has {', '.join(map(str, lengths[:-1]))} or {lengths[-1]} digits; this has "
            f"{len(digits)}" + (f": {least}" if least else ""),
            where=where,
            do=_LOOK,
        )
    code = bytes.fromhex(digits)
    if crc(code[:-_CRC]) != int.from_bytes(code[-_CRC:], "little"):
        raise Refused("the checksum of the install code doesn't fit: a digit is wrong", where=where, do=_LOOK)
    return code, _ieee(address)


def _ieee(address: str) -> str:
    digits = re.sub(r"[\s:.-]|^0[xX]", "", address).lower()
    if not re.fullmatch(r"[0-9a-f]{16}", digits):
        found = f"{address!r} is no address" if address else "whose install code it is isn't said"
        raise Refused(found, where="address", do="such as 00:15:8d:00:02:aa:bb:01, printed beside the code")
    return ":".join(digits[at : at + 2] for at in range(0, 16, 2))
