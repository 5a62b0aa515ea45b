"""How a field of a YAML file is described: the same row checks it and exports its JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a mapping in home.yaml or in a rule file.

    Attributes:
        name: Key.
        type: ``text``, ``word`` ([a-z0-9_-]), ``number``, ``whole``, ``flag`` (true/false), ``duration``
            (becomes whole ms), ``path`` (relative to the file), ``point``, ``words`` (a list),
            ``time`` (HH:MM), ``times`` (a list of them; becomes minutes of the day), ``moment`` (a day with
            or without a time of it; becomes a naive datetime), ``day`` (becomes a date), ``hours``
            (HH:MM-HH:MM; becomes two minutes of the day).
        help: One plain sentence; shown by editors and in errors.
        required: Must be there.
        default: Value when absent.
        choices: Accepted words, if only these.
        low, high: Accepted range of numbers (durations in ms).
        pattern: Regular expression the text must match in full, "" if any.
        shown: How the accepted form reads to a person, such as ``00:15:8d:00:02:aa:bb:01``.
        secret: What was found is not told.
    """

    name: str
    type: str
    help: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    shown: str = ""
    secret: bool = False


def filled(rows: Sequence[Field], /, **given: Any) -> dict[str, Any]:
    """A mapping of these fields, with the defaults of those that aren't given."""
    return {row.name: row.default for row in rows} | given
