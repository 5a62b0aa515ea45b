"""Rules over time: readings and the passing of time go in, transitions of alerts come out.

Pure: it is given every instant. A reading costs work only for the rules that use its point, time only
at deadlines. `dump` and `load` carry everything over a restart, so that nothing is told twice or lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from homenode.config.model import Mode
from homenode.engine import outlook, snapshot
from homenode.engine.atoms import View
from homenode.engine.events import ClockSet, Event, NodeDown, NodeUp
from homenode.engine.machine import Machine
from homenode.engine.mode import SILENCE, Over
from homenode.engine.outlook import OpenAlert, Verdict
from homenode.engine.rule import RuleState
from homenode.engine.snapshot import Unmeasured
from homenode.engine.transition import Happening, Transition
from homenode.engine.wall import WallClock
from homenode.language.bound import BoundRule
from homenode.reading import Instant, Quality

RULE_CHANGED = "rule changed"
"""Reason of a resolve that no condition caused."""

MOST_SINCE = 10_000
"""Events kept while the length of a downtime is unknown (some hours of a busy home, 2 MB); after that the
downtime stays too long for every rule."""


class Engine(Machine):
    """The rules of one home, with a memory.

    Args:
        rules: In the order of home.yaml.
        stale_after_ms: Per device, or per point where that differs from its device's; -1 is never, also for
            a device that isn't named (`homenode.home.silence_limits` makes it).
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
        super().__init__(rules, stale_after_ms, start=start, modes=modes, wall=wall)

    # -- what is known

    def open_alerts(self) -> list[OpenAlert]:
        """Open alerts and faults, in the order of the rules."""
        return outlook.open_alerts(self)

    def verdicts(self) -> dict[str, Verdict]:
        """What each rule thinks now, and when its `when` would become TRUE if nothing changed."""
        return outlook.verdicts(self)

    def seen(self, rule: str) -> Sequence[View]:
        """The points that a rule reads, as it sees them; none if there is no such rule."""
        state = self._by_name.get(rule)
        return state.all_views if state is not None else ()

    @property
    def up(self) -> Instant | None:
        """When the last downtime ended; None if there was none."""
        return None if self._last_downtime is None else self._last_downtime[1]

    @property
    def mode(self) -> str:
        """The mode of the home."""
        return self._mode.mode

    @property
    def mode_why(self) -> str:
        """How it came (`homenode.engine.mode`); "" if nothing ever set it."""
        return self._mode.why

    @property
    def mode_ends(self) -> Instant | None:
        """When it is over by itself; None if never."""
        return self._mode.ends

    def modes_over(self) -> list[Over]:
        """Modes that lasted their longest, each told once."""
        over, self._mode.over = self._mode.over, []
        return over

    # -- memory

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON-able data. An engine loaded from it continues exactly."""
        return {
            **self._dump_common(),
            "home": self.home.dump(),
            "rules": {state.rule.name: snapshot.dump_rule(state) for state in self.states},
            "own": {state.rule.name: snapshot.dump_rule(state) for state in self._own},
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
            "mode": self._mode.dump(),
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
        """Go on with other rules from `at` on; returns everything before it, and what the old rules end with.

        Uses that did not change keep everything. An open alert of a changed or removed one is resolved
        with the reason "rule changed" (steps at resolve run); its new text starts on its points' history.
        What the new rules say at `at` is told by the next `advance`, so that whoever tells it on knows them.
        """
        at = max(at, self.now + 1)
        told = self.advance(at - 1)
        data = self.dump()
        data["unmeasured"] = None
        staying = {rule.name: snapshot.fingerprint(rule) for rule in rules}
        for state in self.states:
            if staying.get(state.rule.name) != data["rules"][state.rule.name]["is"]:
                ended = state.resolve(at, RULE_CHANGED) + state.recover(at, RULE_CHANGED)
                self._set_modes(ended)
                told += ended
                del data["rules"][state.rule.name]
        data["mode"] = self._mode.dump()
        fresh = Engine.load(
            data,
            rules,
            stale_after_ms,
            modes=self.modes if modes is None else modes,
            wall=self.wall,
            history=history,
        )
        self.__dict__.update(fresh.__dict__)
        return told

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
        return Engine.load(data, [state.rule], {}, modes=_by_command(self.modes), wall=replace(self.wall))

    def _restore(
        self, data: Mapping[str, Any], history: Sequence[Event] | None, *, shift_ms: int | None = None
    ) -> None:
        self.now, self._wake, self.down_at = data["now"], data["wake"], data["down"]
        self._settled, self._last_downtime = data["settled"], data["last_downtime"]
        self._unmeasured = Unmeasured.load(data["unmeasured"])
        self._queue = deque(snapshot.load_event(event) for event in data["queue"])
        self._held = [snapshot.load_event(event) for event in data["held"]]
        self.wall.offset_ms, self.wall.trusted = data["wall"]
        self._mode.restore(data["mode"], self.now + 1)
        self.home.restore(data["home"])
        known = {
            state: entry
            for state in self.states
            if (entry := data["rules"].get(state.rule.name))
            and entry["is"] == snapshot.fingerprint(state.rule)
        }
        new = [state for state in self.states if state not in known]
        # Every node waits to be settled, as at the first start: to look twice is harmless.
        if self._settled and new:
            self._begin(new, history)
        for state, entry in known.items():
            snapshot.restore_rule(state, entry)
        self._restore_own(data.get("own", {}))
        kept = {state.rule.name for state in known}
        self._closing = [
            (name, entry["alert"], entry["fault"])
            for name, entry in data["rules"].items()
            if name not in kept
        ]
        if self._settled and (new or self._closing):
            self._wake = self.now + 1
        if shift_ms is not None:
            self._shift(shift_ms)
        evaluated = self.now if self.down_at is None else min(self.now, self.down_at - 1)
        for views in self._views.values():
            for view in views:
                view.bad, view.between = view.quality(evaluated) is not Quality.GOOD, ()
        silences = [silence for found in self._silences.values() for silence in found]
        for silence in silences:
            silence.due = None if silence.lane.is_silent(evaluated) else silence.lane.stale_at()
        for timer in (*self._network.nodes, *self._judged, *silences):
            self._timers.book(timer)

    def _shift(self, by_ms: int) -> None:
        """Back to the beginning of a downtime, moved in time; done before any deadline is booked."""
        assert self.down_at is not None
        self.down_at += by_ms
        self.now = self.down_at - 1  # no mutant: any earlier does; it may end at the instant it began
        self.home.shift(by_ms)
        self._mode.shift(by_ms)  # nodes and rules are looked at when the downtime ends
        for node in self._network.nodes:
            node.shift(by_ms)
        for state in self._judged:
            state.shift(by_ms)

    def _restore_own(self, entries: Mapping[str, Any]) -> None:
        """What the node decides of modes; where that is gone or changed, what it began is over."""
        for state in self._own:
            entry = entries.get(state.rule.name)
            if entry and entry["is"] == snapshot.fingerprint(state.rule):
                snapshot.restore_rule(state, entry)
        if entries and self._mode.why == SILENCE and not any(state.alert for state in self._own):
            self._mode.alive(self.now)

    def _begin(self, new: Sequence[RuleState], history: Sequence[Event] | None) -> None:
        """Rules that start now look back: their nodes are taken from a run over the past, untold."""
        if history is None:
            history = snapshot.remembered(self.home, (self._mode.mode, self._mode.ends), self.now)
        start = history[0].at if history else self.now
        past = Engine(
            [state.rule for state in new],
            {},
            start=start,
            modes=_by_command(self.modes),
            wall=replace(self.wall),
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

    # -- a downtime of unknown length

    def _leave_downtime(self, up: NodeUp, rest: Sequence[Event]) -> None:
        self._unmeasured = None if up.measured else Unmeasured(self.dump(), up.at, rest)
        if self._unmeasured is not None and not any(isinstance(event, NodeDown) for event in rest):
            for clock in rest:
                if isinstance(clock, ClockSet) and clock.slept_ms is not None:
                    self.feed(clock)  # it counts from the next instant

    def _catch_up(self, events: Sequence[Event], at: Instant) -> list[Transition]:
        told = []
        if self._unmeasured is not None:
            told = self._measure(events, at)
        if self._closing and (self.down_at is None or any(isinstance(e, NodeUp) for e in events)):
            told += self._close(at)
        return told

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
        known._mode.wake(known.now + 1)  # no mutant: any instant up to `up`
        known.feed(NodeUp(unmeasured.up))
        for event in unmeasured.since:
            known.feed(event)
        known.advance(at - 1)
        told: list[Transition] = []
        for state, real in zip(known.states, self.states, strict=True):
            told += state.take_over(real, at)
        known._network.touched.update(known._judged)
        if known.mode == self.mode:
            known._mode.over = []
        known.now, known._queue = at, self._queue
        self.__dict__.update(known.__dict__)
        return told


def _by_command(modes: Mapping[str, Mode]) -> dict[str, Mode]:
    """The modes, none of which comes by itself: for a look at the past or ahead."""
    return {name: Mode(name, mode.longest_ms) for name, mode in modes.items()}
