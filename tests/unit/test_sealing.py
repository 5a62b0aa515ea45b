"""What goes to a party with a key can be read by that party only, and tells others as little as can be."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from homenode.contract import alert, sealed, topics
from homenode.contract.alert import Told
from homenode.errors import FileMistakes, Refused, SetupError
from homenode.sealing import keys as key_files
from homenode.sealing.command import command
from homenode.sealing.keys import Unsuitable, private_key, public_key
from homenode.sealing.seals import Seals, opened
from tests.contract import CONTRACT

CURVES = {"X25519": x25519.X25519PrivateKey.generate(), "P-256": ec.generate_private_key(ec.SECP256R1())}
OTHERS = {
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "RSA": rsa.generate_private_key(65537, 2048),
}


def pair(key: PrivateKeyTypes) -> tuple[str, str]:
    """Private and public, as PEM."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = pair(CURVES["X25519"])
SEALS = Seals("h1", {"care": PUBLIC})
ALERTS, STATUS = topics.alerts("h1", "care"), topics.status("h1", "care")


def an_alert(told: Told = Told.NOTIFIED, rule: str = "help_button") -> bytes:
    data = {"alert": f"{rule}:1767651193435", "rule": rule, "at": "2026-01-05T23:30:00.000+01:00"}
    made = alert.payload(
        home="h1", message_id=f"{rule}:1.care.1", told=told, subject=rule, time=data["at"], data=data
    )
    return alert.numbered(made, 7, "e1")


@pytest.mark.parametrize("curve", sorted(CURVES))
def test_only_the_private_key_opens_what_the_public_key_sealed(curve: str) -> None:
    private, public = pair(CURVES[curve])
    told = json.loads(Seals("h1", {"care": public}).seal(STATUS, b'{"open":[]}'))
    assert set(told) == {"jwe"}
    assert opened(told["jwe"], private_key(private)) == (STATUS, b'{"open":[]}')
    (stranger,) = [key for name, key in CURVES.items() if name != curve]
    for other in (stranger, x25519.X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(Refused, match="doesn't open"):
            opened(told["jwe"], private_key(pair(other)[0]))


def test_what_was_changed_on_its_way_is_not_opened() -> None:
    text = json.loads(SEALS.seal(STATUS, b"{}"))["jwe"]
    parts = text.split(".")
    head = json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(head | {"topic": ALERTS}).encode()).decode().rstrip("=")
    for wrong in (".".join([forged, *parts[1:]]), text[:-9] + text[-8:], text[1:], "x", "....", ""):
        with pytest.raises(Refused):
            opened(wrong, private_key(PRIVATE))


def test_parties_without_a_key_and_the_link_are_told_in_plain() -> None:
    for topic in (topics.status("h1", "property"), topics.link("h1"), topics.status("h2", "care")):
        assert SEALS.seal(topic, b"{}") == b"{}"
    assert SEALS.seal(topics.reading("h1", "care", "eye.motion"), b"") == b"", "taken back"
    assert SEALS.key_id("property") == ""
    assert SEALS.key_id("care")


def test_an_alert_stays_a_cloudevent_with_its_place_and_tells_nothing_else() -> None:
    plain = an_alert()
    event = json.loads(SEALS.seal(ALERTS, plain))
    assert event.pop("data")
    assert event == {
        "specversion": "1.0",
        "type": "hn1.alert.sealed",
        "source": "hn1/h1",
        "id": "e1.care.7",
        "datacontenttype": "application/jose",
        "sequence": "7",
        "epoch": "e1",
    }
    again = json.loads(SEALS.seal(ALERTS, plain))
    assert again["id"] == "e1.care.7"
    assert opened(again["data"], private_key(PRIVATE)) == (ALERTS, plain)


def test_the_length_does_not_tell_what_happens() -> None:
    lengths = {
        len(SEALS.seal(ALERTS, an_alert(told, rule)))
        for told in Told
        for rule in ("a", "help_button", "no_sign_of_life_by_the_door")
    }
    assert len(lengths) == 1


def test_sealed_messages_are_in_the_contract() -> None:
    reading = topics.reading("h1", "care", "eye.motion")
    for topic, retain in ((ALERTS, False), (STATUS, True), (reading, True), (reading, False)):
        told = SEALS.seal(topic, an_alert())
        assert CONTRACT.why_not(topic, told, retain=retain) == ""
        spoilt = told.replace(b'"jwe"', b'"jew"').replace(b'"epoch"', b'"time"')
        assert CONTRACT.why_not(topic, spoilt, retain=retain)


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        (PRIVATE, "a private key, which nobody but the party may have"),
        (pair(OTHERS["P-384"])[1], "curve P-384"),
        (pair(OTHERS["Ed25519"])[1], "curve Ed25519"),
        (pair(OTHERS["RSA"])[1], "such as RSA"),
        ("", "no public key in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a certificate"),
    ],
)
def test_what_is_no_public_key_for_it_is_named(pem: str, told: str) -> None:
    with pytest.raises(Unsuitable, match=told):
        public_key(pem)


def test_a_private_key_that_can_not_be_used_is_named() -> None:
    locked = CURVES["X25519"].private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    for pem, told in (
        (PUBLIC, "a public key"),
        (locked.decode(), "protected by a password"),
        ("x", "no priv"),
    ):
        with pytest.raises(Unsuitable, match=told):
            private_key(pem)


def run(key: str, said: str, folder: Path) -> tuple[int, str, str]:
    (folder / "key.pem").write_text(key)
    out, err = io.StringIO(), io.StringIO()
    status = command(folder / "key.pem", io.StringIO(said), out, err)
    return status, out.getvalue(), err.getvalue()


def test_open_reads_a_stream_of_envelopes_lines_of_mosquitto_sub_and_plain_messages(tmp_path: Path) -> None:
    event, status = SEALS.seal(ALERTS, an_alert()).decode(), SEALS.seal(STATUS, b'{"open":[]}').decode()
    bare = json.loads(status)["jwe"]
    lines = [event, f"{STATUS} {status}", "", bare, json.dumps(bare), '{"online":true}', "hn1/h1/link {}"]
    code, out, err = run(PRIVATE, "\n".join(lines), tmp_path)
    assert (code, err) == (0, "")
    plain = '{"open":[]}'
    expected = [an_alert().decode(), f"{STATUS} {plain}", plain, plain, '{"online":true}', "hn1/h1/link {}"]
    assert out.splitlines() == expected


def test_open_goes_on_behind_what_it_can_not_open_and_ends_with_1(tmp_path: Path) -> None:
    status = SEALS.seal(STATUS, b"{}").decode()
    lines = ["{", f"{ALERTS} {status}", '{"jwe": "x"}', "[" * 100_000, status]
    code, out, err = run(PRIVATE, "\n".join(lines), tmp_path)
    assert code == 1
    assert out == "{}\n"
    told = err.splitlines()
    assert "line 1: no JSON" in told[0]
    assert f"sent under {STATUS} and came under {ALERTS}" in told[1]
    assert "doesn't open" in told[2]
    assert len(told) == 4


def test_open_says_what_is_wrong_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="a public key"):
        run(PUBLIC, "", tmp_path)
    with pytest.raises(SetupError, match="No such file"):
        command(tmp_path / "none.pem", io.StringIO(), io.StringIO(), io.StringIO())


HOME = """\
home: h1
timezone: UTC
devices: {}
keys: {KEYS}
"""


def mistakes(folder: Path, keys: str) -> list[str]:
    from homenode.config.load import load_home

    (folder / "home.yaml").write_text(HOME.replace("KEYS", keys))
    try:
        home = load_home(folder / "home.yaml", drivers={})
    except FileMistakes as wrong:
        return [str(mistake) for mistake in wrong.mistakes]
    assert home.keys == ({"care": PUBLIC} if keys else {})
    return []


def test_check_tells_every_key_that_can_not_be_used_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "care.pem").write_text(PUBLIC)
    (tmp_path / "mine.pem").write_text(PRIVATE)
    (tmp_path / "rsa.pem").write_text(pair(OTHERS["RSA"])[1])
    (tmp_path / "bytes.pem").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    assert mistakes(tmp_path, "") == []
    assert mistakes(tmp_path, "care: care.pem") == []
    told = mistakes(tmp_path, "care: none.pem, property: mine.pem, resident: rsa.pem, operator: folder")
    for line, words in zip(told, ("no such file", "private key", "RSA", "a folder"), strict=True):
        assert words in line
        assert ":4:" in line
        assert "X25519" in line
    assert "not UTF-8" in mistakes(tmp_path, "care: bytes.pem")[0]
    assert "did you mean care" in mistakes(tmp_path, "car: care.pem")[0]
    assert "a file" in mistakes(tmp_path, "care: [care.pem]")[0]


def test_without_the_extra_check_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise SetupError("keys: needs a library that is not installed", do="pip install 'homenode[keys]'")

    (tmp_path / "care.pem").write_text(PUBLIC)
    monkeypatch.setattr(key_files, "_library", missing)
    assert "pip install 'homenode[keys]'" in mistakes(tmp_path, "care: care.pem")[0]


def test_a_replay_opens_no_key(tmp_path: Path) -> None:
    from homenode.config.load import load_home

    (tmp_path / "home.yaml").write_text(HOME.replace("KEYS", "care: none.pem"))
    assert load_home(tmp_path / "home.yaml", drivers={}, files=False).keys == {}


def test_fill_makes_whole_steps() -> None:
    for length in (0, 1, 511, 512, 513):
        filled = sealed.filled(b"x" * length)
        assert len(filled) % sealed.STEP_B == 0
        assert filled.rstrip() == b"x" * length
