"""Converters beside the board, with what hangs on their channels: supervised loops and current clamps.

A channel is a circuit that gives its share of the supply at an instant (s). Chips speak as the wire does:
bytes in, bytes out (MCP3004/3008 data sheet DS21295D, chapter 6; ADS1115 data sheet SBAS444, 8.5 and 8.6).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

SUPPLY_V = 3.3
HZ = 50.0
PULL_OHM, SERIES_OHM, PARALLEL_OHM = 10_000.0, 1_000.0, 47_000.0
"""As hardware/README.md tells an installer to wire a supervised loop."""
TAP_WATER_OHM = 12_000.0
ENDLESS_OHM = 1e12


class Circuit:
    """What hangs on a channel. One that floats reads near nothing."""

    def share(self, at_s: float) -> float:
        """Share of the supply at an instant, 0 to 1."""
        return 0.01


@dataclass
class Loop(Circuit):
    """A supervised loop with its three resistors.

    Attributes:
        contact_ohm: Between the two sides of the contact or probe.
        cable_ohm: Both wires of it, and what corrodes in them; ENDLESS_OHM once cut.
        shorted: The two wires touch, before the resistors.
    """

    contact_ohm: float = ENDLESS_OHM
    cable_ohm: float = 2.0
    shorted: bool = False

    def share(self, at_s: float) -> float:
        """See `Circuit.share`."""
        if self.shorted:
            return 0.0
        far = SERIES_OHM + self.contact_ohm * PARALLEL_OHM / (self.contact_ohm + PARALLEL_OHM)
        ohm = far + self.cable_ohm
        return ohm / (ohm + PULL_OHM)


@dataclass
class Clamp(Circuit):
    """A clamp of the SCT-013 type around one conductor.

    Attributes:
        current_a: Effective current.
        amps_per_volt: Of its own burden.
        plugged: False: only the 100 kΩ to ground are left.
        turn: Which part of a period it is ahead, as another phase is.
    """

    current_a: float = 0.0
    amps_per_volt: float = 30.0
    plugged: bool = True
    turn: float = 0.0

    def share(self, at_s: float) -> float:
        """See `Circuit.share`; beyond the supply a converter has no more."""
        if not self.plugged:
            return 0.0
        rest = 0.5 * 100_000 / (100_000 + 5_000)  # two 10 kΩ in parallel feed the 100 kΩ
        wave = math.sqrt(2) * math.sin(2 * math.pi * (HZ * at_s + self.turn))
        return min(max(rest + self.current_a / self.amps_per_volt * wave / SUPPLY_V, 0.0), 1.0)


class Mcp3008:
    """10 bits, 8 channels, SPI."""

    CHANNELS = 8

    def __init__(self) -> None:
        self.circuits = [Circuit() for _ in range(self.CHANNELS)]

    def transfer(self, sent: bytes, at_s: float) -> bytes:
        """What comes back while `sent` goes out: after the start bit, mode and channel, a null bit and the
        value."""
        bits = "".join(f"{byte:08b}" for byte in sent)
        start = bits.find("1")
        back = ["1"] * len(bits)  # nobody drives the line before the answer
        if start >= 0 and len(bits) >= start + 17:
            single, channel = bits[start + 1] == "1", int(bits[start + 2 : start + 5], 2)
            share = self.circuits[channel].share(at_s)
            if not single:
                share -= self.circuits[channel ^ 1].share(at_s)
            value = min(int(max(share, 0.0) * 1024), 1023)
            back[start + 6 : start + 17] = f"0{value:010b}"
        text = "".join(back)
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


class Ads1115:
    """16 bits, 4 channels, I²C. Registers: 0 conversion, 1 config, 2 and 3 thresholds."""

    CHANNELS = 4
    FULL_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
    RATES = (8, 16, 32, 64, 128, 250, 475, 860)

    def __init__(self) -> None:
        self.circuits = [Circuit() for _ in range(self.CHANNELS)]
        self._registers = [0, 0x8583, 0x8000, 0x7FFF]
        self._pointer = 0
        self._done_s = 0.0

    def write(self, data: bytes, at_s: float) -> None:
        """A pointer, and with it maybe a register."""
        if not data:
            return
        self._pointer = data[0] & 3
        if len(data) >= 3 and self._pointer:
            self._registers[self._pointer] = int.from_bytes(data[1:3], "big")
            if self._pointer == 1:
                self._configured(at_s)

    def read(self, count: int, at_s: float) -> bytes:
        """The register that the pointer names."""
        config = self._registers[1]
        if not config & 0x0100:  # continuous
            self._registers[0] = self._converted(at_s)
        value = self._registers[self._pointer]
        if self._pointer == 1:
            value = value & 0x7FFF | (0x8000 if at_s >= self._done_s else 0)
        return (value.to_bytes(2, "big") * count)[:count]

    def _configured(self, at_s: float) -> None:
        config = self._registers[1]
        if config & 0x8000 or not config & 0x0100:
            self._done_s = at_s + 1 / self.RATES[config >> 5 & 7]
            self._registers[0] = self._converted(self._done_s)

    def _converted(self, at_s: float) -> int:
        mux, gain = self._registers[1] >> 12 & 7, self._registers[1] >> 9 & 7
        volts = [circuit.share(at_s) * SUPPLY_V for circuit in self.circuits]
        pairs = {0: (0, 1), 1: (0, 3), 2: (1, 3), 3: (2, 3)}
        volt = volts[mux - 4] if mux >= 4 else volts[pairs[mux][0]] - volts[pairs[mux][1]]
        return max(min(round(volt / self.FULL_V[gain] * 32768), 32767), -32768) & 0xFFFF


@dataclass
class Converters:
    """Those that are there: MCP3008 by chip select, ADS1115 by I²C address. `clock` tells seconds."""

    clock: Callable[[], float]
    spi: dict[int, Mcp3008] = field(default_factory=dict)
    i2c: dict[int, Ads1115] = field(default_factory=dict)

    def connect(self, adc: str, chip: int, channel: int, circuit: Circuit) -> None:
        """Hang something on a channel; the chip is there from then on."""
        if adc == "mcp3008":
            self.spi.setdefault(chip, Mcp3008()).circuits[channel] = circuit
        else:
            self.i2c.setdefault(0x48 + chip, Ads1115()).circuits[channel] = circuit
