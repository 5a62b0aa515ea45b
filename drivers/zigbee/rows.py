"""The rows of devices that do otherwise than the standard says, or say how often they check in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from drivers.zigbee.own_rows import own_rows
from drivers.zigbee.row import NO_ROW, Place, Row, RowMistake, read_row

__all__ = ["NO_ROW", "Place", "Row", "RowMistake", "all_rows", "read_row", "row_for"]

FILE = Path(__file__).with_name("rows.yaml")
QUIRKS = Path(__file__).with_name("rows_quirks.json")
CONVERTERS = Path(__file__).with_name("rows_converters.json")
"""Both written by `python -m tests.quirks`: a list, a row a line; no model is in both."""


@cache
def all_rows() -> Mapping[str, Row]:
    """MANUFACTURER/MODEL to the row of rows.yaml."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(FILE.read_text(encoding="utf-8"), Loader=loader)
    return {model: row for models, row in map(read_row, entries) for model in models}


def _generated(model: str) -> Row:
    """The row that was read from others' tables: a line of a file, parsed when such a device is there."""
    wanted = json.dumps(model, ensure_ascii=True)
    for file in (QUIRKS, CONVERTERS):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if wanted in line:
                    entry = json.loads(line.rstrip(",\n"))
                    if model in entry["models"]:
                        return read_row(entry)[1]
    return NO_ROW


def row_for(manufacturer: str, model: str) -> Row:
    """What is known of a model: read from others' tables, over it */MODEL of rows.yaml, over it its own row.

    Over all of it what stands in rows of one's own. Raises RowMistake of one of those.
    """
    row = _shipped(manufacturer.strip(), model.strip())
    for rows in own_rows():
        row = _in(rows, row, manufacturer.strip(), model.strip())
    return row


@cache
def _shipped(manufacturer: str, model: str) -> Row:
    return _in(all_rows(), _generated(f"{manufacturer}/{model}"), manufacturer, model)


def _in(rows: Mapping[str, Row], row: Row, manufacturer: str, model: str) -> Row:
    """A row with what these say beside it."""
    for key in (f"*/{model}", f"{manufacturer}/{model}"):
        row = _over(row, rows.get(key, NO_ROW))
    return row


def _over(row: Row, other: Row) -> Row:
    """One row with all that another says, which wins."""
    if NO_ROW in (row, other):
        return row if other is NO_ROW else other
    return Row(
        source=f"{other.source}; {row.source}",
        stale_after_ms=other.stale_after_ms or row.stale_after_ms,
        note=tuple(map("; ".join, zip(other.note, row.note, strict=False))) or other.note or row.note,
        points={**row.points, **other.points},
        meanings={**row.meanings, **other.meanings},
        scale={**row.scale, **other.scale},
        zone=other.zone or row.zone,
        without=row.without | other.without,
        presses=other.presses or row.presses,
        multistate=other.multistate or row.multistate,
        clears_ms={**row.clears_ms, **other.clears_ms},
        asks=other.asks or row.asks,
    )
