"""The message of an alert: CloudEvents 1.0, structured JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from homenode.config.model import HOME_ID, LOOKS_KNOWN_TO
from homenode.contract import shapes, topics
from homenode.kinds import KINDS

PRESENCE = frozenset({"motion", "occupancy", "contact", "lock"})
"""Kinds that tell who was home when; property never gets their value, quality or time."""


class Told(Enum):
    """What an alert message tells."""

    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    FAULT = "fault"
    RECOVERED = "recovered"


def payload(
    *, home: str, message_id: str, told: Told, subject: str, time: str, data: Mapping[str, Any]
) -> bytes:
    """A message without its place in the order, which `numbered` adds at the first hand-over.

    Args:
        home: Id of the home.
        message_id: One per message and party, also among homes; the same at each resend.
        told: What it tells.
        subject: The rule's name, or ``node`` for a fault of the node or a device.
        time: The transition's instant, RFC 3339.
        data: As `data_schema` says.
    """
    event = {
        "specversion": "1.0",
        "type": f"{topics.VERSION}.alert.{told.value}",
        "source": topics.root(home),
        "id": message_id,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def numbered(message: bytes, sequence: int, epoch: str) -> bytes:
    """The message with its place: +1 per message on its topic, `epoch` new when the journal is new."""
    return b'%s,"sequence":"%d","epoch":%s}' % (message[:-1], sequence, json.dumps(epoch).encode())


def data_schema(told: Told, party: str, *, of_faults: bool) -> shapes.Schema:
    """JSON Schema of ``data``.

    Args:
        told: What the message tells.
        party: For whom.
        of_faults: Whether the alert is one of faults, which no rule raised.

    ``since``: from when on the value has been so without a break. ``stuck``: a presence that is true for so
    long that the rule counts it as absent. ``why``: what of the evidence this party may know, as a sentence.
    """
    told_now = told is Told.NOTIFIED
    needs: dict[str, shapes.Schema] = {
        "alert": shapes.NAME,
        "rule": shapes.NAME,
        "severity": shapes.exactly("warning") if of_faults else shapes.SEVERITY,
        "event": shapes.exactly(told.value),
        "at": shapes.TIME,
        "room": {"type": "string"},
        "text": shapes.TEXTS,
        "evidence": shapes.several(_evidence(party)) if told_now else {"type": "array", "maxItems": 0},
        "test": {"type": "boolean"},
    }
    may: dict[str, shapes.Schema] = {}
    if told is Told.ACKNOWLEDGED:
        needs["by"] = shapes.NAME
    elif told is Told.RESOLVED:
        may["reason"] = shapes.NAME
    if of_faults:
        because = shapes.several(shapes.NAME, 1)
        fault = {"alert": shapes.NAME, "at": shapes.TIME, "text": shapes.TEXTS}
        needs["faults"] = shapes.several(
            shapes.either(
                shapes.mapping({**fault, "rule": shapes.NAME, "because": shapes.several(shapes.NAME)}),
                shapes.mapping({**fault, "source": shapes.NAME}),
            ),
            1,
        )
        return shapes.mapping(needs, {**may, "because": because, "source": shapes.NAME})
    needs["raised"] = shapes.TIME
    may |= {"version": {"type": "integer", "minimum": 1}, "answered": shapes.TIME}
    if told_now:
        may["thresholds"] = {"type": "object", "additionalProperties": {"type": "string"}}
        may["why"] = shapes.TEXTS
        if party in LOOKS_KNOWN_TO:
            may["offers"] = shapes.several(shapes.NAME, 1)
    return shapes.mapping(needs, may)


def _evidence(party: str) -> shapes.Schema:
    """What one point was; for property with its room, and of presence nothing else."""
    hidden = PRESENCE if party == "property" else ()
    named: dict[str, shapes.Schema] = {"unit": shapes.UNIT}
    if party == "property":
        named["room"] = {"type": "string"}
    seen = {"point": shapes.point(kind for kind in KINDS if kind not in hidden), **named}
    good = {"value": {"type": ["number", "boolean"]}, "quality": shapes.exactly("good"), "at": shapes.TIME}
    bad = {"value": shapes.NOTHING, "quality": shapes.one_of(["stale", "unknown"])}
    forms = [
        shapes.mapping({**seen, **good}, {"since": shapes.TIME, "stuck": shapes.exactly(True)}),
        shapes.mapping({**seen, **bad}, {"at": shapes.TIME}),
    ]
    if hidden:
        forms.append(shapes.mapping({"point": shapes.point(sorted(hidden)), **named}))
    return shapes.either(*forms)


def forms(party: str) -> list[tuple[Told, bool]]:
    """What a party may be told, and whether of faults. The operator hears of faults only."""
    faults = [(told, True) for told in (Told.FAULT, Told.ACKNOWLEDGED, Told.RECOVERED)]
    if party == "operator":
        return faults
    return [(told, False) for told in (Told.NOTIFIED, Told.ACKNOWLEDGED, Told.RESOLVED)] + faults


def schema(party: str) -> shapes.Schema:
    """JSON Schema of the payload on ``alerts`` of a party."""
    pairs = forms(party)
    types = {told: shapes.exactly(f"{topics.VERSION}.alert.{told.value}") for told, _ in pairs}
    event = shapes.mapping(
        {
            "specversion": shapes.exactly("1.0"),
            "type": shapes.one_of([one["const"] for one in types.values()]),
            "source": {"type": "string", "pattern": f"^{topics.VERSION}/{HOME_ID}$"},
            "id": shapes.NAME,
            "subject": shapes.NAME,
            "time": shapes.TIME,
            "datacontenttype": shapes.exactly("application/json"),
            "data": shapes.either(*(data_schema(told, party, of_faults=faulty) for told, faulty in pairs)),
            "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "epoch": shapes.NAME,
        }
    )
    same = [
        {"properties": {"type": type_, "data": {"properties": {"event": shapes.exactly(told.value)}}}}
        for told, type_ in types.items()
    ]
    return event | shapes.either(*same)
