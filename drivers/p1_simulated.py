"""A meter's customer port, simulated: what `homenode driver test p1` plays the driver with."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from homenode.kit.simulated import SerialDevice
from homenode.sim.p1.things import telegram

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Meter(SerialDevice):
    """Something of 1.2 to 2 kW on the first phase, and a refrigerator on the second."""

    home = """
radios: {p1: {driver: p1, port: PORT, silent_after: 3 s}}
devices:
  meter: {via: p1, at_most_every: 0 s, at_least_every: 1 s, room: hall}"""
    heavy = ("asyncio", "drivers.p1.driver")

    def sends(self, nth: int) -> bytes:
        """A telegram."""
        return telegram(NOON, (1200.0 + 100 * (nth % 9), 125.0, 0.0), 60995.4 + nth / 100)

    def garbage(self) -> None:
        """Noise, halves, one that never ends, one with a changed digit."""
        whole = self.sends(1)
        noise = random.Random(1).randbytes(3_000)
        for piece in (
            noise,
            whole[:300],
            whole[300:],
            b"/" * 20_000,
            whole[99:],
            whole.replace(b"125", b"925"),
        ):
            self.write(piece)
