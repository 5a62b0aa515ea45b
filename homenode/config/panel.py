"""The section ``panel:`` of home.yaml: what the panel by the door shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homenode.config.model import Device, Shown
from homenode.config.notes import Notes, listed
from homenode.config.points import why_no_point
from homenode.config.rows import PANEL, PANEL_KINDS
from homenode.config.values import read_table
from homenode.config.yaml12 import Node, Table, is_nothing
from homenode.kinds import kind_of


def read_panel(node: Node | None, notes: Notes, devices: Mapping[str, Device]) -> dict[str, Shown]:
    """Points in the order in which they are shown; empty if nothing is said."""
    shown: dict[str, Shown] = {}
    if node is None or is_nothing(node):
        return shown
    if not isinstance(node, Table):
        notes.wrong(node, "panel", "a mapping of points, such as stove.power: {name: Spisen}")
        return shown
    for point, (key, entry) in node.entries.items():
        where, kind = f"panel.{point}", kind_of(point)
        why, suggestion = why_no_point(point, devices)
        if why:
            notes.wrong(key, where, why, suggestion=suggestion)
        elif kind is not None and kind.name not in PANEL_KINDS:
            notes.wrong(key, where, f"a point of kind {listed(PANEL_KINDS)}")
        fields = Table({}, entry.line, entry.column) if is_nothing(entry) else entry
        values = read_table(PANEL, fields, where, notes, Path(), at=key)
        shown[point] = Shown(values["name"], values["symbol"] or "", values["above"], values["hold"])
    return shown
