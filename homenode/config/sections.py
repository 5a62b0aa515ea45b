"""The smaller sections of home.yaml: share, modes, clock, resident, voice, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from homenode.config.devices import named
from homenode.config.model import PARTIES, Device, Mode, Silence, Voice
from homenode.config.notes import Notes, listed, unknown_key
from homenode.config.points import why_no_pattern, why_no_point
from homenode.config.rows import (
    CLOCK,
    DOOR_KINDS,
    EXPORT,
    MACHINE,
    MODE,
    QUIET_KINDS,
    RESIDENT,
    STANDARD_MODES,
    VOICE,
)
from homenode.config.values import read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, is_nothing
from homenode.kinds import Shape, kind_of

SHARED_WITH = tuple(party for party in PARTIES if party != "operator")
"""Nothing can be shared with the operator: who keeps nodes running needs no reading."""


def read_share(node: Node | None, notes: Notes, devices: Mapping[str, Device]) -> dict[str, tuple[str, ...]]:
    """Party to patterns of points (`homenode.config.points.covers`)."""
    share: dict[str, tuple[str, ...]] = {}
    if node is None or is_nothing(node):
        return share
    if not isinstance(node, Table):
        notes.wrong(node, "share", "a mapping of party to a list of points")
        return share
    for party, (key, value) in node.entries.items():
        field = f"share.{party}"
        if party not in SHARED_WITH:
            if party == "operator":
                notes.wrong(key, field, listed(SHARED_WITH), found="operator, who gets no readings")
            else:
                unknown_key(key, field, SHARED_WITH, notes)
            continue
        if is_nothing(value):
            continue
        if not isinstance(value, Listing):
            notes.wrong(value, field, 'a list of points, such as [sink.water, "*.battery"]')
            continue
        patterns = []
        for item in value.items:
            if not isinstance(item, Scalar) or is_nothing(item):
                notes.wrong(item, field, 'a point such as sink.water, or "*.battery"')
                continue
            why, suggestion = why_no_pattern(item.text, devices)
            if why:
                notes.wrong(item, field, why, suggestion=suggestion)
            patterns.append(item.text)
        share[party] = tuple(dict.fromkeys(patterns))
    return share


def read_modes(node: Node | None, notes: Notes, devices: Mapping[str, Device]) -> dict[str, Mode]:
    """All modes of the home: the standard ones, as home.yaml changes them, and its own."""
    modes = {name: Mode(name, longest) for name, longest in STANDARD_MODES.items()}
    if node is None:
        return modes
    for name, key, entry in named(node, "modes", notes, "{longest: DURATION}"):
        where = f"modes.{name}"
        if is_nothing(entry):
            modes.setdefault(name, Mode(name, None))
            continue
        given = entry.entries if isinstance(entry, Table) else {}
        if isinstance(entry, Table):
            rest = {n: e for n, e in given.items() if n != "quiet"}
            entry = Table(rest, entry.line, entry.column)
        values = read_table(MODE, entry, where, notes, Path(), at=key)
        if name == "home" and "longest" in given:
            notes.wrong(
                given["longest"][0], f"{where}.longest", "no longest: home is what other modes end in"
            )
        for edge in ("from", "to"):
            if edge in given and name != "night":
                notes.wrong(given[edge][0], f"{where}.{edge}", "longest (only night begins by the clock)")
        start, end = values["from"], values["to"]
        if name == "night" and ("from" in given) != ("to" in given):
            notes.wrong(key, where, "both from and to, or neither", found="one of them")
        elif name == "night" and start is not None and start == end:
            notes.wrong(given["to"][1], f"{where}.to", "another time than from")
        silence = _silence(name, key, given, values, where, notes, devices)
        longest = values["longest"] if "longest" in given else STANDARD_MODES.get(name)
        modes[name] = Mode(name, longest, start, end, silence)
    return modes


def _silence(
    name: str,
    key: Node,
    given: Mapping[str, tuple[Node, Node]],
    values: Mapping[str, Any],
    where: str,
    notes: Notes,
    devices: Mapping[str, Device],
) -> Silence | None:
    """What tells that the home was left; None if it isn't given, or wrong."""
    said = [field for field in ("door", "quiet", "after") if field in given]
    if not said:
        return None
    before = len(notes.mistakes)
    if name != "away":
        notes.wrong(given[said[0]][0], f"{where}.{said[0]}", "longest (only away comes by door and silence)")
        return None
    if len(said) < 3:
        notes.wrong(key, where, "all of door, quiet and after, or none", found=f"only {listed(said)}")
        return None
    door = _sensor(values["door"], given["door"][1], f"{where}.door", DOOR_KINDS, notes, devices)
    quiet, listing = [], given["quiet"][1]
    if not isinstance(listing, Listing) or not listing.items:
        notes.wrong(listing, f"{where}.quiet", "a list of points, such as [hall.motion, bed.occupancy]")
    else:
        quiet = [
            _sensor(
                item.text if isinstance(item, Scalar) else "",
                item,
                f"{where}.quiet",
                QUIET_KINDS,
                notes,
                devices,
            )
            for item in listing.items
        ]
    if len(notes.mistakes) > before or values["after"] is None:
        return None
    return Silence(door, tuple(dict.fromkeys(quiet)), values["after"])


def _sensor(
    point: str | None, at: Node, where: str, kinds: Sequence[str], notes: Notes, devices: Mapping[str, Device]
) -> str:
    """A point of the home, of one of these kinds."""
    if point is None:  # told already
        return ""
    why, suggestion = why_no_point(point, devices)
    kind = kind_of(point)
    if why:
        notes.wrong(at, where, why, suggestion=suggestion)
    elif kind is not None and kind.name not in kinds:
        notes.wrong(at, where, f"a point of kind {listed(kinds)}")
    return point


def read_clock(node: Node | None, notes: Notes) -> bool:
    """Whether the clock is trusted whatever the kernel says."""
    if node is None or is_nothing(node):
        return False
    return bool(read_table(CLOCK, node, "clock", notes, Path())["trust"] == "always")


def read_machine(node: Node | None, notes: Notes) -> float:
    """Terabytes that can be written to the card; 0 if nobody said."""
    if node is None or is_nothing(node):
        return 0
    return float(read_table(MACHINE, node, "machine", notes, Path())["endurance_tb"] or 0)


def read_resident(node: Node | None, notes: Notes, devices: Mapping[str, Device]) -> dict[str, str]:
    """The resident's buttons, "" for one that there isn't."""
    buttons = {row.name: "" for row in RESIDENT}
    if node is None or is_nothing(node):
        return buttons
    before = len(notes.mistakes)
    given = read_table(RESIDENT, node, "resident", notes, Path())
    if len(notes.mistakes) > before or not isinstance(node, Table):
        return buttons
    for name, (_, at) in node.entries.items():
        point, field = given[name], f"resident.{name}"
        why, suggestion = why_no_point(point, devices)
        kind = kind_of(point)
        if why:
            notes.wrong(at, field, why, suggestion=suggestion)
        elif kind is not None and kind.shape is not Shape.MOMENTARY:
            notes.wrong(at, field, "a button, such as bed_button.button")
        elif point in buttons.values():
            notes.wrong(at, field, "another button than ok")
        buttons[name] = point
    return buttons


def read_voice(node: Node | None, notes: Notes, beside: Path, *, files: bool) -> Voice:
    """How the home speaks.

    Args:
        files: Whether the folder of recordings must exist.
    """
    if node is None or is_nothing(node):
        return Voice()
    values = read_table(VOICE, node, "voice", notes, beside)
    folder, at = values["recordings"], node.get("recordings") if isinstance(node, Table) else None
    if files and folder is not None and at is not None and not folder.is_dir():
        notes.wrong(at, "voice.recordings", "a folder that exists")
    return Voice(values["device"], values["volume"], values["rate"], folder)


def read_exports(node: Node | None, notes: Notes) -> dict[str, str]:
    """Format to topic prefix."""
    if node is None or is_nothing(node):
        return {}
    values = read_table(EXPORT, node, "export", notes, Path())
    return {name: value for name, value in values.items() if value is not None}
