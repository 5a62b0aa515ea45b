"""Which numbers of a topic came, and which are missing (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HOLE_AFTER_MS = 60_000
"""A receiver calls a missing number a hole so long after a higher one (design section 5)."""

EPOCHS = 8
"""Journals of a home that are remembered; a new one is rare."""

GAPS = 256
"""In one journal; more come only of a sender that numbers nonsense. Then the oldest that was told goes."""


@dataclass(slots=True)
class Gap:
    """Numbers `first` to `last` that are missing since `since`; `told`: it was called a hole."""

    first: int
    last: int
    since: int
    told: bool = False


@dataclass(slots=True)
class Epoch:
    """What came of one journal: all from `low` to `high` but the gaps, which are in order."""

    low: int
    high: int
    gaps: list[Gap] = field(default_factory=list)

    def came(self, number: int, now: int) -> bool:
        """Take a number; whether it fills what was called a hole."""
        if len(self.gaps) > GAPS:
            self.gaps.remove(next((gap for gap in self.gaps if gap.told), self.gaps[0]))
        if number > self.high:
            if number > self.high + 1:
                self.gaps.append(Gap(self.high + 1, number - 1, now))
            self.high = number
            return False
        if number < self.low:
            if number < self.low - 1:
                self.gaps.insert(0, Gap(number + 1, self.low - 1, now))
            self.low = number
            return False
        for index, gap in enumerate(self.gaps):
            if gap.first <= number <= gap.last:
                parts = (
                    Gap(gap.first, number - 1, gap.since, gap.told),
                    Gap(number + 1, gap.last, gap.since, gap.told),
                )
                self.gaps[index : index + 1] = [part for part in parts if part.first <= part.last]
                return gap.told
        return False


class Places:
    """The numbers on one topic, by epoch.

    The first epoch begins for us with the lowest number that came, as what was sent before we subscribed is
    not for us; each later one with 1.
    """

    def __init__(self) -> None:
        self._epochs: dict[str, Epoch] = {}

    def came(self, epoch: str, number: int, now: int) -> bool:
        """Take a number; whether it fills what was called a hole."""
        known = self._epochs.get(epoch)
        if known is not None:
            return known.came(number, now)
        if not self._epochs:
            self._epochs[epoch] = Epoch(number, number)
            return False
        while len(self._epochs) >= EPOCHS:
            del self._epochs[next(iter(self._epochs))]
        self._epochs[epoch] = Epoch(1, 0)
        return self._epochs[epoch].came(number, now)

    def holes(self, now: int) -> list[tuple[str, Gap]]:
        """Gaps that are holes by now; each is given once."""
        found = []
        for name, epoch in self._epochs.items():
            for gap in epoch.gaps:
                if not gap.told and now >= gap.since + HOLE_AFTER_MS:
                    gap.told = True
                    found.append((name, gap))
        return found

    def due(self) -> int | None:
        """When the next gap becomes a hole."""
        sinces = [gap.since for epoch in self._epochs.values() for gap in epoch.gaps if not gap.told]
        return min(sinces) + HOLE_AFTER_MS if sinces else None

    def not_after(self, now: int) -> None:
        """The clock was set back since."""
        for epoch in self._epochs.values():
            for gap in epoch.gaps:
                gap.since = min(gap.since, now)

    def dump(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            name: [e.low, e.high, [[g.first, g.last, g.since, g.told] for g in e.gaps]]
            for name, e in self._epochs.items()
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """From `dump`."""
        self._epochs = {
            name: Epoch(low, high, [Gap(*gap) for gap in gaps]) for name, (low, high, gaps) in kept.items()
        }
