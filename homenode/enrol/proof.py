"""What a box says in its own name: a compact JWS (RFC 7515) by the key of its certificate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from homenode.errors import Refused

TYPE = "homenode-proof+jws"
"""`typ`: what was signed for anything else is no proof."""


def signed(said: Mapping[str, Any], key: bytes) -> str:
    """The proof of what is said, by a key in PEM."""
    from joserfc import jws
    from joserfc.jwk import ECKey

    header = {"alg": "ES256", "typ": TYPE}
    return jws.serialize_compact(header, json.dumps(said, ensure_ascii=False).encode(), ECKey.import_key(key))


def opened(text: str, certificate: bytes) -> dict[str, Any]:
    """What is said in a proof.

    Args:
        certificate: Of the box (DER).

    Raises:
        Refused: It is no proof, or not by that box.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        found = jws.deserialize_compact(text.encode(), ECKey.import_key(pem), algorithms=["ES256"])
        said = json.loads(found.payload)
    except (JoseError, ValueError, TypeError) as error:
        raise Refused(f"the proof is not signed by this box: {error}") from error
    if found.headers().get("typ") != TYPE or not isinstance(said, dict):
        raise Refused("what is signed is no proof")
    return said
