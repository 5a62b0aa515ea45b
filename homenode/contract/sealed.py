"""What a party with a key of its own gets: everything on its branch as a JWE, so that only it can read it."""

from __future__ import annotations

import json
from typing import Any

from homenode.config.model import HOME_ID
from homenode.contract import shapes, topics

TYPE = f"{topics.VERSION}.alert.sealed"
CONTENT = "application/jose"
"""Media type of a compact JWE (RFC 7515)."""

STEP_B = 512
"""Payloads are filled up to a multiple: their length would tell a raised alert from one that is over."""

_JWE = {"type": "string", "pattern": r"^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$"}


def filled(payload: bytes) -> bytes:
    """With blanks behind it, which JSON passes over."""
    return payload + b" " * (-len(payload) % STEP_B)


def payload(topic: str, plain: bytes, jwe: str) -> bytes:
    """What is published in place of `plain`.

    Of an alert its place in the order stays readable, and an `id` made of that: the true one holds the rule's
    name, and `type`, `subject` and `time` say what happens in the home.
    """
    if not topic.endswith("/alerts"):
        return json.dumps({"jwe": jwe}, separators=(",", ":")).encode()
    event = json.loads(plain)
    party = topic.split("/")[2]
    envelope = {
        "specversion": "1.0",
        "type": TYPE,
        "source": event["source"],
        "id": f"{event['epoch']}.{party}.{event['sequence']}",
        "datacontenttype": CONTENT,
        "data": jwe,
        "sequence": event["sequence"],
        "epoch": event["epoch"],
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def jwe_of(body: Any) -> str:
    """The JWE in a message, "" if there is none: in an envelope, in ``jwe``, or by itself."""
    if isinstance(body, dict):
        body = body.get("data") if body.get("datacontenttype") == CONTENT else body.get("jwe")
    return body if isinstance(body, str) else ""


def alert_schema() -> shapes.Schema:
    """JSON Schema of the payload on ``alerts`` of a party with a key."""
    return shapes.mapping(
        {
            "specversion": shapes.exactly("1.0"),
            "type": shapes.exactly(TYPE),
            "source": {"type": "string", "pattern": f"^{topics.VERSION}/{HOME_ID}$"},
            "id": shapes.NAME,
            "datacontenttype": shapes.exactly(CONTENT),
            "data": _JWE,
            "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "epoch": shapes.NAME,
        }
    )


def schema() -> shapes.Schema:
    """JSON Schema of every other payload to a party with a key."""
    return shapes.mapping({"jwe": _JWE})
