"""The life of a rule's alert: raised, acknowledged, lapsed, resolved, its steps, and its being blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from homenode.engine.atoms import View
from homenode.engine.events import Acknowledge
from homenode.engine.network import Node
from homenode.engine.timers import Timer
from homenode.engine.transition import Happening, Transition
from homenode.engine.truth import TRUE, UNKNOWN
from homenode.engine.wall import WallClock
from homenode.language.bound import Between, BoundRule, BoundStep, atoms_of
from homenode.reading import Instant

CLOCK = "clock"
"""Stands in `because` for a wall clock that isn't trusted."""


class Alert:
    """One open alert.

    Attributes:
        id: Its name, the same for the same input.
        raised_at: Instant it was raised.
        notify_from: What `notify` steps are counted from: the raise, or the last lapse.
        acknowledged_at: First acknowledgement since `notify_from`; None if none.
        by_all: Acknowledged for everybody.
        by: Parties that acknowledged.
        told: Parties that were notified.
        runs: Per step of the rule, how many of its runs are behind.
    """

    __slots__ = ("acknowledged_at", "by", "by_all", "id", "notify_from", "raised_at", "runs", "told")

    def __init__(self, id: str, raised_at: Instant, steps: int) -> None:
        self.id = id
        self.raised_at = self.notify_from = raised_at
        self.acknowledged_at: Instant | None = None
        self.by_all = False
        self.by: set[str] = set()
        self.told: set[str] = set()
        self.runs = [0] * steps

    @property
    def acknowledged(self) -> bool:
        """Whether everybody it was sent to has acknowledged."""
        return self.by_all or bool(self.by and self.by >= self.told)

    def acknowledge(self, at: Instant, parties: Sequence[str]) -> bool:
        """Whether this changed anything."""
        if self.by_all or (parties and self.by.issuperset(parties)):
            return False
        if not parties and self.acknowledged:
            return False
        self.by_all = not parties
        self.by.update(parties)
        if self.acknowledged_at is None:
            self.acknowledged_at = at
        return True

    def dump(self) -> list[Any]:
        """As JSON-able data."""
        who = [int(self.by_all), sorted(self.by), sorted(self.told)]
        return [self.id, self.raised_at, self.notify_from, self.acknowledged_at, *who, self.runs]

    @classmethod
    def load(cls, data: Sequence[Any]) -> Alert:
        """What `dump` wrote."""
        id, raised_at, notify_from, acknowledged_at, by_all, by, told, runs = data
        alert = cls(id, raised_at, len(runs))
        alert.notify_from, alert.acknowledged_at, alert.by_all = notify_from, acknowledged_at, bool(by_all)
        alert.by, alert.told, alert.runs = set(by), set(told), list(runs)
        return alert


class RuleState(Timer):
    """A rule over time. Looked at when its conditions, the quality of its points or a deadline move.

    Attributes:
        rule: What it is.
        order: Place in home.yaml.
        when, clear: Nodes of its conditions.
        views: The points that `when` reads.
        all_views: Those that `clear` reads as well.
        nodes: Nodes of `when` and `clear`, parts before wholes.
        alert: The open alert.
        fault: ID of the open fault of being blind, "" if none.
        blind_since: First instant since `up` of being blind without a break.
    """

    __slots__ = (
        "_wall", "alert", "all_views", "blind_since", "clear", "fault", "nodes", "order", "resolve_steps",
        "rule", "steps", "uses_clock", "views", "when",
    )  # fmt: skip

    def __init__(
        self, rule: BoundRule, order: int, when: Node, clear: Node, views: Sequence[View], wall: WallClock
    ) -> None:
        super().__init__()
        self.rule, self.order = rule, order
        self.when, self.clear, self.views = when, clear, tuple(views)
        self.all_views: tuple[View, ...] = ()
        self._wall = wall
        self.uses_clock = any(isinstance(atom, Between) for atom in atoms_of(rule.when))
        self.steps = tuple(step for step in rule.steps if step.after_ms is not None)
        self.resolve_steps = tuple(step for step in rule.steps if step.after_ms is None)
        self.nodes: list[Node] = []
        self.alert: Alert | None = None
        self.fault = ""
        self.blind_since: Instant | None = None

    # -- one instant

    def judge(self, at: Instant, acknowledgements: Sequence[Acknowledge] = ()) -> list[Transition]:
        """Everything that happens to it at `at`, in the order it is told. Sets `due`."""
        told: list[Transition] = []
        when = self.when.value
        alert = self.alert
        if alert is not None:
            lapse_at = self._lapse_at(alert)
            if lapse_at is not None and lapse_at <= at:
                self._lapse(alert, at)
                told.append(self._tell(at, alert.id, Happening.LAPSED))
            for ack in acknowledgements:
                if alert.acknowledge(at, ack.parties):
                    acknowledged = self._tell(at, alert.id, Happening.ACKNOWLEDGED)
                    told.append(replace(acknowledged, parties=ack.parties, reason=ack.by))
            if when != TRUE and self.clear.value == TRUE and (not self.rule.hold or alert.acknowledged):
                told += self.resolve(at)
        elif when == TRUE:
            alert = Alert(f"{self.rule.name}:{at}", at, len(self.steps))
            self._keep(alert, at)
            if not any(step.do == "notify" for step in self.rule.steps):
                alert.told.update(self.rule.to)
            told.append(self._tell(at, alert.id, Happening.RAISED))
        if self.alert is not None and self.steps:
            self._run_steps(self.alert, at, told)
        self._look_for_blindness(at, told)
        self.due = self._next()
        return told

    def resolve(self, at: Instant, reason: str = "") -> list[Transition]:
        """Close the open alert and run the steps at resolve."""
        alert = self.alert
        if alert is None:
            return []
        self._keep(None, at)
        told = [Transition(at, self.rule.name, alert.id, Happening.RESOLVED, reason=reason)]
        told += [self._run(at, alert, step, 1) for step in self.resolve_steps]
        return told

    def recover(self, at: Instant, reason: str = "") -> list[Transition]:
        """Close the open fault."""
        fault, self.fault = self.fault, ""
        return [Transition(at, self.rule.name, fault, Happening.RECOVERED, reason=reason)] if fault else []

    def take_over(self, real: RuleState, at: Instant) -> list[Transition]:
        """Go on with what was really told; this state is what should have been (see `Engine._measure`)."""
        told: list[Transition] = []
        if real.alert is not None and (self.alert is None or self.alert.id != real.alert.id):
            if self.alert is not None:
                real.alert.raised_at = min(real.alert.raised_at, self.alert.raised_at)
                real.alert.notify_from = min(real.alert.notify_from, self.alert.notify_from)
            self._keep(real.alert, at)
        elif real.alert is not None and self.alert is not None:
            self.alert.runs = real.alert.runs
            self.alert.told |= real.alert.told
        elif self.alert is not None:
            late = Alert(f"{self.rule.name}:{at}", self.alert.raised_at, len(self.steps))
            late.notify_from, late.told = self.alert.notify_from, self.alert.told
            self._keep(late, at)
            told.append(self._tell(at, late.id, Happening.RAISED))
        if real.fault:
            self.fault = real.fault
        elif self.fault:
            self.fault = f"{self.rule.name}:blind:{at}"
            told.append(replace(self._tell(at, self.fault, Happening.FAULT), because=self.bad_points()))
        return told

    def shift(self, by_ms: int) -> None:
        """Move the open alert in time. Being blind is counted anew from `up` anyhow."""
        if (alert := self.alert) is not None:
            alert.raised_at += by_ms
            alert.notify_from += by_ms
            if alert.acknowledged_at is not None:
                alert.acknowledged_at += by_ms

    def restart(self) -> None:
        """The node is up: being blind is counted anew."""
        self.blind_since = None

    def _keep(self, alert: Alert | None, at: Instant) -> None:
        """The open alert from now on. What would end it is of interest only while there is one."""
        if self.clear is not self.when and (alert is None) is not (self.alert is None):
            if alert is None:
                self.clear.unread(self)
            else:
                self.clear.read(self, at)
        self.alert = alert

    # -- acknowledgement and steps

    def _lapse_at(self, alert: Alert) -> Instant | None:
        if self.rule.again_ms is None or alert.acknowledged_at is None:
            return None
        return alert.acknowledged_at + self.rule.again_ms

    def _lapse(self, alert: Alert, at: Instant) -> None:
        alert.acknowledged_at, alert.by_all = None, False
        alert.by.clear()
        alert.notify_from = at
        for index, step in enumerate(self.steps):
            if step.do == "notify":
                alert.runs[index] = 0

    def _due(self, alert: Alert, index: int) -> Instant | None:
        """When a step runs next, by the clock."""
        runs = alert.runs[index]
        return None if runs >= self.steps[index].times else self._run_at(alert, index, runs)

    def _run_at(self, alert: Alert, index: int, run: int) -> Instant:
        """When a run of a step is due, the first being 0."""
        step = self.steps[index]
        start = alert.notify_from if step.do == "notify" else alert.raised_at
        return start + (step.after_ms or 0) + run * step.every_ms

    def last_said(self, alert: Alert) -> Mapping[str, str]:
        """What the latest `say` that ran says, by language."""
        ran = [
            (self._run_at(alert, index, runs - 1), index)
            for index, runs in enumerate(alert.runs)
            if runs and self.steps[index].do == "say"
        ]
        return self.steps[max(ran)[1]].text if ran else {}

    def _run_steps(self, alert: Alert, at: Instant, told: list[Transition]) -> None:
        """Run what is due, in order of due instant and number; several overdue runs of a step are one."""
        due_now = []
        for index, step in enumerate(self.steps):
            due = self._due(alert, index)
            if due is None or due > at:
                continue
            due_now.append((due, step.number, index))
        for due, _, index in sorted(due_now):
            step = self.steps[index]
            behind = 1 + ((at - due) // step.every_ms if step.every_ms else 0)
            alert.runs[index] = min(step.times, alert.runs[index] + behind)
            if step.do == "notify" and not self._still_to_tell(alert, step):
                continue
            told.append(self._run(at, alert, step, alert.runs[index]))

    def _still_to_tell(self, alert: Alert, step: BoundStep) -> bool:
        """Whether the step tells somebody."""
        if alert.by_all or not step.parties:
            return not alert.acknowledged
        return bool(self._left_to_tell(alert, step))

    @staticmethod
    def _left_to_tell(alert: Alert, step: BoundStep) -> tuple[str, ...]:
        """Of a step's parties those that did not acknowledge; the next one only if not all before it did."""
        taken = alert.acknowledged
        return tuple(p for p in step.parties if p not in alert.by and (p in alert.told or not taken))

    def _run(self, at: Instant, alert: Alert, step: BoundStep, run: int) -> Transition:
        parties: tuple[str, ...] = ()
        if step.do == "notify":
            parties = step.parties if step.after_ms is None else self._left_to_tell(alert, step)
            alert.told.update(parties)
        return Transition(
            at, self.rule.name, alert.id, Happening.STEP, step.number, step.do, run, parties=parties
        )

    # -- blindness

    def bad_points(self) -> tuple[str, ...]:
        """What `when` can't know: its stale or unknown points, and the clock, sorted."""
        bad = [view.state.name for view in self.views if view.bad]
        if self.uses_clock and not self._wall.trusted:
            bad.append(CLOCK)
        return tuple(sorted(bad))

    def is_blind(self) -> bool:
        """Whether it can't know now."""
        if self.uses_clock and not self._wall.trusted:
            return True
        return self.when.value == UNKNOWN and any(view.bad for view in self.views)

    def _look_for_blindness(self, at: Instant, told: list[Transition]) -> None:
        if not self.is_blind():
            self.blind_since = None
            told += self.recover(at)
            return
        if self.blind_since is None:
            self.blind_since = at
        if not self.fault and at >= self.blind_since + self.rule.grace_ms:
            self.fault = f"{self.rule.name}:blind:{at}"
            told.append(
                Transition(at, self.rule.name, self.fault, Happening.FAULT, because=self.bad_points())
            )

    # -- deadlines and memory

    def _next(self) -> Instant | None:
        dues: list[Instant] = []
        if (alert := self.alert) is not None:
            dues += [due for i in range(len(self.steps)) if (due := self._due(alert, i)) is not None]
            if (lapse_at := self._lapse_at(alert)) is not None:
                dues.append(lapse_at)
        if self.blind_since is not None and not self.fault:
            dues.append(self.blind_since + self.rule.grace_ms)
        return min(dues, default=None)

    def _tell(self, at: Instant, alert: str, event: Happening) -> Transition:
        return Transition(at, self.rule.name, alert, event)

    def dump(self) -> dict[str, Any]:
        """As JSON-able data; `restore` reads it."""
        return {
            "due": self.due,
            "alert": self.alert.dump() if self.alert else None,
            "fault": self.fault,
            "blind_since": self.blind_since,
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over what `dump` wrote."""
        self.due = data["due"]
        self._keep(Alert.load(data["alert"]) if data["alert"] else None, 0)
        self.fault, self.blind_since = data["fault"], data["blind_since"]
