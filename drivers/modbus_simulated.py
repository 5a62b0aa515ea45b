"""A meter on a serial bus, simulated: what `homenode driver test modbus` plays the driver with."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import ClassVar

from drivers.modbus.frames import crc
from homenode.kit.simulated import SerialDevice

UNIT, INPUT, QUESTION_B = 1, 4, 8


class Meter(SerialDevice):
    """Three phases with a float32 in each pair of input registers, as an SDM630 has them."""

    home = """
radios: {bus: {driver: modbus, port: PORT, every: 1 s, silent_after: 3 s}}
devices:
  meter: {via: bus, unit: 1, type: sdm630, at_most_every: 0 s, at_least_every: 1 s, room: hall}"""
    heavy = ("yaml", "asyncio", "drivers.modbus.driver")
    spared: ClassVar = {"flood": "it is asked, and says nothing by itself"}

    def __init__(self) -> None:
        super().__init__()
        self._came = b""
        self.numbers = dict.fromkeys(range(0, 0x80, 2), 0.0)
        self.numbers.update({0x00: 230.4, 0x02: 231.0, 0x04: 229.7, 0x48: 4123.4})

    def change(self) -> None:
        """Something of 1.4 to 2 kW on the first phase."""
        self._nth += 1
        watts = 1400.0 + 100 * (self._nth % 7)
        self.numbers.update({0x06: watts / 230.4, 0x0C: watts, 0x34: watts})

    def asked(self, data: bytes) -> None:
        """Answers what is for it."""
        self._came += data
        while len(self._came) >= QUESTION_B:
            frame, self._came = self._came[:QUESTION_B], self._came[QUESTION_B:]
            unit, function, address, size = struct.unpack(">BBHH", frame[:-2])
            if (unit, function, crc(frame[:-2])) == (UNIT, INPUT, frame[-2:]):
                self.write(self.answer(address, size))

    def answer(self, address: int, size: int) -> bytes:
        """The frame with these registers."""
        words = [word for at, number in sorted(self.numbers.items()) for word in _words(at, number)]
        said = b"".join(raw for at, raw in words if address <= at < address + size)
        body = bytes([UNIT, INPUT, 2 * size]) + said
        return body + crc(body)

    def garbage(self) -> None:
        """Noise, half an answer, one with a wrong bit, and answers that nobody asked for."""
        whole = self.answer(0x00, 6)
        self.write(random.Random(1).randbytes(300) + whole[:7] + whole[:-1] + b"\x00" + whole + whole)


def _words(at: int, number: float) -> Iterator[tuple[int, bytes]]:
    raw = struct.pack(">f", number)
    yield at, raw[:2]
    yield at + 1, raw[2:]
