"""What the broker answered and did not take, by topic, and when it is tried again (pure).

Only MQTT 5 has words for it: that the broker may not pass a message on (its access list, a quota), and that
nobody is there to pass it on to. A broker that lost its sessions in a restart says the latter of an alert
that would be gone for good, as whoever listens has not come back yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

DENIED_FIRST_S, DENIED_MOST_S = 30.0, 600.0
"""Between two tries of what the broker denies; doubles. Somebody has to change its access list."""
UNHEARD_S = 5.0
"""Between two tries of an alert that nobody is there for."""
AWAY_S, NEVER_S = 180.0, 20.0
"""Then nobody listens to that topic, and it counts as delivered: the one where somebody did before (paho's
clients come back within 120 s), the other where nobody ever did."""


@dataclass(slots=True)
class _Trouble:
    since_s: float
    why: str
    tries: int
    again_s: float


class Told(NamedTuple):
    """For people: topic to why the broker doesn't take it, and topics that nobody listens to."""

    denied: dict[str, str]
    deserted: tuple[str, ...]


class Refusals:
    """Of one link."""

    def __init__(self) -> None:
        self._denied: dict[str, _Trouble] = {}
        self._unheard: dict[str, _Trouble] = {}
        self._deserted: set[str] = set()
        self._listened: set[str] = set()

    def denied(self, topic: str, why: str, now_s: float) -> None:
        """The broker doesn't take messages on this topic."""
        known = self._denied.setdefault(topic, _Trouble(now_s, why, 0, 0.0))
        if now_s >= known.again_s:  # not one of the same batch
            known.again_s = now_s + min(DENIED_FIRST_S * 2.0**known.tries, DENIED_MOST_S)
            known.tries += 1
        known.why = why

    def unheard(self, topic: str, now_s: float) -> bool:
        """Nobody is there for a message on this topic. True: it waits; False: nobody ever comes."""
        if topic in self._deserted:
            return False
        known = self._unheard.setdefault(topic, _Trouble(now_s, "", 0, 0.0))
        if now_s - known.since_s >= (AWAY_S if topic in self._listened else NEVER_S):
            del self._unheard[topic]
            self._deserted.add(topic)
            return False
        known.again_s = now_s + UNHEARD_S
        return True

    def holds(self, topic: str, now_s: float) -> bool:
        """Whether the broker denied this topic just now, so that it need not be asked again yet.

        Some hang up on who asks (mosquitto 2.0.11 with ``max_queued_messages 0``), which costs everybody.
        """
        known = self._denied.get(topic)
        return known is not None and now_s < known.again_s

    def taken(self, topic: str) -> None:
        """The broker has passed one on."""
        self._listened.add(topic)
        self._denied.pop(topic, None)
        self._unheard.pop(topic, None)
        self._deserted.discard(topic)

    def __bool__(self) -> bool:
        return bool(self._denied or self._unheard or self._deserted)

    def due(self, now_s: float) -> list[str]:
        """Topics that are to be tried again now."""
        return [
            topic
            for troubles in (self._denied, self._unheard)
            for topic, trouble in troubles.items()
            if now_s >= trouble.again_s
        ]

    def told(self) -> Told:
        """What people should know."""
        return Told({topic: one.why for topic, one in self._denied.items()}, tuple(sorted(self._deserted)))
