"""Figures so coarse and so slow that nobody's life shows in them (pure).

A look through a camera warms the processor and takes memory, a door that opens is written to the card. So
what moves with them is told as the median of a day, in steps: a look lasts minutes, and no median of a day
moves by it. What is written to the card is told in hundredths of the years that it lasts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

DAY = 144
"""Samples of a day, one each 10 min."""
SETTLED = 36
"""Before so many (6 h) there is no median that a look of an hour could not move."""


class Steady:
    """A figure in steps, with hysteresis so that it stays put at the edge of two.

    Args:
        step: Of what is told.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._told: int | None = None

    def of(self, value: float | None) -> int | None:
        """What is told of it; None if it is unknown."""
        if value is None:
            return None
        if self._told is None or abs(value - self._told) > 0.75 * self._step:
            self._told = round(value / self._step) * self._step
        return self._told


class Usual:
    """The median of the last day, in steps.

    Args:
        step: Of what is told.
    """

    def __init__(self, step: int) -> None:
        self._steady, self._samples = Steady(step), deque[float](maxlen=DAY)

    def add(self, sample: float | None) -> None:
        """One more; None if there is none."""
        if sample is not None:
            self._samples.append(sample)

    def told(self) -> int | None:
        """None before there are enough."""
        return self._steady.of(_median(self._samples) if len(self._samples) >= SETTLED else None)

    def recent(self, samples: int) -> float | None:
        """The median of so many of the newest, not to be told; None before there are so many."""
        return _median(list(self._samples)[-samples:]) if len(self._samples) >= samples else None


def _median(samples: Iterable[float]) -> float:
    """The lower one of two in the middle; `statistics` would load fractions, decimals and random numbers."""
    ordered = sorted(samples)
    return ordered[(len(ordered) - 1) // 2]
