"""Homes as a table for a terminal, or as JSON (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.errors import SetupError
from homenode.fleet.board import Board, Home
from homenode.fleet.fields import BY_NAME, COLUMNS, FIELDS, Field, Value, bad_of, in_parts
from homenode.fleet.filters import Filter

RED, PLAIN = "\x1b[31m", "\x1b[0m"
WIDEST = 40


def chosen(board: Board, now_ms: int, wanted: Filter | None, order: str = "") -> list[Home]:
    """Homes that the filter means, those that ask for somebody first, or in the order of a field.

    Args:
        order: Name of a field; with - before it the greatest first. What is unknown comes last.

    Raises:
        SetupError: There is no such field.
    """
    homes = [home for home in board.homes.values() if wanted is None or wanted(home, now_ms)]
    homes.sort(key=lambda home: home.name)
    if not order:
        homes.sort(key=lambda home: -bad_of(home, now_ms))
        return homes
    field = BY_NAME.get(order.removeprefix("-"))
    if field is None:
        raise SetupError(f"--sort {order}", do=f"fields: {', '.join(BY_NAME)}")
    known = [home for home in homes if field.of(home, now_ms) is not None]
    known.sort(key=lambda home: _key(field, field.of(home, now_ms)), reverse=order.startswith("-"))
    return known + [home for home in homes if field.of(home, now_ms) is None]


def _key(field: Field, value: Value) -> Any:
    return in_parts(str(value)) if field.name == "version" else value


def cell(field: Field, value: Value) -> str:
    """A field's value as it is shown."""
    if field.shown is not None:
        return field.shown(value)
    return "?" if value is None else str(value)[:WIDEST]


class Columns:
    """Rows under heads, of widths that only grow, so that nothing jumps in a table that lives."""

    def __init__(self) -> None:
        self._widths = [len(field.head) for field in COLUMNS]

    def heads(self) -> str:
        """The first line."""
        return "  ".join(
            field.head.ljust(width) for field, width in zip(COLUMNS, self._widths, strict=True)
        ).rstrip()

    def rows(self, homes: Sequence[Home], now_ms: int, *, colour: bool) -> list[str]:
        """A line for each home; what asks for somebody is red."""
        table = []
        for home in homes:
            values = [field.of(home, now_ms) for field in COLUMNS]
            cells = [cell(field, value) for field, value in zip(COLUMNS, values, strict=True)]
            self._widths = [max(width, len(text)) for width, text in zip(self._widths, cells, strict=True)]
            table.append((values, cells))
        lines = []
        for values, cells in table:
            padded = [text.ljust(width) for text, width in zip(cells, self._widths, strict=True)]
            if colour:
                padded = [
                    f"{RED}{text}{PLAIN}" if field.bad(value) else text
                    for field, value, text in zip(COLUMNS, values, padded, strict=True)
                ]
            lines.append("  ".join(padded).rstrip())
        return lines


def as_json(home: Home, now_ms: int) -> dict[str, Any]:
    """All that is known of a home; null is unknown."""
    told: dict[str, Any] = {field.name: field.of(home, now_ms) for field in FIELDS}
    told["radios"] = home.figures.get("radios")
    told["open"] = [dict(text) for text in home.faults]
    if home.update.get("state"):
        told["update_why"] = home.update["why"]
    if home.odd:
        told["odd"] = home.odd
    return told


def details(home: Home, now_ms: int) -> list[str]:
    """All that is known of a home, for a person; what asks for somebody has a mark."""
    lines = []
    for field in FIELDS:
        value = field.of(home, now_ms)
        mark = "!" if field.bad(value) else " "
        lines.append(f"{mark} {field.name:15}{cell(field, value):20}{field.about}")
    radios: Mapping[str, bool] = home.figures.get("radios") or {}
    lines += [f"radio {name}: {'works' if works else 'DOWN'}" for name, works in radios.items()]
    lines += [f"fault: {_in_words(fault)}" for fault in home.faults]
    if why := home.update.get("why"):
        lines.append(f"update: {_in_words(why)}")
    if home.odd:
        lines.append(f"odd: {home.odd}")
    return lines


def _in_words(texts: Mapping[str, str]) -> str:
    return texts.get("en") or texts.get("sv") or "-"


def summary(board: Board, shown: Sequence[Home], now_ms: int) -> str:
    """How many of how many, and how many of these ask for somebody."""
    bad = sum(bool(bad_of(home, now_ms)) for home in shown)
    online = sum(BY_NAME["online"].of(home, now_ms) is True for home in shown)
    return f"{len(shown)} of {len(board.homes)} homes, {online} online, {bad} to look after"
