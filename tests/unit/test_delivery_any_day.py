"""Any day of a home: each party hears its own, in order, once; and a node that restarts decides the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from homenode.config.model import PARTIES
from homenode.contract.times import Zone
from homenode.delivery import Delivery, Evidence, NodeFault, Outcome
from homenode.engine.transition import Happening, Transition
from homenode.language.bound import And, BoundRule, BoundStep, Compare, Not
from homenode.message import Class, Message
from homenode.reading import Quality

SECRET = 987_654_321
"""A value of a presence kind, which property must find in no byte."""


def _rule(name: str, severity: str, to: tuple[str, ...], *steps: BoundStep) -> BoundRule:
    when = And((Compare(f"{name}.water", "==", True), Compare(f"{name}.motion", "==", True)))
    return BoundRule(name, name, 1, severity, to, when, Not(when), steps, {"en": name}, roles={"r": ()})


RULES = {
    rule.name: rule
    for rule in (
        _rule("a", "warning", ("care", "property")),
        _rule("b", "alarm", ("care", "operator"), BoundStep(1, "notify", 0), BoundStep(2, "notify", 60_000)),
        _rule("c", "info", ("property",), BoundStep(1, "notify", 0, parties=("resident",))),
        _rule("d", "alarm", ()),
    )
}


class AnyDay(RuleBasedStateMachine):
    """The same inputs go to two nodes; one runs through, the other restarts at will."""

    def __init__(self) -> None:
        super().__init__()
        self.steady, self.shaken = self.new(), self.new()
        self.heard: list[Message] = []
        self.again: list[Message] = []
        self.now = 0
        self.open: dict[str, str] = {}
        self.faults: set[str] = set()
        self.blind: dict[str, str] = {}
        self.count = 0

    @staticmethod
    def new() -> Delivery:
        return Delivery("h", Zone("UTC"), {name: "room" for name in RULES}, RULES, {})

    def both(self, what: str, *args: Any) -> None:
        first: Outcome = getattr(self.steady, what)(*args)
        second: Outcome = getattr(self.shaken, what)(*args)
        self.heard += first.messages
        self.again += second.messages

    @rule(ms=st.sampled_from([0, 1, 1000, 59_999, 60_000, 120_000, 300_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule()
    def the_clock_is_looked_at(self) -> None:
        self.again += self.shaken.advance(self.now).messages

    @rule()
    def the_node_restarts(self) -> None:
        state = json.loads(json.dumps(self.shaken.dump()))
        self.shaken = self.new()
        self.shaken.load(state)

    def change(self, event: Happening, name: str, alert: str, **more: Any) -> None:
        evidence = [
            Evidence(f"{name}.water", True, Quality.GOOD, 5),
            Evidence(f"{name}.motion", SECRET, Quality.GOOD, 5),
        ]
        self.both("transition", Transition(self.now, name, alert, event, **more), evidence)

    @rule(name=st.sampled_from(sorted(RULES)))
    def a_rule_raises(self, name: str) -> None:
        if name not in self.open:
            self.count += 1
            self.open[name] = f"{name}{self.count}"
            self.change(Happening.RAISED, name, self.open[name])

    @precondition(lambda self: self.open)
    @rule(data=st.data(), event=st.sampled_from(["step", "acknowledged", "lapsed", "resolved"]))
    def an_alert_goes_on(self, data: st.DataObject, event: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.open)))
        alert, happening, more = self.open[name], Happening(event), {}
        if event == "step":
            steps = RULES[name].steps
            if not steps:
                return
            step = data.draw(st.sampled_from(steps))
            more = {"step": step.number, "do": "notify", "run": 1}
        elif event == "acknowledged":
            more = {"parties": data.draw(st.sampled_from([(), ("care",), ("property",)]))}
        elif event == "resolved":
            del self.open[name]
        self.change(happening, name, alert, **more)

    @rule(source=st.sampled_from(["a", "b", "radio"]), silent=st.booleans(), words=st.sampled_from("xy"))
    def something_fails(self, source: str, silent: bool, words: str) -> None:
        self.faults.add(source)
        self.both("fault", NodeFault(source, {"en": words}, to_property=silent), self.now)

    @rule(source=st.sampled_from(["a", "b", "radio"]))
    def something_works_again(self, source: str) -> None:
        self.faults.discard(source)
        self.both("recovered", source, self.now)

    @rule(name=st.sampled_from(sorted(RULES)))
    def a_rule_turns(self, name: str) -> None:
        if name in self.blind:
            self.change(Happening.RECOVERED, name, self.blind.pop(name))
        else:
            self.count += 1
            self.blind[name] = f"f{self.count}"
            self.change(Happening.FAULT, name, self.blind[name], because=(f"{name}.motion",))

    @rule(mode=st.sampled_from(["home", "service", "away"]))
    def the_mode_is_set(self, mode: str) -> None:
        self.both("mode", mode, self.now)

    @rule()
    def the_resident_presses_ok(self) -> None:
        self.both("answered", self.now)

    def teardown(self) -> None:
        self.both("mode", "home", self.now)
        for name, alert in list(self.open.items()):
            self.change(Happening.RESOLVED, name, alert)
        self.now += 600_000
        for source in self.faults:
            self.both("recovered", source, self.now)
        for name, fault in self.blind.items():
            self.change(Happening.RECOVERED, name, fault)
        self.now += 600_000
        self.both("advance", self.now)
        assert self.steady.due() is None
        self.a_restart_changes_nothing()
        self.each_message_is_one()
        self.each_party_hears_a_story_with_beginning_and_end()
        self.nobody_learns_what_is_not_for_them()

    def a_restart_changes_nothing(self) -> None:
        told = [[m for m in heard if m.id] for heard in (self.heard, self.again)]
        assert told[0] == told[1]
        assert self.steady.dump() == self.shaken.dump()

    def each_message_is_one(self) -> None:
        ids = [message.id for message in self.heard if message.id]
        assert len(ids) == len(set(ids))

    def each_party_hears_a_story_with_beginning_and_end(self) -> None:
        stories: dict[tuple[str, str], list[str]] = {}
        for message in self.heard:
            if message.id:
                event = json.loads(message.payload)["data"]["event"]
                stories.setdefault((message.party, message.alert), []).append(event)
        for (party, _), story in stories.items():
            assert story[0] in ("notified", "fault")
            assert story[-1] in ("resolved", "recovered")
            assert sum(event in ("resolved", "recovered") for event in story) == 1
            if party == "operator":
                assert set(story) <= {"fault", "recovered"}
        for status in self.steady.statuses(self.now):
            assert json.loads(status.payload)["open"] == []

    def nobody_learns_what_is_not_for_them(self) -> None:
        for message in self.heard:
            if message.party != "care":
                assert str(SECRET).encode() not in message.payload
            if message.klass is Class.STATUS and message.party in ("property", "operator"):
                assert b"away" not in message.payload
            data = json.loads(message.payload).get("data", {})
            if data.get("event") in ("notified", "acknowledged", "resolved") and data["rule"] in RULES:
                addressed = {*RULES[data["rule"]].to} | ({"resident"} if data["rule"] == "c" else set())
                assert message.party in addressed
            assert message.party in PARTIES


AnyDay.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
test_any_day = AnyDay.TestCase
