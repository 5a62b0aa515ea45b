"""One row: what is special about a model of device, and what may stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from drivers.zigbee.asks import ASKS_TOLD, Ask, ask_of
from drivers.zigbee.meanings import MEANINGS_TOLD, Meaning, meaning_of
from drivers.zigbee.standard import ALARM_1, ALARM_2, TEST
from homenode.config.notes import nearest
from homenode.errors import SetupError
from homenode.kinds import KINDS, kind_of


class Place(NamedTuple):
    """Where an attribute is on a device; `item`: one of several values in it (`xiaomi`), else None."""

    endpoint: int
    cluster: int
    attribute: int
    item: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What is special about a model (see the head of rows.yaml for the fields).

    Attributes:
        note: What an installer should know, in English and in Swedish; empty if nothing.
        points: Attributes that are points, instead of what the standard says of them.
        meanings: Kind to the name in `meanings` that replaces the standard's.
        scale: Kind to (multiplier, divisor) that replace those the device gives.
        zone: Kind and mask of alarm bits, instead of what the zone type says.
        without: Kinds that the standard would give and the device doesn't have.
        presses, multistate: As in `plan.Plan`, instead of the standard's.
        clears_ms: Kinds that the device only ever sets, and how long each lasts.
        asks: What it has to be told before it says anything.
    """

    source: str = ""
    stale_after_ms: int | None = None
    note: tuple[str, ...] = ()
    points: Mapping[Place, tuple[str, Meaning]] = field(default_factory=dict)
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    scale: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    zone: tuple[tuple[str, int], ...] = ()
    without: frozenset[str] = frozenset()
    presses: Mapping[tuple[int, int, int, int | None], str] = field(default_factory=dict)
    multistate: Mapping[tuple[int, int], str] = field(default_factory=dict)
    clears_ms: Mapping[str, int] = field(default_factory=dict)
    asks: tuple[Ask, ...] = ()


NO_ROW = Row()
_BITS = {"alarm 1": ALARM_1, "alarm 2": ALARM_2, "any": ALARM_1 | ALARM_2, "test": TEST}
_DURATION = re.compile(r"([0-9]+) (min|h|d)")
_UNIT_MS = {"min": 60_000, "h": 3_600_000, "d": 86_400_000}
_FIELDS = {
    "models",
    "source",
    "stale_after",
    "note",
    "points",
    "meanings",
    "scale",
    "zone",
    "without",
    "presses",
    "multistate",
    "clears",
    "asks",
}


class RowMistake(SetupError):
    """A row that can't be; says which and why."""


def _place(text: str, row: str, parts: tuple[int, ...]) -> list[int]:
    """ENDPOINT/…, of so many parts."""
    try:
        first, *rest = text.split("/")
        numbers = [int(first), *(int(part, 16) for part in rest)]
    except ValueError:
        numbers = []
    if len(numbers) not in parts:
        what = f"{text!r}, which is not ENDPOINT/CLUSTER/…, in hexadecimal"
        raise RowMistake(what, where=f"row {row}", do="a place such as 1/0006/0000")
    return numbers


def _kind(name: str, row: str) -> str:
    if kind_of(name) is None:
        near = nearest(str(name), KINDS)
        do = "a word of homenode/kinds.py" + (f", such as {near}" if near else "")
        raise RowMistake(f"{name!r}, which is not a kind", where=f"row {row}", do=do)
    return name


def _seconds(value: Any, row: str) -> int:
    if not isinstance(value, int) or value <= 0:
        what = f"{value!r}, which is no whole number of seconds"
        raise RowMistake(what, where=f"row {row}", do="such as 60")
    return value


def _meaning(name: str, row: str) -> Meaning:
    meaning = meaning_of(name)
    if meaning is None:
        what = f"{name!r}, which is not a meaning"
        raise RowMistake(what, where=f"row {row}", do=f"one of {MEANINGS_TOLD}")
    return meaning


def _ask(where: str, text: str, row: str) -> Ask:
    endpoint, cluster, attribute = _place(where, row, (3,))
    ask = ask_of(endpoint, cluster, attribute, text)
    if ask is None:
        raise RowMistake(f"{text!r}, which is nothing to be asked", where=f"row {row}", do=ASKS_TOLD)
    return ask


def _note(note: object, row: str) -> tuple[str, ...]:
    """In English and in Swedish; a text without a language is for both."""
    if note is None or isinstance(note, str):
        return (note, note) if note else ()
    if isinstance(note, Mapping) and set(note) == {"en", "sv"}:
        return str(note["en"]), str(note["sv"])
    raise RowMistake(f"note {note!r}", where=f"row {row}", do="a text, or {en: a text, sv: a text}")


def read_row(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], Row]:
    """The models an entry is for, and its row. Raises RowMistake."""
    models = tuple(str(model) for model in entry.get("models", ()))
    row = models[0] if models else "without models"
    if unknown := sorted(set(entry) - _FIELDS):
        raise RowMistake(f"the unknown field {unknown[0]}", where=f"row {row}", do=", ".join(sorted(_FIELDS)))
    if not models or not all("/" in model for model in models):
        what = "no list of MANUFACTURER/MODEL"
        raise RowMistake(what, where=f"row {row}", do="models such as [ACME/DS-1], as the device tells them")
    if not entry.get("source"):
        do = "source: the dump, or the clause of its data sheet"
        raise RowMistake("no source", where=f"row {row}", do=do)
    stale_after_ms = None
    if "stale_after" in entry:
        match = _DURATION.fullmatch(str(entry["stale_after"]))
        if match is None:
            what = f"{entry['stale_after']!r}, which is no stale_after"
            raise RowMistake(what, where=f"row {row}", do="such as 130 min or 3 h")
        stale_after_ms = int(match[1]) * _UNIT_MS[match[2]]
    points = {}
    for where, what in entry.get("points", {}).items():
        endpoint, cluster, attribute, *item = _place(str(where), row, (3, 4))
        kind, _, meaning = str(what).partition(" ")
        place = Place(endpoint, cluster, attribute, item[0] if item else None)
        points[place] = (_kind(kind, row), _meaning(meaning or "flag", row))
    presses: dict[tuple[int, int, int, int | None], str] = {}
    for where, kind in entry.get("presses", {}).items():
        endpoint, cluster, command, *first = _place(str(where), row, (3, 4))
        presses[endpoint, cluster, command, first[0] if first else None] = _kind(str(kind), row)
    multistate = {}
    for where, kind in entry.get("multistate", {}).items():
        endpoint, value = _place(str(where), row, (2,))
        multistate[endpoint, value] = _kind(str(kind), row)
    try:
        zone = tuple((_kind(str(kind), row), _BITS[bits]) for kind, bits in entry.get("zone", {}).items())
    except KeyError as bits:
        raise RowMistake(f"{bits} for a zone", where=f"row {row}", do=", ".join(_BITS)) from None
    return models, Row(
        source=str(entry["source"]),
        stale_after_ms=stale_after_ms,
        note=_note(entry.get("note"), row),
        points=points,
        meanings={
            _kind(kind, row): _meaning(str(name), row) for kind, name in entry.get("meanings", {}).items()
        },
        scale={_kind(kind, row): (int(by[0]), int(by[1])) for kind, by in entry.get("scale", {}).items()},
        zone=zone,
        without=frozenset(_kind(str(kind), row) for kind in entry.get("without", ())),
        presses=presses,
        multistate=multistate,
        clears_ms={
            _kind(str(kind), row): _seconds(after, row) * 1000
            for kind, after in entry.get("clears", {}).items()
        },
        asks=tuple(_ask(str(where), str(text), row) for where, text in entry.get("asks", {}).items()),
    )
