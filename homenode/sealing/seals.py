"""Seals what goes out to a party that has a key, and opens it again on that party's side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from homenode.contract import sealed, topics
from homenode.errors import Refused
from homenode.sealing.keys import public_key

if TYPE_CHECKING:
    from joserfc.jwe import JWERegistry
    from joserfc.jwk import ECKey, OKPKey


class Seals:
    """The keys of one home's parties.

    Args:
        home: Its id.
        keys: Party to its public key (PEM); without an entry a party gets plain messages.
    """

    def __init__(self, home: str, keys: Mapping[str, str]) -> None:
        self._home = home
        self._keys = {party: public_key(pem) for party, pem in keys.items()}
        self._ids = {party: key.thumbprint() for party, key in self._keys.items()}

    def key_id(self, party: str) -> str:
        """Thumbprint (RFC 7638) of a party's key, "" if it has none."""
        return self._ids.get(party, "")

    def seal(self, topic: str, payload: bytes) -> bytes:
        """What is published under the topic; as it is for a party without a key."""
        party = topics.party_of(self._home, topic)
        key = self._keys.get(party)
        if key is None or not payload:
            return payload
        from joserfc import jwe

        # The topic is bound in, so that no broker passes one message off as another.
        head = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": self._ids[party], "topic": topic}
        text = jwe.encrypt_compact(head, sealed.filled(payload), key, registry=_registry())
        return sealed.payload(topic, payload, text)


def opened(text: str, key: ECKey | OKPKey) -> tuple[str, bytes]:
    """Topic and payload of a compact JWE.

    Raises:
        Refused: It is none, or for another key, or was changed on its way.
    """
    from joserfc import jwe
    from joserfc.errors import JoseError

    try:
        found = jwe.decrypt_compact(text, key, registry=_registry())
        topic = found.headers()["topic"]
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Refused("this key doesn't open it: it is for another one, was changed, or is no JWE") from error
    return str(topic), (found.plaintext or b"").rstrip(b" ")


def _registry() -> JWERegistry:
    from joserfc.jwe import JWERegistry

    return JWERegistry(algorithms=["ECDH-ES", "A256GCM"], strict_check_header=False)
