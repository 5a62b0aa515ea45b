"""Keys in PEM files: what may be one, and why another may not. Needs the extra ``keys``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.errors import SetupError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey

ACCEPTED = "a file with the party's public key, X25519 or EC P-256, in PEM"
ACCEPTED_PRIVATE = "a file with the party's private key, X25519 or EC P-256, in PEM, without a password"
EXTRA = "homenode[keys]"


class Unsuitable(Exception):
    """This is no key that fits; says what it is instead."""


def public_key(pem: str) -> ECKey | OKPKey:
    """The key that a party is written to with.

    Raises:
        Unsuitable: It is none.
        SetupError: The extra is not installed.
    """
    serialization = _library()
    if "PRIVATE KEY" in pem:
        raise Unsuitable("a private key, which nobody but the party may have: make a new pair")
    if "BEGIN CERTIFICATE" in pem:
        raise Unsuitable("a certificate, whose key is for signing")
    return _fitting(pem, lambda text: serialization.load_pem_public_key(text), "public")


def private_key(pem: str) -> ECKey | OKPKey:
    """The key with which a party reads.

    Raises:
        Unsuitable: It is none.
        SetupError: The extra is not installed.
    """
    serialization = _library()
    if "PUBLIC KEY" in pem:
        raise Unsuitable("a public key; reading takes the private one")
    if "ENCRYPTED" in pem:
        raise Unsuitable("protected by a password (openssl pkey -in FILE -out OPEN.pem takes it off)")
    return _fitting(pem, lambda text: serialization.load_pem_private_key(text, None), "private")


def read_private_key(path: Path) -> tuple[str, ECKey | OKPKey]:
    """A private key from its file, as PEM, too.

    Raises:
        SetupError: There is none in it, or the extra is not installed.
    """
    try:
        pem = path.read_text(encoding="utf-8")
        return pem, private_key(pem)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text"
        raise SetupError(f"can't be read: {why}", where=str(path)) from error
    except Unsuitable as wrong:
        raise SetupError(f"found {wrong}", where=str(path)) from wrong


def _library() -> Any:
    try:
        import joserfc  # noqa: F401 - only whether it is there
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        raise SetupError(
            "keys: needs a library that is not installed", do=f"pip install '{EXTRA}'"
        ) from error
    return serialization


def _fitting(pem: str, load: Callable[[bytes], Any], which: str) -> ECKey | OKPKey:
    from joserfc.errors import InvalidKeyTypeError
    from joserfc.jwk import ECKey, OKPKey

    try:
        load(pem.encode())
    except Exception as error:
        raise Unsuitable(f"no {which} key in PEM") from error
    for kind, curve in ((OKPKey, "X25519"), (ECKey, "P-256")):
        try:
            key = kind.import_key(pem)
        except InvalidKeyTypeError:
            continue
        if key.curve_name == curve:
            return key
        raise Unsuitable(f"a key of the curve {key.curve_name}")
    raise Unsuitable("a key of another kind, such as RSA")
