"""A shared reading as it leaves the home. Built for every one heard, so this is the hot path."""

from __future__ import annotations

import json

from homenode.config.model import NEVER
from homenode.contract import shapes
from homenode.contract.times import Zone
from homenode.kinds import KINDS, kind_of
from homenode.reading import How, Quality, Value

_UNITS = {kind.name: json.dumps(kind.unit, ensure_ascii=False) for kind in KINDS.values()}
_WORDS = {True: "true", False: "false", None: "null"}


def unit_json(point: str) -> str:
    """The unit of a point as JSON text; computed once per point by the caller."""
    kind = kind_of(point)
    return _UNITS[kind.name] if kind else "null"


def payload(
    zone: Zone, value: Value, unit: str, wall_ms: int, stale_after_ms: int, quality: Quality, how: How
) -> bytes:
    """One reading.

    Args:
        zone: The home's.
        value: None if the device says fault, or the point went stale.
        unit: From `unit_json`.
        wall_ms: When it was heard, or when the point went stale or unknown.
        stale_after_ms: How long it may be believed; NEVER.
        quality: Of the point from now on; a value goes out only with GOOD.
        how: Live, restored or historical.
    """
    if value is None or quality is not Quality.GOOD:
        word, until = "null", "null"
    else:
        word = _WORDS[value] if value is True or value is False else repr(value)
        until = "null" if stale_after_ms == NEVER else f'"{zone.text(wall_ms + stale_after_ms)}"'
    return (
        f'{{"value":{word},"unit":{unit},"at":"{zone.text(wall_ms)}","valid_until":{until},'
        f'"quality":"{quality._value_}","how":"{how._value_}"}}'
    ).encode()


def schema(*hows: How) -> shapes.Schema:
    """JSON Schema of the payload on ``readings/<device>/<kind>``; heard in these ways only, if any are given.

    A value stands there only with quality good: stale and unknown are never a number, nor false.
    """
    always = {"at": shapes.TIME, "how": shapes.one_of([how.value for how in hows or How])}
    until = {"anyOf": [shapes.TIME, shapes.NOTHING]}
    good = {"valid_until": until, "quality": shapes.exactly(Quality.GOOD.value), **always}
    not_good = shapes.one_of([Quality.STALE.value, Quality.UNKNOWN.value])
    no_value = {"value": shapes.NOTHING, "unit": shapes.UNIT, "valid_until": shapes.NOTHING}
    return shapes.either(
        shapes.mapping({"value": {"type": "number"}, "unit": shapes.UNIT, **good}),
        shapes.mapping({"value": {"type": "boolean"}, "unit": shapes.NOTHING, **good}),
        shapes.mapping({**no_value, "quality": not_good, **always}),
    )


def as_historical(reading: bytes) -> bytes:
    """The same reading, told after a newer one of its point was."""
    return reading[: reading.rindex(b'"how":')] + b'"how":"historical"}'
