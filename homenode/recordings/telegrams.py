"""Telegrams of a meter's P1 port (DSMR 4 and 5, the Swedish branch standard), one after the other in a file.

A telegram is believed as a whole or not at all: its checksum says which, where it has one.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from homenode.reading import Value
from homenode.recordings.sensors import Sensor

CODES = {
    "1-0:1.7.0": ("meter", "power"),
    "1-0:1.8.0": ("meter", "energy"),
    "1-0:1.8.1": ("meter_tariff_1", "energy"),
    "1-0:1.8.2": ("meter_tariff_2", "energy"),
    **{f"1-0:{phase}1.7.0": (f"meter_l{phase // 2}", "power") for phase in (2, 4, 6)},
    **{f"1-0:{phase}1.7.0": (f"meter_l{phase // 2}", "current") for phase in (3, 5, 7)},
    **{f"1-0:{phase}2.7.0": (f"meter_l{phase // 2}", "voltage") for phase in (3, 5, 7)},
}
"""OBIS code to device and kind: what is taken from the grid, in all, by tariff and by phase."""

MOST_LINES = 200
"""Lines of a telegram; the longest standardised ones have about 40."""

_VALUE = re.compile(r"(\d-\d:\d+\.\d+\.\d+)\((?:.*\()?(\d+(?:\.\d+)?)\*(kW|kWh|V|A)\)")
_TIME = re.compile(r"0-0:1\.0\.0\((\d{12})([SW]?)\)")


class Telegrams:
    """Puts lines together to telegrams.

    Args:
        zone: Where the meter hangs; its stamps are local, and say summer or winter.
        sensors: Is filled with the codes seen.
    """

    def __init__(self, zone: tzinfo, sensors: dict[str, Sensor]) -> None:
        self._zone, self._sensors = zone, sensors
        self._lines: list[str] = []

    def left(self) -> str:
        """What is missing if the file ends here."""
        return "the rest of a telegram, to its line with !" if self._lines else ""

    def parse(self, line: str) -> list[tuple[int, str, Value]]:
        """The next line; a telegram's values come with its last. Raises ValueError."""
        if line.startswith("/"):
            unfinished, self._lines = bool(self._lines), [line]
            if unfinished:
                raise ValueError("a telegram begins before the last one has ended")
            return []
        if not self._lines:
            raise ValueError("no telegram has begun")
        if not line.startswith("!"):
            self._lines.append(line)
            if len(self._lines) > MOST_LINES:
                self._lines = []
                raise ValueError(f"a telegram of more than {MOST_LINES} lines")
            return []
        lines, self._lines = self._lines, []
        if len(line) > 1:
            body = "\r\n".join([lines[0], "", *lines[1:], "!"]).encode()
            if f"{crc16(body):04X}" != line[1:].upper():
                raise ValueError(f"a telegram whose checksum is {crc16(body):04X} and not {line[1:]}")
        return self._values(lines)

    def _values(self, lines: list[str]) -> list[tuple[int, str, Value]]:
        stamp = next((found for line in lines if (found := _TIME.fullmatch(line))), None)
        if stamp is None:
            raise ValueError("a telegram without a time, 0-0:1.0.0")
        wall_ms = round(self._at(stamp[1], stamp[2]).timestamp() * 1000)
        said: list[tuple[int, str, Value]] = []
        for line in lines:
            if (found := _VALUE.fullmatch(line)) and found[1] in CODES:
                number = float(found[2]) * (1000 if found[3] == "kW" else 1)
                self._sensors.setdefault(found[1], Sensor(*CODES[found[1]]))
                said.append((wall_ms, found[1], round(number, 3)))
        return said

    def _at(self, digits: str, season: str) -> datetime:
        """When: Dutch meters go over to summer time and say S, Swedish ones say W, winter, all the year."""
        at = datetime.strptime(digits, "%y%m%d%H%M%S").replace(tzinfo=self._zone, fold=int(season == "W"))
        ahead = at.dst() if season == "W" else None
        return at + ahead if ahead else at


def crc16(data: bytes) -> int:
    """CRC-16/ARC, the one of DSMR 5.0.2, 6.2: polynomial x16+x15+x2+1, least significant bit first."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
