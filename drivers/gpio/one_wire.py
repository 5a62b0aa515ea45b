"""Thermometers on the 1-Wire bus (DS18B20 and its kin), as the kernel's w1_therm shows them in files."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

from homenode.config.model import Device
from homenode.driver import Host
from homenode.reading import Value

FOLDER = "/sys/bus/w1/devices"
"""Where the kernel shows them, unless HOMENODE_W1 names another folder."""
FAMILIES = ("10", "22", "28", "3b", "42")
"""DS18S20, DS1822, DS18B20, MAX31850 and DS28EA00 (linux/Documentation/w1/slaves/w1_therm)."""
EVERY_S = 30.0
TRIES = 3
"""A conversion takes 0.75 s; interference spoils one, seldom three."""
LEAST_C = 0.1
"""It is told anew when it differs by so much; its step is 0.06 °C."""
POWER_ON = 85_000
"""What stands in it after power came on and before the first conversion (DS18B20 data sheet, table 1)."""


class NoReading(Exception):
    """The file has no temperature."""


def celsius(text: str) -> float:
    """The temperature in a w1_slave file: ``50 05 … : crc=1c YES`` and ``50 05 … t=85000``.

    Raises:
        NoReading: The sum is wrong, the sensor had no power, or nothing answers.
    """
    match = re.fullmatch(
        r"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)\n(?:[0-9a-f]{2} ){9}t=(-?\d+)\s*", text
    )
    if match is None:
        raise NoReading("nothing that the kernel's w1_therm writes")
    scratchpad, good, thousandths = bytes.fromhex(match[1]), match[2] == "YES", int(match[3])
    if not good or crc8(scratchpad[:8]) != scratchpad[8]:
        raise NoReading("its checksum is wrong: look at the cable and its 4.7 kΩ")
    if not any(scratchpad):  # a data line at 0 V passes every sum
        raise NoReading("the data line is at 0 V: a short circuit, or no 4.7 kΩ to 3V3")
    if thousandths == POWER_ON:
        raise NoReading("85 °C, what it says when its supply was gone: look at its red wire")
    return thousandths / 1000


def crc8(data: bytes) -> int:
    """Dallas' sum: x⁸ + x⁵ + x⁴ + 1 (application note 27)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


class Thermometers:
    """All thermometers of a home."""

    def __init__(self, devices: Sequence[Device], host: Host) -> None:
        self._folder = Path(os.environ.get("HOMENODE_W1") or FOLDER)
        self._devices, self._host = devices, host
        self._told: dict[str, Value] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for device in self._devices:
                await self._read(device.name, self._folder / str(device.options["sensor"]) / "w1_slave")
            await asyncio.sleep(EVERY_S)

    async def _read(self, name: str, file: Path) -> None:
        value: float | None = None
        why = ""
        for _ in range(TRIES):
            try:
                value = celsius(await asyncio.to_thread(file.read_text, encoding="ascii"))
                break
            except FileNotFoundError:
                bus = await asyncio.to_thread(self._folder.is_dir)
                why = f"no thermometer {file.parent.name} on the bus: cut, or of another number"
                why = why if bus else f"no 1-Wire bus in {self._folder}: dtoverlay=w1-gpio in config.txt"
                break
            except NoReading as error:
                why = str(error)
            except (OSError, UnicodeDecodeError) as error:
                why = f"can't be read: {error}"
        told = self._told.get(name, "nothing")
        if value is None:
            if told is not None:
                self._host.heard(name, "temperature", None)
            self._host.lost(f"{name} cable", why, (name,))
        elif not isinstance(told, float) or abs(value - told) >= LEAST_C:
            self._host.heard(name, "temperature", value)
            self._host.back(f"{name} cable")
        else:
            return
        self._told[name] = value
