"""Who is on call when; that nobody is, is itself an alarm (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

LONGEST_MS = 31 * 86_400_000
"""A shift that is longer is a mistake in a date."""
KEPT_MS = 7 * 86_400_000
"""Shifts that ended longer ago are no longer shown."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One person from `begin` to before `end` (ms); `note`: what was handed over with it."""

    id: str
    party: str
    who: str
    name: str
    begin: int
    end: int
    note: str = ""


@dataclass(slots=True)
class Duty:
    """The roster of all parties."""

    shifts: dict[str, Shift] = field(default_factory=dict)

    def apply(self, fact: Mapping[str, Any]) -> None:
        """A shift was entered, changed (same id) or struck out."""
        if fact["what"] == "shift_off":
            self.shifts.pop(fact["id"], None)
            return
        names = ("id", "party", "who", "name", "begin", "end", "note")
        shift = Shift(**{name: fact[name] for name in names})
        self.shifts[shift.id] = shift
        for old in [one.id for one in self.shifts.values() if one.end < fact["at"] - KEPT_MS]:
            del self.shifts[old]

    def on(self, party: str, now: int) -> list[Shift]:
        """Who is on duty."""
        return [one for one in self.of(party) if one.begin <= now < one.end]

    def of(self, party: str) -> list[Shift]:
        """In order of their beginning."""
        return sorted((one for one in self.shifts.values() if one.party == party), key=lambda one: one.begin)

    def covered_until(self, party: str, now: int) -> int:
        """Until when somebody is on duty without a gap; `now` if nobody is."""
        until = now
        for shift in self.of(party):
            if shift.begin <= until < shift.end:
                until = shift.end
        return until


def instant(text: str, timezone: str) -> int:
    """Of what a field `datetime-local` holds, which knows no zone, ms.

    Of an hour that comes twice the first is meant; one that is skipped is an hour later by the clock: a shift
    that ends when the next begins leaves no gap.

    Raises:
        ValueError: It is none.
    """
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp() * 1000)
