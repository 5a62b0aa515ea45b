"""Meters as pymodbus serves them, over TCP and on a serial line, with the numbers that they shall show."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pymodbus import FramerType
from pymodbus.client.mixin import ModbusClientMixin as Mixin
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus import DRIVER
from drivers.modbus.rows import types
from homenode.config.fields import filled
from homenode.config.model import Device

SHOWS = {
    "voltage": 230.5, "voltage_2": 231.0, "voltage_3": 229.5, "current": 6.5, "current_2": 0.5,
    "current_3": 3.0, "power": 1500.0, "power_2": 1400.0, "power_3": 110.0, "power_4": -10.0,
    "energy": 4123.5, "energy_2": 12.5,
}  # fmt: skip
"""In the units of the kinds; each is a whole number of every meter's steps."""
WRITE = 16
"""Function that writes registers."""
GONE = 9
"""Number of a unit that isn't on the line."""


def meter(name: str, unit: int, sort: str, **options: Any) -> Device:
    given = {"unit": unit, "type": sort, "at_most_every": 0, "at_least_every": 1_000, **options}
    said = filled(DRIVER.device_fields, **given)
    return Device(name, "modbus", "hall", "bus", options=said, kinds=DRIVER.kinds(said))


def radio(port: str | Path, **options: Any) -> dict[str, Any]:
    given = {"port": str(port), "every": 200, "answer_within": 300, "silent_after": 1_000, **options}
    return filled(DRIVER.radio_fields, **given)


def words(family: Mapping[str, Any], kind: str, value: float) -> tuple[int, list[int]]:
    """Address and registers of a point, as pymodbus writes them."""
    row = {**family, **family["points"][kind]}
    form = str(row["as"])
    raw = value / row.get("scale", 1)
    number = raw if form.startswith("float") else round(raw)
    made = Mixin.convert_to_registers(number, Mixin.DATATYPE[form.upper()], row.get("order", "big"))
    return row["at"], made


def served(unit: int, sort: str, shows: Mapping[str, float] = SHOWS) -> SimDevice:
    """A unit with the registers of its points, and no others."""
    family = types()[sort]
    data = [
        SimData(address, values=made, datatype=DataType.REGISTERS)
        for address, made in sorted(words(family, kind, shows[kind]) for kind in family["points"])
    ]
    return SimDevice(unit, data)


async def show(server: Any, unit: int, sort: str, kind: str, value: float) -> None:
    """From now on it shows this."""
    address, made = words(types()[sort], kind, value)
    await server.async_setValues(unit, WRITE, address, made)


@asynccontextmanager
async def over_tcp(*units: SimDevice, port: int) -> AsyncIterator[ModbusTcpServer]:
    """At this port of the machine."""
    server = ModbusTcpServer(list(units), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield server
    finally:
        await server.shutdown()


def _carry(here: int, there: int) -> None:
    """pymodbus' server answers for units that it hasn't; on a real line nobody does."""
    data = os.read(here, 1024)
    if data[0] != GONE:
        os.write(there, data)


@asynccontextmanager
async def on_a_line(
    folder: Path, *units: SimDevice, baud: int = 9600
) -> AsyncIterator[tuple[Path, ModbusSerialServer]]:
    """On two pseudo terminals (which know no parity) with a cable between them; yields the near one."""
    ends = [os.openpty() for _ in range(2)]
    masters = [master for master, _ in ends]
    loop = asyncio.get_running_loop()
    for master, slave in ends:
        tty.setraw(slave)
        os.set_blocking(master, False)
    for here, there in (masters, masters[::-1]):
        loop.add_reader(here, _carry, here, there)
    near, far = (os.ttyname(slave) for _, slave in ends)
    (folder / "bus").symlink_to(near)
    server = ModbusSerialServer(list(units), framer=FramerType.RTU, port=far, baudrate=baud)
    await server.serve_forever(background=True)
    try:
        yield folder / "bus", server
    finally:
        await server.shutdown()
        for master, slave in ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)
