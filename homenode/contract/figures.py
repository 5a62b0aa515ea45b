"""The table of figures: what each is, what it may be, and how Prometheus calls it (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homenode.contract import shapes
from homenode.contract.times import wall_ms

_COUNT: shapes.Schema = {"type": "integer", "minimum": 0}
MOST_PCT = 200
_PERCENT: shapes.Schema = {"type": "integer", "minimum": 0, "maximum": MOST_PCT}
_TEXT = shapes.text(80)
MOST_RADIOS = 50
"""A home has one or two."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. Each may also be null: unknown, which is never good.

    Attributes:
        name: Key under ``health``.
        form: JSON Schema of the value if it is known.
        about: For people, and Prometheus' HELP.
        metric: Its name there without ``homenode_``; "" if it is no number.
        words: For a figure that is a word: what each counts as a number.
    """

    name: str
    form: shapes.Schema
    about: str
    metric: str = ""
    words: Mapping[str, int] | None = None


UNDERVOLTAGE = {"never": 0, "before": 1, "lately": 2}
CLOCK = {"unset": 0, "rtc": 1, "trusted": 2, "synchronised": 3}
SPARE = {"normal": 0, "warning": 1, "urgent": 2}

FIGURES = (
    Figure("slot", shapes.text(8), "The slot that runs, by the kernel's command line."),
    Figure("model", _TEXT, "The board."),
    Figure("kernel", _TEXT, "Its release."),
    Figure("booted", shapes.TIME, "When the machine started.", "boot_time_seconds"),
    Figure("started", shapes.TIME, "When the gateway started.", "start_time_seconds"),
    Figure(
        "restarts", _COUNT, "Starts of the gateway since the machine started, beyond the first.", "restarts"
    ),
    Figure("gaps", _COUNT, "Times without link since then; the last 20 are counted.", "link_gaps"),
    Figure(
        "radios",
        {"type": "object", "additionalProperties": {"type": "boolean"}},
        "Each radio: true while it works.",
        "radio_up",
    ),
    Figure("devices", _COUNT, "Devices of home.yaml.", "devices"),
    Figure(
        "silent",
        _COUNT,
        "Devices not heard for longer than they may be silent, or wired to a driver that doesn't work.",
        "devices_silent",
    ),
    Figure("blind", _COUNT, "Rules that can't tell for want of readings.", "rules_blind"),
    Figure("card_worn_pct", _PERCENT, "Used of the card's life, in %, at most.", "card_worn_percent"),
    Figure(
        "card_worn_by",
        shapes.one_of(("device", "written")),
        "Who says so: the card itself, or what was written against its endurance.",
    ),
    Figure(
        "card_spare",
        shapes.one_of(list(SPARE)),
        "The card's spare blocks, by itself.",
        "card_spare_state",
        SPARE,
    ),
    Figure("card_errors", _COUNT, "Errors of the file system or the disk under the data.", "card_errors"),
    Figure(
        "temperature_c",
        {"type": "integer"},
        "Of the processor, in °C, usual of a day.",
        "temperature_celsius",
    ),
    Figure(
        "undervoltage",
        shapes.one_of(list(UNDERVOLTAGE)),
        "Whether the supply failed to hold its voltage: in the last whole day, or before.",
        "undervoltage",
        UNDERVOLTAGE,
    ),
    Figure("clock", shapes.one_of(list(CLOCK)), "What the clock's time is worth.", "clock_state", CLOCK),
    Figure("clock_by", _TEXT, "Which service sets it."),
    Figure(
        "clock_error_ms",
        _COUNT,
        "It may have been wrong by so much within a day, in ms.",
        "clock_error_milliseconds",
    ),
    Figure(
        "certificate_until", shapes.TIME, "End of the node's certificate.", "certificate_not_after_seconds"
    ),
    Figure(
        "memory_free_pct", _PERCENT, "Memory that could be had, in %, usual of a day.", "memory_free_percent"
    ),
    Figure("disk_free_pct", _PERCENT, "Room on the disk with the data, in %.", "disk_free_percent"),
    Figure("configuration", _COUNT, "Number of the signed configuration.", "configuration_number"),
)
"""In the order in which they are shown."""

BY_NAME: Mapping[str, Figure] = {figure.name: figure for figure in FIGURES}

Figures = Mapping[str, Any]
"""Name of a figure to its value; null or missing is unknown."""


def schema() -> dict[str, shapes.Schema]:
    """JSON Schema of each figure, for the operator's ``status``."""
    return {figure.name: {"anyOf": [figure.form, shapes.NOTHING]} for figure in FIGURES}


def taken(told: object) -> dict[str, Any]:
    """Of what came from a node the figures that are as the table says; others are as good as unknown."""
    if not isinstance(told, Mapping):
        return {}
    return {
        figure.name: told[figure.name]
        for figure in FIGURES
        if told.get(figure.name) is not None and _fits(figure.form, told[figure.name])
    }


def _fits(form: shapes.Schema, value: object) -> bool:
    """The part of JSON Schema that the table uses."""
    if "enum" in form:
        return isinstance(value, str) and value in form["enum"]
    if form["type"] == "integer":
        return type(value) is int and form.get("minimum", -1000) <= value <= form.get("maximum", 1 << 53)
    if form["type"] == "object":
        if not isinstance(value, dict) or len(value) > MOST_RADIOS:
            return False
        names = all(re.fullmatch(r"[a-z0-9_-]{1,64}", str(name)) for name in value)
        return names and all(type(works) is bool for works in value.values())
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or not 0 < len(value) <= form.get("maxLength", 40)
    ):
        return False
    return form is not shapes.TIME or _is_time(value)


def _is_time(text: str) -> bool:
    try:
        return wall_ms(text) >= 0
    except ValueError:  # such as the 31st of February
        return False
