"""Network addresses that nobody knows: when each was looked into, and what it said meanwhile (pure).

A device that got another address is told by the stick, or announces itself, if nobody misses that. Where
it is missed, the first thing heard of it may be its alarm: it must not be the price of finding out who it is.
"""

from __future__ import annotations

from drivers.zigbee.short_path import Incoming
from homenode.reading import Instant

SEEK_AGAIN_MS = 30_000
"""An address is looked into so often."""
KEPT_MS = 15_000
"""So long what was said is news: a sleepy device is asked through its parent, which takes up to 7.7 s."""
KEPT_MOST = 4
"""Frames of one address."""
ADDRESSES_MOST = 64


class Strangers:
    """What is known of nobody."""

    def __init__(self) -> None:
        self._sought: dict[int, Instant] = {}
        self._said: dict[int, list[tuple[Instant, Incoming]]] = {}

    def due(self, address: int, now: Instant) -> bool:
        """Whether to look into this address now; then not again for a while."""
        if now - self._sought.get(address, -SEEK_AGAIN_MS) < SEEK_AGAIN_MS:
            return False
        self._sought[address] = now
        if len(self._sought) > ADDRESSES_MOST:
            del self._sought[next(iter(self._sought))]
        return True

    def keep(self, message: Incoming, now: Instant) -> None:
        """Remember what an unknown address said, until it is known whose it is."""
        said = self._said.setdefault(message.sender, [])
        said.append((now, message))
        del said[:-KEPT_MOST]
        if len(self._said) > ADDRESSES_MOST:
            del self._said[next(iter(self._said))]

    def known_now(self, address: int, now: Instant) -> list[Incoming]:
        """What this address said lately, in order; it is forgotten here, and may be looked into again."""
        self._sought.pop(address, None)
        return [message for at, message in self._said.pop(address, ()) if now - at < KEPT_MS]
