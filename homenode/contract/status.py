"""The retained messages: what is open for a party, and whether the node is online."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from homenode.contract import shapes

SEES_MODE = ("care", "resident")
"""Only they learn whether somebody is at home (design section 5)."""


def payload(
    *,
    home: str,
    party: str,
    at: str,
    open_alerts: Sequence[Mapping[str, Any]],
    mode: str,
    health: Mapping[str, Any],
    versions: Mapping[str, str],
    refused: int = 0,
) -> bytes:
    """What is open now for one party; `mode` is left out for whom it does not concern.

    `refused`: of this party's commands, since the node started; left out while there is none.
    """
    body: dict[str, Any] = {"home": home, "at": at, "open": list(open_alerts)}
    if party in SEES_MODE:
        body["mode"] = mode
    body["health"] = health
    body["versions"] = versions
    if refused:
        body["refused_commands"] = refused
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def link_payload(online: bool, at: str) -> bytes:
    """The will (`online` false) and the heartbeat."""
    return json.dumps({"online": online, "at": at}, separators=(",", ":")).encode()


def schema(party: str) -> shapes.Schema:
    """JSON Schema of the payload on ``status`` of a party."""
    entry: dict[str, shapes.Schema] = {
        "alert": shapes.NAME,
        "rule": shapes.NAME,
        "severity": shapes.SEVERITY,
        "event": shapes.one_of(("notified", "acknowledged", "fault")),
        "at": shapes.TIME,
        "room": {"type": "string"},
        "text": shapes.TEXTS,
        "test": {"type": "boolean"},
    }
    body: dict[str, shapes.Schema] = {
        "home": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
        "at": shapes.TIME,
        "open": shapes.several(shapes.mapping(entry, {"acknowledged_by": shapes.several(shapes.NAME, 1)})),
        "health": shapes.mapping({"state": shapes.one_of(("good", "fault"))}),
        "versions": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "minProperties": 1,
        },
    }
    may = {"refused_commands": {"type": "integer", "minimum": 1}}
    return shapes.mapping(body | ({"mode": shapes.NAME} if party in SEES_MODE else {}), may)


def link_schema() -> shapes.Schema:
    """JSON Schema of the payload on ``hn1/<home>/link``."""
    return shapes.mapping({"online": {"type": "boolean"}, "at": shapes.TIME})
