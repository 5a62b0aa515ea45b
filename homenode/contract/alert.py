"""The message of an alert: CloudEvents 1.0, structured JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from homenode.contract import shapes, topics


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
        message_id: One per message and party; the same at each resend.
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


def data_schema() -> shapes.Schema:
    """JSON Schema of ``data``.

    Property's evidence may leave out value, quality and times. ``since``: from when on the value has been so
    without a break. ``stuck``: a presence that is true for so long that the rule counts it as absent.
    ``why``: what of the evidence this party may know, as a sentence.
    """
    evidence = shapes.mapping(
        {"point": shapes.POINT, "unit": shapes.UNIT},
        {
            "room": {"type": "string"},
            "value": shapes.VALUE,
            "quality": shapes.QUALITY,
            "at": shapes.TIME,
            "since": shapes.TIME,
            "stuck": {"const": True},
        },
    )
    because = shapes.several({"type": "string"})
    fault = shapes.mapping(
        {"alert": {"type": "string"}, "at": shapes.TIME, "text": shapes.TEXTS},
        {"rule": {"type": "string"}, "because": because, "source": {"type": "string"}},
    )
    return shapes.mapping(
        {
            "alert": {"type": "string"},
            "rule": {"type": "string"},
            "severity": shapes.SEVERITY,
            "event": shapes.one_of([told.value for told in Told]),
            "at": shapes.TIME,
            "room": {"type": "string"},
            "text": shapes.TEXTS,
            "evidence": shapes.several(evidence),
            "test": {"type": "boolean"},
        },
        {
            "by": {"type": "string"},
            "reason": {"type": "string"},
            "raised": shapes.TIME,
            "version": {"type": "integer", "minimum": 1},
            "thresholds": {"type": "object", "additionalProperties": {"type": "string"}},
            "why": shapes.TEXTS,
            "answered": shapes.TIME,
            "because": because,
            "source": {"type": "string"},
            "faults": shapes.several(fault),
        },
    )


def schema() -> shapes.Schema:
    """JSON Schema of the payload on ``alerts``."""
    types = [f"{topics.VERSION}.alert.{told.value}" for told in Told]
    return shapes.mapping(
        {
            "specversion": {"const": "1.0"},
            "type": shapes.one_of(types),
            "source": {"type": "string", "pattern": f"^{topics.VERSION}/[a-z0-9-]{{1,40}}$"},
            "id": {"type": "string", "minLength": 1},
            "subject": {"type": "string", "minLength": 1},
            "time": shapes.TIME,
            "datacontenttype": {"const": "application/json"},
            "data": data_schema(),
            "sequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "epoch": {"type": "string", "minLength": 1},
        }
    )
