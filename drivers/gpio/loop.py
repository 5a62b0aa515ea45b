"""A supervised loop: what a wire with two resistors at its far end says, as an ADC sees it.

```
3V3 ──[10 kΩ]──┬── ADC channel          at the node
               └───────── cable ─────────[1 kΩ]──┬─[47 kΩ]─┬── GND wire of the cable
                                                 └─contact─┘   at the sensor, in its box
```
Closed the far end is 1 kΩ, open 48 kΩ, a cut wire is endless, a short circuit nothing. A water probe stands
in the place of the contact; wet, it is anything from a short to what tap water conducts.
"""

from __future__ import annotations

from enum import Enum

PULL_OHM, SERIES_OHM, PARALLEL_OHM = 10_000, 1_000, 47_000
"""The same three for every loop; 1 % (E24)."""

SHORTED = 0.045
"""Below: half of what 1 kΩ gives (1/11 of the supply)."""
CLOSED = 0.20
"""Up to 2.5 kΩ in all: a contact whose resistance has grown to 1.5 kΩ no longer counts as closed."""
WET = 0.77
"""Up to 33 kΩ in all; with 47 kΩ beside it the water then conducts as 106 kΩ. Tap water between two
electrodes a few mm apart is 2 to 50 kΩ."""
OPEN = (0.77, 0.90)
"""48 kΩ gives 0.828; 3V3 that is 5 % off (an ADS1115 measures volts, not a share of it) 0.786 to 0.869."""


class Loop(Enum):
    """What the cable says; of a fault, in words."""

    CLOSED = "closed"
    OPEN = "open"
    SHORTED = "short circuit in the cable, or water in its joint"
    CUT = "the cable is cut, or unplugged"
    SILENT = "its converter doesn't answer"
    BETWEEN = "neither closed nor open: a corroded contact, a wet cable, or other resistors than 1 and 47 kΩ"

    @property
    def is_fault(self) -> bool:
        """Nothing is known of the sensor."""
        return self not in (Loop.CLOSED, Loop.OPEN)


def state(share: float, *, probe: bool) -> Loop:
    """What a share of the supply means.

    Args:
        share: 0 to 1.
        probe: The loop ends in a water probe, or in a contact that closes when there is water.
    """
    if share < SHORTED:
        return Loop.SHORTED
    if share <= (WET if probe else CLOSED):
        return Loop.CLOSED
    if OPEN[0] <= share <= OPEN[1]:
        return Loop.OPEN
    return Loop.CUT if share > OPEN[1] else Loop.BETWEEN


class Settled:
    """A state that has been seen often enough in a row.

    Args:
        times: How often a state counts that is no fault. A fault is waited for longer, so that a
            contact that is just moving is none.
    """

    FAULT_TIMES = 5

    def __init__(self, times: int) -> None:
        self._times, self._seen, self._count = times, Loop.BETWEEN, 0
        self.now: Loop | None = None

    def see(self, seen: Loop) -> bool:
        """Whether this makes it another state than before."""
        self._count = self._count + 1 if seen is self._seen else 1
        self._seen = seen
        if seen is self.now or self._count < (self.FAULT_TIMES if seen.is_fault else self._times):
            return False
        self.now = seen
        return True
