"""The retained messages: what is open for a party, and whether the node is online."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.model import HOME_ID, LOOKERS, LOOKS_KNOWN_TO, VIEWS
from homenode.contract import figures, shapes

SEES_MODE = ("care", "resident")
"""Only they learn whether somebody is at home (design section 5)."""

UPDATE_STATES = (
    "waiting", "busy", "loading", "installing", "trying", "good", "failed", "refused", "cancelled",
)  # fmt: skip


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
    looks: Sequence[Mapping[str, Any]] = (),
    configuration: Mapping[str, Any] | None = None,
    update: Mapping[str, Any] | None = None,
) -> bytes:
    """What is open now for one party; `mode` is left out for whom it does not concern.

    `refused`: of this party's commands, since the node started; left out while there is none.
    `looks`: what may be looked at, by whom and when; likewise.
    `configuration`: the signed one that the node runs on; likewise.
    `update`: the last one that was ordered, and how it stands; likewise.
    """
    body: dict[str, Any] = {"home": home, "at": at, "open": list(open_alerts)}
    if party in SEES_MODE:
        body["mode"] = mode
    body["health"] = health
    body["versions"] = versions
    if refused:
        body["refused_commands"] = refused
    if looks:
        body["looks"] = list(looks)
    if configuration is not None:
        body["configuration"] = configuration
    if update:
        body["update"] = dict(update)
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
        "home": {"type": "string", "pattern": f"^{HOME_ID}$"},
        "at": shapes.TIME,
        "open": shapes.several(shapes.mapping(entry, {"acknowledged_by": shapes.several(shapes.NAME, 1)})),
        "health": shapes.mapping(
            {"state": shapes.one_of(("good", "fault"))}, figures.schema() if party == "operator" else {}
        ),
        "versions": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "minProperties": 1,
        },
    }
    may: dict[str, shapes.Schema] = {"refused_commands": {"type": "integer", "minimum": 1}}
    if party == "operator":
        taken: dict[str, shapes.Schema] = {
            "number": {"type": "integer", "minimum": 1},
            "at": {"type": "string"},
        }
        may["configuration"] = shapes.mapping(taken, {"changed": shapes.exactly(True)})
        may["update"] = _update()
    if party in LOOKS_KNOWN_TO:
        may["looks"] = shapes.several(_look(), 1)
    return shapes.mapping(body | ({"mode": shapes.NAME} if party in SEES_MODE else {}), may)


def _look() -> shapes.Schema:
    """A care decision on who may look through which cameras."""
    day: shapes.Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
    camera = shapes.mapping({"camera": shapes.NAME, "room": {"type": "string"}})
    needs = {
        "decision": shapes.NAME,
        "party": shapes.one_of(LOOKERS),
        "cameras": shapes.several(camera, 1),
        "views": shapes.several(shapes.one_of(VIEWS), 1),
        "from": day,
        "to": day,
        "ask": {"type": "boolean"},
        "longest_s": {"type": "number"},
    }
    hours = {"type": "string", "pattern": r"^\d\d:\d\d-\d\d:\d\d$"}
    return shapes.mapping(needs, {"hours": hours, "modes": shapes.several(shapes.NAME, 1)})


def _update() -> shapes.Schema:
    """How the update stands that was ordered last."""
    needs = {
        "version": {"type": "string"},
        "state": shapes.one_of(UPDATE_STATES),
        "slot": {"type": "string"},
    }
    may = {"at": shapes.TIME, "why": shapes.TEXTS, "progress": {"type": "number", "minimum": 0, "maximum": 1}}
    return shapes.mapping(needs, may)


def link_schema() -> shapes.Schema:
    """JSON Schema of the payload on ``hn1/<home>/link``."""
    return shapes.mapping({"online": {"type": "boolean"}, "at": shapes.TIME})
