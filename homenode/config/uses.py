"""The section ``rules:`` of home.yaml: which rule is used, by which name, on which points.

Whether a point's kind suits its role is the rule language's to say (`homenode.language`).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from homenode.config.model import Device, RuleUse
from homenode.config.notes import Notes, listed, nearest, unknown_key
from homenode.config.points import why_no_point
from homenode.config.rows import USE, USE_TABLES
from homenode.config.rule_files import Texts, find_rule, misplaced, own_name, rule_names
from homenode.config.values import read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, is_nothing


def read_uses(
    node: Node | None,
    notes: Notes,
    beside: Path,
    devices: Mapping[str, Device],
    cameras: Container[str],
    texts: Texts,
) -> tuple[RuleUse, ...]:
    """The uses in order; those with mistakes too, so that their rule files are checked in the same run."""
    if node is None or is_nothing(node):
        return ()
    if not isinstance(node, Listing):
        notes.wrong(node, "rules", "a list, each entry as {use: NAME, bind: {ROLE: POINT}}")
        return ()
    uses: dict[str, RuleUse] = {}
    for number, entry in enumerate(node.items, 1):
        use = _use(entry, f"rules.{number}", notes, beside, devices, cameras, texts)
        if use is None:
            continue
        if use.name in uses:
            found = f"a second {use.name} (the first is in line {uses[use.name].line})"
            assert isinstance(entry, Table)
            at = entry.get("as") or entry.get("use") or entry
            notes.wrong(at, f"rules.{number}.as", "as: NAME, each name once in a home", found=found)
            continue
        uses[use.name] = use
    return tuple(uses.values())


def _use(
    entry: Node,
    where: str,
    notes: Notes,
    beside: Path,
    devices: Mapping[str, Device],
    cameras: Container[str],
    texts: Texts,
) -> RuleUse | None:
    if not isinstance(entry, Table):
        suggestion = f"{{use: {entry.text}}}" if isinstance(entry, Scalar) and entry.text else ""
        notes.wrong(entry, where, "{use: NAME, bind: {ROLE: POINT}}", suggestion=suggestion)
        return None
    own = {name: e for name, e in entry.entries.items() if name not in USE_TABLES}
    known = [*(row.name for row in USE), *USE_TABLES]
    for name in [name for name in own if name not in known]:
        unknown_key(own.pop(name)[0], f"{where}.{name}", known, notes)
    values = read_table(USE, Table(own, entry.line, entry.column), where, notes, beside, at=entry)
    bind, lists = _bind(entry.get("bind"), where, notes, devices, cameras)
    given = _set(entry.get("set"), where, notes)
    name = values["use"]
    if not name:
        return None
    file = find_rule(name, beside, texts)
    if file is None:
        names_known = rule_names(beside)
        accepted = (
            f"a file rules/NAME.yaml beside home.yaml, or a shipped rule: {listed(names_known, most=40)}"
        )
        at = entry.entries["use"][1]
        found = None
        if stray := misplaced(name, beside):
            found, accepted = f"{at!s}, and {stray}", f"that file as {beside / 'rules' / name}.yaml"
        near = "" if stray else nearest(name, names_known)
        notes.wrong(at, f"{where}.use", accepted, found=found, suggestion=near)
        return None
    return RuleUse(
        values["as"] or own_name(file, texts),
        name,
        file,
        bind,
        given,
        line=entry.line,
        column=entry.column,
        lists=frozenset(lists),
        places=_places(entry),
    )


def _bind(
    node: Node | None, where: str, notes: Notes, devices: Mapping[str, Device], cameras: Container[str]
) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    bound: dict[str, tuple[str, ...]] = {}
    lists: set[str] = set()
    for role, value in _entries(node, f"{where}.bind", "{ROLE: POINT} or {ROLE: [POINT, …]}", notes):
        field = f"{where}.bind.{role}"
        if isinstance(value, Listing):
            lists.add(role)
            if not value.items:
                notes.wrong(value, field, "a list of at least one point")
        points: list[str] = []
        for item in value.items if isinstance(value, Listing) else (value,):
            if not isinstance(item, Scalar) or is_nothing(item):
                notes.wrong(item, field, "a point DEVICE.KIND, such as stove.power")
                continue
            if item.text in points:
                notes.wrong(item, field, "each point once")
                continue
            points.append(item.text)
            if "." not in item.text and item.text in cameras:
                continue
            why, suggestion = why_no_point(item.text, devices)
            if why:
                notes.wrong(item, field, why, suggestion=suggestion)
        bound[role] = tuple(points)
    return bound, lists


def _set(node: Node | None, where: str, notes: Notes) -> dict[str, str]:
    given: dict[str, str] = {}
    for parameter, value in _entries(node, f"{where}.set", "{PARAMETER: VALUE}", notes):
        if isinstance(value, Scalar) and not is_nothing(value):
            given[parameter] = value.text
        else:
            notes.wrong(value, f"{where}.set.{parameter}", "a value such as 15 min or 60 W")
    return given


def _entries(node: Node | None, where: str, accepted: str, notes: Notes) -> list[tuple[str, Node]]:
    if node is None or is_nothing(node):
        return []
    if not isinstance(node, Table):
        notes.wrong(node, where, accepted)
        return []
    return [(name, value) for name, (_, value) in node.entries.items()]


def _places(entry: Table) -> dict[str, tuple[int, int]]:
    places = {name: (value.line, value.column) for name, (_, value) in entry.entries.items()}
    for section in USE_TABLES:
        inner = entry.get(section)
        for name, (key, value) in inner.entries.items() if isinstance(inner, Table) else ():
            places[f"{section}.{name}"] = key.line, key.column
            for item in value.items if isinstance(value, Listing) else (value,):
                if isinstance(item, Scalar):
                    places[f"{section}.{name}.{item.text}"] = item.line, item.column
    return places
