"""Looks through cameras: who, why, which view, from when to when; and which rounds were gone (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_SHOWN = 2_000
LATE_MS = 60_000
"""After its lease a look is over, though nobody said so: clocks may differ by so much."""


@dataclass(slots=True)
class Look:
    """One session that was asked for.

    Attributes:
        views: All that were shown.
        begin: When it was granted; before that, or without, when it was asked for.
        until: When the home ends it unless it is asked for longer, as it said last (ms).
        session: What the home calls it; "" before it is granted.
        ended: Why it is over, "" while it is on.
    """

    id: str
    party: str
    home: str
    camera: str
    views: list[str]
    reason: str
    by: str
    who: str
    begin: int
    until: int = 0
    end: int = 0
    ended: str = ""
    session: str = ""


@dataclass(slots=True)
class Looks:
    """All that are shown, and the rounds that were gone."""

    looks: dict[str, Look] = field(default_factory=dict)
    rounds: dict[str, tuple[int, str, str]] = field(default_factory=dict)

    def apply(self, fact: Mapping[str, Any]) -> None:
        """A look was asked for, granted, went on in another view, or ended; a stop of a round was seen to."""
        if fact["what"] == "round":
            self.rounds[fact["id"]] = (fact["at"], fact["by"], fact["note"])
        elif fact["what"] == "looked":
            names = ("id", "party", "home", "camera", "reason", "by", "who")
            about = {name: fact[name] for name in names}
            times = {"begin": fact["at"], "until": fact.get("until", fact["at"])}
            self.looks[fact["id"]] = Look(**about, views=[fact["view"]], **times)
        elif (known := self.looks.get(fact["id"])) and fact["what"] == "look_view":
            known.views.append(fact["view"])
        elif known and fact["what"] == "look_granted":
            known.begin, known.until, known.session = fact["at"], fact["until"], fact["session"]
        elif known:
            known.end, known.ended = fact["at"], fact["why"]
        for table in (self.looks, self.rounds):
            while len(table) > MOST_SHOWN:
                del table[next(iter(table))]

    def resume(self, now: int) -> None:
        """We were away: whoever looks still is heard of soon."""
        for one in self.looks.values():
            one.until = max(one.until, now)

    def lost(self, now: int) -> list[Look]:
        """Those that their home has ended by now, and nobody said so: whoever looked is gone."""
        return [one for one in self.looks.values() if not one.ended and now >= one.until + LATE_MS]

    def newest(self) -> list[Look]:
        """The newest first."""
        return list(reversed(self.looks.values()))
