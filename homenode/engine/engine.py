"""Rules over time: readings and the passing of time go in, transitions of alerts come out.

Pure: it is given every instant. A reading costs work only for the rules that use its point, time only
at deadlines. `dump` and `load` carry everything over a restart, so that nothing is told twice or lost.
"""

from __future__ import annotations

from bisect import insort_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from homenode.config.model import Mode
from homenode.engine import outlook, snapshot
from homenode.engine.atoms import BetweenNode, ModeState, View
from homenode.engine.build import Builder
from homenode.engine.events import (
    Acknowledge,
    ClockSet,
    Event,
    Heard,
    ModeSet,
    NodeDown,
    NodeUp,
    Reading,
    StaleAfter,
)
from homenode.engine.network import Network, Node
from homenode.engine.outlook import OpenAlert, Verdict
from homenode.engine.rule import RuleState
from homenode.engine.snapshot import Unmeasured
from homenode.engine.timers import Timer, Timers
from homenode.engine.transition import Happening, Transition
from homenode.engine.wall import WallClock
from homenode.home import DeviceState, HomeState, Lane
from homenode.language.bound import BoundRule
from homenode.reading import Instant, Quality, Value

RULE_CHANGED = "rule changed"
"""Reason of a resolve that no condition caused."""

MOST_SINCE = 10_000
"""Events kept while the length of a downtime is unknown (some hours of a busy home, 2 MB); after that the
downtime stays too long for every rule."""

_AT = attrgetter("at")
_ORDER = attrgetter("order")


class _Silence(Timer):
    """When a device will have been silent too long for some of its points."""

    __slots__ = ("lane", "momentary", "views")

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self.lane = lane
        self.views: list[View] = []
        self.momentary: list[View] = []


class Engine:
    """The rules of one home.

    Args:
        rules: In the order of home.yaml.
        stale_after_ms: Per device; -1 is never, also for a device that isn't named.
        start: The node's first start ever; before it everything is UNKNOWN.
        modes: Longest duration of each mode.
        wall: Local wall clock; the engine moves its offset and trust as `ClockSet` says.
    """

    def __init__(
        self,
        rules: Sequence[BoundRule],
        stale_after_ms: Mapping[str, int],
        *,
        start: Instant,
        modes: Mapping[str, Mode] | None = None,
        wall: WallClock | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.home = HomeState(stale_after_ms)
        self.modes = dict(modes or {})
        self.wall = wall or WallClock("UTC")
        self.start = start
        self.now: Instant = start - 1
        self.down_at: Instant | None = None
        self._queue: deque[Event] = deque()
        self._held: list[Event] = []
        self._settled = False
        self._last_downtime: tuple[Instant, Instant, bool] | None = None
        self._closing: list[tuple[str, list[Any] | None, str]] = []
        self._unmeasured: Unmeasured | None = None
        self._timers = Timers()
        self._network = Network(self._timers)
        self._mode = ModeState(self.modes)
        builder = Builder(self._network, self.home, self._mode, self.wall, start)
        self.states = [builder.rule(rule, order) for order, rule in enumerate(self.rules)]
        self._by_name = {state.rule.name: state for state in self.states}
        self._views = builder.views
        self._silences: dict[str, list[_Silence]] = {}
        for device in {views[0].state.device for views in self._views.values()}:
            self._watch(device)
        self._clocks = [node for node in self._network.nodes if isinstance(node, BetweenNode)]
        self._wake: Instant | None = start
        for node in self._network.nodes:
            self._network.stir(node)
        self._network.touched.update(self.states)

    # -- what comes in

    def feed(self, event: Event) -> None:
        """Something happened at ``event.at``; nothing is evaluated before `advance`.

        An instant already evaluated is closed: what is told of it later counts as of the next.
        """
        if event.at <= self.now:
            event = event._replace(at=self.now + 1)
        queue = self._queue
        if queue and event.at < queue[-1].at:
            items = list(queue)
            insort_right(items, event, key=_AT)
            self._queue = deque(items)
        else:
            queue.append(event)

    def advance(self, to: Instant) -> list[Transition]:
        """Apply all that was fed and all deadlines up to and including `to`, instant by instant."""
        told: list[Transition] = []
        while (at := self.next_deadline()) is not None and at <= to:
            told += self._instant(at)
        self.now = max(self.now, to)
        return told

    def next_deadline(self) -> Instant | None:
        """The next instant at which there is something to do; None while only new events can cause any."""
        queued = self._queue[0].at if self._queue else None
        if self.down_at is not None:
            return queued
        due = self._timers.next()
        if self._wake is not None and (due is None or self._wake < due):
            due = self._wake
        if due is None:
            return queued
        return due if queued is None or due < queued else queued

    # -- one instant

    def _instant(self, at: Instant) -> list[Transition]:
        self.now = at
        self._wake = None
        queue = self._queue
        events: list[Event] = []
        while queue and queue[0].at == at:
            events.append(queue.popleft())
        told: list[Transition] = []
        if self._unmeasured is not None and events:
            told = self._measure(events, at)
        acknowledgements: dict[RuleState, list[Acknowledge]] = {}
        if self.down_at is not None or len(events) > 1 or (events and type(events[0]) is not Reading):
            events = self._through_downtime(events, at, acknowledgements)
            if self.down_at is not None:
                return []
            self._apply(events, at, acknowledgements)
        elif events:
            reading: Reading = events[0]  # type: ignore[assignment]  # the type was just looked at
            self._hear(reading.point, reading.value, at)
        self._pass_time(at)
        self._network.settle(at)
        self._settled = True
        touched = self._network.touched
        if self._closing:
            told += self._close(at)
        for rule in sorted(touched, key=_ORDER) if len(touched) > 1 else tuple(touched):
            told += rule.judge(at, acknowledgements.get(rule, ()))
            self._timers.book(rule)
        touched.clear()
        return told

    def _pass_time(self, at: Instant) -> None:
        """Deadlines that come at `at`."""
        for timer in self._timers.take(at):
            if isinstance(timer, Node):
                self._network.stir(timer)
            elif isinstance(timer, RuleState):
                self._network.touched.add(timer)
            elif isinstance(timer, _Silence):
                timer.lane.latch()
                for view in timer.views:
                    self._look(view, at)
            elif isinstance(timer, ModeState):
                timer.expire()
                self._stir_mode()

    def _apply(
        self, events: Iterable[Event], at: Instant, acknowledgements: dict[RuleState, list[Acknowledge]]
    ) -> None:
        """Everything of one instant; of several values of one point the last holds, but a press counts."""
        readings: dict[str, Value] = {}
        for event in events:
            if isinstance(event, Reading):
                point, value = event.point, event.value
                if value is not True and point in readings and self.home.point(point).momentary:
                    self._hear(point, readings.pop(point), at)
                readings[point] = value
            elif isinstance(event, Heard):
                self._hear_device(event.device, at)
            elif isinstance(event, ModeSet):
                self._mode.set(event.mode, at, event.longest_ms)
                self._timers.book(self._mode)
                self._stir_mode()
            elif isinstance(event, Acknowledge):
                rule = self._rule_of(event.target)
                if rule is not None:
                    acknowledgements.setdefault(rule, []).append(event)
                    self._network.touched.add(rule)
            elif isinstance(event, StaleAfter):
                self._set_stale_after(event, at)
            elif isinstance(event, ClockSet):
                self._set_clock(event)
        for point, value in readings.items():
            self._hear(point, value, at)

    def _hear(self, point: str, value: Value, at: Instant) -> None:
        state = self.home.hear(point, value, at)
        views = self._views.get(point)
        for silence in self._silences.get(state.device.name, ()):
            self._alive(silence, at)
        if views is None:
            return
        for view in views:
            view.cut = False
            self._look(view, at)

    def _hear_device(self, device: str, at: Instant) -> None:
        self.home.alive(device, at)
        for silence in self._silences.get(device, ()):
            self._alive(silence, at)

    def _alive(self, silence: _Silence, at: Instant) -> None:
        """The device was heard: its silence is put off, its buttons are known again."""
        silence.due = silence.lane.stale_at()
        if silence.booked is None:
            self._timers.book(silence)
        for view in silence.momentary:
            if view.bad:
                self._look(view, at)

    def _look(self, view: View, at: Instant) -> None:
        """The point, or what is known of it, may have changed."""
        state = view.state
        if state.momentary:
            bad = view.quality(at).value != "good"
        else:
            bad = state.value is None or state.stale or view.cut
        if bad is not view.bad:
            view.bad = bad
            self._network.touched.update(view.readers)
        for atom in view.atoms:
            self._network.stir(atom)

    def _stir_mode(self) -> None:
        for atom in self._mode.atoms:
            self._network.stir(atom)

    def _set_stale_after(self, event: StaleAfter, at: Instant) -> None:
        self.home.set_stale_after(event.device, event.stale_after_ms, at)
        for gone in self._silences.pop(event.device, ()):
            gone.due = None
        for silence in self._watch(self.home.device(event.device)):
            due = silence.lane.stale_at()
            silence.due = None if due is None else max(due, at)
            self._timers.book(silence)
            for view in silence.views:
                self._look(view, at)

    def _set_clock(self, event: ClockSet) -> None:
        self.wall.offset_ms, self.wall.trusted = event.offset_ms, event.trusted
        for node in self._clocks:
            self._network.stir(node)
        self._network.touched.update(rule for rule in self.states if rule.uses_clock)

    # -- downtime

    def _through_downtime(
        self, events: list[Event], at: Instant, acknowledgements: dict[RuleState, list[Acknowledge]]
    ) -> list[Event]:
        """What of `events` is still to be applied; sets or ends `down_at`.

        What came before a `NodeDown` at its instant is held until the length of the downtime is known.
        """
        for index, event in enumerate(events):
            if self.down_at is None and isinstance(event, NodeDown):
                self._held = events[:index]
                self.down_at = at
                return self._through_downtime(events[index + 1 :], at, acknowledgements)
            if self.down_at is not None and isinstance(event, NodeUp):
                self._end_downtime(at, event, acknowledgements)
                return self._through_downtime(events[index + 1 :], at, acknowledgements)
        return events if self.down_at is None else []

    def _end_downtime(
        self, up: Instant, event: NodeUp, acknowledgements: dict[RuleState, list[Acknowledge]]
    ) -> None:
        """Let the time of the downtime pass, as each rule's `bridge` has it, without telling anything.

        An acknowledgement at the instant of `down` is applied at `up`: nothing is told in between.
        """
        assert self.down_at is not None
        self._unmeasured = None if event.measured else Unmeasured(self.dump(), up)
        down, self.down_at = self.down_at, None
        held, self._held = self._held, []
        self._last_downtime = (down, up, event.measured)
        self._apply(held, down, acknowledgements)
        cut = [
            view
            for views in self._views.values()
            for view in views
            if not event.measured or view.bridge_ms < up - down
        ]
        for view in cut:
            view.cut = True
            self._look(view, down)
        if up > down:
            self._pass_time(down)
            self._network.settle(down)
            self._settled = True
            while (at := self._timers.next()) is not None and at < up:
                self._pass_time(at)
                self._network.settle(at)
        for view in cut:
            if view.state.momentary:
                view.cut = False
                self._look(view, up)
        for rule in self.states:
            rule.restart()
        self._network.touched.update(self.states)

    def _measure(self, events: Sequence[Event], at: Instant) -> list[Transition]:
        """Keep what happens after a downtime of unknown length, until its length is told.

        Then everything is as if the length had been known all along: the memory before the downtime is moved
        into the past by what was missing, all that came since is run over it untold, and what is overdue
        happens now. What was really told stays told: an open alert stays the same alert.
        """
        unmeasured = self._unmeasured
        assert unmeasured is not None
        clock = next((e for e in events if isinstance(e, ClockSet) and e.slept_ms is not None), None)
        if clock is None or clock.slept_ms is None:
            unmeasured.since += events
            if len(unmeasured.since) > MOST_SINCE or any(isinstance(e, NodeDown) for e in events):
                self._unmeasured = None
            return []
        before = unmeasured.before
        believed_ms = unmeasured.up - before["down"]
        wall = replace(self.wall, offset_ms=clock.offset_ms, trusted=clock.trusted)
        known = Engine(
            self.rules,
            self.home.limits_ms(),
            start=before["start"] - (clock.slept_ms - believed_ms),
            modes=self.modes,
            wall=wall,
        )
        known._restore(before, None, shift_ms=believed_ms - clock.slept_ms)
        known.wall.offset_ms, known.wall.trusted = clock.offset_ms, clock.trusted
        for node in known._clocks:
            known._network.stir(node)
        known.feed(NodeUp(unmeasured.up))
        for event in unmeasured.since:
            known.feed(event)
        known.advance(at - 1)
        told: list[Transition] = []
        for state, real in zip(known.states, self.states, strict=True):
            told += state.take_over(real, at)
        known._network.touched.update(known.states)
        known.now, known._queue = at, self._queue
        self.__dict__.update(known.__dict__)
        return told

    # -- what is known

    def open_alerts(self) -> list[OpenAlert]:
        """Open alerts and faults, in the order of the rules."""
        return outlook.open_alerts(self)

    def verdicts(self) -> dict[str, Verdict]:
        """What each rule thinks now, and when its `when` would become TRUE if nothing changed."""
        return outlook.verdicts(self)

    def evidence(self, rule: str) -> tuple[str, ...]:
        """The points that `when` and `clear` of a rule read, sorted."""
        return self._by_name[rule].rule.points

    @property
    def mode(self) -> str:
        """The mode of the home."""
        return self._mode.mode

    # -- memory

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON-able data. An engine loaded from it continues exactly."""
        return {
            **self._dump_common(),
            "home": self.home.dump(),
            "rules": {state.rule.name: snapshot.dump_rule(state) for state in self.states},
        }

    def _dump_common(self) -> dict[str, Any]:
        return {
            "version": snapshot.VERSION,
            "start": self.start,
            "now": self.now,
            "wake": self._wake,
            "down": self.down_at,
            "settled": self._settled,
            "last_downtime": self._last_downtime,
            "unmeasured": self._unmeasured.dump() if self._unmeasured else None,
            "queue": [snapshot.dump_event(event) for event in self._queue],
            "held": [snapshot.dump_event(event) for event in self._held],
            "wall": [self.wall.offset_ms, self.wall.trusted],
            "mode": [self._mode.mode, self._mode.due],
        }

    @classmethod
    def load(
        cls,
        data: Mapping[str, Any],
        rules: Sequence[BoundRule],
        stale_after_ms: Mapping[str, int],
        *,
        modes: Mapping[str, Mode] | None = None,
        wall: WallClock | None = None,
        history: Sequence[Event] | None = None,
    ) -> Engine:
        """The engine that wrote `data`, going on.

        A rule that is new or changed since starts on the history of its points: `history`, or else what is
        remembered of their last readings. Alerts of rules that are gone or changed are told as resolved at
        the next instant evaluated, with the reason "rule changed".

        Raises:
            Refused: A newer program wrote it.
        """
        snapshot.check_version(data)
        engine = cls(rules, stale_after_ms, start=data["start"], modes=modes, wall=wall)
        engine._restore(data, history)
        return engine

    def reload(
        self,
        rules: Sequence[BoundRule],
        stale_after_ms: Mapping[str, int],
        at: Instant,
        *,
        modes: Mapping[str, Mode] | None = None,
        history: Sequence[Event] | None = None,
    ) -> list[Transition]:
        """Go on with other rules from `at` on; returns everything up to and including `at`.

        Uses that did not change keep everything. An open alert of a changed or removed one is resolved
        with the reason "rule changed" (steps at resolve run); its new text starts on its points' history.
        """
        at = max(at, self.now + 1)
        told = self.advance(at - 1)
        data = self.dump()
        data["unmeasured"] = None
        staying = {rule.name: snapshot.fingerprint(rule) for rule in rules}
        for state in self.states:
            if staying.get(state.rule.name) != data["rules"][state.rule.name]["is"]:
                told += state.resolve(at, RULE_CHANGED) + state.recover(at, RULE_CHANGED)
                del data["rules"][state.rule.name]
        fresh = Engine.load(
            data,
            rules,
            stale_after_ms,
            modes=self.modes if modes is None else modes,
            wall=self.wall,
            history=history,
        )
        self.__dict__.update(fresh.__dict__)
        return told + self.advance(at)

    def alone(self, rule: str) -> Engine:
        """A copy that runs only one rule, with sensors that never fall silent: to look ahead."""
        state = self._by_name[rule]
        data = {
            **self._dump_common(),
            "unmeasured": None,
            "queue": [],
            "rules": {rule: snapshot.dump_rule(state)},
        }
        data["home"] = self.home.dump(set(state.rule.points))
        return Engine.load(data, [state.rule], {}, modes=self.modes, wall=replace(self.wall))

    def _restore(
        self, data: Mapping[str, Any], history: Sequence[Event] | None, *, shift_ms: int = 0
    ) -> None:
        self.now, self._wake, self.down_at = data["now"], data["wake"], data["down"]
        self._settled, self._last_downtime = data["settled"], data["last_downtime"]
        self._unmeasured = Unmeasured.load(data["unmeasured"])
        self._queue = deque(snapshot.load_event(event) for event in data["queue"])
        self._held = [snapshot.load_event(event) for event in data["held"]]
        self.wall.offset_ms, self.wall.trusted = data["wall"]
        self._mode.mode, self._mode.due = data["mode"]
        self.home.restore(data["home"])
        known = {
            state: entry
            for state in self.states
            if (entry := data["rules"].get(state.rule.name))
            and entry["is"] == snapshot.fingerprint(state.rule)
        }
        new = [state for state in self.states if state not in known]
        if self._settled:
            self._network.calm()
            if new:
                self._begin(new, history)
        for state, entry in known.items():
            snapshot.restore_rule(state, entry)
        kept = {state.rule.name for state in known}
        self._closing = [
            (name, entry["alert"], entry["fault"])
            for name, entry in data["rules"].items()
            if name not in kept
        ]
        if self._settled and (new or self._closing):
            self._wake = self.now + 1
        if shift_ms:
            self._shift(shift_ms)
        evaluated = self.now if self.down_at is None else min(self.now, self.down_at - 1)
        for views in self._views.values():
            for view in views:
                view.bad = view.quality(evaluated) is not Quality.GOOD
        silences = [silence for found in self._silences.values() for silence in found]
        for silence in silences:
            silence.due = None if silence.lane.is_silent(evaluated) else silence.lane.stale_at()
        for timer in (*self._network.nodes, *self.states, *silences, self._mode):
            self._timers.book(timer)

    def _shift(self, by_ms: int) -> None:
        """Move everything remembered in time; done before any deadline is booked."""
        assert self.down_at is not None
        self.down_at += by_ms
        self.now = self.down_at
        self._held = [event._replace(at=self.down_at) for event in self._held]
        self.home.shift(by_ms)
        for timer in (*self._network.nodes, *self.states, self._mode):
            if timer.due is not None:
                timer.due += by_ms
        for node in self._network.nodes:
            node.shift(by_ms)
        for state in self.states:
            state.shift(by_ms)

    def _begin(self, new: Sequence[RuleState], history: Sequence[Event] | None) -> None:
        """Rules that start now look back: their nodes are taken from a run over the past, untold."""
        start = min((p.at for p in self.home.points.values() if p.at is not None), default=self.now)
        if history is None:
            history = snapshot.remembered(self.home, (self._mode.mode, self._mode.due), start)
        elif history:
            start = history[0].at
        past = Engine(
            [state.rule for state in new], {}, start=start, modes=self.modes, wall=replace(self.wall)
        )
        for event in history:
            past.feed(event)
        if self._last_downtime is not None and self._last_downtime[0] >= start:
            past.feed(NodeDown(self._last_downtime[0]))
            past.feed(NodeUp(self._last_downtime[1], measured=self._last_downtime[2]))
        past.advance(self.now)
        for state, looked_back in zip(new, past.states, strict=True):
            entry = snapshot.dump_rule(looked_back)
            snapshot.restore_rule(
                state, {**entry, "due": None, "alert": None, "fault": "", "blind_since": None}
            )
            self._network.touched.add(state)
            for node in state.nodes:
                self._network.stir(node)

    def _close(self, at: Instant) -> list[Transition]:
        """Tell the end of what rules that are gone had open."""
        told = []
        for name, alert, fault in self._closing:
            if alert:
                told.append(Transition(at, name, alert[0], Happening.RESOLVED, reason=RULE_CHANGED))
            if fault:
                told.append(Transition(at, name, fault, Happening.RECOVERED, reason=RULE_CHANGED))
        self._closing = []
        return told

    def _rule_of(self, target: str) -> RuleState | None:
        rule = self._by_name.get(target)
        if rule is not None:
            return rule
        return next((r for r in self.states if r.alert is not None and r.alert.id == target), None)

    def _watch(self, device: DeviceState) -> list[_Silence]:
        """Take note of the points of a device that rules use, by how long it may be silent."""
        silences = []
        for lane in device.lanes:
            silence = _Silence(lane)
            for point in lane.points:
                silence.views += self._views.get(point.name, ())
            silence.momentary = [view for view in silence.views if view.state.momentary]
            if silence.views:
                silences.append(silence)
        self._silences[device.name] = silences
        return silences
