"""rings.yaml: which homes are updated together, in which order, and when that halts."""

from __future__ import annotations

import os
import re
from pathlib import Path

from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.notes import Notes
from homenode.config.values import HOURS, WORD, read_table
from homenode.config.yaml12 import Listing, Scalar, Table, compose, read_text
from homenode.errors import FileMistakes
from homenode.fleet.plan import Plan, Ring

_DAY_MS = 86_400_000
PATTERN = r"[a-z0-9*?-]{1,40}"

TOP = (
    Field("soak", "duration", "How long a ring is watched before the next.", default=_DAY_MS, low=0),
    Field("settle", "duration", "How long a home may be worse or away.", default=900_000, low=1_000),
    Field("patience", "duration", "After it a home is left behind.", default=3 * _DAY_MS, low=1_000),
    Field("allow", "number", "Of a ring's homes so many % may be worse.", default=2, low=0, high=100),
    Field(
        "window", "text", "When homes may start anew.", default="", pattern=HOURS, shown="such as 01:00-05:00"
    ),
)
RING = (
    Field("share", "number", "Only so many % of those that fit.", default=100, low=0.01, high=100),
    Field("at_once", "whole", "At most so many at a time.", default=0, low=0),
)


def read_rings(path: str) -> tuple[Plan, str]:
    """The plan, and the window as text ("" for any time).

    Raises:
        FileMistakes: Everything that is wrong with the file.
    """
    notes, absolute = Notes(path), Path(os.path.abspath(path))
    root = compose(read_text(absolute, path), path, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with rings:")
        raise FileMistakes(notes.mistakes)
    own = {name: entry for name, entry in root.entries.items() if name != "rings"}
    top = read_table(TOP, Table(own, root.line, root.column), "", notes, absolute.parent, others=("rings",))
    rings = _rings(root, notes, absolute.parent)
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    plan = Plan(tuple(rings), top["soak"], top["settle"], top["patience"], top["allow"] / 100)
    return plan, top["window"]


def _rings(root: Table, notes: Notes, beside: Path) -> list[Ring]:
    node = root.get("rings")
    if not isinstance(node, Table) or not node.entries:
        notes.wrong(
            node or root, "rings", "a mapping, in their order: {pilot: {homes: [vaxjo-0412]}, rest: …}"
        )
        return []
    made: list[Ring] = []
    for name, (key, entry) in node.entries.items():
        where = f"rings.{name}"
        if not re.fullmatch(WORD, name):
            notes.wrong(key, where, "a name of a-z, 0-9, _ and -")
        if not isinstance(entry, Table):
            notes.wrong(entry, where, "a mapping with homes:")
            continue
        rest = Table({n: e for n, e in entry.entries.items() if n != "homes"}, entry.line, entry.column)
        values = read_table(RING, rest, where, notes, beside, others=("homes",))
        homes = entry.get("homes")
        items = homes.items if isinstance(homes, Listing) else [homes] if isinstance(homes, Scalar) else []
        if not items:
            notes.wrong(homes or key, f"{where}.homes", 'a list of homes, such as [vaxjo-0412, "test-*"]')
        texts = []
        for item in items:
            if isinstance(item, Scalar) and re.fullmatch(PATTERN, item.text):
                texts.append(item.text)
            else:
                notes.wrong(item, f"{where}.homes", "ids of homes, with * and ? for what differs")
        made.append(Ring(name, tuple(texts), values["share"] / 100, values["at_once"]))
    return made
