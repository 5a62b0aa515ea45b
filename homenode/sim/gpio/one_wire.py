"""The 1-Wire bus as the kernel shows it: a folder a thermometer, with its scratchpad in a file (w1_therm)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FAULTS = ("gone", "noisy", "unpowered", "shorted")
"""Its cable is cut; interference spoils each transfer; its red wire is off; data touches ground."""


class OneWireBus:
    """The bus. `folder` is what /sys/bus/w1/devices is on a Pi."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def show(self, sensor: str, celsius: float, fault: str = "") -> None:
        """What a thermometer says from now on.

        Args:
            fault: One of FAULTS, "" if it is well.
        """
        place = self.folder / sensor
        if fault == "gone":
            shutil.rmtree(place, ignore_errors=True)
            return
        place.mkdir(exist_ok=True)
        beside = place / "w1_slave.new"
        beside.write_text(
            slave_text(scratchpad(85.0 if fault == "unpowered" else celsius), fault), encoding="ascii"
        )
        os.replace(beside, place / "w1_slave")

    def close(self) -> None:
        """The bus is gone, with all that hangs on it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def scratchpad(celsius: float) -> bytes:
    """The nine bytes of a DS18B20 at 12 bits: sixteenths of a degree, alarms, configuration, sum (data
    sheet)."""
    raw = round(celsius * 16).to_bytes(2, "little", signed=True)
    eight = raw + bytes((0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10))
    return eight + bytes((_sum(eight),))


def slave_text(nine: bytes, fault: str = "") -> str:
    """What the kernel writes of it: it checks the sum, and says NO where that is wrong."""
    if fault == "shorted":
        nine = bytes(9)
    if fault == "noisy":
        nine = bytes((nine[0] ^ 0x11,)) + nine[1:]
    good = "YES" if _sum(nine[:8]) == nine[8] else "NO"
    shown = " ".join(f"{byte:02x}" for byte in nine)
    thousandths = int.from_bytes(nine[:2], "little", signed=True) * 1000 // 16
    return f"{shown} : crc={_sum(nine[:8]):02x} {good}\n{shown} t={thousandths}\n"


def _sum(data: bytes) -> int:
    """CRC-8 of Maxim's application note 27, by its shift register, bit by bit."""
    register = 0
    for bit in (byte >> place & 1 for byte in data for place in range(8)):
        mixed = (register ^ bit) & 1
        register >>= 1
        if mixed:
            register ^= 0b1000_1100
    return register
