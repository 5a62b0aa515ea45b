"""What is to be done, so that a home gone mad hides no other (pure).

With thousands of open alerts it has a few rows, the worst and of each rule first, and one that says how many
more there are; on a page of its own it has many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from homenode.console.case import RANK, Case
from homenode.listen.told import ALL

MOST_OF_HOME = 5
"""Rows of one home among those of all: the next home is on the same screen."""
MOST_ON_WALL = 2
"""On a screen that nobody scrolls."""
MOST_ALONE = 200
"""Rows of one home by itself; as they are closed, others come."""


@dataclass(slots=True)
class More:
    """Cases of a home that have no row; `severity` is the worst of them, `calls` whether one calls."""

    home: str
    count: int = 0
    severity: str = "info"
    calls: bool = False

    @property
    def key(self) -> str:
        """Of its row."""
        return f"more-{self.home}"

    @property
    def version(self) -> tuple[int, str, bool]:
        """Another one when the row reads otherwise."""
        return self.count, self.severity, self.calls

    def add(self, case: Case) -> None:
        """One that has no row."""
        self.count += 1
        self.calls = self.calls or case.calls
        self.severity = min(self.severity, case.severity, key=RANK.__getitem__)


Row: TypeAlias = Case | More


def rows(cases: Sequence[Case], who: str, most: int = MOST_OF_HOME) -> list[Row]:
    """Cases in their order, and after the last of a home how many more it has.

    What `who` took has a row, and so has what a receiver says of itself.
    """
    homes: dict[str, list[Case]] = {}
    for case in cases:
        homes.setdefault(case.home, []).append(case)
    if all(len(own) <= most for own in homes.values()):
        return list(cases)
    kept = {
        case.key
        for home, own in homes.items()
        for nth, case in enumerate(_worst_of_each_rule(own))
        if nth < most or case.taken_id == who or home == ALL
    }
    last = {case.home: case.key for case in cases if case.key in kept}
    more = {home: More(home) for home in homes}
    for case in cases:
        if case.key not in kept:
            more[case.home].add(case)
    found: list[Row] = []
    for case in cases:
        if case.key in kept:
            found.append(case)
            if last[case.home] == case.key and more[case.home].count:
                found.append(more[case.home])
    return found


def _worst_of_each_rule(own: Iterable[Case]) -> list[Case]:
    """A thousand times the same does not hide the one that is not."""
    nth = Counter[tuple[str, str]]()

    def place(case: Case) -> tuple[bool, int, int]:
        same = case.severity, str(case.body.get("subject"))
        nth[same] += 1
        return case.test, RANK[case.severity], nth[same]

    return sorted(own, key=place)
