"""Meters on Modbus: a serial bus (RTU), or the network (TCP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.errors import SetupError
from homenode.pace import pace_fields


def _kinds(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that are named, else all of its type."""
    from drivers.modbus.rows import type_of

    if named := options.get("points"):
        return tuple(named)
    try:
        return tuple(type_of(options)["points"])
    except SetupError:
        return ()  # `_check` tells it


def _check(devices: Sequence[Device]) -> Sequence[tuple[str, str, str]]:
    """Types and points that no row has; units that two devices have."""
    from drivers.modbus.rows import type_of

    wrong: list[tuple[str, str, str]] = []
    first: dict[tuple[str, Any], str] = {}
    for device in devices:
        options = device.options
        unit = device.via, options.get("unit")
        if first.setdefault(unit, device.name) != device.name:
            wrong.append((device.name, "unit", f"{first[unit]} has it already; each on a bus needs its own"))
        try:
            has = type_of(options)["points"]
        except SetupError as error:
            wrong.append((device.name, "rows" if error.where else "type", str(error)))
            continue
        for kind in options.get("points") or ():
            if kind not in has:
                told = f"{options['type']} has no {kind}; it has {', '.join(has)}"
                wrong.append((device.name, "points", told))
    return wrong


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.modbus.driver import ModbusMeters

    return ModbusMeters(name, options, devices, host)


DRIVER = DriverType(
    name="modbus",
    blind_to="What happens between two questions; a meter that goes on saying its last value; on a network, "
    "whoever answers at the meter's address.",
    radio_fields=(
        Field(
            "port",
            "text",
            "Serial port of the RS-485 adapter (best its /dev/serial/by-id/ name), tcp://HOST:502 for Modbus "
            "TCP, or socket://HOST:PORT for a serial server.",
            required=True,
            pattern=r"/.{1,200}|(tcp|socket)://[A-Za-z0-9.:\[\]_-]+:[0-9]{1,5}",
            shown="/dev/serial/by-id/usb-... or tcp://192.168.1.30:502",
        ),
        Field("baud", "whole", "Speed of the bus.", default=9600, low=1200, high=115_200),
        Field(
            "form",
            "text",
            "Bits of data, parity (N, E, O) and stop bits on the bus.",
            default="8N1",
            pattern="8(N[12]|[EO]1)",
            shown="8N1 or 8E1",
        ),
        Field(
            "every",
            "duration",
            "How often each device is asked.",
            default=10_000,
            low=1_000,
            high=600_000,
            shown="10 s",
        ),
        Field(
            "answer_within",
            "duration",
            "A device answers within so long.",
            default=1_000,
            low=50,
            high=10_000,
            shown="1 s",
        ),
        Field(
            "silent_after",
            "duration",
            "Without an answer for so long the points of a device are unknown.",
            default=60_000,
            low=1_000,
            high=3_600_000,
            shown="1 min",
        ),
    ),
    device_fields=(
        Field("unit", "whole", "Its number on the bus.", required=True, low=1, high=247),
        Field(
            "type",
            "word",
            "What it is: sdm120, sdm630, em340, em24, abb_b23, iem3000 or another of "
            "drivers/modbus/rows.yaml, or one of `rows`.",
            required=True,
        ),
        Field(
            "points", "words", "Its kinds that are used; all of its type if absent.", shown="[power, energy]"
        ),
        Field("rows", "path", "File with types of one's own.", shown="rows.yaml"),
        *pace_fields(at_most_ms=5_000, at_least_ms=300_000, power_w=10, current_a=0.1),
    ),
    kinds=_kinds,
    open=_open,
    check=_check,
    wired=True,
)
