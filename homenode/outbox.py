"""What the broker has not acknowledged, and in which order it goes out (pure).

Alarms before everything, alerts in their order, then replies, the newest status of each topic, and readings.
An alert leaves only on the broker's PUBACK; it carries its place in the order (`sequence`), which is written
to the journal *before* it is sent: `number` gives places, `written` releases what is on the disk.

The life of an alert::

    add ─► queued ─ number ─► numbered ─ written ─► ready ─ next ─► in flight ─ acknowledged ─► gone
                                                      ▲                 │
                                                      ├── link_lost ────┤
                                                      └ release ─ held ─ refused
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from homenode.contract.alert import numbered
from homenode.message import Class, Message, decode
from homenode.reading import Instant
from homenode.unsent import Segment, Unsent


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be under way or in memory.

    Attributes:
        alerts: Alarms and alerts in flight at once.
        alarms_more: Alarms that may be in flight beyond that, so that none waits for alerts.
        rest: Replies, statuses and readings in flight at once. 100 in flight is where paho's rate levels
            off (11,700/s, measured on loopback).
        readings: Readings in memory, live and historical each; 4,000 are about 2 MB.
        replies: Waiting; the oldest goes first, as who asked has long given up, and may ask again.
    """

    alerts: int = 20
    alarms_more: int = 10
    rest: int = 80
    readings: int = 4000
    replies: int = 1000

    def within(self, window: int) -> Limits:
        """The same for a broker that takes only so many at once (MQTT 5, Receive Maximum); at least 4."""
        window -= 1  # the heartbeat's
        if self.alerts + self.alarms_more + self.rest <= window:
            return self
        alarms_more = max(1, window // 8)
        rest = max(1, window // 2)
        return replace(self, alerts=window - alarms_more - rest, alarms_more=alarms_more, rest=rest)


class Numbered(NamedTuple):
    """An alert message got its place; to be written to the journal before `Outbox.written` is told."""

    id: str
    party: str
    sequence: int
    epoch: str = ""


class Handed(NamedTuple):
    """What the link is to publish now (QoS 1).

    Attributes:
        key: To be given to `Outbox.acknowledged` when the broker has it.
    """

    key: int
    topic: str
    payload: bytes
    retain: bool
    klass: Class


class Acknowledged(NamedTuple):
    """The broker has it. `id` is "" for anything but an alarm or alert."""

    id: str
    klass: Class
    at: Instant
    topic: str = ""


class Pending(NamedTuple):
    """How much waits, for `homenode status`."""

    alarms: int
    alerts: int
    replies: int
    statuses: int
    readings: int
    in_flight: int
    in_journal: bool


class _Alert:
    """An alarm or alert on its way; `sequence` 0 and `epoch` "" until numbered."""

    __slots__ = ("epoch", "message", "sequence", "written")

    def __init__(self, message: Message) -> None:
        self.message, self.sequence, self.epoch, self.written = message, 0, "", False


class Outbox:
    """The order of what is to be sent.

    Args:
        epoch: New when the journal is new; tells receivers that sequences start anew.
        limits: Windows and memory.
        before: Epoch of the places that the journal knows, if it is another one: what has a place keeps it.
    """

    def __init__(self, epoch: str, limits: Limits = Limits(), before: str = "") -> None:
        self.epoch, self.limits, self.online = epoch, limits, False
        self._before = before or epoch
        self._window = limits
        self._waiting: dict[Class, deque[_Alert]] = {Class.ALARM: deque(), Class.ALERT: deque()}
        self._ids: dict[str, _Alert] = {}
        self._held: dict[str, list[_Alert]] = {}  # by topic that the broker doesn't take now
        self._sequences: dict[str, int] = {}
        self._replies: deque[Message] = deque()
        self._statuses: dict[str, Message] = {}
        self._readings = Unsent(limits.readings)
        self._alerts_out: dict[int, _Alert] = {}
        self._rest_out: dict[int, Message] = {}
        self._last_key = 0
        self._unwritten = 0

    # --- what is to be sent

    def add(self, message: Message) -> None:
        """Queue a message. An alert whose id already waits is the same one and changes nothing.

        An alert must have been appended to the journal before, or be so before the caller next awaits.
        """
        klass = message.klass
        if klass is Class.READING:
            self._readings.add(message)
        elif klass is Class.STATUS:
            self._statuses[message.topic] = message
        elif klass is Class.REPLY:
            self._replies.append(message)
            if len(self._replies) > self.limits.replies:
                self._replies.popleft()
        elif message.id not in self._ids:
            self._ids[message.id] = alert = _Alert(message)
            self._held.get(message.topic, self._waiting[klass]).append(alert)

    def number(self) -> list[Numbered]:
        """Give the alerts that can go now their places; write these down, then call `written`."""
        if not self.online:
            return []
        given: list[Numbered] = []
        ahead = len(self._alerts_out)
        for klass, room in ((Class.ALARM, self._alarm_room), (Class.ALERT, self._window.alerts)):
            for alert in self._waiting[klass]:
                if ahead >= room:
                    break
                ahead += 1
                if alert.sequence:
                    continue
                party = alert.message.party
                alert.sequence = self._sequences[party] = self._sequences.get(party, 0) + 1
                alert.epoch = self.epoch
                self._unwritten += 1
                given.append(Numbered(alert.message.id, party, alert.sequence, self.epoch))
        return given

    def written(self, numbers: Iterable[Numbered]) -> None:
        """These places are on the disk: their messages may go."""
        for number in numbers:
            alert = self._ids.get(number.id)
            if alert is not None and not alert.written:
                alert.written = True
                self._unwritten -= 1

    # --- the link's side

    @property
    def _alarm_room(self) -> int:
        return self._window.alerts + self._window.alarms_more

    def link_up(self, window: int = 0) -> None:
        """The broker is there. Of the readings that waited, the newest of each point go first.

        Args:
            window: How many it takes at once, 0 if it doesn't say.
        """
        self.online = True
        self._window = self.limits.within(window) if window else self.limits
        self._readings.sort_backlog()

    def link_lost(self) -> None:
        """What was in flight goes again, in the same order and with the same places."""
        self.online = False
        for alert in reversed(self._alerts_out.values()):
            self._held.get(alert.message.topic, self._waiting[alert.message.klass]).insert(0, alert)
        for message in reversed(self._rest_out.values()):
            if message.klass is Class.READING:
                self._readings.put_back(message)
            elif message.klass is Class.STATUS:
                self._statuses.setdefault(message.topic, message)
            elif len(self._replies) < self.limits.replies:
                self._replies.appendleft(message)
        self._alerts_out.clear()
        self._rest_out.clear()

    def next(self) -> Handed | None:
        """What is to be published now; None if nothing may be. It is then in flight."""
        if not self.online:
            return None
        for klass, room in ((Class.ALARM, self._alarm_room), (Class.ALERT, self._window.alerts)):
            waiting = self._waiting[klass]
            if waiting and waiting[0].written and len(self._alerts_out) < room:
                return self._hand_over(waiting.popleft())
        if len(self._rest_out) >= self._window.rest:
            return None
        if self._replies:
            return self._send(self._replies.popleft())
        if self._statuses and not self._unwritten:  # a status must not tell what is not yet on the disk
            return self._send(self._statuses.pop(next(iter(self._statuses))))
        reading = self._readings.pop()
        return self._send(reading) if reading is not None else None

    def _hand_over(self, alert: _Alert) -> Handed:
        self._last_key += 1
        self._alerts_out[self._last_key] = alert
        message = alert.message
        payload = numbered(message.payload, alert.sequence, alert.epoch)
        return Handed(self._last_key, message.topic, payload, False, message.klass)

    def _send(self, message: Message) -> Handed:
        self._last_key = key = self._last_key + 1
        self._rest_out[key] = message
        return Handed(key, message.topic, message.payload, message.retain, message.klass)

    def acknowledged(self, key: int) -> Acknowledged | None:
        """The broker has what was handed over under `key`; None if that was on an earlier connection."""
        message = self._rest_out.pop(key, None)
        if message is not None:
            return Acknowledged("", message.klass, message.at, message.topic)
        alert = self._alerts_out.pop(key, None)
        if alert is None:
            return None
        del self._ids[alert.message.id]
        return Acknowledged(alert.message.id, alert.message.klass, alert.message.at)

    def keep_readings(self, wanted: Callable[[str], bool]) -> None:
        """What is shared has changed: readings of other topics are not sent any more."""
        self._readings.keep(wanted)

    def refused(self, key: int) -> None:
        """The broker doesn't take what was handed over under `key`.

        An alert waits, with all others of its topic, until `release`; they hold up no other topic. Anything
        else is gone: a newer status follows, a reading stays in the journal, who asked asks again.
        """
        self._rest_out.pop(key, None)
        alert = self._alerts_out.pop(key, None)
        if alert is None:
            return
        topic = alert.message.topic
        held = self._held.setdefault(topic, [])
        held.append(alert)
        for klass, waiting in self._waiting.items():
            held += [other for other in waiting if other.message.topic == topic]
            self._waiting[klass] = deque(other for other in waiting if other.message.topic != topic)

    def held(self, topic: str) -> int:
        """How many alerts the broker doesn't take wait on this topic."""
        return len(self._held.get(topic, ()))

    def release(self, *topics: str) -> None:
        """Try again what the broker did not take on these topics (all, if none is named), in its order."""
        for topic in topics or tuple(self._held):
            alerts = self._held.pop(topic, [])
            for alert in reversed(sorted(alerts, key=self._place)):  # those without a place stay in order
                self._waiting[alert.message.klass].appendleft(alert)

    def _place(self, alert: _Alert) -> tuple[bool, bool, float]:
        """What sorts alerts of one topic: by epoch, then by their places; those without one last."""
        return not alert.sequence, alert.epoch == self.epoch, alert.sequence or math.inf

    # --- readings that wait in the journal

    def wants(self) -> tuple[int, int] | None:
        """First and last journal record whose shared readings are to be read and given to `refill`."""
        return self._readings.wants() if self.online else None

    def refill(self, readings: Iterable[Message], through: int) -> None:
        """Readings read again from the journal, up to and including record `through`."""
        self._readings.refill(readings, through)

    def unsent_in_journal(self, first: int, last: int) -> None:
        """After a start: the shared readings of these records may not have been acknowledged."""
        self._readings.in_journal(Segment(first, last))

    def readings_done(self, last: int = 0) -> int:
        """Every shared reading of a journal record below this is acknowledged; for the lazy mark.

        Args:
            last: The journal's last record, so that records which hold no shared reading count as done.
        """
        in_flight = [message.record for message in self._rest_out.values() if message.record]
        return min([*in_flight, self._readings.first_record(last)])

    # --- how much, and through a restart

    @property
    def readings_waiting(self) -> int:
        """Of them the readings in memory; may be asked from any thread."""
        return len(self._readings)

    def pending(self) -> Pending:
        """How much waits."""
        alerts_out = [alert.message.klass for alert in (*self._alerts_out.values(), *self._all_held())]
        return Pending(
            len(self._waiting[Class.ALARM]) + alerts_out.count(Class.ALARM),
            len(self._waiting[Class.ALERT]) + alerts_out.count(Class.ALERT),
            len(self._replies),
            len(self._statuses),
            self.readings_waiting,
            len(self._alerts_out) + len(self._rest_out),
            self._readings.has_segments(),
        )

    def _all_held(self) -> list[_Alert]:
        return [alert for alerts in self._held.values() for alert in alerts]

    def dump(self) -> dict[str, Any]:
        """For the journal: how far the numbers are. JSON types only, as in `waiting`."""
        return {"sequences": dict(self._sequences), "epoch": self.epoch}

    def waiting(self) -> list[list[Any]]:
        """For the journal: the alerts that wait, each with its place, 0 if it has none."""
        waiting = *self._waiting[Class.ALARM], *self._waiting[Class.ALERT]
        alerts = [*self._alerts_out.values(), *self._all_held(), *waiting]
        return [[alert.message.encode(), alert.sequence, alert.epoch] for alert in alerts]

    def load(self, state: Mapping[str, Any]) -> None:
        """From the journal, before anything else; then the other ``restore_…`` and `add`."""
        if state.get("epoch", self._before) == self.epoch:
            self._sequences = {str(party): int(last) for party, last in state["sequences"].items()}

    def restore_waiting(self, alerts: Sequence[Sequence[Any]]) -> None:
        """What `waiting` gave, in one piece or several."""
        for fields, sequence, *epoch in alerts:
            message = decode(fields)
            self.add(message)
            if sequence:
                self.restore_number(Numbered(message.id, message.party, int(sequence), *epoch))

    def forget_alerts(self) -> None:
        """Nobody is there who could take them."""
        self._ids.clear()
        self._held.clear()
        for waiting in self._waiting.values():
            waiting.clear()

    def restore_number(self, number: Numbered) -> None:
        """The journal says that this message got this place."""
        epoch = number.epoch or self._before
        if epoch == self.epoch:
            self._sequences[number.party] = max(self._sequences.get(number.party, 0), number.sequence)
        alert = self._ids.get(number.id)
        if alert is not None:
            alert.sequence, alert.epoch, alert.written = number.sequence, epoch, True

    def restore_acknowledged(self, ids: Sequence[str]) -> None:
        """The journal says that the broker has these."""
        for message_id in ids:
            alert = self._ids.pop(message_id, None)
            if alert is not None:
                self._waiting[alert.message.klass].remove(alert)
