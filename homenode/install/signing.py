"""The key with which a node signs its reports, and how a report is verified.

Ed25519 over the bytes of report.json, so that any tool verifies it:
``openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in report.json -sigfile report.sig``
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.errors import Refused, SetupError
from homenode.install.home_file import replace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAME = "report.key"


def own_key(data: Path) -> Ed25519PrivateKey:
    """The node's; made at the first report, and never leaves its folder.

    Raises:
        SetupError: It is damaged; a new one would make old reports look foreign.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = data / NAME
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        new = Ed25519PrivateKey.generate()
        pem = new.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        replace(path, pem, 0o600)
        return new
    except ValueError as error:
        raise SetupError(
            f"the key of reports can't be read: {error}", where=str(path), do="move it away for a new one"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(
            "the key of reports is not an Ed25519 key", where=str(path), do="move it away for a new one"
        )
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """As openssl reads it."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key (its DER), in groups that a person compares."""
    from cryptography.hazmat.primitives import serialization

    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(der).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def verify(folder: Path, key_file: Path | None = None) -> dict[str, Any]:
    """The contents of a report that is whole and signed by `key_file` (default: the one beside it).

    Raises:
        Refused: It isn't, with what is wrong.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    folder = folder.parent if folder.is_file() else folder
    try:
        text, signature = (folder / "report.json").read_bytes(), (folder / "report.sig").read_bytes()
        key = serialization.load_pem_public_key((key_file or folder / "key.pem").read_bytes())
    except OSError as error:
        raise Refused(f"can't be read: {error.strerror}", where=str(error.filename)) from error
    except ValueError as error:
        raise Refused(f"is no public key: {error}", where=str(key_file or folder / "key.pem")) from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused("is not an Ed25519 key", where=str(key_file or folder / "key.pem"))
    try:
        key.verify(signature, text)
    except InvalidSignature:
        raise Refused(
            "was changed after it was signed, or signed with another key", where=str(folder / "report.json")
        ) from None
    found: dict[str, Any] = json.loads(text)
    pdf = folder / str(found["pdf"]["file"])
    digest = ""
    with contextlib.suppress(OSError):
        digest = hashlib.sha256(pdf.read_bytes()).hexdigest()
    if digest != found["pdf"]["sha256"]:
        raise Refused("is not the one that was signed, or is missing", where=str(pdf))
    if found["key"] != fingerprint(key):
        raise Refused("names another key than it is signed with", where=str(folder / "report.json"))
    return found
