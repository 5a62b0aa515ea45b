"""What was refused, counted, and told once a minute: a flood must not fill the log (pure)."""

from __future__ import annotations

from homenode.reading import Instant

BROKER = "broker"
"""Whose messages are counted that nobody subscribed to."""
REFUSALS_SAID_MS = 60_000
"""Between two log lines about the refused commands of one party: a flood must not fill the log."""


class Refusals:
    """Of each source how many, and which of them a log line is due for.

    Attributes:
        counted: By party (`BROKER`: what nobody asked for), since the start.
    """

    def __init__(self) -> None:
        self.counted: dict[str, int] = {}
        self._said: dict[str, tuple[Instant, int]] = {}

    def count(self, party: str, now: Instant) -> int | None:
        """One more; None if the last line about this party is less than a minute old, else how many since."""
        counted = self.counted[party] = self.counted.get(party, 0) + 1
        at, upto = self._said.get(party, (now - REFUSALS_SAID_MS, 0))
        if now - at < REFUSALS_SAID_MS:
            return None
        self._said[party] = (now, counted)
        return counted - upto - 1
