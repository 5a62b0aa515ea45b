"""An update to many homes: its plan, and one home's way through it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

_MIN_MS = 60_000


class At(Enum):
    """Where a home is."""

    PLANNED = "planned"
    SENT = "sent"
    UNDER_WAY = "under way"
    GOOD = "good"
    FAILED = "failed"
    LEFT = "left behind"


ENDS = (At.GOOD, At.FAILED, At.LEFT)


@dataclass(frozen=True, slots=True)
class Ring:
    """Homes that are updated together.

    Attributes:
        homes: Patterns with * and ?.
        share: Of those that fit, which are drawn anew for each version; 1 for all.
        at_once: So many at a time; 0 for no limit.
    """

    name: str
    homes: tuple[str, ...]
    share: float = 1.0
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How an update goes out.

    Attributes:
        rings: In their order; a home is in the first that it fits.
        soak_ms: So long a ring is watched after its last home became good.
        settle_ms: So long a home may be worse or away, as it is while it starts anew.
        patience_ms: A home that was not there, or put off, for longer is left behind.
        allow: Part of a ring's homes that may be worse; rounded down, so that of a small ring none may.
        before: Rings whose homes are left alone.
    """

    rings: tuple[Ring, ...]
    soak_ms: int = 24 * 60 * _MIN_MS
    settle_ms: int = 15 * _MIN_MS
    patience_ms: int = 3 * 24 * 60 * _MIN_MS
    allow: float = 0.02
    before: tuple[Ring, ...] = ()

    def only(self, name: str) -> Plan:
        """One ring of it, which has the homes that it has among the others."""
        nth = [ring.name for ring in self.rings].index(name)
        return replace(self, rings=(self.rings[nth],), before=self.rings[:nth])

    def ring_of(self, home: str, version: str) -> str:
        """Name of the ring that a home is in; "" if in none. A share is drawn anew for each version."""
        for ring in (*self.before, *self.rings):
            if any(fnmatchcase(home, pattern) for pattern in ring.homes):
                drawn = int.from_bytes(sha256(f"{version}/{ring.name}/{home}".encode()).digest()[:8])
                if drawn < ring.share * (1 << 64):
                    return "" if ring in self.before else ring.name
        return ""


@dataclass(slots=True)
class Course:
    """One home's way through the update.

    Attributes:
        ring: Its ring's name.
        since_ms: When it came to where it is.
        tries: Orders under ids of their own.
        sent_ms: When the order was last sent.
        before: How the home was as it was ordered.
        worse_ms: Since when it is worse than that; None while it isn't.
        why: Its node's state, or why it failed or was left behind.
        worse: In what it is worse, once that counts; "" if in nothing.
        harmed: It counts against its ring.
        accepted: A person has seen that and went on.
        called_off: It was, and its node has not said so yet.
    """

    ring: str
    at: At = At.PLANNED
    since_ms: int = 0
    tries: int = 0
    sent_ms: int = 0
    before: Mapping[str, Any] = field(default_factory=dict)
    worse_ms: int | None = None
    why: str = ""
    worse: str = ""
    harmed: bool = False
    accepted: bool = False
    called_off: bool = False

    @property
    def told(self) -> str:
        """For a person."""
        return self.worse or self.why


@dataclass(slots=True)
class Step:
    """What is to be done: homes to order and to call off, and news for who looks on."""

    order: list[str] = field(default_factory=list)
    cancel: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
