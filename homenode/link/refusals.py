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
UNHEARD_FIRST_S, UNHEARD_S = 5.0, 60.0
"""Between two tries of an alert that nobody is there for, in the first `AWAY_S` of a link and later."""
AWAY_S = 180.0
"""paho's clients come back to a broker that restarted within 120 s."""
TOLD_AFTER_S = 20.0
"""Then people are told that nobody listens."""


@dataclass(slots=True)
class _Trouble:
    """`why` is "" if nobody is there."""

    why: str
    since_s: float
    again_s: float = 0.0
    tries: int = 0
    deserted: bool = False

    def tried(self, now_s: float) -> None:
        if self.why:
            pause_s = min(DENIED_FIRST_S * 2.0**self.tries, DENIED_MOST_S)
        else:
            pause_s = UNHEARD_FIRST_S if now_s - self.since_s < AWAY_S else UNHEARD_S
        self.tries += 1
        self.again_s = now_s + pause_s


class Told(NamedTuple):
    """For people: topic to why the broker doesn't take it, and topics that nobody listens to."""

    denied: dict[str, str]
    deserted: tuple[str, ...]


class Refusals:
    """Of one link."""

    def __init__(self) -> None:
        self._troubles: dict[str, _Trouble] = {}

    def connected(self, now_s: float) -> None:
        """A new connection, perhaps to another broker: everything is tried, and waits as at first."""
        for trouble in self._troubles.values():
            trouble.since_s = trouble.again_s = now_s
            trouble.tries = 0

    def refused(self, topic: str, why: str, now_s: float) -> None:
        """The broker doesn't take messages on this topic; `why` is "" if nobody is there for them."""
        trouble = self._troubles.get(topic)
        if trouble is None or (not trouble.why) != (not why):
            trouble = self._troubles[topic] = _Trouble(why, now_s)
            trouble.tried(now_s)
        trouble.why = why
        trouble.deserted = not why and now_s - trouble.since_s >= TOLD_AFTER_S

    def may_try(self, topic: str, now_s: float) -> bool:
        """Whether one message may go to this topic: where there is trouble, one each pause.

        Some brokers hang up on who asks for what they deny (mosquitto 2.0.11 with ``max_queued_messages 0``),
        which costs everybody.
        """
        trouble = self._troubles.get(topic)
        if trouble is None:
            return True
        if now_s < trouble.again_s:
            return False
        trouble.tried(now_s)
        return True

    def taken(self, topic: str) -> bool:
        """The broker has passed one on. True: there was trouble, and what waits may go."""
        return self._troubles.pop(topic, None) is not None

    def __bool__(self) -> bool:
        return bool(self._troubles)

    def due(self, now_s: float) -> list[str]:
        """Topics that are to be tried again now."""
        return [topic for topic, trouble in self._troubles.items() if now_s >= trouble.again_s]

    def told(self) -> Told:
        """What people should know."""
        return Told(
            {topic: one.why for topic, one in self._troubles.items() if one.why},
            tuple(sorted(topic for topic, one in self._troubles.items() if one.deserted)),
        )
