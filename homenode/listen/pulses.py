"""When each home was last heard of; kept in memory only, as every home beats each minute (pure)."""

from __future__ import annotations

from typing import NamedTuple

GONE_MS = 30_000
"""How long a home may be offline by its own word or its will before it is called silent: a link that comes
back at once, by another route or a moment later, is no news."""


NOT_SHOWN_MS = 15_000
"""A node's status lies retained at the broker, so it comes with the first sign of life or soon after."""


class Overdue(NamedTuple):
    """A home that is silent: since when, and whether the broker said so or nothing came at all."""

    home: str
    since: int
    why: str


class Pulses:
    """Of all homes.

    Args:
        silent_after_ms: Nothing heard for so long is silence.
    """

    def __init__(self, silent_after_ms: int) -> None:
        self._silent_after_ms = silent_after_ms
        self._heard: dict[str, int] = {}  # the longest silent first
        self._offline: dict[str, int] = {}
        self._living: set[str] = set()  # a sign of life came since we listen
        self._told: set[str] = set()

    def heard(self, home: str, now: int) -> None:
        """A sign of life."""
        self._heard.pop(home, None)
        self._heard[home] = now
        self._living.add(home)
        self._offline.pop(home, None)
        self._told.discard(home)

    def know(self, home: str, now: int) -> None:
        """There is such a home; if nothing is heard of it from now on, it is silent."""
        self._heard.setdefault(home, now)

    def was_online(self, home: str, now: int) -> None:
        """It was some time ago: it has not said goodbye, but it may have died since."""
        self.know(home, now)
        self._offline.pop(home, None)

    def offline(self, home: str, now: int) -> None:
        """The home said goodbye, or the broker says that it is gone."""
        self._heard.setdefault(home, now)
        self._offline.setdefault(home, now)
        self._living.discard(home)

    def listening(self, now: int) -> None:
        """We were deaf until now: silence counts from here, and nobody lives who was not heard since.

        A silence that was told may have ended meanwhile; who keeps the home knows.
        """
        self._heard = dict.fromkeys(self._heard, now)
        self._offline = dict.fromkeys(self._offline, now)
        self._living.clear()
        self._told.clear()

    def overdue(self, now: int) -> list[Overdue]:
        """Homes that are silent now, but those that were told of."""
        found = [
            Overdue(home, since, "offline")
            for home, since in self._offline.items()
            if now >= since + GONE_MS and home not in self._told
        ]
        for home, since in self._heard.items():
            if now < since + self._silent_after_ms:
                break
            if home not in self._offline and home not in self._told:
                found.append(Overdue(home, since, "no heartbeat"))
        return found

    def told(self, home: str) -> None:
        """Its silence is known; it is news again once it was heard."""
        self._told.add(home)

    def lives(self, home: str, now: int) -> bool:
        """Whether it was heard since we listen, and is not silent."""
        return home in self._living and now < self._heard[home] + self._silent_after_ms


class Shown:
    """Whether the broker shows us what homes have for our party: one that doesn't may say so to nobody."""

    def __init__(self) -> None:
        self._lives: dict[str, int] = {}
        self._shown: set[str] = set()
        self._told = False

    def lives(self, home: str, now: int) -> None:
        """A sign of life, which any party may hear."""
        if home not in self._shown:
            self._lives.setdefault(home, now)

    def shown(self, home: str) -> None:
        """Something that only our party may see."""
        self._lives.pop(home, None)
        self._shown.add(home)

    def deaf(self) -> None:
        """No connection: what is awaited is awaited anew."""
        self._lives.clear()

    def missing(self, now: int) -> list[str]:
        """Homes that live and of which nothing is shown; once."""
        late = [home for home, since in self._lives.items() if now >= since + NOT_SHOWN_MS]
        if self._told or not late:
            return []
        self._told = True
        return late
