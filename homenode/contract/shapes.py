"""The pieces from which the JSON Schemas of all messages are put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homenode.kinds import KINDS

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What AsyncAPI 3 takes schemas to be; nothing used here means something else in a later draft."""

TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}[+-]\d\d:\d\d$",
}
POINT: Schema = {"type": "string", "pattern": r"^[a-z0-9_-]+\.[a-z0-9_]+$"}
UNIT: Schema = {"enum": [None, *sorted({kind.unit for kind in KINDS.values() if kind.unit})]}
QUALITY: Schema = {"enum": ["good", "stale", "unknown"]}
SEVERITY: Schema = {"enum": ["info", "warning", "alarm"]}
TEXTS: Schema = {
    "type": "object",
    "properties": {"sv": {"type": "string", "minLength": 1}, "en": {"type": "string", "minLength": 1}},
    "minProperties": 1,
    "additionalProperties": False,
}


NAME: Schema = {"type": "string", "minLength": 1}
NOTHING: Schema = {"type": "null"}


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


def several(item: Schema, least: int = 0) -> Schema:
    """A list."""
    return {"type": "array", "items": item, "minItems": least}


def exactly(value: object) -> Schema:
    """This and nothing else."""
    return {"const": value} | ({"type": "boolean"} if isinstance(value, bool) else {})


def either(*forms: Schema) -> Schema:
    """One of these forms, and only one."""
    return {"oneOf": list(forms)}


def point(kinds: Iterable[str] = KINDS) -> Schema:
    """A point of one of these kinds, such as ``cooker.current_2``."""
    return {"type": "string", "pattern": rf"^[a-z0-9_-]{{1,64}}\.({'|'.join(kinds)})(_([2-9]|[1-9]\d+))?$"}
