"""One home as one party's receiver knows it: what came, what is to be handed over, who has it (pure).

Given `now` (ms since 1970 by the receiver's clock) and what happened. All of it is in `dump`, so whoever has
that can go on with it: after a restart, or on another machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from homenode.listen import told
from homenode.listen.bounds import MOST_B, MOST_COMMANDS, MOST_OPEN, shortened, size
from homenode.listen.event import BEGINS, ENDS, LONGEST_B, SEALED, Event, Reply, place_of
from homenode.listen.places import Places
from homenode.listen.plan import Plan, Stage, whole
from homenode.listen.told import Kind

REMEMBERED = 256
"""Ids of messages. A resend comes before what the sender had not yet sent, so at most what is in flight
comes between the two; brokers and the outbox have some tens in flight."""

ENDED = 64
"""Alerts that ended lately: a late `notified` of one must not escalate."""

COMMAND_MS = 86_400_000
"""How long an acknowledgement may travel: the home may be without a link for a while."""


@dataclass(slots=True)
class Task:
    """Something to hand over, to each of `left`, in order of `number` for each target."""

    number: int
    kind: Kind
    stage: int
    body: Mapping[str, Any]
    left: list[str]


@dataclass(slots=True)
class Open:
    """An alert that nobody of the party has yet; `stage`: how often it was escalated."""

    since: int
    stage: int
    severity: str
    body: Mapping[str, Any]


class Command(NamedTuple):
    """An acknowledgement on its way to the home."""

    id: str
    alert: str
    by: str
    expires: int


@dataclass(slots=True)
class Watch:
    """One home.

    Attributes:
        silent_since: Since when it is not heard of, if that was told.
        tasks: What waits to be handed over.
        commands: What the home has not yet answered.
        dropped: How many waited for a target so long that newer ones took their place.
    """

    home: str
    plan: Plan
    silent_since: int | None = None
    tasks: list[Task] = field(default_factory=list)
    commands: dict[str, Command] = field(default_factory=dict)
    dropped: int = 0
    _next: int = 1
    _seen: list[str] = field(default_factory=list)
    _places: Places = field(default_factory=Places)
    _open: dict[str, Open] = field(default_factory=dict)
    _ended: dict[str, list[Any]] = field(default_factory=dict)

    # --- what happened

    def alert(self, event: Event, now: int) -> bool:
        """A message came; False if it had come before."""
        key = told.digest(event.id)
        if key in self._seen:
            return False
        self._seen.append(key)
        del self._seen[:-REMEMBERED]
        self._hand(Kind.ALERT, event.body, self.plan.to)
        if event.place is not None and self._places.came(*event.place, now):
            epoch, number = event.place
            self._hand(Kind.FILLED, told.filled(self.home, now, epoch, number), self.plan.to)
        self._follow(event, now)
        return True

    def fell_silent(self, since: int, why: str, now: int) -> bool:
        """Nothing is heard of it; False if that was told."""
        if self.silent_since is not None:
            return False
        self.silent_since = since
        self._hand(Kind.SILENT, told.silent(self.home, now, since, why), self.plan.to)
        return True

    def came_back(self, now: int) -> bool:
        """It is heard again; False if nobody was told of silence."""
        since, self.silent_since = self.silent_since, None
        if since is None:
            return False
        self._hand(Kind.BACK, told.back(self.home, now, since), self.plan.to)
        return True

    def taken(self, number: int, target: str, now: int, by: str = "") -> bool:
        """A target has it; False if it was not waiting for that.

        Args:
            by: Who has the alert, if the target says so; else as the plan says.
        """
        task = next((task for task in self.tasks if task.number == number), None)
        if task is None or target not in task.left:
            return False
        task.left.remove(target)
        if not task.left:
            self.tasks.remove(task)
        name = whole(target)
        took = name not in map(whole, task.left)
        if took and name in self.plan.acknowledging and task.kind in (Kind.ALERT, Kind.ESCALATED):
            self._acknowledge(task.body, by or self.plan.acknowledging[name], now)
        return True

    def replied(self, reply: Reply, now: int) -> bool:
        """The home answered; False if nobody asked."""
        command = self.commands.pop(reply.id, None)
        if command is None:
            return False
        if not reply.ok and command.alert not in self._ended:
            self._refused(command, reply.why, now)
        return True

    def answered(self, body: Mapping[str, Any], by: str, now: int) -> bool:
        """A person has an alert of which this was the newest message; what is wanted of `Act`: True."""
        self._acknowledge(body, by, now)
        return True

    def escalate(self, name: str, severity: str, body: Mapping[str, Any], now: int) -> bool:
        """A person wants the next stage called now, acknowledged or not; False if there is none."""
        alert = self._open.get(name) or Open(now, 0, severity, body)
        if (stage := self._stage(alert)) is None:
            return False
        self._open[name] = alert
        self._escalate(alert, stage)
        return True

    def tell(self, kind: Kind, body: Mapping[str, Any]) -> bool:
        """The receiver itself has something to say."""
        self._hand(kind, body, self.plan.to)
        return True

    def due(self, now: int) -> bool:
        """Do what time asks for; whether there was something."""
        before = self._next
        for epoch, gap in self._places.holes(now):
            body = told.missing(self.home, now, epoch, gap.first, gap.last)
            self._hand(Kind.HOLE, body, self.plan.to)
        for alert in list(self._open.values()):
            while (stage := self._stage(alert)) is not None and now >= alert.since + stage.after_ms:
                self._escalate(alert, stage)
        for command in [command for command in self.commands.values() if now >= command.expires]:
            del self.commands[command.id]
            self._refused(command, "no answer", now)
        return self._next != before

    def next_due(self) -> int | None:
        """When `due` has something to do though nothing happens."""
        dues = [command.expires for command in self.commands.values()]
        if (hole := self._places.due()) is not None:
            dues.append(hole)
        for alert in self._open.values():
            if (stage := self._stage(alert)) is not None:
                dues.append(alert.since + stage.after_ms)
        return min(dues, default=None)

    # --- what is to be done

    def waiting(self) -> dict[str, Task]:
        """Target to what it is to be handed now."""
        heads: dict[str, Task] = {}
        for task in self.tasks:
            for target in task.left:
                heads.setdefault(target, task)
        return heads

    # --- how

    def _hand(self, kind: Kind, body: Mapping[str, Any], to: tuple[str, ...], stage: int = 0) -> None:
        self.tasks.append(Task(self._next, kind, stage, body, list(to)))
        self._next += 1
        self._fit()

    def _fit(self) -> None:
        """Keep the home in its bounds: first without evidence, then without the oldest that nobody takes."""
        if (len(self.tasks) + len(self._open)) * LONGEST_B <= MOST_B:
            return
        left = _excess([*self._open.values()])
        while left > 0:
            left -= size(self._open.pop(next(iter(self._open))).body)
        left = _excess(self.tasks)
        while left > 0:
            left -= size(self.tasks.pop(0).body)
            self.dropped += 1

    def _follow(self, event: Event, now: int) -> None:
        """Whether somebody has the alert."""
        ended = self._ended.get(event.alert)
        if event.told in BEGINS:
            late = ended is not None and _before(event.place, ended)
            wanted = any(event.severity in stage.severities for stage in self.plan.stages)
            if wanted and not late and not event.test and event.alert not in self._open:
                self._open[event.alert] = Open(now, 0, event.severity, event.body)
                while len(self._open) > MOST_OPEN:
                    del self._open[next(iter(self._open))]
        elif event.told in ENDS or event.taken_by(self.plan.party):
            alert = self._open.get(event.alert)
            if alert is not None and not _before(event.place, place_of(alert.body)):
                del self._open[event.alert]
            if ended is None or not _before(event.place, ended):
                self._ended.pop(event.alert, None)
                self._ended[event.alert] = list(event.place or ("", 0))
            while len(self._ended) > ENDED:
                del self._ended[next(iter(self._ended))]

    def _stage(self, alert: Open) -> Stage | None:
        """The next stage of an alert."""
        left = self.plan.stages[alert.stage :]
        return next((stage for stage in left if alert.severity in stage.severities), None)

    def _escalate(self, alert: Open, stage: Stage) -> None:
        alert.stage = self.plan.stages.index(stage) + 1
        self._hand(Kind.ESCALATED, alert.body, stage.to, alert.stage)

    def _acknowledge(self, body: Mapping[str, Any], by: str, now: int) -> None:
        """Somebody has it: no further stage is called, and the home is told, if we know of what."""
        what = str(body.get("type", "")).rpartition(".")[2]
        if what not in BEGINS:
            return
        alert = body["data"]["alert"]
        self._open.pop(alert, None)
        if what == SEALED:
            return
        key = f"listen-{told.digest(str(body['id']), 12)}"  # the same if it is handed over twice
        self.commands[key] = Command(key, alert, by, now + COMMAND_MS)
        while len(self.commands) > MOST_COMMANDS:
            del self.commands[next(iter(self.commands))]

    def _refused(self, command: Command, why: str, now: int) -> None:
        body = told.refused(self.home, now, command.alert, command.by, why)
        self._hand(Kind.REFUSED, body, self.plan.to)

    # --- over restarts

    def not_after(self, now: int) -> None:
        """The clock was set back: what seems to lie ahead is now, so that nobody waits longer for it."""
        self._places.not_after(now)
        for alert in self._open.values():
            alert.since = min(alert.since, now)

    def dump(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "silent": self.silent_since,
            "dropped": self.dropped,
            "next": self._next,
            "seen": self._seen,
            "places": self._places.dump(),
            "tasks": [[t.number, t.kind.value, t.stage, t.body, t.left] for t in self.tasks],
            "open": {name: [a.since, a.stage, a.severity, a.body] for name, a in self._open.items()},
            "ended": self._ended,
            "commands": [list(command) for command in self.commands.values()],
        }

    @classmethod
    def restore(cls, home: str, plan: Plan, kept: Mapping[str, Any]) -> Watch:
        """From `dump`. What waits for a target that the plan no longer has goes to those that it has."""
        watch = cls(home, plan, kept["silent"], dropped=kept["dropped"])
        watch._next, watch._seen = kept["next"], list(kept["seen"])
        watch._places.restore(kept["places"])
        for number, kind, stage, body, left in kept["tasks"]:
            watch.tasks.append(Task(number, Kind(kind), stage, body, plan.known(left) or list(plan.to)))
        watch._open = {name: Open(*alert) for name, alert in kept["open"].items()}
        watch._ended = dict(kept["ended"])
        watch.commands = {row[0]: Command(*row) for row in kept["commands"]}
        return watch


def _excess(holding: Sequence[Task | Open]) -> int:
    """Shorten the oldest until all fit in half of what there is; how much they are too large even so."""
    left = sum(size(one.body) for one in holding) - MOST_B // 2
    for one in holding:
        if left <= 0:
            break
        before, one.body = size(one.body), shortened(one.body)
        left -= before - size(one.body)
    return left


def _before(place: tuple[str, int] | None, other: Sequence[Any] | None) -> bool:
    """Whether a message was surely sent before another one."""
    return place is not None and other is not None and place[0] == other[0] and place[1] < int(other[1])
