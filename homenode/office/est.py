"""What EST says on the wire (RFC 7030): certs-only answers, requests, attributes. No sockets."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from homenode.errors import Refused
from homenode.web import Response

CERTS = "application/pkcs7-mime; smime-type=certs-only"
REQUEST = "application/pkcs10"
TRANSFER = {"Content-Transfer-Encoding": "base64"}
"""RFC 7030 wants it; RFC 8951 says that nobody may need it. On one line (RFC 4648, 4): strongSwan's client
takes a line break for a part of it."""
CURVES = ("secp256r1", "secp384r1")
_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension,
               x509.UnsupportedGeneralNameType, x509.InvalidVersion)  # fmt: skip
CSRATTRS = bytes.fromhex("3021301506072a8648ce3d0201310a06082a8648ce3d03010706082a8648ce3d040302")
"""CsrAttrs (4.5.2): a key id-ecPublicKey on secp256r1, and ecdsa-with-SHA256."""
REALM = 'Basic realm="serial number and one-time code"'


def certificates(made: Sequence[x509.Certificate]) -> Response:
    """The answer that holds certificates and nothing else: a CMS SignedData that nobody signed."""
    der = pkcs7.serialize_certificates(list(made), serialization.Encoding.DER)
    return Response(200, base64.b64encode(der), CERTS, TRANSFER)


def attributes() -> Response:
    """What a request should have."""
    return Response(200, base64.b64encode(CSRATTRS), "application/csrattrs", TRANSFER)


def told(status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """No certificate, and why, for a person."""
    return Response(status, f"{HTTPStatus(status).phrase}: {why}\n".encode(), headers=headers or {})


def request_of(body: bytes, kind: str) -> x509.CertificateSigningRequest:
    """What a box asks for; that it has the key is checked.

    Args:
        kind: The Content-Type.

    Raises:
        Refused: It is no such request, or not one that a certificate is made from.
    """
    if kind.partition(";")[0].strip().lower() != REQUEST:
        raise Refused(f"the body is {kind or 'of no type'}", do=f"send {REQUEST}, in base64")
    try:
        der = base64.b64decode(b"".join(body.split()), validate=True)
        asked = x509.load_der_x509_csr(der)
        key = asked.public_key()
        good = asked.is_signature_valid and serial_of(asked.subject) is not None
        _alternative(asked.extensions)
    except _UNREADABLE as error:
        raise Refused("the body is no PKCS #10 request in base64 (DER, without -----BEGIN)") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise Refused("only keys on the curves P-256 and P-384 are certified", do="make another key")
    if not good or not isinstance(asked.signature_hash_algorithm, hashes.SHA256 | hashes.SHA384):
        raise Refused("the request is not signed by its own key with SHA-256 or SHA-384")
    return asked


def serial_of(name: x509.Name) -> str:
    """Serial number of the box: the attribute serialNumber, else the common name; "" if neither is there."""
    for kind in (NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME):
        if found := name.get_attributes_for_oid(kind):
            return str(found[0].value)
    return ""


def same_names(asked: x509.CertificateSigningRequest, present: x509.Certificate) -> bool:
    """Whether subject and alternative names are those of the certificate that is renewed (4.2.2)."""
    return asked.subject == present.subject and _alternative(asked.extensions) == _alternative(
        present.extensions
    )


def _alternative(extensions: x509.Extensions) -> x509.SubjectAlternativeName | None:
    try:
        return extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def basic(header: str) -> tuple[str, str]:
    """Serial number and code of an Authorization header; both "" if it is none such."""
    kind, _, rest = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        serial, _, code = base64.b64decode(rest, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return serial, code
