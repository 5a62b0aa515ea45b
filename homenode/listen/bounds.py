"""What one home may take of a receiver, however much it sends and however long a target takes nothing (pure).

A home must fit in a record of the journal and in an entry of NATS, 1 MiB each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MOST_B = 500_000
"""Of messages of one home: half for those that wait, some 200, half for those that nobody acknowledged.
Beyond it the oldest lose their evidence; at some 400 they go, which the log tells."""

MOST_OPEN = 200
"""Alerts that are watched for an acknowledgement."""

MOST_COMMANDS = 500

_KEPT = ("specversion", "type", "source", "id", "subject", "time", "datacontenttype", "sequence", "epoch")
_KEPT_DATA = ("alert", "rule", "severity", "event", "at", "room", "by", "test")
_LONGEST = 300
_LONGEST_JWE = 3_000


def size(body: Mapping[str, Any]) -> int:
    """Bytes that a message takes."""
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def shortened(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a person must know of a message: who, what, where, when; at most some 5 kB."""
    data = body["data"]
    kept: dict[str, Any] = {name: _cut(data[name]) for name in _KEPT_DATA if name in data}
    jwe = data.get("jwe")
    if isinstance(jwe, str) and len(jwe) <= _LONGEST_JWE:  # it is all that there is of it
        kept["jwe"] = jwe
    texts = data.get("text")
    if isinstance(texts, dict):
        kept["text"] = {name: _cut(texts[name]) for name in ("sv", "en") if name in texts}
    return {name: _cut(body[name]) for name in _KEPT if name in body} | {"data": kept, "shortened": True}


def _cut(value: object) -> str | int | float | bool | None:
    if isinstance(value, str):
        return value[:_LONGEST]
    return value if isinstance(value, bool) or value is None else str(value)[:_LONGEST]
