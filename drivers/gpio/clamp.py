"""A current clamp on an ADC: what a stretch of samples says.

```
3V3 ──[10 kΩ]──┬──[10 kΩ]── GND       the middle of the supply, with 10 µF to GND
               └── clamp (SCT-013, its own burden) ──┬── ADC channel
                                                     └──[100 kΩ]── GND
```
Plugged in, the channel rests near the middle; without the clamp the 100 kΩ draw it to 0 V, so that a clamp
that was pulled out reads as a fault and not as 0 A.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

REST = (0.40, 0.60)
"""Share of the supply that the mean may be: 0.476 as drawn; the resistors' 1 % and 3V3 ± 5 % are in it."""
SAMPLE_S = 0.2
"""Ten periods of 50 Hz, so that no part of one is left over."""
ENOUGH, FEWEST = 64, 30
"""Samples of a stretch: it goes on until there are enough, unless the machine is too busy for `LONGEST_S`; of
30 spread over many periods the current is still right by some 7 %."""
LONGEST_S = 3.0
SUPPLY_V = 3.3


class NoClamp(Exception):
    """The channel doesn't rest where a clamp holds it."""


def amperes(samples: Sequence[float], amps_per_volt: float) -> float:
    """Effective current.

    Args:
        samples: Shares of the supply, evenly over `SAMPLE_S`.
        amps_per_volt: Of the clamp: 30 for an SCT-013-030 (30 A give 1 V).

    Raises:
        NoClamp: It is not plugged in, or the wiring is another.
    """
    mean = math.fsum(samples) / len(samples)
    if not REST[0] <= mean <= REST[1]:
        raise NoClamp(f"rests at {mean:.0%} of the supply, and not near the middle: is the clamp plugged in?")
    square = math.fsum((sample - mean) ** 2 for sample in samples) / len(samples)
    return round(math.sqrt(square) * SUPPLY_V * amps_per_volt, 3)
