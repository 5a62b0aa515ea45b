"""The key of a box, made on it; requests for its certificate; what a certificate says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from homenode.enrol.steps import Held
from homenode.errors import Refused, SetupError
from homenode.install.home_file import replace

EARLY_MS = 5 * 60_000
"""An office's clock may be ahead by so much."""
CMC_RA = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")
"""id-kp-cmcRA: an EST server that may act for the authority (RFC 7030, 3.6.1)."""
MODE = 0o640
"""Group homenode reads it: gateway and updater."""


def own_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key; made if there is none, on the disk before it is used.

    Raises:
        SetupError: It is there, and can't be used.
        OSError: The disk doesn't give it, or doesn't take it.
    """
    try:
        key = _read(path)
    except FileNotFoundError:
        return _make(path)
    except (PermissionError, IsADirectoryError) as error:
        raise SetupError(f"it can't be read: {error.strerror}", where=str(path)) from error
    except ValueError:
        path.replace(path.with_suffix(".damaged"))
        return _make(path)
    if key is None:
        raise SetupError("it is no EC key without a password", where=str(path))
    return key


def present_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """The key; None if there is none that can be used."""
    try:
        return _read(path)
    except (OSError, ValueError):
        return None


def _read(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """None if it is of another kind. Raises OSError, ValueError: it is damaged."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (TypeError, UnsupportedAlgorithm):  # the former: it has a password
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _make(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replace(path, pem, MODE)
    return key


def fingerprint(key: CertificatePublicKeyTypes) -> str:
    """SHA-256 of a public key (SubjectPublicKeyInfo), in hexadecimal digits."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()


def first_request(key: ec.EllipticCurvePrivateKey, serial: str) -> bytes:
    """A request (DER) of a box that says its serial number; its home is the office's to say."""
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, serial), x509.NameAttribute(NameOID.SERIAL_NUMBER, serial)]
    )
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def renewing_request(key: ec.EllipticCurvePrivateKey, present: x509.Certificate) -> bytes:
    """A request (DER) with the names of the present certificate (RFC 7030, 4.2.2)."""
    made = x509.CertificateSigningRequestBuilder().subject_name(present.subject)
    for extension in present.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            made = made.add_extension(extension.value, extension.critical)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def held(path: Path, key: ec.EllipticCurvePublicKey) -> tuple[Held, x509.Certificate] | None:
    """The certificate that is here; None without, or if it can't be read."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return Held(
        serial=_text(certificate.subject, NameOID.SERIAL_NUMBER)
        or _text(certificate.subject, NameOID.COMMON_NAME),  # of a server that leaves the other out
        home=_text(certificate.subject, NameOID.COMMON_NAME),
        from_ms=int(certificate.not_valid_before_utc.timestamp() * 1000),
        until_ms=int(certificate.not_valid_after_utc.timestamp() * 1000),
        fits=certificate.public_key() == key,
    ), certificate


def accepted(
    made: Sequence[x509.Certificate],
    key: ec.EllipticCurvePublicKey,
    authorities: Iterable[x509.Certificate],
    now_ms: int,
) -> x509.Certificate:
    """The certificate that an office gave, when all is as it must be.

    Args:
        now_ms: The time, as far as it is known.

    Raises:
        Refused: It is for another key, by somebody else, or not in force.
    """
    own = next((one for one in made if one.public_key() == key), None)
    if own is None:
        raise Refused("the certificate that the office gave is not for this box's key")
    trusted = list(authorities)
    trusted += [one for one in made if any(issued_by(one, other) for other in trusted)]  # between
    if not any(issued_by(own, one) for one in trusted):
        raise Refused("the certificate that the office gave is not by an authority that this box trusts")
    start, end = (int(at.timestamp() * 1000) for at in (own.not_valid_before_utc, own.not_valid_after_utc))
    if not start - EARLY_MS <= now_ms < end:
        raise Refused("the certificate that the office gave is not in force: its clock or this one is wrong")
    return own


def is_office(certificate: bytes) -> bool:
    """Whether it (DER) is of one who may act for its authority (RFC 7030, 3.6.1), and not of a broker."""
    try:
        shown = x509.load_der_x509_certificate(certificate)
        uses = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return CMC_RA in uses


def issued_by(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether its signature is by that one's key."""
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _text(name: x509.Name, kind: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(kind)
    return str(found[0].value) if found else ""
