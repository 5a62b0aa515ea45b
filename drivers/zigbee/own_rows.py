"""Rows of one's own: rows.yaml of packages, ``….rows.yaml`` in the folder that home.yaml names.

They are read when a node starts and at a reload; ones with a mistake change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from drivers.zigbee.row import Row, RowMistake, read_row
from homenode import dropped
from homenode.errors import Mistake

GROUP = "homenode.zigbee_rows"
"""Of the entry points that name packages with a rows.yaml in them."""
EXAMPLES = "a row as in drivers/zigbee/rows.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_known: list[Mapping[str, Row]] | None = None


def own_rows() -> Sequence[Mapping[str, Row]]:
    """MANUFACTURER/MODEL to row, for each file, as they were last read well. Raises RowMistake."""
    if _known is None:
        for file, mistakes in read_own().items():
            for wrong in mistakes:
                where = f"{file}:{wrong.line}: {wrong.field}"
                raise RowMistake(wrong.found, where=where, do=f"accepted: {wrong.accepted}")
    return _known or ()


def read_own() -> Mapping[Path, Sequence[Mistake]]:
    """Reads them anew; the mistakes in each file."""
    global _known
    read = {file: rows_in(file) for file in (*_of_packages(), *_in_the_folder())}
    if not any(mistakes for _, mistakes in read.values()):
        _known = [rows for rows, _ in read.values()]
    return {file: mistakes for file, (_, mistakes) in read.items()}


@cache
def _of_packages() -> tuple[Path, ...]:
    specs = [find_spec(point.module) for point in entry_points(group=GROUP)]
    places = [place for spec in specs if spec for place in spec.submodule_search_locations or ()]
    return tuple(Path(place) / "rows.yaml" for place in places)


def _in_the_folder() -> list[Path]:
    return [file for folder in dropped.__path__ for file in sorted(Path(folder).glob("*rows.yaml"))]


def rows_in(file: Path) -> tuple[dict[str, Row], list[Mistake]]:
    """MANUFACTURER/MODEL to row, and all that is wrong in the file."""
    rows: dict[str, Row] = {}
    try:
        text = file.read_text(encoding="utf-8")
        entries = yaml.load(text, Loader=_LOADER) or []
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        found = f"what is no YAML ({error.problem})"
        return rows, [Mistake(str(file), line, "YAML", found, "a list of rows", column=column)]
    except (OSError, ValueError, yaml.YAMLError) as error:
        return rows, [Mistake(str(file), 0, "file", f"what can't be read ({error})", "a list of rows")]
    if not isinstance(entries, list):
        return rows, [Mistake(str(file), 1, "file", "no list", "a list: - models: […]")]
    mistakes = []
    for nth, entry in enumerate(entries):
        try:
            models, row = _read(entry)
            if twice := [model for model in models if model in rows]:
                raise RowMistake(f"a second row for {twice[0]}", do="one row for each model")
        except RowMistake as wrong:
            field = _field(entry)
            line, column = _place(text, nth, field)
            found, accepted = wrong.what, wrong.do or EXAMPLES
            mistakes.append(Mistake(str(file), line, field or "row", found, accepted, column=column))
        else:
            rows.update(dict.fromkeys(models, row))
    return rows, mistakes


def _read(entry: Any) -> tuple[tuple[str, ...], Row]:
    if not isinstance(entry, dict):
        raise RowMistake("no fields", do=EXAMPLES)
    try:
        return read_row(entry)
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise RowMistake(f"what is no row ({error})", do=EXAMPLES) from error


def _field(entry: Any) -> str:
    """The one that alone makes it wrong; "" if what is missing does."""
    for name in entry if isinstance(entry, dict) else ():
        try:
            _read({"models": ["A/B"], "source": "none", name: entry[name]})
        except RowMistake:
            return str(name)
    return ""


def _place(text: str, nth: int, field: str) -> tuple[int, int]:
    """Line and column of a field of an entry, or of the entry."""
    entries: Any = yaml.compose(text, Loader=_LOADER)
    node = entries.value[nth]
    keys = [key for key, _ in node.value if key.value == field] if field else []
    mark = (keys[0] if keys else node).start_mark
    return mark.line + 1, mark.column + 1
