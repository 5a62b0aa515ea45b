"""From bytes to telegrams, and from a telegram to values (pure).

A telegram is ``/`` and the meter's name, lines such as ``1-0:31.7.0(008.3*A)``, then ``!`` and the CRC-16 of
all before it in four hex digits (DSMR 5.0.2 P1, clause 6.2; the Swedish branch's recommendation for the
customer interface, version 1.3, takes it over).

Own code, as dsmr-parser 1.11 costs 16 MB at run time (it imports dlms-cosem and cryptography to decrypt
meters of Luxembourg) and has no wheel of one of its dependencies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from homenode.recordings.telegrams import crc16

LONGEST = 8_192
"""Bytes: DSMR 5 telegrams are below 1,500; four gas or water meters and a power failure log included."""

_BEGIN = re.compile(rb"/[A-Za-z]{3}[0-9]")
"""The maker's three letters and the speed (clause 6.2); no line that is cut off before has a ``/``."""
_END = re.compile(rb"\n!(?:([0-9A-Fa-f]{4})|(?=[\r\n]))")
_LINE = re.compile(r"1-\d+:(\d+\.\d+\.\d+)(?:[.*]255)?\(([-+]?\d{1,12}(?:\.\d{1,6})?)\*(\w+)\)\s*")

_SCALES = {"W": ("W", 1.0), "kW": ("W", 1000.0), "Wh": ("kWh", 0.001), "kWh": ("kWh", 1.0),
           "A": ("A", 1.0), "mA": ("A", 0.001), "V": ("V", 1.0), "mV": ("V", 0.001)}  # fmt: skip

POWERS = {"power": ("1.7.0", "2.7.0"), "power_2": ("21.7.0", "22.7.0"),
          "power_3": ("41.7.0", "42.7.0"), "power_4": ("61.7.0", "62.7.0")}  # fmt: skip
"""Taken and fed in, W: of all phases, then of L1, L2, L3 (OBIS: IEC 62056-6-1)."""

LEVELS = {"current": ("31.7.0", "A"), "current_2": ("51.7.0", "A"), "current_3": ("71.7.0", "A"),
          "voltage": ("32.7.0", "V"), "voltage_2": ("52.7.0", "V"), "voltage_3": ("72.7.0", "V")}  # fmt: skip

METERS = {"energy": "1.8.", "energy_2": "2.8."}
"""Taken and fed in since the meter was made: register 0 is the sum of the tariffs 1, 2 …"""


class Telegram(NamedTuple):
    """What stood between ``/`` and ``!``, both included. `crc`: as the meter says; None if it doesn't."""

    body: bytes
    crc: int | None

    @property
    def sound(self) -> bool:
        """Whether the checksum is there and right."""
        return self.crc == crc16(self.body)


class Line:
    """Bytes as they come, in pieces of any size, cut into telegrams.

    Attributes:
        cut_off: Telegrams without an end: the next one began, or it grew too long.
    """

    def __init__(self) -> None:
        self._kept = b""
        self.cut_off = 0

    def feed(self, data: bytes) -> Iterator[Telegram]:
        """The telegrams that `data` completes."""
        self._kept += data
        while True:
            begin = self._kept.find(b"/")
            if begin < 0:
                self._kept = b""
                return
            self._kept = self._kept[begin:]
            end = _END.search(self._kept)
            again = _BEGIN.search(self._kept, 1, end.start() if end else len(self._kept))
            if again:
                self.cut_off += 1
                self._kept = self._kept[again.start() :]
                continue
            if end is None:
                if len(self._kept) > LONGEST:
                    self.cut_off += 1
                    self._kept = b""
                return
            mark = self._kept.index(b"!", end.start()) + 1
            body, self._kept = self._kept[:mark], self._kept[end.end() :]
            yield Telegram(body, int(end[1], 16) if end[1] else None)


def values(telegram: Telegram) -> dict[str, float]:
    """Kinds that the telegram tells, in their units. What is fed in counts negative in a power."""
    said: dict[str, tuple[float, str]] = {}
    for line in telegram.body.decode("ascii", "replace").splitlines():
        if (match := _LINE.fullmatch(line)) and match[3] in _SCALES:
            unit, scale = _SCALES[match[3]]
            said[match[1]] = float(match[2]) * scale, unit
    found: dict[str, float] = {}
    for kind, codes in POWERS.items():
        taken, fed = (said.get(code) for code in codes)
        if taken and taken[1] == "W" and (fed is None or fed[1] == "W"):
            found[kind] = round(taken[0] - (fed[0] if fed else 0), 3)
    for kind, (code, unit) in LEVELS.items():
        if code in said and said[code][1] == unit:
            found[kind] = round(said[code][0], 3)
    for kind, start in METERS.items():
        total = [said[f"{start}0"]] if f"{start}0" in said else []
        tariffs = [value for code, value in said.items() if code.startswith(start)]
        if tariffs and all(unit == "kWh" for _, unit in tariffs):
            found[kind] = round(sum(value for value, _ in total or tariffs), 6)
    return found
