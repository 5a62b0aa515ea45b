"""Signatures on a configuration: JWS, general JSON serialization (RFC 7515, 7.2.1), Ed25519 or P-256.

Whose a signature is, is told by the key that this machine trusts and by nothing that came with it: no
``alg: none``, no key out of a header, no algorithm that the key isn't for. Needs the extra ``keys``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.config.model import SIGNERS
from homenode.configure.payload import LONGEST, TYPE
from homenode.contract.plain_json import read_json
from homenode.errors import Refused, SetupError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey

ACCEPTED = "Ed25519 or EC P-256, in PEM"
EXTRA = "homenode[keys]"
MOST_SIGNATURES = 8
_HEADER = ("alg", "typ", "kid")
_SERIALIZED = {"payload", "signatures"}
_SIGNATURE = {"protected", "signature"}


@dataclass(frozen=True, slots=True)
class Key:
    """A key for signing, or for looking at signatures.

    Attributes:
        kid: Thumbprint (RFC 7638).
        alg: The one algorithm that it is for.
    """

    kid: str
    alg: str
    key: ECKey | OKPKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, and which of the trusted parties did; at least one.

    Attributes:
        strange: It has a signature, too, by a key that isn't trusted.
    """

    payload: bytes
    parties: frozenset[str]
    strange: bool = False


def read_key(pem: str, where: str, *, private: bool = False) -> Key:
    """A key from its PEM.

    Raises:
        SetupError: It is none that fits, or the extra is not installed.
    """
    which = "private" if private else "public"
    try:
        from joserfc.errors import InvalidKeyTypeError
        from joserfc.jwk import ECKey, OKPKey
    except ImportError as error:
        raise _missing() from error
    if (f"{which.upper()} KEY" not in pem) or "ENCRYPTED" in pem:
        raise SetupError(f"no {which} key in it", where=where, do=f"a {which} key, {ACCEPTED}, no password")
    for kind, curve, alg in ((OKPKey, "Ed25519", "Ed25519"), (ECKey, "P-256", "ES256")):
        try:
            key = kind.import_key(pem)
        except InvalidKeyTypeError:
            continue
        except Exception as error:  # whatever a damaged file makes of the parsers below
            raise SetupError(f"no {which} key in it: {error}", where=where, do=ACCEPTED) from error
        if key.curve_name == curve and key.is_private == private:
            return Key(key.thumbprint(), alg, key)
    raise SetupError("a key of another kind", where=where, do=f"a {which} key, {ACCEPTED}")


def read_key_file(path: Path, *, private: bool = False) -> Key:
    """As `read_key`, from a file.

    Raises:
        SetupError: As `read_key`, or it can't be read.
    """
    try:
        pem = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text"
        raise SetupError(f"can't be read: {why}", where=str(path)) from error
    return read_key(pem, str(path), private=private)


def trusted_in(folder: Path) -> dict[str, Key]:
    """Party to its key in ``trust/PARTY.pem``; parties without one are left out.

    Raises:
        SetupError: What is there is no key.
    """
    files = {party: folder / f"{party}.pem" for party in SIGNERS}
    return {party: read_key_file(file) for party, file in files.items() if file.exists()}


def sign(payload: bytes, key: Key, before: str = "", *, typ: str = TYPE) -> str:
    """The JWS with one signature more; `before` is one of the same payload, whose signatures stay.

    Raises:
        Refused: `before` is of something else, or this is too much.
    """
    from joserfc import jws

    head = {"alg": key.alg, "typ": typ, "kid": key.kid}
    compact = jws.serialize_compact(head, payload, key.key, registry=_registry())
    protected, text, signature = compact.split(".")
    others: list[dict[str, str]] = []
    if before:
        body = _serialized(before)
        if body["payload"] != text:
            raise Refused("what was signed before is another configuration")
        others = [one for one in body["signatures"] if _header(one["protected"], typ)["kid"] != key.kid]
    signatures = [*others, {"protected": protected, "signature": signature}]
    made = json.dumps({"payload": text, "signatures": signatures}, separators=(",", ":"))
    _serialized(made)
    return made


def verify(text: str, trusted: Mapping[str, Key], *, typ: str = TYPE) -> Signed:
    """What was signed, if it was, by at least one of these.

    Args:
        text: The JWS.
        trusted: Party to its key. A key that several have counts for each of them.
        typ: As what it has to be signed.

    Raises:
        Refused: It is no such JWS, a trusted key's signature doesn't fit, or there is none.
    """
    from joserfc import jws
    from joserfc.errors import JoseError

    body = _serialized(text)
    parties: set[str] = set()
    payload, strange = b"", False
    for one in body["signatures"]:
        header = _header(one["protected"], typ)
        strange = strange or header["kid"] not in {key.kid for key in trusted.values()}
        for party, key in trusted.items():
            if header["kid"] != key.kid:
                continue
            if header["alg"] != key.alg:
                raise Refused(f"the signature with {party}'s key is by {header['alg']!r}", do=key.alg)
            compact = f"{one['protected']}.{body['payload']}.{one['signature']}"
            try:
                payload = jws.deserialize_compact(compact, key.key, registry=_registry()).payload
            except (JoseError, ValueError, TypeError) as error:
                what = f"the signature of {party} is not of what came: it was changed, or cut"
                raise Refused(what) from error
            parties.add(party)
    if not parties:
        known = ", ".join(trusted) or "nobody's"
        raise Refused("no signature by a key that this node trusts", do=f"it trusts {known}")
    return Signed(payload, frozenset(parties), strange)


def unverified(text: str) -> bytes:
    """What a JWS says was signed; nothing is verified.

    Raises:
        Refused: It is none.
    """
    return _decoded(_serialized(text)["payload"], "payload")


def _serialized(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise Refused(f"the JWS has {len(text)} characters", do=f"at most {LONGEST}: fewer or shorter files")
    try:
        body = read_json(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"no JWS: {error}") from error
    accepted = "RFC 7515's general JSON serialization: payload, and signatures with protected and signature"
    if not isinstance(body, dict) or body.keys() != _SERIALIZED or not isinstance(body["payload"], str):
        raise Refused("no JWS", do=accepted)
    signatures = body["signatures"]
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise Refused("no JWS: it has no signature, or too many", do=f"1 to {MOST_SIGNATURES}")
    for one in signatures:
        if not isinstance(one, dict) or one.keys() != _SIGNATURE:
            raise Refused("no JWS", do=accepted)
        if not all(isinstance(part, str) for part in one.values()):
            raise Refused("no JWS", do=accepted)
    return body


def _header(protected: str, typ: str) -> dict[str, str]:
    try:
        header = read_json(_decoded(protected, "header"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"a signature's header is no JSON: {error}") from error
    if not isinstance(header, dict) or sorted(header) != sorted(_HEADER):
        found = ", ".join(map(str, header))[:80] if isinstance(header, dict) else repr(header)[:80]
        raise Refused(f"a signature's header has {found}", do=f"exactly {', '.join(_HEADER)}")
    if header["typ"] != typ:
        raise Refused(f"signed as {str(header['typ'])[:40]!r}, not as a configuration", do=f"typ: {typ}")
    return header


def _decoded(text: str, what: str) -> bytes:
    from joserfc.util import urlsafe_b64decode

    try:
        return urlsafe_b64decode(text.encode("ascii"))
    except ValueError as error:
        raise Refused(f"the {what} of the JWS is no base64url") from error


def _registry() -> Any:
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=["Ed25519", "ES256"], strict_check_header=True)
    registry.max_payload_length = LONGEST
    return registry


def make_pair() -> tuple[str, str]:
    """A new key, Ed25519: the private and the public one, in PEM.

    Raises:
        SetupError: The extra is not installed.
    """
    try:
        from joserfc.jwk import OKPKey
    except ImportError as error:
        raise _missing() from error
    key = OKPKey.generate_key("Ed25519")
    return key.as_pem(private=True).decode(), key.as_pem(private=False).decode()


def public_of(path: Path) -> str:
    """The public half of a private key, in PEM.

    Raises:
        SetupError: As `read_key_file`.
    """
    return read_key_file(path, private=True).key.as_pem(private=False).decode()


def _missing() -> SetupError:
    return SetupError("signatures need a library that is not installed", do=f"pip install '{EXTRA}'")
