"""The keys with which a node signs its reports, and how a report is verified.

Ed25519 over the bytes of report.json, so that any tool verifies it:
``openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in report.json -sigfile report.sig``.
That key is the node's own, and nobody vouches for it. Where the node has a certificate for its broker, the
same bytes are signed with that key, too: whoever issued it says whose it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.config.model import Broker
from homenode.errors import Refused, SetupError
from homenode.install.home_file import replace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.x509 import Certificate

NAME = "report.key"
LINK_SIGNATURE, LINK_CERTIFICATE = "link.sig", "link.pem"


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


def link_signed(broker: Broker | None, text: bytes) -> tuple[bytes, bytes] | None:
    """Certificate (PEM) by which the broker knows this node, and signature with its key; None without one.

    Raises:
        SetupError: They can't be read, or are of a sort that signs nothing.
    """
    if broker is None or broker.cert is None or broker.key is None:
        return None
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    try:
        pem = broker.cert.read_bytes()
        key = serialization.load_pem_private_key(broker.key.read_bytes(), None)
    except OSError as error:
        why = f"the key of the link can't be read: {error.strerror}"
        do = "run this as the user that runs homenode"
        raise SetupError(why, where=str(error.filename), do=do) from error
    except (ValueError, TypeError) as error:
        raise SetupError(f"the key of the link can't be read: {error}", where=str(broker.key)) from error
    match key:
        case ec.EllipticCurvePrivateKey():
            return pem, key.sign(text, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPrivateKey():
            return pem, key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        case ed25519.Ed25519PrivateKey():
            return pem, key.sign(text)
    raise SetupError("the key of the link is neither EC, RSA nor Ed25519", where=str(broker.key))


def certificate_print(pem: bytes) -> str:
    """SHA-256 of a certificate, as ``openssl x509 -fingerprint -sha256`` shows it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":").upper()


def verify_link(folder: Path, found: Mapping[str, Any], ca_file: Path | None) -> str:
    """Whose certificate a report is signed with, too; "" if with none.

    Args:
        found: What `verify` gave.
        ca_file: Who must have issued it; whether it was in force is not looked at, as reports outlive it.

    Raises:
        Refused: It isn't, with what is wrong.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    folder = folder.parent if folder.is_file() else folder
    named = str(found.get("link_certificate", ""))
    if not named:
        if ca_file is not None:
            raise Refused("is signed with no certificate: the node had none then", where=str(folder))
        return ""
    try:
        pem, signature = (folder / LINK_CERTIFICATE).read_bytes(), (folder / LINK_SIGNATURE).read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        issuers = x509.load_pem_x509_certificates(ca_file.read_bytes()) if ca_file is not None else []
    except OSError as error:
        raise Refused(f"can't be read: {error.strerror}", where=str(error.filename)) from error
    except ValueError as error:
        raise Refused(f"is no certificate: {error}", where=str(folder / LINK_CERTIFICATE)) from error
    if certificate_print(pem) != named:
        raise Refused("is not the certificate that the report names", where=str(folder / LINK_CERTIFICATE))
    text, key = (folder / "report.json").read_bytes(), certificate.public_key()
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
            case rsa.RSAPublicKey():
                key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
            case ed25519.Ed25519PublicKey():
                key.verify(signature, text)
            case _:
                raise Refused("has a key that signs nothing", where=str(folder / LINK_CERTIFICATE))
    except InvalidSignature:
        raise Refused("is not of this report and certificate", where=str(folder / LINK_SIGNATURE)) from None
    if ca_file is not None and not any(_issued(certificate, one) for one in issuers):
        raise Refused(f"did not issue {certificate.subject.rfc4514_string()}", where=str(ca_file))
    return f"{certificate.subject.rfc4514_string()} ({named})"


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


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
