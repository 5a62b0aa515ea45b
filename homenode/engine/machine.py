"""The part of the engine that runs: events and deadlines in, transitions out, one instant after another."""

from __future__ import annotations

from bisect import insort_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from homenode.config.model import Mode
from homenode.engine.atoms import BetweenNode, View
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
from homenode.engine.mode import MODE_STEP, STEP, ModeState
from homenode.engine.network import Network, Node
from homenode.engine.rule import RuleState
from homenode.engine.snapshot import Unmeasured
from homenode.engine.timers import Timer, Timers
from homenode.engine.transition import Transition
from homenode.engine.wall import WallClock
from homenode.home import DeviceState, HomeState, Lane, PointState
from homenode.language.bound import DEFAULT_BRIDGE_MS, BoundRule
from homenode.reading import Instant, Value

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


class Machine:
    """Runs the rules of one home.

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
        self._unmeasured: Unmeasured | None = None
        self._closing: list[tuple[str, list[Any] | None, str]] = []
        self._timers = Timers()
        self._network = Network(self._timers)
        self._mode = ModeState(self.modes, self._network, self.wall)
        builder = Builder(self._network, self.home, self._mode, self.wall)
        self.states = [builder.rule(rule, order) for order, rule in enumerate(self.rules)]
        self._own = [
            builder.away(mode.name, mode.silence, len(self.rules))
            for mode in self.modes.values()
            if mode.silence
        ]
        self._judged = [*self.states, *self._own]
        self._by_name = {state.rule.name: state for state in self.states}
        self._views = builder.views
        self._silences: dict[str, list[_Silence]] = {}
        self._ears: dict[str, tuple[PointState, Sequence[View], Sequence[_Silence]]] = {}
        for device in {views[0].state.device for views in self._views.values()}:
            self._watch(device)
        self._clocks = [node for node in self._network.nodes if isinstance(node, BetweenNode)]
        self._wake: Instant | None = start
        self._mode.wake(start)
        for node in self._network.nodes:
            self._network.stir(node)
        self._network.touched.update(self._judged)

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
        acknowledgements: dict[RuleState, list[Acknowledge]] = {}
        told: list[Transition] = []
        event = queue.popleft() if queue and queue[0].at == at else None
        plain = event is None or (type(event) is Reading and not (queue and queue[0].at == at))
        if plain and self.down_at is None and not self._unmeasured and not self._closing:
            if event is not None:  # as nearly always: one reading
                self._hear(event.point, event.value, at)  # type: ignore[union-attr]  # just looked at
        else:
            events = [] if event is None else [event]
            while queue and queue[0].at == at:
                events.append(queue.popleft())
            told = self._catch_up(events, at)
            events = self._through_downtime(events, at, acknowledgements)
            if self.down_at is not None:
                return told
            self._apply(events, at, acknowledgements)
        due = self._timers.next()
        if due is not None and due <= at:
            self._pass_time(at)
        network = self._network
        if network.waiting:
            network.settle(at)
        self._settled = True
        touched = network.touched
        if touched:
            many = len(touched) > 1  # no mutant: for speed
            ordered = sorted(touched, key=_ORDER) if many else tuple(touched)
            for rule in ordered:
                told += rule.judge(at, acknowledgements.get(rule, ()))
                self._timers.book(rule)
            touched.clear()  # no mutant: for speed
        if told:
            self._set_modes(told)
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
                    view.look(at, self._network)
            elif isinstance(timer, ModeState):
                timer.expire(at)

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
                self._mode.command(event.mode, at, event.longest_ms, event.why)
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
        ear = self._ears.get(point) or self._ear(point)
        state, views, silences = ear
        state.device.hear(at)
        state.hear(value, at)
        for silence in silences:
            self._alive(silence, at)
        for view in views:
            view.cut = False
            view.look(at, self._network)

    def _ear(self, point: str) -> tuple[PointState, Sequence[View], Sequence[_Silence]]:
        """Everything that a reading of `point` concerns."""
        state = self.home.point(point)
        ear = state, self._views.get(point, ()), self._silences.get(state.device.name, ())
        self._ears[point] = ear  # no mutant: for speed
        return ear

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
                view.look(at, self._network)

    def _set_modes(self, told: Iterable[Transition]) -> None:
        """Steps that ran set the mode from the next instant on."""
        for change in told:
            if change.do == MODE_STEP:
                mode = self._by_name[change.rule].rule.step(change.step).mode
                self._mode.step(mode, change.at)
                if self._unmeasured is not None:  # what was told stays told, however long the downtime was
                    self._unmeasured.since.append(ModeSet(mode, change.at + 1, why=STEP))

    def _set_stale_after(self, event: StaleAfter, at: Instant) -> None:
        self.home.set_stale_after(event.device, event.stale_after_ms, at)
        for gone in self._silences.pop(event.device, ()):
            gone.due = None
        for silence in self._watch(self.home.device(event.device)):
            due = silence.lane.stale_at()
            silence.due = None if due is None else max(due, at)
            self._timers.book(silence)
            for view in silence.views:
                view.look(at, self._network)

    def _set_clock(self, event: ClockSet) -> None:
        self.wall.offset_ms, self.wall.trusted = event.offset_ms, event.trusted
        self._mode.wake(event.at if self.down_at is None else self.down_at)
        for node in self._clocks:
            self._network.stir(node)
        self._network.touched.update(rule for rule in self.states if rule.uses_clock)

    # -- downtime

    def _through_downtime(
        self, events: list[Event], at: Instant, acknowledgements: dict[RuleState, list[Acknowledge]]
    ) -> list[Event]:
        """What of `events` is still to be applied; sets or ends `down_at`.

        What came before a `NodeDown` at its instant is held until the length of the downtime is known. What
        is known of the clock counts for the downtime that ends with it.
        """
        index = 0
        while index < len(events):
            event = events[index]
            index += 1
            if self.down_at is None and isinstance(event, NodeDown):
                self._held = [ack for acks in acknowledgements.values() for ack in acks] + events[: index - 1]
                self.down_at = at
                events, index = events[index:], 0
            elif self.down_at is not None and isinstance(event, NodeUp):
                events, index = events[index:], 0
                if event.measured and at == self.down_at:  # no time has passed: it is one instant
                    events, self._held = self._held + events, []
                self._leave_downtime(event, events)
                self._end_downtime(at, event, acknowledgements)
            elif self.down_at is not None and isinstance(event, ClockSet):
                self._set_clock(event)
        return events if self.down_at is None else []

    def _end_downtime(
        self, up: Instant, event: NodeUp, acknowledgements: dict[RuleState, list[Acknowledge]]
    ) -> None:
        """Let the time of the downtime pass, as each rule's `bridge` has it, without telling anything.

        An acknowledgement at the instant of `down` is applied at `up`: nothing is told in between.
        """
        assert self.down_at is not None
        down, self.down_at = self.down_at, None
        held, self._held = self._held, []
        self._last_downtime = (down, up, event.measured)
        self._apply(held, down, acknowledgements)
        if not event.measured or up - down > DEFAULT_BRIDGE_MS:
            self.home.cut_until = up
        cut = [
            view
            for views in self._views.values()
            for view in views
            if not event.measured or view.bridge_ms < up - down
        ]
        for view in cut:
            view.cut, view.state.since = True, None
            view.look(down, self._network)
        if up > down:
            self._pass_time(down)
            self._network.settle(down)
            while (at := self._timers.next()) is not None and at < up:
                self._pass_time(at)
                self._network.settle(at)
        for view in cut:
            if view.state.momentary:
                view.cut = False
                view.look(up, self._network)
        for rule in self._judged:
            rule.restart()
        self._network.touched.update(self._judged)

    # -- for a machine that remembers (`homenode.engine.engine`)

    def _catch_up(self, events: Sequence[Event], at: Instant) -> list[Transition]:
        """What is told first at an instant, while a length is missing or alerts are to be closed."""
        return []

    def _leave_downtime(self, up: NodeUp, rest: Sequence[Event]) -> None:
        """A downtime ends; `rest` is what follows at the same instant."""

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
        self._ears.clear()
        return silences
