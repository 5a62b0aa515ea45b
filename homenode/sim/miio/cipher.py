"""miIO's packets, from the device's end: read a request, make an answer.

The header is 2131, length, zeros, the device's id and its seconds since it started; then MD5 over header,
token and data; then JSON under AES-128-CBC. Key: MD5 of the token; IV: MD5 of key and token.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

HEADER = struct.Struct(">HHIII")
MAGIC = 0x2131
HELLO = bytes.fromhex("21310020" + "ff" * 28)


class Deaf(ValueError):
    """A packet that a real device drops without a word."""


def greeting(device: int, stamp_s: int) -> bytes:
    """The answer to a hello: no data; where the token stood before the set-up, all ones."""
    return HEADER.pack(MAGIC, 32, 0, device, stamp_s) + b"\xff" * 16


def sealed(device: int, stamp_s: int, body: bytes, token: bytes) -> bytes:
    """A packet with data."""
    padder = PKCS7(128).padder()
    made = _cipher(token).encryptor()
    data = made.update(padder.update(body) + padder.finalize()) + made.finalize()
    header = HEADER.pack(MAGIC, 32 + len(data), 0, device, stamp_s)
    return header + hashlib.md5(header + token + data).digest() + data


def opened(raw: bytes, token: bytes) -> tuple[int, int, dict[str, Any]]:
    """Device id, stamp and JSON of a request.

    Raises:
        Deaf: It is damaged, or was made with another token.
    """
    if len(raw) <= 32:
        raise Deaf("no data")
    magic, length, _, device, stamp_s = HEADER.unpack_from(raw)
    if magic != MAGIC or length != len(raw):
        raise Deaf("no packet")
    if raw[16:32] != hashlib.md5(raw[:16] + token + raw[32:]).digest():
        raise Deaf("another token")
    made = _cipher(token).decryptor()
    try:
        unpadder = PKCS7(128).unpadder()
        plain = unpadder.update(made.update(raw[32:]) + made.finalize()) + unpadder.finalize()
        body = json.loads(plain.rstrip(b"\0"))
    except ValueError as error:
        raise Deaf("no JSON") from error
    if not isinstance(body, dict):
        raise Deaf("no JSON object")
    return device, stamp_s, body


def _cipher(token: bytes) -> Cipher[modes.CBC]:
    key = hashlib.md5(token).digest()
    return Cipher(algorithms.AES(key), modes.CBC(hashlib.md5(key + token).digest()))
