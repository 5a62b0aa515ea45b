"""The deciding half of the node: what comes in, and the time, to what is to be written, sent and done (pure).

It is run twice over the same inputs: live, and after a start over the journal. Both decide the same, ids and
all, so a record that is missing after a crash is made again and one that is there is not doubled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from homenode import records
from homenode.config.model import Home
from homenode.contract.times import Zone
from homenode.delivery import Action, Delivery, Evidence, NodeFault, Outcome, Sharing
from homenode.engine.engine import Engine
from homenode.engine.events import Acknowledge, ClockSet, Event, StaleAfter
from homenode.engine.transition import Transition
from homenode.home import DeviceState, Lane
from homenode.language.bound import BoundRule
from homenode.language.stuck import stuck_after
from homenode.message import Message
from homenode.reading import How, Instant, Quality, Reading
from homenode.records import Record
from homenode.session.decision import terms

_SILENT = " silent"
SILENCE_RECHECK_MS = 10_000
"""While a device is silent, how often it is asked whether it was heard again."""
SILENCE_LOOK_MS = 60_000
"""How often all are looked at, whatever was due: what was first heard or got another limit after a look has
a due that the look didn't know of. No sensor may be silent for so short a time only."""


@dataclass(slots=True)
class Decided:
    """In order: what goes to the journal (before anything is sent or done), out, and is done at home."""

    records: list[Record] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)


class Judge:
    """Everything that is decided in one home.

    Args:
        home: The home, checked.
        rules: Its rules, bound.
        engine: Fresh, or loaded.
        delivery: Fresh, or loaded.
        zone: Of the home.
    """

    def __init__(
        self, home: Home, rules: Sequence[BoundRule], engine: Engine, delivery: Delivery, zone: Zone
    ) -> None:
        self.home, self.engine, self.delivery, self.zone = home, engine, delivery, zone
        self._set_rules(rules)
        self.sharing = Sharing(home.home, zone, home.share)
        self.offset_ms = 0
        self.troubled: dict[str, tuple[Instant, dict[str, str]]] = {}
        """Open faults of the node and its devices: source to since when and what is told."""
        self.rows_ms: dict[str, int] = {}
        """How long a device may be silent by its row in the device table, as its driver told."""
        self._newest: dict[str, Instant] = {}
        self._told: set[str] = set()  # points told to be stale since their last reading
        self.silence_due: Instant = 0  # nobody looks while the journal is read again

    def reload(
        self, home: Home, rules: Sequence[BoundRule], limits_ms: Mapping[str, int], at: Instant
    ) -> Decided:
        """home.yaml changed. Uses of rules that did not change keep everything.

        Args:
            limits_ms: How long devices and points may be silent.
        """
        decided = self.advance(at)
        for change in self.engine.reload(rules, limits_ms, at, modes=home.modes):
            self._add_transition(decided, change)
        before, looks = terms(self.home.cameras, self.home.video), terms(home.cameras, home.video)
        self.home = home
        self._set_rules(rules)
        self.sharing = Sharing(home.home, self.zone, home.share)
        rooms = {name: device.room for name, device in home.devices.items()}
        self.delivery.reload(rooms, self.rules, looks)
        if looks != before:
            decided.messages += self.delivery.statuses(at)
        self._extend(decided, self.advance(self.engine.now + 1))
        return decided

    def _set_rules(self, rules: Sequence[BoundRule]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._stuck_ms = {rule.name: stuck_after(rule.when) for rule in rules}

    # -- readings

    def dated(self, reading: Reading, now: Instant) -> Reading:
        """The reading with the instant it counts for, historical if a newer one of its point is known."""
        point, value, at, how = reading
        newest = self._newest.get(point)
        if newest is not None and at < newest:
            return Reading(point, value, at, How.HISTORICAL)
        at = min(at, now)
        self._newest[point] = at
        if self._told:
            self._told.discard(point)
        return reading if at == reading.at else Reading(point, value, at, how)

    def shared(self, reading: Reading, record: int) -> Sequence[Message]:
        """What of a reading leaves the home."""
        limit_ms = self.engine.home.point(reading.point).lane.limit_ms
        return self.sharing.messages(reading, self.offset_ms, stale_after_ms=limit_ms, record=record)

    def restored(self, up: Instant, at: Instant) -> list[Message]:
        """What is known at `at` of every shared point that was last read before a start at `up`.

        It is news of now, however old the reading is (a length that is learnt later moves readings back).
        """
        told: list[Message] = []
        home = self.engine.home
        for name, point in home.points.items():
            if point.at is None or point.at >= up or point.momentary:
                continue
            quality = home.quality(point, at)
            value = point.value if quality is Quality.GOOD else None
            reading = Reading(name, value, point.at, How.RESTORED)
            told += self.sharing.messages(
                reading, self.offset_ms, quality=quality, stale_after_ms=point.lane.limit_ms
            )
        return [message._replace(at=at) for message in told]

    # -- the engine and the time

    def feed(self, event: Event) -> None:
        """An input of the engine, from an instant that is not yet closed."""
        if isinstance(event, ClockSet):
            self.offset_ms = event.offset_ms
            self.delivery.clock(event.offset_ms)
        elif isinstance(event, StaleAfter):
            self.rows_ms[event.device] = event.stale_after_ms
        self.engine.feed(event)

    def advance(self, to: Instant) -> Decided:
        """All that comes of what was fed and of the time up to and including `to`."""
        decided = Decided()
        engine, delivery = self.engine, self.delivery
        mode = engine.mode
        while True:
            due = engine.next_deadline()
            told = delivery.due()
            if told is not None and told <= to and (due is None or told < due):
                self._add(decided, delivery.advance(told))
                continue
            if due is None or due > to:
                break
            for change in engine.advance(due):
                self._add_transition(decided, change)
            over = engine.modes_over()
            if over or engine.mode != mode:
                mode = engine.mode
                self._add(decided, delivery.mode(mode, due, over))
        engine.advance(to)
        return decided

    def next_deadline(self) -> Instant | None:
        """When `advance` has something to do though nothing comes in."""
        first = self.silence_due or None
        for due in (self.engine.next_deadline(), self.delivery.due()):
            if due is not None and (first is None or due < first):  # no mutant: <= gives the same instant
                first = due
        return first

    def _add_transition(self, decided: Decided, change: Transition) -> None:
        decided.records.append(records.of_transition(change))
        decided.transitions.append(change)
        told = self.delivery.transition(change, self._evidence(change), self._blind_from(change))
        self._add(decided, told)

    def _add(self, decided: Decided, outcome: Outcome) -> None:
        decided.messages += outcome.messages
        decided.records += [records.of_message(message) for message in outcome.messages if message.id]
        decided.actions += outcome.actions

    def _evidence(self, change: Transition) -> list[Evidence]:
        """What the rule saw: after a downtime too long for its `bridge` that is nothing."""
        told = []
        stuck_ms = self._stuck_ms.get(change.rule, {})
        for view in self.engine.seen(change.rule):
            point, quality = view.state, view.quality(change.at)
            if quality is not Quality.GOOD:
                told.append(Evidence(point.name, None, quality, point.at))
                continue
            since = point.pressed if point.momentary else point.since
            limit_ms = stuck_ms.get(point.name)
            stuck = point.value is True and limit_ms is not None and since is not None
            stuck = stuck and change.at - (since or 0) >= (limit_ms or 0)
            told.append(Evidence(point.name, point.value, quality, point.at, since, stuck))
        return told

    def _blind_from(self, change: Transition) -> Instant:
        """From when on anything that blinds the rule counts as missing; of other transitions 0."""
        engine, because = self.engine, change.because
        seen = [view for view in engine.seen(change.rule) if view.state.name in because]
        if len(seen) < len(because):
            return 0  # no mutant: any instant that is past; it is the clock that blinds
        return min(
            (_missing_from(v.state.device, engine.up if v.cut else engine.home.cut_until) for v in seen),
            default=0,  # no mutant: as above
        )

    # -- faults

    def fault(self, fault: NodeFault, at: Instant) -> Decided:
        """The node or a device can't know something."""
        decided = self.advance(at)
        if self.says(fault.source) != fault.text:
            self.troubled[fault.source] = (at, dict(fault.text))
        decided.records.append(records.of_fault(fault, at))
        self._add(decided, self.delivery.fault(fault, at))
        return decided

    def says(self, source: str) -> Mapping[str, str] | None:
        """What is told of the open fault of a source; None if it has none."""
        return self.troubled[source][1] if source in self.troubled else None

    def well(self, source: str, at: Instant) -> Decided:
        """That fault is over."""
        decided = self.advance(at)
        self.troubled.pop(source, None)
        decided.records.append({"t": "well", "source": source, "at": at})
        self._add(decided, self.delivery.recovered(source, at))
        return decided

    def silence(self, now: Instant) -> Decided:
        """Points that went stale are told once, as null; a silent device is a fault until it is heard.

        Called live when `silence_due` has come; what it finds is journalled as faults, so that a replay of
        the journal doesn't depend on when exactly it was called.
        """
        decided = self.advance(now)
        silent = self.silent
        state = self.engine.home
        for name in sorted(silent):
            if not state.device(name).is_silent(now):
                self._extend(decided, self.well(_silence_of(name), now))
        dues = [now + (SILENCE_RECHECK_MS if silent else SILENCE_LOOK_MS)]
        for name, device in state.devices.items():
            if device.is_silent(now) and name not in silent and name in self.home.devices:
                missing_from = _missing_from(device, state.cut_until)
                if now >= missing_from:
                    self._extend(decided, self.fault(self._silent_fault(device), now))
                else:
                    dues.append(missing_from)
            for lane in device.lanes:
                if lane.is_silent(now):
                    decided.messages += self._went_stale(lane, now)
                elif (due := lane.stale_at()) is not None:
                    dues.append(due)
        self.silence_due = min(dues)
        return decided

    def _went_stale(self, lane: Lane, now: Instant) -> list[Message]:
        told: list[Message] = []
        for point in lane.points:
            stale = self.engine.home.quality(point, now) is Quality.STALE
            if stale and not point.momentary and point.name not in self._told:
                self._told.add(point.name)
                told += self.sharing.messages(
                    Reading(point.name, None, now),
                    self.offset_ms,
                    quality=Quality.STALE,
                    stale_after_ms=lane.limit_ms,
                )
        return told

    def _silent_fault(self, device: DeviceState) -> NodeFault:
        room, hours = self.home.devices[device.name].room, device.stale_after_ms / 3_600_000
        text = {
            "sv": f"{device.name} ({room}) har inte hörts på {hours:.1f} h",
            "en": f"{device.name} ({room}) was not heard for {hours:.1f} h",
        }
        return NodeFault(_silence_of(device.name), text, (device.name,), to_property=True)

    @property
    def silent(self) -> set[str]:
        """Devices that are a fault because they were not heard."""
        return {source.removesuffix(_SILENT) for source in self.troubled if source.endswith(_SILENT)}

    @staticmethod
    def _extend(decided: Decided, more: Decided) -> None:
        decided.records += more.records
        decided.messages += more.messages
        decided.actions += more.actions
        decided.transitions += more.transitions

    # -- over a restart

    def dump(self) -> Record:
        """Everything, as JSON types."""
        return {
            "engine": self.engine.dump(),
            "delivery": self.delivery.dump(),
            "offset_ms": self.offset_ms,
            "troubled": self.troubled,
            "newest": self._newest,
            "rows_ms": self.rows_ms,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """What `dump` gave, save the engine, which is loaded when it is made."""
        self.delivery.load(state["delivery"])
        self.offset_ms = state["offset_ms"]
        self.troubled = {source: (at, text) for source, (at, text) in state["troubled"].items()}
        self._newest = dict(state["newest"])
        self.rows_ms = dict(state["rows_ms"])

    def again(self, record: Mapping[str, Any]) -> Decided:
        """One input of the journal, decided again.

        Raises:
            ValueError, KeyError, TypeError: No homenode of this version wrote it.
        """
        match record["t"]:
            case "fault":
                return self.fault(records.to_fault(record), record["at"])
            case "well":
                return self.well(record["source"], record["at"])
            case "ok":
                return self.answered(record["at"])
            case "fack":
                return self.acknowledge(record["party"], record["alert"], record["by"], record["at"])
        event = records.to_event(record)
        if event is None:
            return Decided()
        decided = self.advance(event.at - 1)
        if isinstance(event, Reading):
            self._newest[event.point] = event.at
        self.feed(event)
        return decided

    def acknowledge(self, party: str, alert: str, by: str, at: Instant) -> Decided:
        """A party takes care of a rule's alert, which the engine does, or of a fault or news."""
        decided = self.advance(at)
        outcome = self.delivery.acknowledge_fault(party, alert, by, at)
        if outcome is not None:
            decided.records.append({"t": "fack", "at": at, "party": party, "alert": alert, "by": by})
            self._add(decided, outcome)
        elif self.delivery.may_acknowledge(party, alert):
            event = Acknowledge(alert, at + 1, (party,), by)
            decided.records.append(records.of_event(event))
            self.feed(event)
        return decided

    def answered(self, at: Instant) -> Decided:
        """The resident pressed OK."""
        decided = self.advance(at)
        decided.records.append({"t": "ok", "at": at})
        outcome = self.delivery.answered(at)
        self._add(decided, outcome)
        for alert in outcome.acknowledge:
            self.feed(Acknowledge(alert, at, by="resident"))
        return decided


def _silence_of(device: str) -> str:
    return device + _SILENT


def _missing_from(device: DeviceState, up: Instant | None) -> Instant:
    """From when on a device that isn't heard counts as missing.

    One that sleeps has its time anew after a downtime too long to bridge that ended at `up`: it can't be
    asked, and most are heard again within hours (design section 5).
    """
    if up is None or device.heard is None or device.heard >= up or not device.sleeps:
        return 0  # no mutant: as above
    return up + device.stale_after_ms
