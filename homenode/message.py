"""A message for one party, between the one who decides it and the one who sends it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from homenode.reading import Instant


class Class(Enum):
    """What a message is to the outbox; in this order they go out."""

    ALARM = "alarm"
    ALERT = "alert"
    REPLY = "reply"
    STATUS = "status"
    READING = "reading"


class Message(NamedTuple):
    """One message.

    Attributes:
        id: Of an alarm or alert: one per message and party, the same after a restart. Else "".
        party: For whom.
        topic: Where it goes.
        payload: JSON; an alert's lacks its ``sequence`` and ``epoch``, given at the first hand-over.
        klass: Which decides what overtakes what.
        at: Instant of what it tells.
        alert: The alert it tells of, within which order is kept; "" if none.
        retain: The broker keeps it for whoever comes later.
        record: Of a reading: where in the journal it can be read again; 0 if nowhere.
        point: Of a reading: which point's; "" else.
    """

    id: str
    party: str
    topic: str
    payload: bytes
    klass: Class
    at: Instant
    alert: str = ""
    retain: bool = False
    record: int = 0
    point: str = ""

    def encode(self) -> list[object]:
        """For the journal, as JSON types."""
        head = self.klass._value_, self.id, self.party, self.topic, self.payload.decode()
        return [*head, self.at, self.alert, self.retain]


def decode(fields: list[object]) -> Message:
    """What `Message.encode` wrote."""
    klass, key, party, topic, payload, at, alert, retain = fields
    return Message(
        str(key),
        str(party),
        str(topic),
        str(payload).encode(),
        Class(klass),
        int(str(at)),
        str(alert),
        bool(retain),
    )
