"""Who takes which pin of the header: a pin has one owner, be it a device or a bus that something uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homenode.boards import Boards, Bus, boards
from homenode.config.model import Device, Radio
from homenode.config.notes import Notes, listed
from homenode.config.yaml12 import Node, Table
from homenode.driver import DriverType

SERIAL = re.compile(r"/dev/(?:serial|ttyAMA|ttyS)\d+")
"""The serial ports of a board itself; sticks are /dev/serial/by-id/…, /dev/ttyUSB… and /dev/ttyACM…."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something of home.yaml that takes pins.

    Attributes:
        owner: Name of the device or radio, or ``hats``.
        where: Its place in home.yaml, such as ``devices.front_door.pin``.
        pins: BCM number to what it is to the owner, "" for a plain GPIO.
        bus: The bus, None for a plain GPIO. Several may use one.
    """

    owner: str
    where: str
    at: Node
    pins: Mapping[int, str]
    bus: Bus | None = None


def check_header(
    board: str,
    hats: Sequence[str],
    devices: Mapping[str, Device],
    radios: Mapping[str, Radio],
    drivers: Mapping[str, DriverType],
    root: Table,
    notes: Notes,
) -> None:
    """Tells of pins that two want, and of serial ports that the board doesn't have.

    Args:
        board: Word of boards.yaml, "" if home.yaml doesn't say.
        hats: Buses that HATs use.
        root: home.yaml, for the lines.
    """
    wanted = [*_of_devices(devices, drivers, root), *_of_radios(radios, root)]
    if not wanted:
        return
    known = boards()
    claims = [*_of_hats(hats, known, root)]
    for owner, where, at, what in wanted:
        claim = _claim(owner, where, at, what, board, known, notes)
        if claim is not None:
            claims.append(claim)
    _once(claims, {mistake.field for mistake in notes.mistakes}, known, notes)


def needs_of(kind: DriverType, options: Mapping[str, Any]) -> tuple[tuple[str, int | str], ...]:
    """(field, GPIO or bus) that a device takes, by its driver; nothing if that can't be told."""
    try:
        return tuple(kind.needs(options))
    except Exception:  # noqa: BLE001 - of a technician's package, with options that are told as mistakes
        return ()


Wanted = tuple[str, str, Node, int | str]


def _of_devices(
    devices: Mapping[str, Device], drivers: Mapping[str, DriverType], root: Table
) -> Iterator[Wanted]:
    tables = root.get("devices")
    for device in devices.values():
        entry = tables.get(device.name) if isinstance(tables, Table) else None
        if entry is None or device.driver not in drivers:
            continue
        for field, what in needs_of(drivers[device.driver], device.options):
            yield device.name, f"devices.{device.name}.{field}", _at(entry, field), what
        yield from _serial(f"devices.{device.name}", device.name, device.options, entry)


def _of_radios(radios: Mapping[str, Radio], root: Table) -> Iterator[Wanted]:
    tables = root.get("radios")
    for radio in radios.values():
        entry = tables.get(radio.name) if isinstance(tables, Table) else None
        if entry is not None:
            yield from _serial(f"radios.{radio.name}", radio.name, radio.options, entry)


def _serial(where: str, name: str, options: Mapping[str, Any], entry: Node) -> Iterator[Wanted]:
    for field, value in options.items():
        if SERIAL.fullmatch(str(value)):
            yield name, f"{where}.{field}", _at(entry, field), str(value)


def _of_hats(hats: Sequence[str], known: Boards, root: Table) -> Iterator[Claim]:
    at = root.get("hats")
    for hat in hats:
        if at is not None and hat in known.buses:
            yield Claim("hats", "hats", at, known.buses[hat].pins, known.buses[hat])


def _claim(
    owner: str, where: str, at: Node, what: int | str, board: str, known: Boards, notes: Notes
) -> Claim | None:
    if isinstance(what, int):
        if what not in known.header.values():
            notes.wrong(at, where, "a GPIO of the header, 2 to 27", found=f"{at}, which no board has")
            return None
        if what in known.hat_eeprom:
            found = f"{at}, which is {known.hat_eeprom[what]} of the EEPROM of a HAT"
            notes.wrong(at, where, "a GPIO of the header, 2 to 27", found=found)
            return None
        return Claim(owner, where, at, {what: ""})
    if what in known.buses:
        return Claim(owner, where, at, known.buses[what].pins, known.buses[what])
    ports = known.boards[board].serial if board in known.boards else _ports(known)
    if what in ports:
        return Claim(owner, where, at, ports[what].pins, ports[what])
    if board in known.boards:
        its = known.boards[board]
        notes.wrong(at, where, f"a serial port of the {its.name}: {listed(its.serial)}", found=str(at))
    return None


def _ports(known: Boards) -> dict[str, Bus]:
    """Serial ports that mean the same pins on every board that has them; nobody said which it is."""
    ports: dict[str, Bus] = {}
    differ: set[str] = set()
    for board in known.boards.values():
        for port, bus in board.serial.items():
            if ports.setdefault(port, bus).pins != bus.pins:
                differ.add(port)
    return {port: bus for port, bus in ports.items() if port not in differ or "uart0" in bus.word}


def _once(claims: Sequence[Claim], told: set[str], known: Boards, notes: Notes) -> None:
    owners: dict[int, Claim] = {}
    for claim in sorted(claims, key=lambda claim: claim.bus is None):  # buses have no choice of pins
        for pin, role in claim.pins.items():
            other = owners.setdefault(pin, claim)
            if other is claim or (other.bus is not None and other.bus == claim.bus) or claim.where in told:
                continue
            taken = f"{other.pins[pin]} of {other.bus.name}" if other.bus else "a pin"
            mine = f"{claim.at} (its {role} is GPIO {pin}" if role else f"{claim.at} (GPIO {pin}"
            found = f"{mine}, {taken}, which {_named(other)})"
            free = listed(_free(claims, known), 30)
            notes.wrong(claim.at, claim.where, f"a pin that nothing else uses: {free}", found=found)
            told.add(claim.where)


def _named(claim: Claim) -> str:
    return "a HAT uses (hats:)" if claim.owner == "hats" else f"{claim.owner} uses"


def _free(claims: Sequence[Claim], known: Boards) -> list[str]:
    taken = {pin for claim in claims for pin in claim.pins} | {*known.hat_eeprom}
    return [
        str(pin) for pin in sorted(n for n in known.header.values() if isinstance(n, int)) if pin not in taken
    ]


def _at(entry: Node, name: str) -> Node:
    """Where a field stands, else its table."""
    return (entry.get(name) if isinstance(entry, Table) else None) or entry
