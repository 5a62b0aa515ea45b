"""One packet of miIO: 32 bytes of header, then JSON under AES-128-CBC with a key made of the token (pure).

``2131`` · length · 0 · id of the device · its seconds since it started · MD5 over header, token and data.
Read off python-miio 0.5.12 (miio/protocol.py); a hello has its fields all ones, and its answer no data.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any, NamedTuple

MAGIC = 0x2131
HELLO = struct.pack(">HHIII", MAGIC, 32, *[0xFFFFFFFF] * 3) + b"\xff" * 16
_HEADER = struct.Struct(">HHIII")
_BLOCK = 16


class Unreadable(ValueError):
    """No packet, or a damaged one."""


class OtherToken(Unreadable):
    """A whole packet that was not made with this token."""


class Packet(NamedTuple):
    """What came.

    Attributes:
        device: Its id.
        stamp_s: Seconds since it started.
        body: The JSON of it; None in the answer to a hello.
    """

    device: int
    stamp_s: int
    body: dict[str, Any] | None


def build(device: int, stamp_s: int, body: dict[str, Any], token: bytes) -> bytes:
    """A request."""
    data = _crypt(json.dumps(body, separators=(",", ":")).encode() + b"\0", token)
    header = _HEADER.pack(MAGIC, 32 + len(data), 0, device, stamp_s)
    return header + hashlib.md5(header + token + data).digest() + data


def read(raw: bytes, token: bytes) -> Packet:
    """What a device sent.

    Raises:
        OtherToken: Its sum was made with another token.
        Unreadable: It is no packet.
    """
    if len(raw) < 32:
        raise Unreadable("shorter than a header")
    magic, length, _, device, stamp_s = _HEADER.unpack_from(raw)
    if magic != MAGIC or length != len(raw):
        raise Unreadable("no miIO packet")
    data = raw[32:]
    if not data:
        return Packet(device, stamp_s, None)
    if raw[16:32] != hashlib.md5(raw[:16] + token + data).digest():
        raise OtherToken("the sum doesn't fit the token")
    try:
        # Devices end their JSON with a NUL, and some send more than one (python-miio, miio/protocol.py).
        body = json.loads(_plain(data, token).rstrip(b"\0"))
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON in it") from error
    if not isinstance(body, dict):
        raise Unreadable("no JSON object in it")
    return Packet(device, stamp_s, body)


def _cipher(token: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = hashlib.md5(token).digest()
    return Cipher(algorithms.AES(key), modes.CBC(hashlib.md5(key + token).digest()))


def _crypt(plain: bytes, token: bytes) -> bytes:
    short = _BLOCK - len(plain) % _BLOCK
    made = _cipher(token).encryptor()
    whole: bytes = made.update(plain + bytes([short]) * short) + made.finalize()
    return whole


def _plain(data: bytes, token: bytes) -> bytes:
    made = _cipher(token).decryptor()
    whole: bytes = made.update(data) + made.finalize()  # ValueError: not a whole number of blocks
    short = whole[-1]
    if not 1 <= short <= _BLOCK or whole[-short:] != bytes([short]) * short:
        raise ValueError("no padding")
    return whole[:-short]
