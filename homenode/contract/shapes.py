"""The pieces from which the JSON Schemas of all messages are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$",
}
POINT: Schema = {"type": "string", "pattern": r"^[a-z0-9_-]+\.[a-z0-9_]+$"}
VALUE: Schema = {"type": ["number", "boolean", "null"]}
UNIT: Schema = {"type": ["string", "null"]}
QUALITY: Schema = {"enum": ["good", "stale", "unknown"]}
SEVERITY: Schema = {"enum": ["info", "warning", "alarm"]}
TEXTS: Schema = {
    "type": "object",
    "properties": {"sv": {"type": "string"}, "en": {"type": "string"}},
    "minProperties": 1,
    "additionalProperties": False,
}


def mapping(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with exactly these fields."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def one_of(words: Sequence[str]) -> Schema:
    """One of these words."""
    return {"enum": list(words)}


def text(longest: int, shortest: int = 1) -> Schema:
    """A text of bounded length."""
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def several(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}
