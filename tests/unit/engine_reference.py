"""The meaning of rules, word by word and millisecond by millisecond: slow, simple, and nobody's engine.

It shares with `homenode.engine` only what goes in and comes out. Whole histories are kept, every instant is
evaluated, nothing is remembered between instants but alerts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from homenode.config.model import Mode
from homenode.engine.events import Acknowledge, Event, Heard, ModeSet, NodeDown, NodeUp, Reading
from homenode.kinds import Shape, kind_of
from homenode.language.bound import (
    And,
    Between,
    BoundRule,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    ModeIs,
    Not,
    Or,
    Since,
    Within,
    points_of,
)
from tests.unit.mode_reference import Modes

F, U, T = 0, 1, 2
Line = tuple[int, str, str, int, tuple[str, ...]]
"""Instant, rule, event, step, because."""


@dataclass
class Past:
    """What was heard, with what came while the node was down left out."""

    readings: dict[str, list[tuple[int, object]]] = field(default_factory=dict)
    heard: dict[str, list[int]] = field(default_factory=dict)
    modes: list[tuple[int, str, int | None]] = field(default_factory=list)
    acks: list[tuple[int, str]] = field(default_factory=list)
    downs: list[tuple[int, int | None]] = field(default_factory=list)

    @classmethod
    def of(cls, events: Sequence[Event]) -> Past:
        past, down = cls(), None
        for event in events:
            if isinstance(event, NodeUp):
                if down is not None:
                    past.downs.append((down, event.at))
                    down = None
            elif down is not None:
                continue
            elif isinstance(event, NodeDown):
                down = event.at
            elif isinstance(event, Reading):
                past.readings.setdefault(event.point, []).append((event.at, event.value))
                past.heard.setdefault(event.point.split(".")[0], []).append(event.at)
            elif isinstance(event, Heard):
                past.heard.setdefault(event.device, []).append(event.at)
            elif isinstance(event, ModeSet):
                past.modes.append((event.at, event.mode, event.longest_ms))
            elif isinstance(event, Acknowledge):
                past.acks.append((event.at, event.target))
        if down is not None:
            past.downs.append((down, None))
        return past

    def is_down(self, t: int) -> bool:
        return self.next_up(t) != t

    def next_up(self, t: int) -> int | None:
        """The first instant from `t` on at which the node is up; None if it stays down."""
        for d, u in self.downs:
            if d <= t and (u is None or t < u):
                if u is None:
                    return None
                t = u
        return t


class Meaning:
    """The truth of one rule's expressions at every instant."""

    def __init__(
        self,
        past: Past,
        rule: BoundRule,
        start: int,
        stale: Mapping[str, int],
        zone: str,
        modes: Modes,
    ) -> None:
        self.past, self.rule, self.start, self.stale, self.modes = past, rule, start, stale, modes
        self.zone = ZoneInfo(zone)
        self.truth = lru_cache(maxsize=None)(self._truth)
        self.quality = lru_cache(maxsize=None)(self._quality)

    # -- points

    def last_values(self, p: str, t: int) -> list[tuple[int, object]]:
        """The last value of each instant up to t."""
        found: dict[int, object] = {}
        for at, value in self.past.readings.get(p, ()):
            if at <= t:
                found[at] = value
        return sorted(found.items(), key=lambda pair: pair[0])

    def momentary(self, p: str) -> bool:
        kind = kind_of(p)
        return kind is not None and kind.shape is Shape.MOMENTARY

    def heard_in(self, p: str, low: int, high: int) -> bool:
        return any(low <= h <= high for h in self.past.heard.get(p.split(".")[0], ()))

    def silent(self, p: str, t: int) -> bool:
        limit = self.stale.get(p.split(".")[0], -1)
        return limit != -1 and not self.heard_in(p, t - limit + 1, t)

    def cut(self, p: str, t: int) -> bool:
        for d, u in self.past.downs:
            if u is None or u - d <= self.rule.bridge_ms or t < d:
                continue
            if self.momentary(p):
                if t < u:
                    return True
            elif t < u or not any(u <= at <= t for at, _ in self.past.readings.get(p, ())):
                # a reading at `u` that came before `up` in order was left out of the past already
                return True
        return False

    def _quality(self, p: str, t: int) -> str:
        if self.cut(p, t):
            return "unknown"
        values = self.last_values(p, t)
        fault = bool(values) and values[-1][1] is None
        if self.momentary(p):
            if fault or not any(h <= t for h in self.past.heard.get(p.split(".")[0], ())):
                return "unknown"
            return "stale" if self.silent(p, t) else "good"
        if not values or fault:
            return "unknown"
        return "stale" if any(self.silent(p, s) for s in range(values[-1][0], t + 1)) else "good"

    def press(self, p: str, t: int) -> bool:
        return any(at == t and value is True for at, value in self.past.readings.get(p, ()))

    def changed(self, p: str, t: int) -> bool:
        values = self.last_values(p, t)
        if not values or values[-1][0] != t or values[-1][1] is None:
            return False
        known = [value for at, value in values if at < t and value is not None]
        return bool(known) and known[-1] != values[-1][1]

    # -- expressions

    def _truth(self, e: Expr, t: int) -> int:
        if t < self.start:
            return U
        match e:
            case Compare(p, op, value):
                if self.momentary(p):
                    wanted = (op == "==") is bool(value)
                    if self.press(p, t):
                        return T if wanted else F
                    if self.quality(p, t) != "good":
                        return U
                    return F if wanted else T
                if self.quality(p, t) != "good":
                    return U
                now = self.last_values(p, t)[-1][1]
                return T if eval(f"a {op} b", {"a": now, "b": value}) else F
            case Changes(p):
                if self.press(p, t) if self.momentary(p) else self.changed(p, t):
                    return T
                return F if self.quality(p, t) == "good" else U
            case HasQuality(p, quality):
                return T if self.quality(p, t) == quality else F
            case Between(a, b):
                local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t)).astimezone(self.zone)
                minute = local.hour * 60 + local.minute
                return T if (a <= minute < b if a < b else minute >= a or minute < b) else F
            case ModeIs(mode):
                return T if self.modes.mode[t] == mode else F
            case Not(part):
                return 2 - self.truth(part, t)
            case And(parts):
                return min(self.truth(part, t) for part in parts)
            case Or(parts):
                return max(self.truth(part, t) for part in parts)
            case For(part, d):
                values = [self.truth(part, s) for s in range(t - d, t + 1)]
                return T if set(values) == {T} else F if F in values else U
            case Within(part, d):
                values = [self.truth(part, s) for s in range(t - d, t + 1)]
                return T if T in values else F if set(values) == {F} else U
            case Since(part, anchor):
                return max(self.truth(anchor, t), min(self.truth(part, t), self.truth(e, t - 1)))
            case Count(p, d, op, number):
                bare = Compare(p, "==", True)
                window = range(t - d, t + 1)
                turns = sum(self.truth(bare, s - 1) == F and self.truth(bare, s) == T for s in window)
                most = turns
                if any(self.truth(bare, s) == U for s in window):
                    most = max(turns, abs(number)) + 2
                answers = {eval(f"a {op} b", {"a": n, "b": number}) for n in range(turns, most + 1)}
                return U if len(answers) > 1 else T if answers == {True} else F
        raise AssertionError(e)


@dataclass
class _Alert:
    raised: int
    origin: int
    acked: int | None = None
    done: set[tuple[int, int, int]] = field(default_factory=set)


def transitions(
    rules: Sequence[BoundRule],
    events: Sequence[Event],
    start: int,
    end: int,
    stale: Mapping[str, int],
    zone: str = "UTC",
    modes: Mapping[str, Mode] | None = None,
) -> list[Line]:
    """Everything told from `start` to `end`, both included."""
    past = Past.of(events)
    mode = Modes(modes or {}, past.modes, zone)
    lives = [_life(rule, Meaning(past, rule, start, stale, zone, mode), past, start, end) for rule in rules]
    plain = BoundRule("", "", 1, "info", (), ModeIs("home"), ModeIs("home"))
    senses = Meaning(past, plain, start, stale, zone, mode)
    told: list[Line] = []
    for t in range(start, end + 1):
        mode.pass_to(t)
        for rule, life in zip(rules, lives, strict=True):
            lines = next(life)
            told += lines
            for number in (line[3] for line in lines if line[2] == "step"):
                step = next(step for step in rule.steps if step.number == number)
                if step.do == "mode":
                    mode.step(step.mode, t)
        if not past.is_down(t):
            mode.listen(start, t, senses)
    return told


def _life(rule: BoundRule, meaning: Meaning, past: Past, start: int, end: int) -> Iterator[list[Line]]:
    """What is told at each instant."""
    alert: _Alert | None = None
    fault = False
    blind: list[int] = []
    ups = {u for _, u in past.downs}
    points = points_of(rule.when)
    for t in range(start, end + 1):
        out: list[Line] = []
        if past.is_down(t):
            yield out
            continue

        def tell(
            event: str, step: int = 0, because: tuple[str, ...] = (), t: int = t, out: list[Line] = out
        ) -> None:
            out.append((t, rule.name, event, step, because))

        when, clear = meaning.truth(rule.when, t), meaning.truth(rule.clear, t)
        acked_now = any(past.next_up(at) == t for at, target in past.acks if target == rule.name)
        if alert and rule.again_ms and alert.acked is not None and t >= alert.acked + rule.again_ms:
            alert.acked, alert.origin = None, t
            tell("lapsed")
        if alert and acked_now and alert.raised < t and alert.acked is None:
            alert.acked = t
            tell("acknowledged")
        if alert and when != T and clear == T and (not rule.hold or alert.acked is not None):
            alert = None
            tell("resolved")
            for step in rule.steps:
                if step.after_ms is None:
                    tell("step", step.number)
        elif alert is None and when == T:
            alert = _Alert(t, t)
            tell("raised")
        if alert:
            due: list[tuple[int, int]] = []
            for step in rule.steps:
                if step.after_ms is None:
                    continue
                origin = alert.origin if step.do == "notify" else alert.raised
                for k in range(step.times):
                    at, run = origin + step.after_ms + k * step.every_ms, (step.number, origin, k)
                    if at <= t and run not in alert.done:
                        alert.done.add(run)
                        if step.do != "notify" or alert.acked is None:
                            due.append((at, step.number))
            seen: set[int] = set()
            for _, number in sorted(due):
                if number not in seen:
                    tell("step", number)
                seen.add(number)
        bad = tuple(sorted(p for p in points if meaning.quality(p, t) != "good"))
        if t in ups:
            blind = []
        blind = [*blind, t] if when == U and bad else []
        if blind and not fault and blind[0] <= t - rule.grace_ms:
            fault = True
            tell("fault", 0, bad)
        elif fault and not blind:
            fault = False
            tell("recovered")
        yield out
