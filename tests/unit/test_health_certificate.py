"""How long a certificate is in force, as others write it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC as UTC_
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from homenode.contract.times import Zone
from homenode.health.certificate import Life, life_of
from homenode.health.record import Record
from tests.unit.health_seen import NOTHING_SAID, SEEN


def certificate(begins: datetime, ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vaxjo-0412")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 5, begins, ends)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("year", [2027, 2049, 2050, 2062, 9999])
def test_the_life_of_a_certificate_is_read_as_others_write_it(year: int) -> None:
    """UTCTime up to 2049, GeneralizedTime after it; the last means no end."""
    begins, ends = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC_), datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC_)
    pem = certificate(begins, ends)
    life = life_of(b"text before\n" + pem + pem)
    assert life == Life("20260102030405", f"{min(year, 9998)}1231235959")
    seen = replace(SEEN, certificate=life)
    assert Record().figures(seen, NOTHING_SAID, Zone("Asia/Tokyo"), trusted=True)["certificate_until"]
    assert life_of(pem[: len(pem) // 2]) is None


@given(st.binary(max_size=80))
def test_what_is_no_certificate_has_no_life(junk: bytes) -> None:
    assert life_of(junk) is None
    assert life_of(b"-----BEGIN CERTIFICATE-----" + junk + b"-----END CERTIFICATE-----") is None


def test_what_is_cut_or_of_another_kind_is_no_certificate() -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC_)
    whole = b64decode(certificate(begins, datetime(2027, 1, 1, tzinfo=UTC_)).split(b"-----")[2])
    at = whole.index(b"260101000000Z")
    for broken in (
        whole[:at] + b"261301000000Z" + whole[at + 13 :],  # the 13th month
        whole[:at] + b"26010100000+Z" + whole[at + 13 :],
        whole[: at - 2] + b"\x16" + whole[at - 1 :],  # no time, by its tag
        b"\x31" + whole[1:],
        whole[:40],
    ):
        pem = b"-----BEGIN CERTIFICATE-----" + b64encode(broken) + b"-----END CERTIFICATE-----"
        assert life_of(pem) is None
