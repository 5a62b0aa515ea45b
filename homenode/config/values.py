"""Turns what stands in a file into values, by the rows (`Field`) that describe it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from homenode.config import durations
from homenode.config.fields import Field
from homenode.config.notes import Notes, listed, nearest, unknown_key
from homenode.config.yaml12 import Listing, Node, Scalar, Table
from homenode.kinds import kind_of

WORD = r"[a-z0-9_-]{1,64}"
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
MOMENT = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?"
DAY = r"\d{4}-\d\d-\d\d"
HOURS = rf"({TIME})-({TIME})"
POINT = rf"{WORD}\.[a-z][a-z0-9_]*"
LONGEST_TEXT = 4_096


class Wrong(Exception):
    """A value doesn't fit its row: what is accepted, and a suggestion."""

    def __init__(self, accepted: str, suggestion: str = "") -> None:
        self.accepted, self.suggestion = accepted, suggestion
        super().__init__(accepted)


def read_table(
    rows: Sequence[Field],
    node: Node,
    where: str,
    notes: Notes,
    beside: Path,
    *,
    at: Node | None = None,
    others: Sequence[str] = (),
) -> dict[str, Any]:
    """The fields of a mapping, converted, defaults filled in; every mistake goes to `notes`.

    Args:
        rows: What may stand there.
        node: What stands there.
        where: Dotted place, "" at the top of the file.
        beside: Folder that paths are relative to.
        at: Where a missing field is told; `node` itself if not given.
        others: Names of fields that the caller reads.
    """
    values = {row.name: row.default for row in rows}
    if not isinstance(node, Table):
        notes.wrong(node, where, f"a mapping with {listed(row.name for row in rows)}")
        return values
    by_name = {row.name: row for row in rows}
    for name, (key, value) in node.entries.items():
        field = f"{where}.{name}" if where else name
        row = by_name.get(name)
        if row is None:
            unknown_key(key, field, (*others, *by_name), notes)
            continue
        values[name] = read_value(row, value, field, notes, beside)
    for row in rows:
        if row.required and row.name not in node.entries:
            field = f"{where}.{row.name}" if where else row.name
            notes.wrong(at or node, field, accepted(row), found="nothing")
    return values


def read_value(row: Field, node: Node, where: str, notes: Notes, beside: Path) -> Any:
    """One value, or the row's default if it doesn't fit (then `notes` says so)."""
    if row.type in ("words", "times"):
        return _read_items(row, node, where, notes)
    try:
        return _convert(row, node, beside)
    except Wrong as wrong:
        if row.secret:
            notes.wrong(replace(node, column=0), where, wrong.accepted, found="something else")
        else:
            notes.wrong(node, where, wrong.accepted, suggestion=wrong.suggestion)
        return row.default


def accepted(row: Field) -> str:
    """What may stand there, in words."""
    if row.shown:
        return row.shown
    if row.choices and row.type != "duration":
        return listed(row.choices, most=40)
    kinds = {
        "text": "text",
        "word": "a word of a-z, 0-9, _ and -",
        "number": f"a number{_range(row, '')}",
        "whole": f"a whole number{_range(row, '')}",
        "flag": "true or false",
        "duration": f"{durations.SHOWN}{_range(row, 'ms')}",
        "path": "a path",
        "point": "a point such as stove.power",
        "words": "a list of words",
        "time": "a time of day such as 07:30, in quotes or not",
        "times": 'times of day, such as ["23:00", "03:00"]',
        "moment": 'a day or a time of it, such as "2008-02-26" or "2008-02-26 07:00"',
        "day": "a day such as 2026-06-30",
        "hours": "hours of the day such as 22:00-06:00",
    }
    also = f", or {listed(row.choices)}" if row.choices else ""
    return kinds[row.type] + also


def _range(row: Field, unit: str) -> str:
    def shown(limit: float) -> str:
        return durations.words(int(limit)) if unit else f"{limit:g}"

    if unit and row.low == 1:
        return ", longer than 0 s" if row.high is None else f", longer than 0 s, at most {shown(row.high)}"
    if row.low is not None and row.high is not None:
        return f" from {shown(row.low)} to {shown(row.high)}"
    if row.low is not None:
        return f", at least {shown(row.low)}"
    return f", at most {shown(row.high)}" if row.high is not None else ""


def _convert(row: Field, node: Node, beside: Path) -> Any:
    if not isinstance(node, Scalar) or node.value is None:
        raise Wrong(accepted(row))
    if row.type in ("number", "whole"):
        return _in_range(row, _number(row, node))
    if row.type == "flag":
        if not isinstance(node.value, bool):
            word = {"on": "true", "yes": "true", "off": "false", "no": "false"}.get(node.text.lower(), "")
            raise Wrong(accepted(row), word)
        return node.value
    if row.choices and node.text in row.choices:
        return node.text
    if row.choices and row.type != "duration":
        raise Wrong(accepted(row), nearest(node.text, row.choices))
    return _text(row, node, beside)


def _text(row: Field, node: Scalar, beside: Path) -> Any:
    text = node.text
    if row.type == "duration":
        try:
            return _in_range(row, durations.milliseconds(text))
        except ValueError as error:
            shown = accepted(row) if str(error) == durations.SHOWN else str(error)
            raise Wrong(shown, _with_unit(row, node)) from error
    if row.type == "time":
        if not re.fullmatch(TIME, text):
            raise Wrong(accepted(row), _as_time(text))
        return _minute(text)
    if row.type == "hours":
        edges = re.fullmatch(HOURS, text)
        if edges is None or edges[1] == edges[2]:
            raise Wrong(accepted(row))
        return _minute(edges[1]), _minute(edges[2])
    if row.type == "day":
        try:
            return date.fromisoformat(re.fullmatch(DAY, text)[0])  # type: ignore[index]  # as below
        except (TypeError, ValueError):
            raise Wrong(accepted(row)) from None
    if row.type == "moment":
        try:
            return datetime.fromisoformat(re.fullmatch(MOMENT, text)[0])  # type: ignore[index]  # as below
        except (TypeError, ValueError):
            raise Wrong(accepted(row)) from None
    if not text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
        raise Wrong(f"{accepted(row)}, on one line")
    if row.type == "word" and not re.fullmatch(row.pattern or WORD, text):
        raise Wrong(accepted(row), _as_word(text, row.pattern or WORD))
    if row.type == "point" and not (re.fullmatch(POINT, text) and kind_of(text)):
        raise Wrong(accepted(row))
    if row.pattern and not re.fullmatch(row.pattern, text):
        raise Wrong(accepted(row))
    return beside / text if row.type == "path" else text


def _as_time(text: str) -> str:
    """``7.30`` as a time of day: ``07:30``; "" if it is none."""
    likely = text.replace(".", ":").zfill(5)
    return likely if re.fullmatch(TIME, likely) else ""


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _with_unit(row: Field, node: Scalar) -> str:
    """The duration that was probably meant; of a bare number the first of these that the row takes.

    Where a day or more is usual, days were meant.
    """
    if likely := durations.meant(node.text):
        return likely
    if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < 0:
        return ""
    low, high = row.low or 0, durations.LONGEST_MS if row.high is None else row.high
    days = ("d",) if isinstance(row.default, int) and row.default >= durations.UNITS_MS["d"] else ()
    for unit in (*days, "min", "s"):
        if low <= node.value * durations.UNITS_MS[unit] <= high:
            return f"{node.value} {unit}"
    return durations.words(node.value) if low <= node.value <= high else ""


def _as_word(text: str, pattern: str) -> str:
    """``Front Door`` as a word: ``front_door``, if the pattern takes it."""
    plain = text.strip().lower().translate(str.maketrans("åäáàéèöøóü", "aaaaeeooou"))
    for joint in "_", "-":
        word = re.sub(r"[^a-z0-9]+", joint, plain).strip(joint)
        if re.fullmatch(pattern, word):
            return word
    return ""


def _number(row: Field, node: Scalar) -> int | float:
    number = node.value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise Wrong(accepted(row))
    if row.type == "whole" and not isinstance(number, int):
        raise Wrong(accepted(row))
    return number


def _in_range(row: Field, number: int | float) -> int | float:
    if (row.low is not None and number < row.low) or (row.high is not None and number > row.high):
        raise Wrong(accepted(row))
    return number


def _read_items(row: Field, node: Node, where: str, notes: Notes) -> Any:
    """A list: each item that doesn't fit is told, and then it is the default."""
    shown = f"a list of {listed(row.choices, most=40)}" if row.choices else accepted(row)
    if not isinstance(node, Listing):
        alone = node.text if isinstance(node, Scalar) else ""
        fits = alone and (not row.choices or alone in row.choices)
        notes.wrong(node, where, shown, suggestion=f"[{alone}]" if fits else "")
        return row.default
    taken, before = [], len(notes.mistakes)
    for item in node.items:
        if not isinstance(item, Scalar) or item.value is None or not item.text.isprintable():
            notes.wrong(item, where, shown)
        elif row.choices and item.text not in row.choices:
            notes.wrong(item, where, shown, suggestion=nearest(item.text, row.choices))
        elif row.type == "times" and not re.fullmatch(TIME, item.text):
            notes.wrong(item, where, shown, suggestion=_as_time(item.text))
        else:
            taken.append(_minute(item.text) if row.type == "times" else item.text)
    return tuple(taken) if len(notes.mistakes) == before else row.default
