"""The sections ``radios:`` and ``devices:`` of home.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import NEVER, Device, Radio
from homenode.config.notes import Notes, listed, nearest
from homenode.config.rows import DEVICE, NAME, RADIO
from homenode.config.values import accepted, read_table, read_value
from homenode.config.yaml12 import Node, Scalar, Table, is_nothing
from homenode.driver import DriverType

Drivers = Mapping[str, DriverType]


def read_radios(
    node: Node | None, notes: Notes, beside: Path, drivers: Drivers, *, files: bool
) -> dict[str, Radio]:
    """Radios by name, those with mistakes included, so that their devices aren't blamed.

    Args:
        files: Whether what they name must be there.
    """
    radios: dict[str, Radio] = {}
    ports: dict[str, str] = {}
    for name, key, entry in named(node, "radios", notes, "{driver: zigbee, port: …}"):
        where = f"radios.{name}"
        driver = _text(entry, "driver")
        kind = drivers.get(driver)
        if driver and kind is None:
            _unknown_driver(entry, driver, where, notes, drivers)
        elif kind is not None and not kind.radio_fields:
            found = f"{driver!r}, which has no radio"
            shown = f"a driver with a radio: {listed(n for n in drivers if drivers[n].radio_fields)}"
            notes.wrong(_at(entry, "driver"), f"{where}.driver", shown, found=found)
        options = _options(RADIO, kind.radio_fields if kind else None, entry, key, where, notes, beside)
        options.pop("driver", None)
        if files and kind is not None:
            _look(kind, options, entry, where, notes)
        port = options.get("port")
        if isinstance(port, str) and ports.setdefault(port, name) != name:
            found = f"{port!r}, which the radio {ports[port]} uses"
            notes.wrong(_at(entry, "port"), f"{where}.port", "each port once", found=found)
        radios[name] = Radio(name, driver, options, key.line)
    return radios


def read_devices(
    node: Node | None,
    notes: Notes,
    beside: Path,
    drivers: Drivers,
    radios: Mapping[str, Radio],
    *,
    files: bool,
) -> dict[str, Device]:
    """Devices by name, those with mistakes included (with any kind), so that rules aren't blamed for them.

    Args:
        files: Whether what they name must be there.
    """
    devices: dict[str, Device] = {}
    tables: dict[str, Node] = {}
    sound: list[Device] = []
    for name, key, entry in named(node, "devices", notes, "{via: RADIO or driver: DRIVER, room: ROOM, …}"):
        before = len(notes.mistakes)
        device = _device(name, key, entry, notes, beside, drivers, radios)
        kind = drivers.get(device.driver)
        own = {f"devices.{name}.{row.name}" for row in kind.device_fields} if kind else set()
        if kind and not any(mistake.field in own for mistake in notes.mistakes[before:]):
            device = replace(device, kinds=_kinds(kind, device, key, notes))
            sound.append(device)
            if files:
                _look(kind, device.options, entry, f"devices.{name}", notes)
        devices[name], tables[name] = device, entry
    _once(devices, "ieee", tables, notes)
    for driver in dict.fromkeys(device.driver for device in sound):
        ours = [device for device in sound if device.driver == driver]
        _together(drivers[driver], ours, tables, notes)
    return devices


def _kinds(kind: DriverType, device: Device, at: Node, notes: Notes) -> tuple[str, ...] | None:
    try:
        return kind.kinds(device.options)
    except Exception as error:  # noqa: BLE001 - whatever a technician's package raises; it is told
        _driver_failed(kind, error, at, notes)
        return None


def _together(kind: DriverType, ours: list[Device], tables: Mapping[str, Node], notes: Notes) -> None:
    """What only all devices of a driver show, such as a pin used twice."""
    told = {mistake.field for mistake in notes.mistakes}
    rows = {row.name: row for row in kind.device_fields}
    try:
        mistakes = tuple(kind.check(ours))
    except Exception as error:  # noqa: BLE001 - whatever a technician's package raises; it is told
        _driver_failed(kind, error, tables[ours[0].name], notes)
        return
    for name, field, text in mistakes:
        if f"devices.{name}.{field}" not in told:
            at = _at(tables[name], field)
            shown = accepted(rows[field]) if field in rows else "other fields"
            notes.wrong(at, f"devices.{name}.{field}", shown, found=f"{at} ({text})")


def _look(kind: DriverType, options: Mapping[str, Any], entry: Node, where: str, notes: Notes) -> None:
    """What is wrong with the files that an entry names."""
    rows = {row.name: row for row in (*kind.radio_fields, *kind.device_fields)}
    try:
        mistakes = tuple(kind.look(options))
    except Exception as error:  # noqa: BLE001 - whatever a technician's package raises; it is told
        _driver_failed(kind, error, entry, notes)
        return
    for field, text in mistakes:
        at = _at(entry, field)
        shown = accepted(rows[field]) if field in rows else "another"
        notes.wrong(at, f"{where}.{field}", shown, found=f"{at} ({text})")


def _driver_failed(kind: DriverType, error: Exception, at: Node, notes: Notes) -> None:
    found = f"the driver {kind.name}, whose own check fails ({type(error).__name__}: {error})"
    notes.wrong(at, "driver", "another version of this driver", found=found)


def named(node: Node | None, section: str, notes: Notes, shown: str) -> Iterator[tuple[str, Scalar, Node]]:
    """The entries of a section whose keys are names. An empty section is one without entries."""
    if node is None or is_nothing(node):
        return
    if not isinstance(node, Table):
        notes.wrong(node, section, f"a mapping of names, each with {shown}")
        return
    for name, (key, entry) in node.entries.items():
        read_value(NAME, Scalar(name, name, key.line, key.column), f"{section}.{name}", notes, Path())
        yield name, key, entry


def _device(
    name: str,
    key: Scalar,
    entry: Node,
    notes: Notes,
    beside: Path,
    drivers: Drivers,
    radios: Mapping[str, Radio],
) -> Device:
    where = f"devices.{name}"
    driver = _driver_of(entry, key, where, notes, drivers, radios)
    kind = drivers.get(driver)
    values = _options(DEVICE, kind.device_fields if kind else None, entry, key, where, notes, beside)
    own = {row.name for row in DEVICE}
    stale_after = values["stale_after"]
    return Device(
        name,
        driver,
        values["room"] or "",
        via=values["via"] or "",
        thing=values["is"],
        stale_after_ms=NEVER if stale_after == "never" else stale_after,
        model=values["model"],
        options={name: value for name, value in values.items() if name not in own},
        line=key.line,
        column=key.column,
    )


def _driver_of(
    entry: Node, key: Node, where: str, notes: Notes, drivers: Drivers, radios: Mapping[str, Radio]
) -> str:
    """The device's driver, by its radio or as named; "" if that can't be told."""
    if not isinstance(entry, Table):
        return ""
    via, driver = _text(entry, "via"), _text(entry, "driver")
    if "via" in entry.entries and "driver" in entry.entries:
        notes.wrong(entry.entries["driver"][0], f"{where}.driver", "via: or driver:, not both", found="both")
        return ""
    if via:
        if via in radios:
            return radios[via].driver
        kind = drivers.get(via)
        suggestion = f"driver: {via}" if kind and not kind.radio_fields else nearest(via, radios)
        accepted = (
            f"a radio of this home: {listed(radios)}" if radios else "a radio that stands under radios:"
        )
        notes.wrong(_at(entry, "via"), f"{where}.via", accepted, suggestion=suggestion)
    elif driver:
        kind = drivers.get(driver)
        if kind is None:
            _unknown_driver(entry, driver, where, notes, drivers)
        elif kind.radio_fields:
            radio = next((name for name, radio in radios.items() if radio.driver == driver), "RADIO")
            notes.wrong(
                _at(entry, "driver"),
                f"{where}.driver",
                f"via: RADIO, or a wired driver: {listed(n for n in drivers if not drivers[n].radio_fields)}",
                suggestion=f"via: {radio}",
            )
        return driver
    elif "via" not in entry.entries and "driver" not in entry.entries:
        notes.wrong(key, f"{where}.via", "via: RADIO, or driver: DRIVER if it is wired", found="neither")
    return ""


def _options(
    common: tuple[Field, ...],
    own: tuple[Field, ...] | None,
    entry: Node,
    key: Node,
    where: str,
    notes: Notes,
    beside: Path,
) -> dict[str, Any]:
    """The entry by the rows of every entry and those of its driver; of an unknown driver any field goes."""
    if own is None and isinstance(entry, Table):
        known = {row.name for row in common}
        entry = Table({n: e for n, e in entry.entries.items() if n in known}, entry.line, entry.column)
    taken = {row.name for row in common}
    rows = (*common, *(row for row in own or () if row.name not in taken))
    return read_table(rows, entry, where, notes, beside, at=key)


def _once(devices: Mapping[str, Device], field: str, tables: Mapping[str, Node], notes: Notes) -> None:
    """An address names one device; letters' case doesn't matter in it."""
    owners: dict[tuple[str, str], str] = {}
    for device in devices.values():
        value = device.options.get(field)
        if not isinstance(value, str):
            continue
        owner = owners.setdefault((device.via, value.lower()), device.name)
        if owner != device.name:
            at = _at(tables[device.name], field)
            notes.wrong(
                at, f"devices.{device.name}.{field}", "each device once", found=f"{at}, which is {owner}'s"
            )


def _unknown_driver(entry: Node, driver: str, where: str, notes: Notes, drivers: Drivers) -> None:
    why = getattr(drivers, "broken", {}).get(driver)
    found = f"{driver!r}, which can't be loaded ({why})" if why else None
    at, shown = _at(entry, "driver"), f"{listed(drivers, 40)}; or install its package"
    notes.wrong(at, f"{where}.driver", shown, found=found, suggestion=nearest(driver, drivers))


def _text(entry: Node, name: str) -> str:
    node = entry.get(name) if isinstance(entry, Table) else None
    return node.text if isinstance(node, Scalar) and node.value is not None else ""


def _at(entry: Node, name: str) -> Node:
    """Where a field stands, else its table."""
    return (entry.get(name) if isinstance(entry, Table) else None) or entry
