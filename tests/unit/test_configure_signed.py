"""What of a signed configuration is refused, and in which words."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519

from homenode.config.registry import driver_types
from homenode.configure.differences import Difference
from homenode.configure.payload import HIGHEST, LONGEST, TYPE, Configuration, decode
from homenode.configure.signatures import Key, make_pair, read_key, sign, trusted_in, verify
from homenode.configure.taking import Mistaken, Old, Unsigned, allowed, newer, offered, understood
from homenode.errors import HomenodeError, Refused, SetupError

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
HOME = """\
home: h-1
timezone: Europe/Stockholm
devices:
  sink: {driver: gpio, pin: 27, kind: water, room: kitchen}
rules:
  - use: water_leak
    bind: {water: [sink.water]}
"""
GOOD = Configuration("h-1", 7, {"home.yaml": HOME}, "2026-01-05T06:12:03.250+01:00", "Eva")


def pems(key: Any) -> tuple[str, str]:
    private = key.private_bytes(PEM, PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


OPERATOR, CARE = make_pair(), pems(ec.generate_private_key(ec.SECP256R1()))
STRANGER = make_pair()
TRUSTED = {"operator": read_key(OPERATOR[1], "operator.pem"), "care": read_key(CARE[1], "care.pem")}


def private(pair: tuple[str, str]) -> Key:
    return read_key(pair[0], "key", private=True)


def signed(*pairs: tuple[str, str], payload: bytes = GOOD.encode()) -> str:
    text = ""
    for pair in pairs:
        text = sign(payload, private(pair), text)
    return text


def b64(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def why(call: Callable[[], object], error: type[HomenodeError] = Refused) -> str:
    with pytest.raises(error) as refused:
        call()
    return str(refused.value)


# --- signatures


def test_each_party_that_signed_is_known_by_its_key_and_a_stranger_counts_for_nothing() -> None:
    text = signed(OPERATOR, STRANGER, CARE)
    assert verify(text, TRUSTED).parties == {"operator", "care"}
    assert verify(text, {"care": TRUSTED["care"]}).parties == {"care"}
    assert decode(verify(text, TRUSTED).payload) == GOOD
    assert len(json.loads(text)["signatures"]) == 3
    assert why(lambda: verify(signed(STRANGER), TRUSTED)).startswith("no signature by a key that this node")


def test_who_signs_again_has_one_signature() -> None:
    assert len(json.loads(signed(OPERATOR, CARE, OPERATOR))["signatures"]) == 2


def test_a_key_that_both_parties_have_counts_for_both() -> None:
    same = {party: TRUSTED["operator"] for party in TRUSTED}
    assert verify(signed(OPERATOR), same).parties == {"operator", "care"}


def changed(**header: Any) -> str:
    """The operator's signature over a header of another kind."""
    key = private(OPERATOR)
    head = {"alg": key.alg, "typ": TYPE, "kid": key.kid} | header
    head = {name: value for name, value in head.items() if value is not None}
    protected, payload = b64(head), b64(GOOD.encode())
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    real = load_pem_private_key(OPERATOR[0].encode(), None)
    assert isinstance(real, ed25519.Ed25519PrivateKey)
    signature = b64(real.sign(f"{protected}.{payload}".encode()))
    return json.dumps({"payload": payload, "signatures": [{"protected": protected, "signature": signature}]})


def test_one_that_somebody_made_by_hand_is_taken() -> None:
    assert verify(changed(), TRUSTED).parties == {"operator"}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"alg": "none"}, "the signature with operator's key is by 'none' (Ed25519)"),
        ({"alg": "HS256"}, "the signature with operator's key is by 'HS256'"),
        ({"alg": "ES256"}, "the signature with operator's key is by 'ES256'"),
        ({"alg": "EdDSA"}, "the signature with operator's key is by 'EdDSA'"),
        ({"alg": ["Ed25519"]}, "the signature with operator's key is by ['Ed25519']"),
        ({"typ": "JWT"}, "signed as 'JWT', not as a configuration"),
        ({"typ": None}, "a signature's header has alg, kid (exactly alg, typ, kid)"),
        ({"kid": None}, "a signature's header has alg, typ"),
        ({"jwk": {"kty": "OKP"}}, "a signature's header has alg, typ, kid, jwk"),
        ({"jku": "https://evil.example"}, "a signature's header has alg, typ, kid, jku"),
        ({"x5c": ["…"]}, "a signature's header has alg, typ, kid, x5c"),
        ({"crit": ["b64"], "b64": False}, "a signature's header has alg, typ, kid, crit, b64"),
        ({"kid": "somebody"}, "no signature by a key that this node trusts (it trusts operator, care)"),
    ],
)
def test_a_header_that_says_anything_else_is_refused(header: dict[str, Any], words: str) -> None:
    assert why(lambda: verify(changed(**header), TRUSTED)).startswith(words)


def edited(edit: Callable[[dict[str, Any]], object]) -> str:
    body = json.loads(signed(OPERATOR))
    edit(body)
    return json.dumps(body)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda body: body.update(payload=b64(b"{}")), "the signature of operator is not of what came"),
        (lambda body: body["signatures"][0].update(signature=""), "the signature of operator is not of what"),
        (
            lambda body: body["signatures"][0].update(signature="!"),
            "the signature of operator is not of what",
        ),
        (lambda body: body["signatures"][0].update(header={"alg": "none"}), "no JWS (RFC 7515's general"),
        (lambda body: body["signatures"][0].update(protected=7), "no JWS (RFC 7515's general"),
        (lambda body: body["signatures"][0].update(protected="é"), "the header of the JWS is no base64url"),
        (lambda body: body["signatures"][0].update(protected=b64(b"{")), "a signature's header is no JSON"),
        (lambda body: body["signatures"][0].update(protected=b64([])), "a signature's header has []"),
        (lambda body: body.update(signatures=[]), "no JWS: it has no signature, or too many"),
        (lambda body: body.update(signatures=body["signatures"] * 9), "no JWS: it has no signature, or too"),
        (lambda body: body.update(more=1), "no JWS (RFC 7515's general"),
        (lambda body: body.update(payload=None), "no JWS (RFC 7515's general"),
    ],
)
def test_what_is_no_such_jws_is_refused(edit: Callable[[dict[str, Any]], object], words: str) -> None:
    assert why(lambda: verify(edited(edit), TRUSTED)).startswith(words)


@pytest.mark.parametrize("text", ["", "x", "[]", "7", '{"payload": "", "payload": ""}', "[" * 50_000, "NaN"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    assert why(lambda: verify(text, TRUSTED)).startswith("no JWS")


def test_one_that_is_too_long_is_refused_before_it_is_read() -> None:
    assert why(lambda: verify(" " * (LONGEST + 1), TRUSTED)).startswith("the JWS has 60001 characters")


def test_another_payload_gets_no_signature_beside_the_first() -> None:
    told = why(lambda: sign(b"{}", private(CARE), signed(OPERATOR)))
    assert told == "what was signed before is another configuration"


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        (OPERATOR[0], "k.pem: no public key in it"),
        ("", "k.pem: no public key in it"),
        (OPERATOR[1][:70], "k.pem: no public key in it"),
        (pems(x25519.X25519PrivateKey.generate())[1], "k.pem: a key of another kind"),
        (pems(ec.generate_private_key(ec.SECP384R1()))[1], "k.pem: a key of another kind"),
    ],
    ids=["private", "empty", "cut", "X25519", "P-384"],
)
def test_what_is_no_public_key_for_signatures_is_told(pem: str, words: str) -> None:
    assert why(lambda: read_key(pem, "k.pem"), SetupError).startswith(words)


# --- what was signed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 0}, "the configuration's number is no whole number from 1 on"),
        ({"number": True}, "the configuration's number is no whole number"),
        ({"number": 1.0}, "the configuration's number is no whole number"),
        ({"number": HIGHEST + 1}, "the configuration's number is no whole number"),
        ({"home": "H 1"}, "the configuration's home is no id of a home"),
        ({"by": ""}, "the configuration's by must name who made it"),
        ({"by": "a\n"}, "the configuration's by must name who made it"),
        ({"at": "yesterday"}, "the configuration's at is no time like 2026"),
        ({"at": 7}, "the configuration's at is no time like 2026"),
        ({"more": 1}, "what was signed is no configuration"),
        ({"files": {}}, "the configuration has no home.yaml"),
        ({"files": []}, "the configuration has no home.yaml"),
        ({"files": {"home.yaml": 7}}, "home.yaml is no text"),
        ({"files": {"home.yaml": "a\0"}}, "home.yaml is no text"),
        (
            {"files": {"home.yaml": ""} | {f"rules/r{n}.yaml": "" for n in range(200)}},
            "the configuration has 201",
        ),
    ],
)
def test_what_is_no_configuration_is_refused(change: dict[str, Any], words: str) -> None:
    body = json.loads(GOOD.encode()) | change
    assert why(lambda: decode(json.dumps(body).encode())).startswith(words)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[" * 50_000, b'{"home": "a", "home": "b"}', b"NaN"])
def test_what_was_signed_is_json_that_all_read_alike(text: bytes) -> None:
    assert why(lambda: decode(text)).startswith("what was signed is no JSON: ")


def test_the_highest_number_is_the_last_that_every_reader_of_json_tells_from_the_next() -> None:
    body = json.loads(GOOD.encode()) | {"number": 9_007_199_254_740_991}
    assert decode(json.dumps(body).encode()).number == HIGHEST


@pytest.mark.parametrize(
    "name",
    [
        "../home.yaml", "/etc/homenode/home.yaml",
        "rules/../../x.yaml", "rules/a/b.yaml", "node.key", "ca.pem",
        "trust/care.pem", "rules/x.pem", "drivers/evil.py", "rules/.yaml", "rules/A.yaml", "rules/x.yaml\n",
        "Home.yaml", "home.yaml ", "configured", "rules", "", "rules\\x.yaml", "rules/é.yaml", "signed.json",
    ],
)  # fmt: skip
def test_no_other_file_comes_by_a_configuration(name: str) -> None:
    body = json.loads(GOOD.encode()) | {"files": {"home.yaml": HOME, name: ""}}
    assert why(lambda: decode(json.dumps(body).encode())).startswith("no configuration brings ")


# --- whether it is taken


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    (tmp_path / "trust").mkdir()
    for party, pair in (("operator", OPERATOR), ("care", CARE)):
        (tmp_path / "trust" / f"{party}.pem").write_text(pair[1])
    (tmp_path / "home.yaml").write_text(HOME)
    return tmp_path


def test_one_for_another_home_and_one_nobody_is_trusted_for_are_refused(beside: Path) -> None:
    assert offered(signed(OPERATOR), beside, "h-1").parties == {"operator"}
    assert why(lambda: offered(signed(OPERATOR), beside, "h-2")) == "it is for the home h-1, and this is h-2"
    for pem in (beside / "trust").iterdir():
        pem.unlink()
    assert why(lambda: offered(signed(OPERATOR), beside, "h-1")).startswith(
        "this node trusts nobody's signature"
    )


def test_a_damaged_key_that_is_trusted_is_told_and_trusts_nobody(beside: Path) -> None:
    (beside / "trust" / "care.pem").write_text("-----BEGIN PUBLIC KEY-----\n")
    assert "care.pem: no public key in it" in why(lambda: trusted_in(beside / "trust"), SetupError)


def offer_of(beside: Path, *lines: str, **files: str) -> Any:
    text = HOME + "".join(f"{line}\n" for line in lines)
    new = Configuration("h-1", 8, {"home.yaml": text, **files}, GOOD.at, "Eva")
    return offered(signed(OPERATOR, payload=new.encode()), beside, "h-1")


def test_mistakes_are_told_with_the_files_as_the_office_calls_them(beside: Path) -> None:
    offer = offer_of(beside, "voice: {volume: loud}", "share: {care: [snik.water]}", "broker: {ca: x.pem}")
    with pytest.raises(Mistaken) as refused:
        understood(offer, beside / "home.yaml", driver_types())
    assert [mistake.partition(": ")[0] for mistake in refused.value.mistakes] == [
        "home.yaml:8:17", "home.yaml:9:16", "home.yaml:10:9", "home.yaml:10:14",
    ]  # fmt: skip
    assert str(refused.value).startswith("4 mistakes, the first: home.yaml:8:17: voice.volume: found")


def test_a_rule_of_its_own_counts_as_it_came_and_not_as_it_stands_there(beside: Path) -> None:
    (beside / "rules").mkdir()
    (beside / "rules" / "water_leak.yaml").write_text("rule: another\n")
    report = understood(offer_of(beside), beside / "home.yaml", driver_types())
    assert [rule.rule for rule in report.rules] == ["water_leak"]
    offer = offer_of(beside, **{"rules/water_leak.yaml": "rule: water_leak\n"})
    with pytest.raises(Mistaken, match=r"rules/water_leak.yaml:"):
        understood(offer, beside / "home.yaml", driver_types())


@pytest.mark.parametrize("path", ["../password", "/etc/passwd", "link"])
def test_no_path_in_it_leads_out_of_the_folder(beside: Path, path: str) -> None:
    (beside.parent / "password").write_text("secret")
    (beside / "link").symlink_to("/etc/passwd")
    (beside / "inside").write_text("secret")
    broker = 'broker: {{url: "mqtts://b.example", username: u, password_file: {}}}'
    understood(offer_of(beside, broker.format("inside")), beside / "home.yaml", driver_types())
    offer = offer_of(beside, broker.format(path))
    words = why(lambda: understood(offer, beside / "home.yaml", driver_types()))
    assert words.startswith("broker.password_file leads out of the folder of home.yaml")


def test_no_private_key_is_sent_anywhere_as_a_password(beside: Path) -> None:
    (beside / "node.key").write_text(OPERATOR[0])
    (beside / "node.pem").write_text("certificate")
    broker = 'broker: {{url: "mqtts://b.example", {}}}'
    good = offer_of(beside, broker.format("cert: node.pem, key: node.key"))
    understood(good, beside / "home.yaml", driver_types())
    offer = offer_of(beside, broker.format("username: u, password_file: node.key"))
    words = why(lambda: understood(offer, beside / "home.yaml", driver_types()))
    assert words.startswith("broker.password_file names a private key, node.key")


def test_a_camera_films_no_file_outside_the_folder(beside: Path) -> None:
    offer = offer_of(beside, 'cameras: {hall: {room: hall, source: "file:/etc/passwd"}}')
    words = why(lambda: understood(offer, beside / "home.yaml", driver_types()))
    assert words.startswith("cameras.hall.source leads out of the folder")


def test_home_yaml_of_another_home_is_refused(beside: Path) -> None:
    new = Configuration("h-1", 8, {"home.yaml": HOME.replace("h-1", "h-2")}, GOOD.at, "Eva")
    offer = offered(signed(OPERATOR, payload=new.encode()), beside, "h-1")
    words = why(lambda: understood(offer, beside / "home.yaml", driver_types()))
    assert words == "it is for h-1, and its home.yaml says h-2"


def test_an_old_number_is_refused() -> None:
    newer(8, 7)
    assert why(lambda: newer(7, 7), Old) == "its number is 7, and 7 was taken already (a number from 8 on)"


FOUND = [Difference("share.care", "share.*", None, 1, "care"), Difference("board", "board", 1, 2, "operator")]


def test_each_difference_needs_the_signature_of_its_party() -> None:
    both = {"operator", "care"}
    allowed(FOUND, both, both)
    allowed(FOUND[:1], {"care"}, both)
    allowed([], {"care"}, both)
    assert why(lambda: allowed(FOUND, {"operator"}, both), Unsigned) == (
        "share.care: that needs the signature of care (signed by operator)"
    )
    assert why(lambda: allowed(FOUND, {"care"}, both), Unsigned).startswith(
        "board: that needs the signature of op"
    )


def test_who_signs_by_a_key_that_the_node_has_not_got_yet_is_told_so(beside: Path) -> None:
    offer = offered(signed(OPERATOR, STRANGER), beside, "h-1")
    words = why(lambda: allowed(FOUND, offer.parties, offer.trusted, strange=offer.strange), Unsigned)
    assert words == (
        "share.care: that needs the signature of care (signed by operator, "
        "and by a key that this node doesn't know: a new key reaches it at its next visit)"
    )
    offer = offered(signed(OPERATOR), beside, "h-1")
    words = why(lambda: allowed(FOUND, offer.parties, offer.trusted, strange=offer.strange), Unsigned)
    assert words.endswith("(signed by operator)")


def test_where_care_has_no_key_what_is_cares_changes_at_the_node_alone() -> None:
    allowed(FOUND[1:], {"operator"}, {"operator"})
    words = why(lambda: allowed(FOUND, {"operator"}, {"operator"}), Unsigned)
    assert words == (
        "share.care: that needs the signature of care, and this node knows no key of care "
        "(a person at the node may change it there, or put care's key in trust/care.pem)"
    )


def test_of_many_places_some_are_named() -> None:
    many = [Difference(f"share.{n}", "share.*", None, 1, "care") for n in range(20)]
    assert " and 12 more: that needs" in why(lambda: allowed(many, {"operator"}, {"care"}), Unsigned)
