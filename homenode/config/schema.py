"""JSON Schema of home.yaml and of rule files, for editors; made from the rows that check the files.

A schema sees one field at a time: that a point exists or a pin is used once is `homenode check`'s to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from homenode.config import rows
from homenode.config.durations import PATTERN as DURATION
from homenode.config.fields import Field
from homenode.config.load import Drivers
from homenode.config.model import PARTIES
from homenode.config.registry import driver_types
from homenode.config.sections import SHARED_WITH
from homenode.config.values import MOMENT, POINT, TIME, WORD, accepted
from homenode.driver import DriverType
from homenode.kinds import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_TEXT = ["string", "number", "boolean"]
"""Of text any scalar is taken as it stands: a home id may be all digits."""


def field_schema(row: Field) -> Schema:
    """One row."""
    schema: Schema = {"description": f"{row.help} Accepted: {accepted(row)}."}
    if row.default not in (None, "") and isinstance(row.default, str | int | float | bool):
        schema["default"] = row.default
    if row.type in ("number", "whole"):
        schema["type"] = "integer" if row.type == "whole" else "number"
        schema |= {
            key: limit for key, limit in (("minimum", row.low), ("maximum", row.high)) if limit is not None
        }
    elif row.type == "flag":
        schema["type"] = "boolean"
    elif row.type == "words":
        schema |= {"type": "array", "items": {"enum": list(row.choices)} if row.choices else {"type": _TEXT}}
    elif row.type == "duration":
        patterns = [DURATION, *row.choices]
        schema |= {"type": "string", "pattern": _whole("|".join(patterns))}
        schema.pop("default", None)
    elif row.choices:
        schema["enum"] = [*row.choices, *_as_numbers(row.choices)]
    else:
        own = {"time": TIME, "moment": MOMENT, "point": POINT, "word": row.pattern or WORD}
        pattern = own.get(row.type, row.pattern)
        schema |= {"type": "string" if row.type in ("time", "moment", "point") else _TEXT}
        schema |= {"pattern": _whole(pattern)} if pattern else {"minLength": 1}
    return schema


def home_schema(drivers: Drivers | None = None) -> Schema:
    """The schema of home.yaml with the fields of `drivers` (those installed if not given)."""
    types = driver_types() if drivers is None else drivers
    point = {"type": "string", "pattern": _whole(rf"{WORD}(\.[a-z][a-z0-9_]*)?")}
    shared = {"type": "string", "pattern": _whole(rf"(\*|{WORD})\.(\*|[a-z][a-z0-9_]*)")}
    url = {"type": "string", "pattern": "^mqtts?://[^@ /]+/?$"}
    quiet = {
        "type": "array",
        "items": {"type": "string", "pattern": _whole(rf"{WORD}\.({'|'.join(rows.QUIET_KINDS)})(_[0-9]+)?")},
        "minItems": 1,
        "description": "Points that are true while somebody is seen, one at least for each room (away).",
    }
    bind = {"anyOf": [point, {"type": "array", "items": point, "minItems": 1, "uniqueItems": True}]}
    sections: dict[str, Schema] = {
        "broker": _object(
            rows.BROKER, {"url": {"anyOf": [url, {"type": "array", "items": url, "minItems": 1}]}}, ["url"]
        ),
        "radios": _named({"anyOf": [_radio(kind) for kind in types.values() if kind.radio_fields] or [{}]}),
        "devices": _named({"anyOf": _devices(types)}),
        "rules": _nullable(
            {
                "type": "array",
                "items": _object(rows.USE, {"bind": _map(bind), "set": _map({"type": _TEXT})}),
            }
        ),
        "share": _nullable(
            {
                "type": "object",
                "properties": {party: _nullable({"type": "array", "items": shared}) for party in SHARED_WITH},
                "additionalProperties": False,
            }
        ),
        "modes": _named(_nullable(_object(rows.MODE, {"quiet": quiet}))),
        "clock": _nullable(_object(rows.CLOCK)),
        "resident": _nullable(_object(rows.RESIDENT)),
        "voice": _nullable(_object(rows.VOICE)),
        "cameras": _named(_object(rows.CAMERA) | {"additionalProperties": True}),
        "export": _nullable(_object(rows.EXPORT)),
    }
    described = {name: {"description": text, **sections[name]} for name, text in rows.SECTIONS.items()}
    return {"$schema": DIALECT, "title": "home.yaml of homenode", **_object(rows.TOP, described, ["devices"])}


def rule_schema() -> Schema:
    """The schema of a rule file (its conditions are texts; `homenode check` reads them)."""
    span = {"type": "string", "pattern": _whole(rf"{DURATION}|\$[a-z][a-z0-9_]*")}
    said = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}, "minProperties": 1}
    kinds = {"enum": [*KINDS, "camera"]}
    role = {
        "type": "object",
        "properties": {
            "kind": {"anyOf": [kinds, {"type": "array", "items": kinds, "minItems": 1}]},
            "many": {"type": "boolean"},
            "optional": {"type": "boolean"},
        },
        "required": ["kind"],
        "additionalProperties": False,
    }
    parties = {"type": "array", "items": {"enum": list(PARTIES)}, "uniqueItems": True}
    properties: dict[str, Schema] = {
        "rule": {"type": "string", "pattern": _whole(WORD), "description": "Name of the rule."},
        "version": {"type": "integer", "minimum": 1, "description": "Raised with every change."},
        "severity": {"enum": ["info", "warning", "alarm"]},
        "to": {**parties, "description": "Who hears of it; [] stays in the home."},
        "roles": _map(role),
        "parameters": _map(
            {
                "type": "object",
                "properties": {name: {"type": _TEXT} for name in ("default", "min", "max")},
                "required": ["default"],
                "additionalProperties": False,
            }
        ),
        "when": {"type": "string", "description": "The condition that raises the alert."},
        "clear": {"type": "string", "description": "The condition that resolves it; not when if absent."},
        "steps": {"type": "array", "items": _step(said, span, parties)},
        "says": {**said, "description": "What the alert says, by language."},
        "bridge": {**span, "description": "Longest downtime that changes nothing."},
        "grace": {**span, "description": "How long it may be blind before that is a fault."},
        "again": {**span, "description": "An acknowledgement lapses after this."},
        "hold": {"enum": ["acknowledged"], "description": "It resolves only once acknowledged."},
    }
    return {
        "$schema": DIALECT,
        "title": "A rule of homenode",
        "type": "object",
        "properties": properties,
        "required": ["rule", "when"],
        "additionalProperties": False,
    }


def print_schema(what: str, out: TextIO) -> int:
    """Prints the schema of a ``home`` or a ``rule`` file; returns the exit status."""
    schema = rule_schema() if what == "rule" else home_schema()
    print(json.dumps(schema, indent=2, ensure_ascii=False), file=out)
    return 0


def _step(said: Schema, span: Schema, parties: Schema) -> Schema:
    when = {
        "after": span,
        "at": {"enum": ["resolve"]},
        "every": span,
        "times": {"type": "integer", "minimum": 1},
    }
    name = {"type": "string", "pattern": _whole(WORD)}
    to = {"enum": ["on", "off", "open", "closed", True, False]}
    own: dict[str, tuple[Schema, list[str]]] = {
        "say": ({"text": said}, ["text"]),
        **{do: ({"role": name, "to": to}, ["role", "to"]) for do in ("light", "switch", "valve", "siren")},
        "notify": ({"to": parties}, []),
        "offer_video": ({"role": name}, ["role"]),
        "mode": ({"to": name}, ["to"]),
    }
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {"do": {"const": do}, **when, **fields},
                "required": ["do", *required],
                "oneOf": [{"required": ["after"]}, {"required": ["at"]}],
                "dependentRequired": {"every": ["times"], "times": ["every"]},
                "additionalProperties": False,
            }
            for do, (fields, required) in own.items()
        ]
    }


def _radio(kind: DriverType) -> Schema:
    return _object(kind.radio_fields, {"driver": {"const": kind.name}}, ["driver"])


def _devices(types: Drivers) -> list[Schema]:
    """A device heard by radio, or a wired one; each as its driver describes it."""
    common = [row for row in rows.DEVICE if row.name not in ("via", "driver")]
    own: list[Schema] = []
    for kind in types.values():
        taken = {row.name for row in rows.DEVICE}
        fields = [*common, *(row for row in kind.device_fields if row.name not in taken)]
        if kind.radio_fields:
            own.append(_object(fields, {"via": field_schema(rows.DEVICE[0])}, ["via"]))
        else:
            own.append(_object(fields, {"driver": {"const": kind.name}}, ["driver"]))
    return own or [_object(common) | {"additionalProperties": True}]


def _object(fields: Sequence[Field], more: Schema | None = None, required: Iterable[str] = ()) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {row.name: field_schema(row) for row in fields} | (more or {}),
        "additionalProperties": False,
    }
    needed = [*(row.name for row in fields if row.required), *required]
    return schema | ({"required": needed} if needed else {})


def _named(entry: Schema) -> Schema:
    return _nullable(
        {"type": "object", "patternProperties": {_whole(WORD): entry}, "additionalProperties": False}
    )


def _map(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def _nullable(schema: Schema) -> Schema:
    """A section may stand there with nothing in it."""
    return schema | {"type": [schema["type"], "null"]}


def _as_numbers(choices: Iterable[str]) -> list[int]:
    """Choices that YAML reads as numbers, such as an EZSP version."""
    return [int(choice) for choice in choices if choice.isdecimal()]


def _whole(pattern: str) -> str:
    """The pattern as JavaScript reads it: without ``(?i)``, with ranges of letters in both cases instead."""
    if pattern.startswith("(?i)"):
        both = re.compile("[a-z]-[a-z]")
        pattern = both.sub(lambda letters: letters[0] + letters[0].upper(), pattern[len("(?i)") :])
    return f"^(?:{pattern})$"
