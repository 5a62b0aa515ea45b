"""What the people who recorded a home wrote down by hand: when somebody cooked, slept or was out."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from homenode.reading import Instant

WORDS = {
    "cooking": (
        "prep-breakfast", "prep-dinner", "Preparing-breakfast", "Preparing-lunch", "Preparing-dinner",
    ),
    "kitchen": (
        "prep-breakfast", "prep-dinner", "get-drink", "Preparing-breakfast", "Preparing-lunch",
        "Preparing-dinner", "Preparing-a-snack", "Preparing-a-beverage", "Washing-dishes",
        "Putting-away-dishes", "Putting-away-groceries",
    ),
    "bed": ("go-to-bed",),
    "away": ("leave-house",),
    "going": ("Going-out-to-work", "Going-out-for-shopping", "Going-out-for-entertainment"),
    "leaving": ("leave-house", "Going-out-to-work", "Going-out-for-shopping", "Going-out-for-entertainment"),
    "bathroom": (
        "use-toilet", "take-shower", "brush-teeth", "Toileting", "Bathing", "Grooming", "Washing-hands",
    ),
}  # fmt: skip
"""What is meant here by a word, in the words of both studies. ``going`` is only the act of it: home D."""


class Activity(NamedTuple):
    """Something somebody was seen to do, from `start` to `end`."""

    start: Instant
    end: Instant
    name: str

    def meets(self, start: Instant, end: Instant) -> bool:
        """Whether it goes on at some instant of [start, end]."""
        return self.start <= end and self.end >= start


class Annotation:
    """All of a home.

    Args:
        activities: In any order.
    """

    def __init__(self, activities: Iterable[Activity]) -> None:
        self.all = tuple(sorted(activities))

    def of(self, word: str) -> list[Activity]:
        """Those that a word of `WORDS` means."""
        return [activity for activity in self.all if activity.name in WORDS[word]]

    def at(self, word: str, start: Instant, end: Instant) -> bool:
        """Whether one of them goes on at some instant of [start, end]."""
        return any(activity.meets(start, end) for activity in self.of(word))

    @property
    def span(self) -> tuple[Instant, Instant]:
        """From the first to the last thing written down."""
        return self.all[0].start, max(activity.end for activity in self.all)


def read_annotation(file: Path, zone: ZoneInfo) -> Annotation:
    """``start_local,end_local,activity``, local times."""

    def instant(text: str) -> Instant:
        return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)

    with file.open(encoding="utf-8", newline="") as lines:
        return Annotation(
            Activity(instant(row["start_local"]), instant(row["end_local"]), row["activity"])
            for row in csv.DictReader(lines)
        )
