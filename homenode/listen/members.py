"""The receivers of a group, as one of them knows them: who lives, and who sees to which home (pure)."""

from __future__ import annotations

import hashlib

BEAT_MS = 1_000
DEAD_MS = 5_000
"""Not heard for five beats: the others take over what it had begun."""

FORGOTTEN_MS = 60_000
"""Each start of a member is a new one; the old ones don't pile up."""


class Members:
    """Of one group.

    Args:
        me: Name of this member.
        now: When it began to listen: until `DEAD_MS` later every other one may be alive unheard.
    """

    def __init__(self, me: str, now: int) -> None:
        self.me = me
        self._heard: dict[str, int] = {}
        self._since = now

    def listening(self, now: int) -> None:
        """We were deaf until now: whoever lived then may live still."""
        self._heard = dict.fromkeys(self._heard, now)
        self._since = now

    def heard(self, name: str, now: int) -> None:
        """A member beats."""
        self._heard[name] = now

    def left(self, name: str) -> None:
        """A member said goodbye."""
        self._heard[name] = -DEAD_MS

    def alive(self, name: str, now: int) -> bool:
        """Whether a member has to be reckoned with."""
        return name == self.me or now < self._heard.get(name, self._since) + DEAD_MS

    def responsible(self, home: str, now: int) -> bool:
        """Whether this member is the one of those alive that sees to a home (rendezvous hashing)."""
        self._heard = {name: at for name, at in self._heard.items() if now < at + FORGOTTEN_MS}
        names = [name for name, at in self._heard.items() if now < at + DEAD_MS]
        return self.me == max((*names, self.me), key=lambda name: _weight(name, home))


def _weight(name: str, home: str) -> bytes:
    return hashlib.blake2b(f"{name} {home}".encode(), digest_size=8).digest()
