"""Random homes, rules and days for the tests of who learns what: drawn from one seed, and with names,
values and instants that give themselves away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from homenode.config.model import PARTIES, Device, Home, Mode
from homenode.config.rows import STANDARD_MODES
from homenode.kinds import Shape, kind_of
from homenode.language.bound import And, BoundRule, BoundStep, Changes, Compare, Expr, For, Not, Or, Within

MIN = 60_000
START = 1_767_600_000_000
"""An instant of 2026; wall time is the same."""

KINDS = ("motion", "contact", "occupancy", "lock", "water", "smoke", "button", "power", "temperature")
NUMBERS = {"power": 50.0, "temperature": 8.0, "battery": 15.0}
MODES = {name: Mode(name, 7 * MIN) for name in STANDARD_MODES}
OTHERWISE = {"away": "visit", "visit": "away"}
"""Modes of which property and the operator are not told which it is."""


class Input(NamedTuple):
    """Something that comes in. `what`: reading, heard, mode, ack, ok, fault, well, restart, share, ask."""

    at: int
    what: str
    data: tuple[Any, ...] = ()


def heard_by(fault: Input) -> tuple[str, ...]:
    """Whom a fault of the node or of a device is told."""
    return ("operator", "property") if fault.data[1] else ("operator",)


@dataclass(frozen=True)
class Day:
    """A home and what happens in it."""

    home: Home
    rules: tuple[BoundRule, ...]
    limits_ms: dict[str, int]
    inputs: tuple[Input, ...]

    def points(self) -> list[str]:
        """Every point that says something."""
        return sorted({one.data[0] for one in self.inputs if one.what == "reading"})

    def audience(self, rule: BoundRule) -> set[str]:
        """Parties that may hear of the rule's alerts."""
        named = {party for step in rule.steps for party in step.parties}
        return ({*rule.to} | named) - {"operator"}

    def shares(self) -> list[dict[str, tuple[str, ...]]]:
        """Every `share` of the day."""
        return [dict(self.home.share), *(one.data[0] for one in self.inputs if one.what == "share")]

    def sets_mode(self, rule: BoundRule) -> bool:
        """Whether what it reads reaches every party, by the mode."""
        return any(step.do == "mode" for step in rule.steps)


class Draw:
    """One day from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.pick = self.random.choice
        self.seed = seed
        self.points: list[str] = []

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def day(self) -> Day:
        devices, limits_ms = {}, {}
        for nth in range(self.random.randint(3, 6)):
            name = f"thing{nth}q{self.seed % 97}"
            kinds = tuple(dict.fromkeys((*self.random.sample(KINDS, self.pick((1, 1, 2))), "battery")))
            devices[name] = Device(name, "zigbee", f"room{nth}", via="zigbee", kinds=kinds)
            limits_ms[name] = self.pick((-1, 10 * MIN, 60 * MIN))
            self.points += [f"{name}.{kind}" for kind in kinds]
        rules = tuple(self._rule(nth) for nth in range(self.random.randint(2, 5)))
        share = self._share()
        home = Home(
            path=Path("home.yaml"),
            home="h1",
            timezone="UTC",
            language="en",
            broker=None,
            radios={},
            devices=devices,
            rules=(),
            share=share,
            modes=MODES,
        )
        names = [rule.name for rule in rules]
        return Day(home, rules, limits_ms, tuple(self._inputs(names, list(devices))))

    def _share(self) -> dict[str, tuple[str, ...]]:
        share = {}
        for party in PARTIES:
            some = self.random.sample(self.points, self.pick((0, 0, 1, 2)))
            share[party] = tuple(some + ["*.battery"] * self.maybe(0.3))
        return share

    def _parties(self) -> tuple[str, ...]:
        return tuple(self.random.sample(PARTIES, self.pick((0, 1, 1, 2))))

    def _rule(self, nth: int) -> BoundRule:
        name = f"rule{nth}q{self.seed % 97}"
        when = self._expr(self.pick((0, 1, 1, 2)))
        steps = []
        for number in range(1, self.pick((0, 0, 1, 2, 3)) + 1):
            after_ms = self.pick((0, 0, 30_000, 2 * MIN, None))
            do = self.pick(("notify", "notify", "notify", "say", "mode"))
            to = self._parties() if do == "notify" and self.maybe(0.5) else ()
            mode = self.pick(("service", "away", "home")) if do == "mode" else ""
            steps.append(BoundStep(number, do, after_ms, parties=to, mode=mode, text={"en": "hello"}))
        return BoundRule(
            name,
            name,
            1,
            self.pick(("info", "warning", "alarm")),
            self._parties(),
            when,
            Not(when),
            tuple(steps),
            {"en": f"{name} says"},
            bridge_ms=self.pick((MIN, 15 * MIN)),
            grace_ms=self.pick((MIN, 10 * MIN)),
            again_ms=self.pick((None, None, 5 * MIN)),
            hold=self.maybe(0.2),
            parameters={"level": f"{nth} min"},
        )

    def _expr(self, depth: int) -> Expr:
        if depth == 0:
            return self._atom(self.pick(self.points))
        parts = (self._expr(depth - 1), self._expr(depth - 1))
        return self.pick(
            (And(parts), Or(parts), For(parts[0], self.pick((1000, 5 * MIN))), Within(parts[0], 3 * MIN))
        )

    def _atom(self, point: str) -> Expr:
        kind = kind_of(point)
        assert kind is not None
        if kind.shape is Shape.NUMBER:
            return Compare(point, self.pick((">", "<")), NUMBERS[kind.name])
        return self.pick((Compare(point, "==", True), Compare(point, "==", True), Changes(point)))

    def value(self, point: str) -> bool | float | None:
        """One that stands in no other reading of the day, if it is a number."""
        kind = kind_of(point)
        assert kind is not None
        if self.maybe(0.05):
            return None
        if kind.shape is not Shape.NUMBER:
            return self.maybe(0.6)
        return round(NUMBERS[kind.name] + self.random.uniform(-7, 7), 9)

    def _inputs(self, names: list[str], devices: list[str]) -> Iterator[Input]:
        now, moments = START, {0}  # of a minute: what is due later meets none of them by chance
        for _ in range(self.random.randint(15, 60)):
            now += self.pick((1, 17, 1003, 30_011, MIN, 5 * MIN, 11 * MIN)) + self.random.randrange(97)
            while now % MIN in moments:
                now += 1
            moments.add(now % MIN)
            yield self._input(now, names, devices)

    def _input(self, now: int, names: list[str], devices: list[str]) -> Input:
        [what] = self.random.choices(
            ("reading", "heard", "mode", "ack", "ok", "fault", "well", "restart", "share", "ask"),
            (60, 4, 3, 10, 1, 3, 3, 3, 1, 4),
        )
        match what:
            case "reading":
                point = self.pick(self.points)
                return Input(now, what, (point, self.value(point)))
            case "heard":
                return Input(now, what, (self.pick(devices),))
            case "mode":
                return Input(now, what, (self.pick(("home", "away", "service", "visit")),))
            case "ack":
                party = self.pick(PARTIES)
                return Input(now, what, (party, self.pick(names), f"{party}-person{now % 1009}"))
            case "fault":
                source = self.pick((*devices, "radio"))
                return Input(now, what, (source, self.maybe(0.4), f"broke{now % 10_007}"))
            case "well":
                return Input(now, what, (self.pick((*devices, "radio")),))
            case "share":
                return Input(now, what, (self._share(),))
            case "ask":
                return Input(now, what, (self.pick(PARTIES), self.pick(names)))
        return Input(now, what)

    def disturbed(
        self, day: Day, secret: list[str], ways: Sequence[str] = ("value", "value", "time", "gone", "more")
    ) -> Day:
        """The same day, but for what points of `secret` say and when."""
        inputs: list[Input] = []
        for one in day.inputs:
            if one.what == "reading" and one.data[0] in secret and self.maybe(0.5):
                match self.pick(ways):
                    case "value":
                        value = self.value(one.data[0]) if one.data[1] is not None else None
                        one = one._replace(data=(one.data[0], one.data[1] if value is None else value))
                    case "time":
                        one = one._replace(at=one.at + self.pick((-1, 1)) * self.pick((1, 500, 20_000)))
                    case "gone":
                        continue
                    case _:
                        inputs.append(Input(one.at + 3, "reading", (one.data[0], self.value(one.data[0]))))
            inputs.append(one)
        inputs.sort(key=lambda one: one.at)
        return replace(day, inputs=tuple(inputs))

    def renamed(self, day: Day, party: str) -> Day:
        """The same day, but for persons of other parties, the words of their faults, and their modes."""
        inputs = []
        for one in day.inputs:
            of_another = one.what == "ack" and one.data[0] != party
            if of_another or (one.what == "fault" and party not in heard_by(one)):
                one = one._replace(data=(*one.data[:2], f"{one.data[2]}x"))
            elif one.what == "mode" and one.data[0] in OTHERWISE and party not in ("care", "resident"):
                one = one._replace(data=(OTHERWISE[one.data[0]],))
            inputs.append(one)
        return replace(day, inputs=tuple(inputs))
