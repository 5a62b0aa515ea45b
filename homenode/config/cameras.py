"""The sections ``cameras:``, ``video:`` and ``ice:`` of home.yaml: what may be looked at, by whom, how."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from homenode.config.broker import there, without_secret
from homenode.config.devices import Drivers, named
from homenode.config.model import VIEWS, Camera, Decision, Device, Ice
from homenode.config.notes import Notes, listed, nearest
from homenode.config.points import why_no_point
from homenode.config.rows import CAMERA, ICE, ICE_URL, LAMP_KINDS, VIDEO
from homenode.config.values import read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, is_nothing
from homenode.kinds import kind_of

Polygon = tuple[tuple[float, float], ...]
Masks = tuple[Polygon, ...]

_MASKS_SHOWN = "a list of areas, each of 3 or more points from 0 to 1, such as [[[0, 0], [1, 0], [0, 0.5]]]"
MOST_MASKS, MOST_CORNERS = 20, 50
"""More is a drawing program gone wrong; each is drawn into every picture."""


def read_cameras(
    node: Node | None,
    notes: Notes,
    beside: Path,
    devices: Mapping[str, Device],
    drivers: Drivers,
    *,
    files: bool,
) -> dict[str, Camera]:
    """Cameras by name, those with mistakes included, so that rules and decisions aren't blamed.

    Args:
        files: Whether what they name must exist.
    """
    cameras: dict[str, Camera] = {}
    for name, key, entry in named(node, "cameras", notes, "{room: ROOM, source: SOURCE}"):
        where = f"cameras.{name}"
        rest, masks, secret = entry, None, False
        if isinstance(entry, Table):
            masks, source = entry.get("masks"), entry.get("source")
            secret = isinstance(source, Scalar) and re.match("rtsps?://.*@", source.text) is not None
            if secret and source is not None:
                shown = "rtsp://ADDRESS/…; a user goes into username:, a password into password_file:"
                notes.wrong(source, f"{where}.source", shown, found=without_secret(source))
            left = {n: e for n, e in entry.entries.items() if n != "masks" and not (secret and n == "source")}
            rest = Table(left, entry.line, entry.column)
        rows = [row for row in CAMERA if not (secret and row.name == "source")]
        values = read_table(rows, rest, where, notes, beside, at=key, others=("masks",))
        for light in ("lamp", "indicator"):
            _is_light(values[light], rest, f"{where}.{light}", notes, devices)
        _goes_out(values["lamp"], rest, f"{where}.lamp", notes, devices, drivers)
        if files:
            _exists(values["password_file"], rest, where, notes)
        cameras[name] = Camera(
            name,
            values["room"] or "",
            _from_file(values.get("source") or "", beside),
            username=values["username"],
            password_file=values["password_file"],
            lamp=values["lamp"],
            indicator=values["indicator"],
            masks=_masks(masks, f"{where}.masks", notes),
            enhance=values["enhance"],
        )
    return cameras


def read_video(
    node: Node | None,
    notes: Notes,
    cameras: Mapping[str, Camera],
    modes: Collection[str],
    *,
    heard: bool,
    asked: bool,
) -> dict[str, Decision]:
    """Care decisions by id; those with mistakes are left out.

    Args:
        heard: Whether the resident has a button to answer with.
        asked: Whether anything is known by which the resident could hear or read the question.
    """
    decisions: dict[str, Decision] = {}
    for name, key, entry in named(node, "video", notes, "{cameras: [CAMERA], from: DAY, to: DAY, …}"):
        where, before = f"video.{name}", len(notes.mistakes)
        values = read_table(VIDEO, entry, where, notes, Path(), at=key)
        if len(notes.mistakes) > before or not isinstance(entry, Table):
            continue
        _names(entry, where, "cameras", cameras, notes)
        _names(entry, where, "modes", modes, notes)
        _dark(entry, where, values["cameras"], cameras, notes)
        if values["from"] > values["to"]:
            notes.wrong(entry.entries["to"][1], f"{where}.to", f"a day from {values['from']} on")
        views, right = values["views"], tuple(view for view in VIEWS if view in values["views"])
        if not views or views != right:
            shown = f"some of {listed(VIEWS)}, in this order, each once"
            found, likely = (f"[{', '.join(some)}]" for some in (views, right))
            at = entry.entries["views"][1]
            notes.wrong(at, f"{where}.views", shown, found=found, suggestion=likely if right else "")
        if values["ask"] == "yes" and not heard:
            shown = "a button to answer with (resident: {ok: …, stop: …})"
            notes.warn(entry.entries["ask"][1], f"{where}.ask", shown)
        if values["ask"] == "yes" and not asked:
            found = "yes, and the resident hears nothing (voice: {device: none})"
            shown = "a loudspeaker, or a panel that shows the question (panel:)"
            notes.warn(entry.entries["ask"][1], f"{where}.ask", shown, found=found)
        if len(notes.mistakes) == before:
            last = entry.entries["to"][1]
            decisions[name] = replace(_decision(name, values), line=last.line, column=last.column)
    return decisions


def read_ice(node: Node | None, notes: Notes, beside: Path, *, files: bool) -> Ice:
    """How viewers outside are reached.

    Args:
        files: Whether what it names must exist.
    """
    if node is None or is_nothing(node):
        return Ice()
    urls, rest = None, node
    if isinstance(node, Table):
        urls = node.get("urls")
        rest = Table({n: e for n, e in node.entries.items() if n != "urls"}, node.line, node.column)
    values = read_table(ICE, rest, "ice", notes, beside, others=("urls",))
    items = urls.items if isinstance(urls, Listing) else ()
    if not items and isinstance(node, Table):
        notes.wrong(urls or node, "ice.urls", _ICE_SHOWN, found="nothing" if urls is None else None)
    for item in items:
        if not isinstance(item, Scalar) or not re.fullmatch(ICE_URL, item.text):
            notes.wrong(item, "ice.urls", _ICE_SHOWN)
    if files:
        _exists(values["password_file"], rest, "ice", notes)
    found = tuple(item.text for item in items if isinstance(item, Scalar))
    return Ice(found, values["username"], values["password_file"])


_ICE_SHOWN = 'a list of addresses, such as ["turn:turn.example:3478"]'


def _decision(name: str, values: Mapping[str, Any]) -> Decision:
    return Decision(
        name,
        tuple(dict.fromkeys(values["cameras"])),
        values["from"],
        values["to"],
        values["views"],
        values["ask"] == "yes",
        party=values["party"],
        hours=values["hours"],
        modes=values["modes"],
        no_answer=values["no_answer"],
        answer_within_ms=values["answer_within"],
        announce=values["announce"],
        longest_ms=values["longest"],
    )


def _names(entry: Table, where: str, field: str, known: Collection[str], notes: Notes) -> None:
    """Each name of a list is one of those known, and the list isn't empty."""
    listing = entry.get(field)
    if not isinstance(listing, Listing):
        return
    if not listing.items:
        notes.wrong(listing, f"{where}.{field}", f"some of {listed(known)}")
    for item in listing.items:
        if isinstance(item, Scalar) and item.text not in known:
            notes.wrong(item, f"{where}.{field}", listed(known), suggestion=nearest(item.text, known))


def _dark(
    entry: Table, where: str, names: Collection[str], cameras: Mapping[str, Camera], notes: Notes
) -> None:
    """No look without a light that tells of it."""
    at = entry.entries["cameras"][1]
    for name in names:
        if name in cameras and not cameras[name].indicator:
            found = f"{name}, which has no indicator: nobody in the room could tell that it is looked into"
            notes.wrong(at, f"{where}.cameras", f"a camera with one (cameras.{name}.indicator)", found=found)


def _is_light(point: str, entry: Node, field: str, notes: Notes, devices: Mapping[str, Device]) -> None:
    at = entry.get(field.rpartition(".")[2]) if isinstance(entry, Table) else None
    if not point or at is None:
        return
    why, suggestion = why_no_point(point, devices)
    kind = kind_of(point)
    if why:
        notes.wrong(at, field, why, suggestion=suggestion)
    elif kind is not None and kind.name not in LAMP_KINDS:
        notes.wrong(at, field, f"a point of kind {listed(LAMP_KINDS)}")


def _goes_out(
    lamp: str, entry: Node, field: str, notes: Notes, devices: Mapping[str, Device], drivers: Drivers
) -> None:
    """Whatever happens to the node, nobody is left in the light of a camera."""
    at, device = entry.get("lamp") if isinstance(entry, Table) else None, devices.get(lamp.partition(".")[0])
    kind = drivers.get(device.driver) if device is not None else None
    if at is not None and kind is not None and kind.put_out is None:
        able = listed(name for name, one in drivers.items() if one.put_out is not None)
        found = f"{lamp} of {kind.name}, which would stay lit if the node were killed"
        notes.wrong(at, field, f"a light that is wired to this node (driver: {able})", found=found)


def _exists(path: Path | None, entry: Node, where: str, notes: Notes) -> None:
    at = entry.get("password_file") if isinstance(entry, Table) else None
    if path is not None and at is not None:
        there(at, f"{where}.password_file", path, notes)


def _from_file(source: str, beside: Path) -> str:
    """Files are relative to home.yaml."""
    return f"file:{beside / source.removeprefix('file:')}" if source.startswith("file:") else source


def _masks(node: Node | None, field: str, notes: Notes) -> Masks:
    if node is None or is_nothing(node):
        return ()
    if not isinstance(node, Listing) or len(node.items) > MOST_MASKS:
        notes.wrong(node, field, _MASKS_SHOWN)
        return ()
    return tuple(polygon for item in node.items if (polygon := _polygon(item, field, notes)))


def _polygon(node: Node, field: str, notes: Notes) -> Polygon:
    """A mask that can't be read hides nothing, so it is a mistake, and never left out."""
    points = node.items if isinstance(node, Listing) else ()
    if not 3 <= len(points) <= MOST_CORNERS:
        notes.wrong(node, field, _MASKS_SHOWN)
        return ()
    corners = []
    for point in points:
        shares = [_share(item) for item in point.items] if isinstance(point, Listing) else []
        if len(shares) != 2 or None in shares:
            notes.wrong(point, field, "a point [x, y], both from 0 to 1")
            return ()
        corners.append((shares[0] or 0.0, shares[1] or 0.0))
    return tuple(corners)


def _share(node: Node) -> float | None:
    number = node.value if isinstance(node, Scalar) else None
    is_share = isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= 1
    return float(number) if is_share and number is not None else None
