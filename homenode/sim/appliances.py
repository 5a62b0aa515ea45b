"""What appliances draw: phases of power, as recordings of real ones show them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of one power.

    Attributes:
        power_w: Mean; readings scatter by 2 % around it.
        least_s, most_s: How long it lasts.
    """

    power_w: float
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class Appliance:
    """One appliance.

    Attributes:
        begins: Phases after it is turned on.
        cycle: Phases that then follow each other until it is turned off; without any it turns itself off.
        always_on: It runs from the start.
        idle_w: What it draws while off.
    """

    begins: tuple[Phase, ...] = ()
    cycle: tuple[Phase, ...] = ()
    always_on: bool = False
    idle_w: float = 0.0

    def run(self, dice: random.Random) -> Iterator[tuple[float, float]]:
        """(W, seconds) one after the other; ends if the appliance turns itself off."""
        cycles = chain.from_iterable(repeat(self.cycle)) if self.cycle else ()
        for phase in chain(self.begins, cycles):
            yield phase.power_w, dice.uniform(phase.least_s, phase.most_s)


APPLIANCES: dict[str, Appliance] = {
    # tracebase: a 900 W plate heats for 270 to 700 s, then its thermostat cycles: 40 to 90 s on, 100 to
    # 430 s off (longest seen within one use: 7 min 11 s); here with the 1,400 W of a large hob.
    "hob": Appliance((Phase(1400, 270, 700),), (Phase(0, 100, 431), Phase(1380, 40, 90)), idle_w=0.3),
    # tracebase: a 2.6 kW kettle boils 65 to 153 s.
    "kettle": Appliance((Phase(2640, 65, 153),)),
    # tracebase: a coffee maker heats, then keeps warm in pulses.
    "coffee_maker": Appliance((Phase(900, 240, 420),), (Phase(0, 40, 90), Phase(850, 8, 20)), idle_w=0.5),
    # tracebase: an old refrigerator, 67 to 111 min at about 125 W, 77 to 91 min off.
    "fridge": Appliance((), (Phase(125, 4020, 6660), Phase(1, 4620, 5460)), always_on=True),
    "iron": Appliance((Phase(2100, 60, 120),), (Phase(0, 30, 90), Phase(2050, 8, 25))),
    "heater": Appliance((), (Phase(1000, 600, 600),)),
    "television": Appliance((), (Phase(95, 600, 600),), idle_w=0.4),
}
"""Word for ``appliance:`` to what it draws."""
