"""Reads home.yaml: the whole file, all its mistakes in one go."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from homenode.config.broker import read_broker
from homenode.config.cameras import read_cameras, read_ice, read_video
from homenode.config.devices import read_devices, read_radios
from homenode.config.folder import unsafe
from homenode.config.header import check_header
from homenode.config.keys import read_keys
from homenode.config.model import Home
from homenode.config.notes import Notes, another_file, nearest, unknown_key
from homenode.config.panel import read_panel
from homenode.config.registry import DriverTypes, driver_types
from homenode.config.rows import SECTIONS, TOP
from homenode.config.rule_files import Texts
from homenode.config.sections import (
    read_clock,
    read_exports,
    read_machine,
    read_modes,
    read_resident,
    read_share,
    read_voice,
)
from homenode.config.uses import read_uses
from homenode.config.values import read_table
from homenode.config.yaml12 import Table, compose
from homenode.driver import DriverType
from homenode.errors import FileMistakes, Mistake

Drivers = Mapping[str, DriverType]


def load_home(path: str | os.PathLike[str], *, drivers: Drivers | None = None, files: bool = True) -> Home:
    """The home that `path` describes. What its rule files say is `homenode.language`'s to check.

    Args:
        path: home.yaml.
        drivers: Driver types by name; those installed if not given.
        files: Whether certificates and the like that it names must exist (replay opens none of them).

    Raises:
        FileMistakes: Everything that is wrong with it.
    """
    home, notes = read_home(path, drivers=drivers, files=files)
    if notes.mistakes or home is None:
        raise FileMistakes(in_order(notes))
    return home


def read_home(
    path: str | os.PathLike[str],
    *,
    drivers: Drivers | None = None,
    files: bool = True,
    texts: Texts | None = None,
) -> tuple[Home | None, Notes]:
    """As `load_home`, with what could be read in spite of mistakes; None if it isn't even a mapping.

    Args:
        texts: Where the files are read; on the disk if not given.
    """
    shown = os.fspath(path)
    notes, path = Notes(shown), Path(os.path.abspath(shown))
    texts = texts or Texts()
    try:
        root = compose(texts.read(path, shown), shown, notes.mistakes)
    except FileMistakes as wrong:
        notes.mistakes[:] = wrong.mistakes
        return None, notes
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with home:, timezone:, devices:, …")
        return None, notes
    if other := another_file(root.entries, "home"):
        notes.wrong(root, "file", "a home.yaml, with home:, timezone:, devices:, …", found=other)
        return None, notes
    return _home(path, root, notes, driver_types() if drivers is None else drivers, files, texts), notes


def in_order(notes: Notes) -> list[Mistake]:
    """Mistakes by line, as a person goes through the file."""
    return sorted(notes.mistakes, key=lambda mistake: (mistake.line, mistake.column))


def _home(path: Path, root: Table, notes: Notes, drivers: Drivers, files: bool, texts: Texts) -> Home:
    beside, section = path.parent, root.get
    top = _top(root, notes, beside)
    folder = _folder(root, notes, top["drivers"], drivers)
    radios = read_radios(section("radios"), notes, beside, drivers, files=files)
    devices = read_devices(section("devices"), notes, beside, drivers, radios, files=files)
    check_header(top["board"] or "", top["hats"], devices, radios, drivers, root, notes)
    broker = read_broker(section("broker"), notes, beside, devices, files=files)
    cameras = read_cameras(section("cameras"), notes, beside, devices, drivers, files=files)
    resident = read_resident(section("resident"), notes, devices)
    modes = read_modes(section("modes"), notes, devices)
    voice = read_voice(section("voice"), notes, beside, files=files)
    panel = read_panel(section("panel"), notes, devices)
    uses = read_uses(section("rules"), notes, beside, devices, cameras, texts)
    if not notes.mistakes:
        _little(root, notes, broker is not None, devices, uses)
    return Home(
        path=path,
        home=top["home"] or "",
        timezone=top["timezone"] or "UTC",
        language=top["language"],
        broker=broker,
        radios=radios,
        devices=devices,
        rules=uses,
        share=read_share(section("share"), notes, devices),
        keys=read_keys(section("keys"), notes, beside, texts, files=files or texts.are_kept),
        modes=modes,
        clock_trusted=read_clock(section("clock"), notes),
        endurance_tb=read_machine(section("machine"), notes),
        resident_ok=resident["ok"],
        resident_stop=resident["stop"],
        voice=voice,
        cameras=cameras,
        video=read_video(
            section("video"),
            notes,
            cameras,
            modes,
            heard=any(resident.values()),
            asked=voice.device != "none" or bool(panel),
        ),
        panel=panel,
        ice=read_ice(section("ice"), notes, beside, files=files),
        exports=read_exports(section("export"), notes),
        board=top["board"] or "",
        hats=top["hats"],
        drivers=folder,
    )


def _folder(root: Table, notes: Notes, folder: Path | None, drivers: Drivers) -> Path | None:
    """Where drivers of one's own are, which `drivers` know from now on; None if that can't be used."""
    at, wrong = root.get("drivers"), ""
    if at is not None and folder is not None:
        try:
            wrong = unsafe(folder)
        except OSError as error:
            wrong = error.strerror or str(error)
    usable = None if wrong else folder
    taken = drivers.look_into(usable) if isinstance(drivers, DriverTypes) else []
    if at is None:
        return None
    if wrong:
        accepted = "a folder with drivers that only its owner and root may write to"
        notes.wrong(at, "drivers", accepted, found=f"{at} ({wrong})")
    for file in taken:
        accepted = "a file of another name"
        notes.wrong(at, "drivers", accepted, found=f"{file}, the name of an installed driver")
    return usable


def _little(root: Table, notes: Notes, broker: bool, devices: Sized, uses: Sized) -> None:
    """A home that can be run and does less than anybody wants is told so."""
    if not broker:
        notes.warn(root, "broker", "a broker; without one no alert leaves the home", found="nothing")
    if not devices:
        notes.warn(root, "devices", "at least one; without any nothing is heard", found="nothing")
    if not uses:
        notes.warn(root, "rules", "at least one; without any nothing is judged", found="nothing")


def _top(root: Table, notes: Notes, beside: Path) -> dict[str, Any]:
    """The fields at the top; unknown sections and a missing ``devices:`` are told here too."""
    known = [*(row.name for row in TOP), *SECTIONS]
    own = dict(root.entries)
    for name, (key, _) in root.entries.items():
        if name in SECTIONS:
            del own[name]
        elif name not in known:
            del own[name]
            unknown_key(key, name, known, notes)
    top = read_table(TOP, Table(own, root.line, root.column), "", notes, beside)
    if "devices" not in root.entries:
        notes.wrong(
            root, "devices", "a mapping of names, each with via: or driver:, and room:", found="nothing"
        )
    zone = root.get("timezone")
    if top["timezone"] and zone is not None and not _is_zone(top["timezone"]):
        accepted = "a time zone such as Europe/Stockholm"
        offset = any(character.isdigit() for character in top["timezone"])  # a place is near to none
        near = "" if offset else nearest(top["timezone"], sorted(available_timezones()))
        notes.wrong(zone, "timezone", accepted, suggestion=near)
        top["timezone"] = "UTC"
    return top


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):  # "..", a folder of zones, an unknown name
        return False
    return True
