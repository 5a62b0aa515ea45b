"""The rows of devices that do otherwise than the standard says, or say how often they check in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from drivers.zigbee.meanings import MEANINGS_TOLD, Meaning, meaning_of
from drivers.zigbee.standard import ALARM_1, ALARM_2
from homenode import dropped
from homenode.errors import SetupError
from homenode.kinds import kind_of


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
        points: Attributes that are points, instead of what the standard says of them.
        meanings: Kind to the name in `meanings` that replaces the standard's.
        scale: Kind to (multiplier, divisor) that replace those the device gives.
        zone: Kind and mask of alarm bits, instead of what the zone type says.
        without: Kinds that the standard would give and the device doesn't have.
        presses, multistate: As in `plan.Plan`, instead of the standard's.
        clears_ms: Kinds that the device only ever sets, and how long each lasts.
    """

    source: str = ""
    stale_after_ms: int | None = None
    note: str = ""
    points: Mapping[Place, tuple[str, Meaning]] = field(default_factory=dict)
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    scale: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    zone: tuple[tuple[str, int], ...] = ()
    without: frozenset[str] = frozenset()
    presses: Mapping[tuple[int, int, int, int | None], str] = field(default_factory=dict)
    multistate: Mapping[tuple[int, int], str] = field(default_factory=dict)
    clears_ms: Mapping[str, int] = field(default_factory=dict)


NO_ROW = Row()
OWN_ROWS = "homenode.zigbee_rows"
"""Group of the entry points that name packages with a rows.yaml in them."""
FILE = Path(__file__).with_name("rows.yaml")
QUIRKS = Path(__file__).with_name("rows_quirks.json")
"""Written by `python -m tests.quirks`: a list, a row a line."""
_BITS = {"alarm 1": ALARM_1, "alarm 2": ALARM_2, "any": ALARM_1 | ALARM_2}
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
        raise RowMistake(f"{text!r} is not ENDPOINT/CLUSTER/…, in hexadecimal", where=f"row {row}")
    return numbers


def _kind(name: str, row: str) -> str:
    if kind_of(name) is None:
        raise RowMistake(f"{name!r} is not a kind", where=f"row {row}", do="see homenode/kinds.py")
    return name


def _meaning(name: str, row: str) -> Meaning:
    meaning = meaning_of(name)
    if meaning is None:
        raise RowMistake(f"{name!r} is not a meaning", where=f"row {row}", do=f"one of {MEANINGS_TOLD}")
    return meaning


def read_row(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], Row]:
    """The models an entry is for, and its row. Raises RowMistake."""
    models = tuple(str(model) for model in entry.get("models", ()))
    row = models[0] if models else "without models"
    if unknown := sorted(set(entry) - _FIELDS):
        raise RowMistake(f"unknown field {unknown[0]}", where=f"row {row}")
    if not models or not all("/" in model for model in models):
        raise RowMistake("models must be a list of MANUFACTURER/MODEL", where=f"row {row}")
    if not entry.get("source"):
        raise RowMistake(
            "source is missing", where=f"row {row}", do="name the dump or the clause of the datasheet"
        )
    stale_after_ms = None
    if "stale_after" in entry:
        match = _DURATION.fullmatch(str(entry["stale_after"]))
        if match is None:
            raise RowMistake("stale_after must be like 130 min or 3 h", where=f"row {row}")
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
        raise RowMistake(f"{bits} is not alarm 1, alarm 2 or any", where=f"row {row}") from None
    return models, Row(
        source=str(entry["source"]),
        stale_after_ms=stale_after_ms,
        note=str(entry.get("note", "")),
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
            _kind(str(kind), row): int(after * 1000) for kind, after in entry.get("clears", {}).items()
        },
    )


@cache
def all_rows(file: Path = FILE) -> Mapping[str, Row]:
    """MANUFACTURER/MODEL to row. Raises RowMistake."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows: dict[str, Row] = {}
    try:
        entries = yaml.load(file.read_text(encoding="utf-8"), Loader=loader) or []
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RowMistake(f"can't be read: {error}", where=str(file)) from error
    for entry in entries:
        try:
            models, row = read_row(entry)
        except (AttributeError, TypeError, ValueError, IndexError) as error:
            do = "compare it with drivers/zigbee/rows.yaml"
            raise RowMistake(f"is no row: {error}", where=str(file), do=do) from error
        except RowMistake as error:
            raise RowMistake(error.what, where=f"{file.name}: {error.where}", do=error.do) from error
        for model in models:
            if model in rows:
                raise RowMistake("two rows for one model", where=f"row {model}")
            rows[model] = row
    return rows


def own_files() -> list[Path]:
    """Rows of one's own: rows.yaml of packages, ``….rows.yaml`` in the folder of home.yaml's ``drivers:``."""
    places = []
    for point in entry_points(group=OWN_ROWS):
        spec = find_spec(point.module)
        places += (
            [Path(folder) / "rows.yaml" for folder in spec.submodule_search_locations or ()] if spec else []
        )
    return [*places, *(file for at in dropped.__path__ for file in sorted(Path(at).glob("*rows.yaml")))]


def _generated(model: str) -> Row:
    """The row that was read from zha-quirks: a line of its file, parsed when such a device is there."""
    wanted = json.dumps(model, ensure_ascii=True)
    with QUIRKS.open(encoding="utf-8") as lines:
        for line in lines:
            if wanted in line:
                entry = json.loads(line.rstrip(",\n"))
                if model in entry["models"]:
                    return read_row(entry)[1]
    return NO_ROW


@cache
def row_for(manufacturer: str, model: str) -> Row:
    """What is known of a model: read from zha-quirks, over it */MODEL of rows.yaml, over it its own row.

    Over all of it what stands in rows of one's own.
    """
    name = f"{manufacturer.strip()}/{model.strip()}"
    row = _generated(name)
    for rows in (all_rows(), *(all_rows(file) for file in own_files())):
        for key in (f"*/{model.strip()}", name):
            row = _over(row, rows.get(key, NO_ROW))
    return row


def _over(row: Row, other: Row) -> Row:
    """One row with all that another says, which wins."""
    if NO_ROW in (row, other):
        return row if other is NO_ROW else other
    return Row(
        source=f"{other.source}; {row.source}",
        stale_after_ms=other.stale_after_ms or row.stale_after_ms,
        note="; ".join(note for note in (other.note, row.note) if note),
        points={**row.points, **other.points},
        meanings={**row.meanings, **other.meanings},
        scale={**row.scale, **other.scale},
        zone=other.zone or row.zone,
        without=row.without | other.without,
        presses=other.presses or row.presses,
        multistate=other.multistate or row.multistate,
        clears_ms={**row.clears_ms, **other.clears_ms},
    )
