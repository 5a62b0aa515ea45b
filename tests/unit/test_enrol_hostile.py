"""What comes over the network or from a card may be anything: it is refused in words, and nothing breaks."""

from __future__ import annotations

import base64
import json
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import SubjectAlternativeName, load_pem_x509_certificate
from hypothesis import example, given
from hypothesis import strategies as st

from homenode.enrol import keys
from homenode.enrol.boot import wipe
from homenode.enrol.client import Answer, Office, der_of, json_of
from homenode.enrol.finding import _records
from homenode.enrol.proof import opened, signed
from homenode.enrol.provision_file import Provision, provision_of
from homenode.enrol.state import read
from homenode.errors import FileMistakes, Refused
from homenode.install.home_file import replace
from homenode.office.est import basic, request_of
from homenode.panel.enrolment import shown

FIELDS = st.sampled_from(["office", "ca", "code", "home", "network", "time", "service_key"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CA = (Path(__file__).parent / "office-ca.pem").read_bytes()


def answer(body: bytes, **headers: str) -> Answer:
    return Answer(200, {name.replace("_", "-"): text for name, text in headers.items()}, body, 0)


def read_or_told(text: str) -> Provision | tuple[object, ...]:
    try:
        return provision_of(text, "f")
    except FileMistakes as wrong:
        return wrong.mistakes


@given(st.text())
@example("home: {files: {home.yaml: &a [*a]}}")
@example("network: []")
@example("ca: " + "x" * 100_000)
@example("office: https://[::1]:99999\nca_sha256: " + "f" * 64)
def test_a_provisioning_file_is_read_or_its_mistakes_are_told(text: str) -> None:
    assert read_or_told(text) != ()


@given(st.dictionaries(FIELDS, ANYTHING))
@example({"ca": "\x80"})
def test_whatever_stands_in_a_field_is_told(said: dict[str, object]) -> None:
    assert read_or_told(json.dumps(said)) != ()


@given(st.binary(max_size=600))
@example(b"\x12\x34\x81\x80" + bytes(8))
@example(b"\x12\x34\x81\x80\x00\x00\x00\x01" + bytes(4) + b"\xc0\x0c" * 20)
def test_a_name_server_may_answer_anything(data: bytes) -> None:
    try:
        found = _records(data, 0x1234)
    except (IndexError, UnicodeDecodeError, struct.error):
        return  # `ask` takes it for no answer
    assert all(len(row) == 4 for row in found)


@given(st.binary(max_size=400), st.sampled_from(["application/pkcs10", "text/html", ""]))
def test_no_request_but_a_request_is_one(body: bytes, kind: str) -> None:
    for data in (body, base64.b64encode(body)):
        with pytest.raises(Refused):
            request_of(data, kind)


def test_a_request_with_a_name_of_a_kind_that_nobody_uses_is_none() -> None:
    names = x509.UnrecognizedExtension(SubjectAlternativeName.oid, bytes.fromhex("3002a300"))  # x400Address
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, False)
    der = made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(Refused):
        request_of(base64.b64encode(der), "application/pkcs10")


def test_a_request_that_somebody_changed_is_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    der = keys.first_request(key, "10000000abcdef01")
    asked = request_of(base64.encodebytes(der), "Application/PKCS10; charset=x")
    assert asked.public_key() == key.public_key()
    with pytest.raises(Refused):
        request_of(
            base64.b64encode(der.replace(b"10000000abcdef01", b"10000000abcdef02")), "application/pkcs10"
        )


@given(st.text())
def test_a_header_says_who_it_is_or_nobody(text: str) -> None:
    serial, code = basic(text)
    assert isinstance(serial + code, str)
    assert basic("Basic " + base64.b64encode(b"1234:AB:CD").decode()) == ("1234", "AB:CD")
    assert basic("Bearer abc") == ("", "")


@given(st.text() | st.binary().map(lambda data: data.hex()))
def test_no_proof_but_a_proof_is_one(text: str) -> None:
    der = load_pem_x509_certificate(CA).public_bytes(Encoding.DER)
    with pytest.raises(Refused):
        opened(text, der)


def test_a_proof_by_another_key_is_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = signed({"home": "h"}, pem)
    with pytest.raises(Refused, match="not signed"):
        opened(text, load_pem_x509_certificate(CA).public_bytes(Encoding.DER))
    with pytest.raises(Refused):
        opened(text, b"")


def test_an_answer_is_what_was_asked_for_or_refused() -> None:
    assert der_of(answer(b"MAA=\r\n")) == b"0\x00"
    assert der_of(answer(b"\x30\x82\x01\x00")) == b"\x30\x82\x01\x00"  # bare, as some servers have it
    for body in (b"<html>", b"\xff\xfe"):
        with pytest.raises(Refused):
            der_of(answer(body))
    for body in (b"", b"[]", b"{", b"[" * 100_000):
        with pytest.raises(Refused):
            json_of(answer(body))


@pytest.mark.parametrize(("said", "seconds"), [
    ("120", 120), ("", 0), ("soon", 0), ("-5", 0), ("9" * 30, 999_999_999),
    ("Thu, 01 Jan 1970 00:02:00 GMT", 120), ("Wed, 31 Dec 1969 00:00:00 GMT", 0),
])  # fmt: skip
def test_when_to_come_again_is_said_in_seconds_or_as_a_time(said: str, seconds: int) -> None:
    assert answer(b"", retry_after=said).again_s == seconds


def test_certificates_that_are_none_are_told(tmp_path: Path) -> None:
    for ca in ("", "x", "ä", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(Refused):
            Office("https://localhost", ca)
    with pytest.raises(Refused):
        Office("https://localhost", CA.decode(), (tmp_path / "none.pem", tmp_path / "none.key"))


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://[o]:1", "https://a..b", "https://o:99999", "https://o:x"]
)
def test_an_address_that_a_name_server_made_up_is_nobodys(url: str) -> None:
    with pytest.raises(Refused):
        Office(url, CA.decode()).ask("GET", "/")


def test_a_damaged_key_is_put_aside_and_a_new_one_made(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(b"\0" * 200)
    key = keys.own_key(path)
    assert (tmp_path / "node.damaged").read_bytes() == b"\0" * 200
    assert keys.own_key(path).public_key() == key.public_key()
    assert keys.held(path, key.public_key()) is None


def test_what_a_power_cut_left_of_a_process_with_this_number_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f".node.pem.{os.getpid()}").write_text("half")
    replace(tmp_path / "node.pem", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["node.pem"]


def test_a_certificate_without_a_serial_number_is_of_the_box_that_it_names(tmp_path: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime(2026, 3, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "10000000abcdef01")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    (tmp_path / "node.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    found = keys.held(tmp_path / "node.pem", key.public_key())
    assert found is not None
    assert found[0].serial == "10000000abcdef01"


def test_news_that_are_damaged_are_none(tmp_path: Path) -> None:
    for text in ("", "[]", "{", "7", "null"):
        (tmp_path / "state.json").write_text(text)
        assert read(tmp_path / "state.json") == {}
    assert read(tmp_path / "none") == {}
    assert shown({}, "sv") is None
    assert shown({"state": 7, "why": [], "do": {"sv": 1}, "serial": {}}, "sv") is not None


def test_what_is_wiped_twice_is_wiped(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("secret")
    wipe(tmp_path / "f")
    wipe(tmp_path / "f")
    assert not (tmp_path / "f").exists()
