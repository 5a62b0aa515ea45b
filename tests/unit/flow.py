"""A node's deciding half through a drawn day: every byte that each party gets, and what it may know."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from homenode.config.model import PARTIES
from homenode.contract import topics
from homenode.contract.reply import Answered
from homenode.contract.times import Zone
from homenode.delivery import Delivery, Evidence, NodeFault, Outcome
from homenode.engine.engine import Engine
from homenode.engine.events import Heard, ModeSet
from homenode.engine.transition import Transition
from homenode.gateway.requests import Requests
from homenode.judge import Decided, Judge
from homenode.message import Message
from homenode.outbox import Outbox
from homenode.reading import How, Reading
from tests.unit.flow_home import START, Day, Input

ZONE = Zone("UTC")


@dataclass
class Call:
    """Something that was told to the delivering half."""

    what: str
    args: tuple[Any, ...]


class Overheard(Delivery):
    """Writes down what it is told."""

    calls: list[Call]

    def transition(
        self, change: Transition, evidence: Sequence[Evidence] = (), missing_from: int = 0
    ) -> Outcome:
        self.calls.append(Call("transition", (change, tuple(evidence), missing_from)))
        return super().transition(change, evidence, missing_from)

    def fault(self, fault: NodeFault, at: int) -> Outcome:
        self.calls.append(Call("fault", (fault, at)))
        return super().fault(fault, at)

    def recovered(self, source: str, at: int) -> Outcome:
        self.calls.append(Call("recovered", (source, at)))
        return super().recovered(source, at)

    def mode(self, mode: str, at: int, over: Any = ()) -> Outcome:
        self.calls.append(Call("mode", (mode, at, tuple(over))))
        return super().mode(mode, at, over)

    def answered(self, at: int) -> Outcome:
        self.calls.append(Call("answered", (at,)))
        return super().answered(at)

    def acknowledge_fault(self, party: str, alert: str, by: str, at: int) -> Outcome | None:
        self.calls.append(Call("acknowledge", (party, alert, by, at)))
        return super().acknowledge_fault(party, alert, by, at)


class Run:
    """One day from beginning to end.

    Attributes:
        got: Party to what was published on its branch: topic, payload, retained.
        calls: What the delivering half was told.
    """

    def __init__(self, day: Day) -> None:
        self.day, self.home, self.now = day, day.home, START
        self.got: dict[str, list[tuple[str, bytes, bool]]] = {party: [] for party in PARTIES}
        self.calls: list[Call] = []
        engine = Engine(day.rules, day.limits_ms, start=START, modes=day.home.modes)
        self.judge = self._judge(engine)
        self.outbox = Outbox("epoch")
        self.outbox.link_up()
        self.asked = dict.fromkeys(PARTIES, 0)
        self.requests = Requests(self._node())
        for message in self.judge.delivery.statuses(START):
            self.outbox.add(message)
        for one in day.inputs:
            self._pass_time(one.at)
            getattr(self, f"_{one.what}")(one)
            self._decided(self.judge.advance(max(self.now, self.judge.engine.now)))
        self._pass_time(self.now + 30 * 60_000)

    def _judge(self, engine: Engine) -> Judge:
        rooms = {name: device.room for name, device in self.home.devices.items()}
        rules = {rule.name: rule for rule in self.day.rules}
        delivery = Overheard(self.home.home, ZONE, rooms, rules, {"homenode": "0"})
        delivery.calls = self.calls
        judge = Judge(self.home, self.day.rules, engine, delivery, ZONE)
        judge.silence_due = START
        self._overhear(judge)
        return judge

    def _overhear(self, judge: Judge) -> None:
        self.calls.append(Call("share", (self.home.share,)))
        messages = judge.sharing.messages

        def overheard(reading: Reading, offset_ms: int, **more: Any) -> Sequence[Message]:
            kept = {name: value for name, value in more.items() if name != "record"}
            self.calls.append(Call("reading", (reading, tuple(sorted(kept.items(), key=str)))))
            return messages(reading, offset_ms, **more)

        judge.sharing.messages = overheard  # type: ignore[method-assign]  # as it is, but overheard

    def _node(self) -> Any:
        """As much of a node as requests need."""
        clock = SimpleNamespace(now=lambda: self.now, wall=lambda: self.now, trusted=lambda: True)
        return SimpleNamespace(
            recovered=SimpleNamespace(answered=Answered()),
            clock=clock,
            home=self.home,
            journal=SimpleNamespace(append=lambda *_, **__: 0),
            outbox=self.outbox,
            judge=self.judge,
            uplink=SimpleNamespace(wake=lambda: None),
            outcomes=SimpleNamespace(carry_out=self._decided, safe=_at_once),
            time=SimpleNamespace(arm=lambda: None, instant=lambda: max(self.now, self.judge.engine.now)),
            start_apart=_to_its_end,
        )

    # -- inputs

    def _instant(self) -> int:
        return max(self.now, self.judge.engine.now + 1)

    def _reading(self, one: Input) -> None:
        point, value = one.data
        reading = self.judge.dated(Reading(point, value, one.at), one.at)
        if reading.how is How.LIVE and reading.at <= self.judge.engine.now:
            reading = reading._replace(at=self._instant())
        for message in self.judge.shared(reading, 1):
            self.outbox.add(message)
        if reading.how is How.LIVE:
            self.judge.feed(reading)

    def _heard(self, one: Input) -> None:
        self.judge.feed(Heard(one.data[0], self._instant()))

    def _mode(self, one: Input) -> None:
        self.judge.feed(ModeSet(one.data[0], self._instant()))

    def _ack(self, one: Input) -> None:
        self._command(one.data[0], one.data[1], one.data[2])

    def _ask(self, one: Input) -> None:
        self._command(one.data[0], one.data[1], "who")

    def _command(self, party: str, alert: str, by: str) -> None:
        self.asked[party] += 1
        body = {
            "id": f"c{self.asked[party]}",
            "do": "acknowledge",
            "by": by,
            "expires": ZONE.text(self.now + 60_000),
            "args": {"alert": alert},
        }
        self.requests.command(party, json.dumps(body).encode(), False)

    def _ok(self, one: Input) -> None:
        self._decided(self.judge.answered(self._instant()))

    def _fault(self, one: Input) -> None:
        source, to_property, text = one.data
        fault = NodeFault(source, {"en": text}, (source,), to_property=to_property)
        if source not in self.judge.troubled:
            self._decided(self.judge.fault(fault, self._instant()))

    def _well(self, one: Input) -> None:
        if one.data[0] in self.judge.troubled:
            self._decided(self.judge.well(one.data[0], self._instant()))

    def _restart(self, one: Input) -> None:
        state = json.loads(json.dumps(self.judge.dump()))
        waiting, numbers = self.outbox.waiting(), self.outbox.dump()
        engine = Engine.load(state["engine"], self.day.rules, self.day.limits_ms, modes=self.home.modes)
        self.judge = self._judge(engine)
        self.judge.load(state)
        self.outbox = Outbox("epoch")
        self.outbox.load(numbers)
        self.outbox.restore_waiting(waiting)
        self.outbox.link_up()
        answered = self.requests.answered
        self.requests = Requests(self._node())
        self.requests.answered = answered
        at = self._instant()
        for message in (*self.judge.restored(at, at), *self.judge.delivery.statuses(at)):
            self.outbox.add(message)

    def _share(self, one: Input) -> None:
        self.home = replace(self.home, share=one.data[0])
        self._decided(self.judge.reload(self.home, self.day.rules, self.day.limits_ms, self._instant()))
        self._overhear(self.judge)

    # -- time and output

    def _pass_time(self, to: int) -> None:
        while (due := self.judge.next_deadline()) is not None and due <= to:
            self.now = due
            if self.judge.silence_due and due >= self.judge.silence_due:
                self._decided(self.judge.silence(max(due, self.judge.engine.now)))
            else:
                self._decided(self.judge.advance(max(due, self.judge.engine.now)))
        self.now = to

    def _decided(self, decided: Decided) -> None:
        for message in decided.messages:
            self.outbox.add(message)
        self.outbox.written(self.outbox.number())
        while (handed := self.outbox.next()) is not None:
            self.outbox.acknowledged(handed.key)
            party = handed.topic.removeprefix(f"{topics.root(self.home.home)}/").partition("/")[0]
            self.got[party].append((handed.topic, handed.payload, handed.retain))
            self.outbox.written(self.outbox.number())


async def _at_once() -> None: ...


def _to_its_end(_name: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("a command that waits")
