"""JSON Schema of home.yaml and of rule files, for editors; made from the rows that check the files.

A schema sees one field at a time: that a point exists or a pin is used once is `homenode check`'s to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from homenode.config import rows
from homenode.config.cameras import MOST_CORNERS, MOST_MASKS
from homenode.config.durations import PATTERN as DURATION
from homenode.config.fields import Field
from homenode.config.load import Drivers
from homenode.config.model import PARTIES
from homenode.config.notes import listed
from homenode.config.registry import driver_types
from homenode.config.sections import SHARED_WITH
from homenode.config.values import DAY, HOURS, MOMENT, POINT, TIME, WORD, accepted
from homenode.driver import DriverType
from homenode.kinds import KINDS
from homenode.language.grammar import LONGEST
from homenode.language.reader import HEARING, SEVERITIES
from homenode.language.rule_file import SWITCHES
from homenode.language.values import truth_words

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
"""Of a role or a parameter."""
_PARAMETER = rf"\${_NAME}"
_SAID: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        language: {"description": text, "type": "string", "minLength": 1}
        for language, text in (("sv", "In Swedish."), ("en", "In English."))
    },
    "minProperties": 1,
}
_PARTIES: Schema = {
    "anyOf": [
        {"enum": list(HEARING)},
        {"type": "array", "items": {"enum": list(HEARING)}, "uniqueItems": True},
    ]
}
_DOES = {
    "say": "Says a text at home.",
    "light": "Turns a lamp on or off.",
    "switch": "Turns a switch on or off.",
    "valve": "Opens or closes a valve.",
    "siren": "Starts or stops a siren.",
    "notify": "Tells the alert to those outside, until somebody acknowledges.",
    "offer_video": "Offers a look through a camera.",
    "mode": "Sets the mode of the home.",
}
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
        own = {"time": TIME, "moment": MOMENT, "day": DAY, "hours": HOURS, "point": POINT}
        pattern = own.get(row.type, row.pattern or (WORD if row.type == "word" else ""))
        schema |= {"type": "string" if row.type in own else _TEXT}
        schema |= {"pattern": _whole(pattern)} if pattern else {"minLength": 1}
    return schema


def home_schema(drivers: Drivers | None = None) -> Schema:
    """The schema of home.yaml with the fields of `drivers` (those installed if not given)."""
    types = driver_types() if drivers is None else drivers
    point = {"type": "string", "pattern": _whole(rf"{WORD}(\.[a-z][a-z0-9_]*)?")}
    shared = {"type": "string", "pattern": _whole(rf"(\*|{WORD})\.(\*|[a-z][a-z0-9_]*)")}
    url = {"type": "string", "pattern": "^mqtts?://[^@ /]+/?$"}
    interface = {"type": "string", "pattern": _whole(rows.INTERFACE)}
    several = {"type": "array", "items": interface, "uniqueItems": True}
    quiet = {
        "type": "array",
        "items": {"type": "string", "pattern": _whole(rf"{WORD}\.({'|'.join(rows.QUIET_KINDS)})(_[0-9]+)?")},
        "minItems": 1,
        "description": "Points that are true while somebody is seen, one at least for each room (away).",
    }
    share = {"type": "number", "minimum": 0, "maximum": 1}
    corner = {"type": "array", "items": share, "minItems": 2, "maxItems": 2}
    area = {"type": "array", "items": corner, "minItems": 3, "maxItems": MOST_CORNERS}
    masks = {"type": ["array", "null"], "items": area, "maxItems": MOST_MASKS}
    address = {"type": "string", "pattern": _whole(rows.ICE_URL)}
    relays = {"type": "array", "items": address, "minItems": 1}
    bind = {"anyOf": [point, {"type": "array", "items": point, "minItems": 1, "uniqueItems": True}]}
    sections: dict[str, Schema] = {
        "broker": _object(
            rows.BROKER,
            {
                "url": _described(
                    "Address of the broker, such as mqtts://broker.example:8883; or a list, tried in order.",
                    {"anyOf": [url, {"type": "array", "items": url, "minItems": 1}]},
                ),
                "interfaces": _described(
                    "Network interfaces to reach it over, tried in order; any, if not given.",
                    {"anyOf": [interface, several, {"type": "null"}]},
                ),
                "lost": _described("What is done without a link.", _nullable(_object(rows.LOST))),
            },
            ["url"],
        ),
        "radios": _named({"anyOf": [_radio(kind) for kind in types.values() if kind.radio_fields] or [{}]}),
        "devices": _named({"anyOf": _devices(types)}),
        "rules": _nullable(
            {
                "type": "array",
                "items": _object(
                    rows.USE,
                    {
                        "bind": _described(rows.USE_TABLES["bind"], _map(bind)),
                        "set": _described(rows.USE_TABLES["set"], _map({"type": _TEXT})),
                    },
                ),
            }
        ),
        "share": _nullable(
            {
                "type": "object",
                "properties": {
                    party: _described(
                        f"Points that {party} gets raw readings of.",
                        _nullable({"type": "array", "items": shared}),
                    )
                    for party in SHARED_WITH
                },
                "additionalProperties": False,
            }
        ),
        "keys": _nullable(
            {
                "type": "object",
                "properties": {
                    party: _described(f"File with the public key of {party}, in PEM.", {"type": _TEXT})
                    for party in PARTIES
                },
                "additionalProperties": False,
            }
        ),
        "modes": _named(_nullable(_object(rows.MODE, {"quiet": quiet}))),
        "clock": _nullable(_object(rows.CLOCK)),
        "resident": _nullable(_object(rows.RESIDENT)),
        "voice": _nullable(_object(rows.VOICE)),
        "cameras": _named(_object(rows.CAMERA, {"masks": _described("Areas that are never shown.", masks)})),
        "video": _named(_object(rows.VIDEO)),
        "panel": _nullable(
            {
                "type": "object",
                "propertyNames": {"pattern": _whole(rf"{WORD}\.({'|'.join(rows.PANEL_KINDS)})(_[0-9]+)?")},
                "additionalProperties": _nullable(_object(rows.PANEL)),
            }
        ),
        "ice": _nullable(_object(rows.ICE, {"urls": _described("Of the relays.", relays)}, ["urls"])),
        "machine": _nullable(_object(rows.MACHINE)),
        "export": _nullable(_object(rows.EXPORT)),
    }
    described = {name: {"description": text, **sections[name]} for name, text in rows.SECTIONS.items()}
    return {"$schema": DIALECT, "title": "home.yaml of homenode", **_object(rows.TOP, described, ["devices"])}


def rule_schema() -> Schema:
    """The schema of a rule file (its conditions are texts; `homenode check` reads them)."""
    span = {"type": "string", "pattern": _whole(rf"{DURATION}|{_PARAMETER}")}
    kinds = {"enum": [*KINDS, "camera"]}
    role = {
        "type": "object",
        "properties": {
            "kind": _described(
                "Kind of its points, or a list of kinds.",
                {"anyOf": [kinds, {"type": "array", "items": kinds, "minItems": 1}]},
            ),
            "many": _described(
                "Bound to a list of points, which any(…) and all(…) ask.", {"type": "boolean"}
            ),
            "optional": _described("May stay unbound; only steps use it.", {"type": "boolean"}),
        },
        "required": ["kind"],
        "additionalProperties": False,
    }
    setting = {
        "type": "object",
        "properties": {
            "default": _described(
                "Its value where a home sets none: 20 min, 50 W, 22:00, 3.", {"type": _TEXT}
            ),
            "min": _described("The least that a home may set.", {"type": _TEXT}),
            "max": _described("The most that a home may set.", {"type": _TEXT}),
        },
        "required": ["default"],
        "additionalProperties": False,
    }
    condition = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    properties: dict[str, Schema] = {
        "rule": _described(
            "Name of the rule, as its file is called.", {"type": "string", "pattern": _whole(WORD)}
        ),
        "version": _described("Raised with every change; 1 if absent.", {"type": "integer", "minimum": 1}),
        "severity": _described("How urgent it is; alarm if absent.", {"enum": list(SEVERITIES)}),
        "to": _described("Who hears of it, care if absent; [] stays in the home.", _PARTIES),
        "roles": _described(
            "Names for the points that a home binds.",
            {
                "type": ["object", "null"],
                "patternProperties": {_whole(_NAME): role},
                "additionalProperties": False,
            },
        ),
        "parameters": _described(
            "Values that a home may set; $NAME stands for one in conditions and steps, {NAME} in texts.",
            {
                "type": ["object", "null"],
                "patternProperties": {_whole(_NAME): setting},
                "additionalProperties": False,
            },
        ),
        "when": _described(
            "The condition that raises the alert, such as: door == open for $open.", condition
        ),
        "clear": _described("The condition that ends it; as soon as when is not true if absent.", condition),
        "steps": _described(
            "What is done; without a notify it is told at once.", {"type": "array", "items": _step(span)}
        ),
        "says": _described("What the alert says, by language; {NAME} is a parameter's value.", _SAID),
        "bridge": _described("Longest downtime of the node that changes nothing; 15 min if absent.", span),
        "grace": _described("How long it may be blind before that is a fault; 10 min if absent.", span),
        "again": _described("An acknowledgement lapses after this, and telling begins anew.", span),
        "hold": _described("It ends only once acknowledged.", {"enum": ["acknowledged"]}),
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


def _step(span: Schema) -> Schema:
    """One of what a step may do, so that an editor offers the keys that go with it."""
    count = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": _whole(_PARAMETER)}]}
    when = {
        "after": _described("How long after the raise it runs, such as 0 s or 3 min.", span),
        "at": _described("At the end of the alert instead.", {"enum": ["resolve"]}),
        "every": _described("How long until it runs again; with times.", span),
        "times": _described("How often it runs in all; with every.", count),
    }
    name = {"type": "string", "pattern": _whole(_NAME)}
    mode = {"type": "string", "pattern": _whole(WORD)}
    own: dict[str, Schema] = {
        "say": {"text": _described("What is said at home, by language.", _SAID)},
        **{do: _switching(do, name) for do in SWITCHES},
        "notify": {"to": _described("Who is told; the rule's to if absent.", _PARTIES)},
        "offer_video": {"role": _described("The role of the camera that is offered.", name)},
        "mode": {"to": _described("The mode that the home is set to.", mode)},
    }
    return {
        "type": "object",
        "properties": {"do": _described("What it does.", {"enum": list(own)})},
        "required": ["do"],
        "anyOf": [
            {
                "title": do,
                "properties": {"do": {"const": do, "description": _DOES[do]}, **when, **fields},
                "required": ["do", *(key for key in fields if do != "notify")],
                "oneOf": [{"required": ["after"]}, {"required": ["at"]}],
                "dependentRequired": {"every": ["times"], "times": ["every"]},
                "additionalProperties": False,
            }
            for do, fields in own.items()
        ],
    }


def _switching(do: str, name: Schema) -> Schema:
    words = truth_words([KINDS[do]])
    to: Schema = {"enum": [{"true": True, "false": False}.get(word, word) for word in reversed(words)]}
    return {
        "role": _described(f"The role, of kind {do}, that is switched.", name),
        "to": _described(f"What it is switched to: {listed(words[2:])}.", to),
    }


def _described(text: str, schema: Schema) -> Schema:
    return {"description": text, **schema}


def _radio(kind: DriverType) -> Schema:
    driver = _described(rows.RADIO[0].help, {"const": kind.name})
    return _object(kind.radio_fields, {"driver": driver}, ["driver"])


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
            driver = _described(rows.DEVICE[1].help, {"const": kind.name})
            own.append(_object(fields, {"driver": driver}, ["driver"]))
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
