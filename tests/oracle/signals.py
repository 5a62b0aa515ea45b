"""What a condition is over a whole recording: a signal, constant between instants, by algebra of intervals.

A signal is a list of (instant, value from there on). Before the node's first start every atom is UNKNOWN.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from tests.oracle.reader import Expr, Home, kind_of
from tests.oracle.trace import EVER, NEVER, Trace, hours

F, U, T = 0, 1, 2
OPS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
Signal = list[tuple[int, Any]]
Span = tuple[int, int]


def stretches(starts: Sequence[int]) -> list[Span]:
    """From each to the next."""
    return list(zip(starts, [*starts[1:], NEVER], strict=False))


def at(signal: Signal, instant: int) -> Any:
    return signal[bisect_right(signal, instant, key=operator.itemgetter(0)) - 1][1]


def spans(signal: Signal, *wanted: Any) -> list[Span]:
    """[a, b) each, where the signal is one of these."""
    here = stretches([start for start, _ in signal])
    return [span for span, (_, value) in zip(here, signal, strict=True) if value in wanted]


def paint(where: Iterable[Span], inside: Any, outside: Any) -> Signal:
    """Spans may overlap and touch."""
    out, reach = [(EVER, outside)], EVER - 1
    for start, end in sorted(span for span in where if span[0] < span[1]):
        if start > reach:
            out += [(start, inside), (end, outside)]
        elif end > reach:
            out[-1] = (end, outside)
        reach = max(reach, end)
    return out


def combine(how: Callable[..., Any], *signals: Signal) -> Signal:
    out: Signal = []
    for start in sorted({start for signal in signals for start, _ in signal}):
        value = how(*(at(signal, start) for signal in signals))
        if not out or out[-1][1] != value:
            out.append((start, value))
    return out


def lasting(signal: Signal, ms: int) -> Signal:
    """The least of [t - ms, t]: whatever is less than TRUE goes on for so long."""
    less = (paint([(a, b + ms) for a, b in spans(signal, value)], value, T) for value in (U, F))
    return combine(min, *less)


def since(held: Signal, began: Signal) -> Signal:
    """ψ or (φ and the same one instant earlier); where both are constant it is what it was at their first."""
    out, value = list[tuple[int, int]](), U
    for start, (now, new) in combine(lambda a, b: (a, b), held, began):
        value = max(new, min(now, value))
        out.append((start, value))
    return out


class View:
    """The points of a home as a rule sees them, whose `bridge` decides which downtimes it forgets over."""

    def __init__(self, home: Home, trace: Trace, mode: Signal, bridge: int, seen: Counter[str]) -> None:
        self._home, self._trace, self._mode, self._seen = home, trace, mode, seen
        self._gaps = [(down, up) for down, up in trace.downs if up - down > bridge]
        self._states: dict[str, Signal] = {}
        self._signals: dict[Expr, Signal] = {}

    def _lasts(self, point: str) -> list[tuple[int, Any]]:
        """The last value of each instant."""
        return sorted(dict(self._trace.values.get(point, ())).items())

    def _presses(self, point: str) -> list[int]:
        """A press isn't taken back by what follows it at its instant; of what lasts there are none."""
        if kind_of(point) != "button":
            return []
        return sorted({at for at, value in self._trace.values.get(point, ()) if value is True})

    def state(self, point: str) -> Signal:
        """`unknown`, `stale`, or its value but for presses."""
        if point not in self._states:
            of = self._button if kind_of(point) == "button" else self._lasting
            self._states[point] = of(point)
        return self._states[point]

    def _value(self, point: str) -> Signal:
        """The same where conditions ask: a press counts at its instant, whatever else is heard there."""
        pressed = paint([(at, at + 1) for at in self._presses(point)], True, False)
        return combine(lambda state, now: now or state, self.state(point), pressed)

    def _silent(self, point: str) -> list[Span]:
        """From when the device has been silent too long until it is heard again."""
        limit, heard = self._home.stale_after(point), self._trace.heard.get(point.partition(".")[0], [])
        if limit is None:
            return []
        return [(a + limit, b) for a, b in stretches(heard) if b > a + limit]

    def _lasting(self, point: str) -> Signal:
        out: Signal = [(EVER, "unknown")]
        lasts, silent = self._lasts(point), self._silent(point)
        starts = [at for at, _ in lasts]
        for (_, value), (start, end) in zip(lasts, stretches(starts), strict=True):
            out.append((start, "unknown" if value is None else value))
            stale = next((a for a, _ in silent if start < a < end), None)
            if value is not None and stale is not None:
                out.append((stale, "stale"))
        for down, up in self._gaps:
            back = bisect_left(starts, up)
            until = starts[back] if back < len(starts) else NEVER
            out = combine(lambda v, gone: "unknown" if gone else v, out, paint([(down, until)], True, False))
        return out

    def _button(self, point: str) -> Signal:
        heard = self._trace.heard.get(point.partition(".")[0], [NEVER])
        lasts = self._lasts(point)
        until = stretches([at for at, _ in lasts])
        faulty = [span for span, (_, value) in zip(until, lasts, strict=True) if value is None]
        unknown = paint([(EVER, heard[0]), *faulty, *self._gaps], True, False)
        stale = paint(self._silent(point), True, False)
        return combine(lambda gone, old: "unknown" if gone else "stale" if old else False, unknown, stale)

    def _changes(self, point: str) -> Signal:
        turned = self._presses(point)
        if kind_of(point) != "button":
            known = [(at, value) for at, value in self._lasts(point) if value is not None]
            turned = [at for (_, old), (at, new) in pairwise(known) if old != new]
        here = paint([(at, at + 1) for at in turned], True, False)
        return combine(
            lambda p, turn: T if turn else U if p in ("unknown", "stale") else F, self._value(point), here
        )

    def _count(self, point: str, expr: Expr) -> Signal:
        """Known only to be at least the number of turns where the point is unknown in [t - D, t]."""
        known = self._value(point)
        true = self._presses(point) or [at for at, value in self._lasts(point) if value is True]
        # At a `down` that is forgotten over each value is unknown: a press counts, but what lasts can't turn.
        turns = [now for now in true if at(known, now - 1) is False and at(known, now) is True]
        unsure = [*spans(known, "unknown", "stale"), (EVER, self._trace.first)]
        doubt = paint([(a, b + expr.ms) for a, b in unsure], True, False)
        edges = sorted({EVER, *turns, *(turn + expr.ms + 1 for turn in turns)})
        number = [(edge, sum(edge - expr.ms <= turn <= edge for turn in turns)) for edge in edges]

        def compared(least: int, doubtful: bool) -> int:
            most = max(least, expr.value) + 1 if doubtful else least
            answers = {OPS[expr.test](n, expr.value) for n in range(least, most + 1)}
            return U if len(answers) > 1 else T if answers == {True} else F

        return combine(compared, number, doubt)

    def _asked(self, point: str, expr: Expr) -> Signal:
        if expr.test == "changes":
            return self._changes(point)
        if expr.test in ("stale", "unknown"):
            return combine(lambda p: T if p == expr.test else F, self.state(point))
        op, value = (OPS[expr.test], expr.value) if expr.test else (operator.eq, True)
        return combine(
            lambda p: U if p in ("unknown", "stale") else T if op(p, value) else F, self._value(point)
        )

    def signal(self, expr: Expr) -> Signal:
        if expr not in self._signals:
            found = self._of(expr, [self.signal(part) for part in expr.parts])
            started = [(EVER, False), (self._trace.first, True)]
            found = combine(lambda value, is_on: value if is_on else U, found, started)
            self._signals[expr] = found
            self._seen.update(f"{_form(expr)} {'FUT'[value]}" for _, value in found[1:] or found)
        return self._signals[expr]

    def _of(self, expr: Expr, parts: Sequence[Signal]) -> Signal:
        match expr.op:
            case "or":
                return combine(max, *parts)
            case "and":
                return combine(min, *parts)
            case "not":
                return _negated(parts[0])
            case "for":
                return lasting(parts[0], expr.ms)
            case "within":
                return _negated(lasting(_negated(parts[0]), expr.ms))
            case "since":
                return since(parts[0], parts[1])
            case "mode":
                return combine(lambda mode: T if mode == expr.value else F, self._mode)
            case "between":
                begin, end = expr.value
                return paint(hours(self._home.zone, begin, end, self._trace.first, self._trace.last), T, F)
            case "count":
                return self._count(expr.points[0], expr)
        asked = [self._asked(point, expr) for point in expr.points]
        most = max if expr.op == "any" else min
        return combine(lambda *values: most(values), *asked)


def _negated(signal: Signal) -> Signal:
    return combine(lambda value: T - value, signal)


def _form(expr: Expr) -> str:
    if expr.op not in ("any", "all"):
        return expr.op + (f" {expr.test}" if expr.test else "")
    kinds = {kind_of(point) for point in expr.points}
    what = "button" if kinds == {"button"} else "number" if isinstance(expr.value, float) else "state"
    return f"{expr.op if len(expr.points) > 1 else 'one'} {what} {expr.test or 'true'}"


def points_of(expr: Expr) -> set[str]:
    return set(expr.points).union(*map(points_of, expr.parts))
