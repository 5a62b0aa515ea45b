"""When a certificate begins and ends: the two fields of X.509 that health needs (pure).

`cryptography` would take 20 MB for them.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import NamedTuple

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_NEVER = "99981231235959"
"""RFC 5280 writes no end as the last second of 9999, which no time zone east of Greenwich has."""
_SEQUENCE, _VERSION, _UTC, _GENERALIZED = 0x30, 0xA0, 0x17, 0x18


class Life(NamedTuple):
    """From when to when a certificate counts, as `YYYYMMDDhhmmss` in UTC."""

    begins: str
    ends: str


def life_of(pem: bytes) -> Life | None:
    """Of the first certificate in a file; None if there is none or it can't be read.

    RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate, … }; TBSCertificate ::= SEQUENCE { [0] version,
    serialNumber, signature, issuer, validity SEQUENCE { notBefore, notAfter }, … }.
    """
    found = _PEM.search(pem)
    if found is None:
        return None
    try:
        der = base64.b64decode(found[1], validate=False)
        outer, _ = _inside(der, _SEQUENCE)
        rest, _ = _inside(outer, _SEQUENCE)
        if rest[0] == _VERSION:
            rest = _element(rest)[2]
        for _ in ("serialNumber", "signature", "issuer"):
            rest = _element(rest)[2]
        times, _ = _inside(rest, _SEQUENCE)
        tag, begins, times = _element(times)
        other, ends, _ = _element(times)
        return Life(_time(tag, begins), min(_time(other, ends), _NEVER))
    except (ValueError, IndexError):
        return None


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows."""
    tag, length, at = der[0], der[1], 2
    if length & 0x80:
        octets = length & 0x7F
        length, at = int.from_bytes(der[2 : 2 + octets], "big"), 2 + octets
    content = der[at : at + length]
    if len(content) != length:
        raise ValueError("cut off")
    return tag, content, der[at + length :]


def _inside(der: bytes, tag: int) -> tuple[bytes, bytes]:
    found, content, rest = _element(der)
    if found != tag:
        raise ValueError("another structure")
    return content, rest


def _time(tag: int, content: bytes) -> str:
    text = content.decode("ascii")
    if tag == _UTC:  # RFC 5280, 4.1.2.5.1: 50 and above is 19YY
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED:
        raise ValueError("no time of RFC 5280")
    if not re.fullmatch(r"\d{14}Z", text):
        raise ValueError("no time of RFC 5280")
    datetime.strptime(text[:14], "%Y%m%d%H%M%S")
    return text[:14]
