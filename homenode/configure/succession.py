"""A party's key gives way to another one: the old one signs the new one, and no person goes to the nodes.

Whoever has the old key can sign a successor as well: a key that is known to others is replaced at the nodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from homenode.configure.signatures import Key, read_key, sign, verify
from homenode.contract.plain_json import read_json
from homenode.errors import Refused, SetupError

TYPE = "hn1-signer+jws"
"""`typ`: no configuration says who signs, and no successor is a configuration."""
MOST = 50
"""Successors of one party that a node is told of."""


def successor(party: str, old: Key, pem: str, at: str) -> str:
    """The statement (JWS) that from now on the key `pem` (public) signs as `party`."""
    body = {"party": party, "key": pem, "at": at}
    return sign(json.dumps(body, sort_keys=True).encode(), old, typ=TYPE)


def followed(party: str, pem: str, said: Iterable[str]) -> str:
    """The key (PEM) that signs as `party` by now, on from one that is trusted; as it was if nothing leads on.

    Args:
        said: Statements in the order in which they were made, from anybody; at most `MOST` are looked at.
    """
    for text in list(said)[-MOST:]:
        try:
            signed = verify(text, {party: read_key(pem, party)}, typ=TYPE)
            body = read_json(signed.payload)
            if isinstance(body, dict) and body.get("party") == party:
                read_key(str(body.get("key")), party)
                pem = str(body["key"])
        except (Refused, SetupError, ValueError):
            continue  # by another key, or none at all
    return pem
