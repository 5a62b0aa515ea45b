"""From conditions to what is told: modes, the life of alerts, steps, being blind."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.oracle.reader import MS, Home, Step, Use
from tests.oracle.signals import Signal, T, U, View, at, combine, paint, points_of
from tests.oracle.trace import EVER, Trace, hours, local

Line = dict[str, Any]
Told = tuple[int, str, Line]
"""Instant, event, what else stands in its line."""


class TooManyModes(Exception):
    """More than the 60 an hour that steps may set (ADR 8), where this reading ends."""


def told(home: Home, trace: Trace, seen: Counter[str]) -> list[Line]:
    """What replay must print."""
    sets: list[tuple[int, str]] = []
    while True:
        mode, met = modes(home, trace, sets), Counter[str]()
        lines: list[tuple[int, int, int, Line]] = []
        ran: list[tuple[int, int, int, str]] = []
        for order, use in enumerate(home.uses):
            view = View(home, trace, mode, use.bridge, met)
            met.update(f"downtime: {_length(up - down, use.bridge)}" for down, up in trace.downs)
            for number, (instant, event, rest) in enumerate(_Life(use, view, trace).run()):
                to = rest.pop("to", "")
                if rest.get("do") == "mode":
                    ran.append((instant, order, number, to))
                line = {"at": local(instant, home.zone), "rule": use.name, "event": event, **rest}
                lines.append((instant, order, number, line))
        found = [(instant + 1, to) for instant, _, _, to in sorted(ran)]
        if found == sets:
            seen.update(met)
            seen.update(f"mode: {what}" for _, what in mode)
            return [line for *_, line in sorted(lines, key=lambda entry: entry[:3])]
        if any(
            later - earlier <= MS["h"] for (earlier, _), (later, _) in zip(found, found[59:], strict=False)
        ):
            raise TooManyModes
        sets = found[
            : len(sets) + 1
        ]  # what an instant brings rests on earlier sets alone, so one more is right


def _length(length: int, bridge: int) -> str:
    exactly = {0: "as long as bridge", 1: "1 ms longer than bridge", -1: "1 ms shorter than bridge"}
    if not length:
        return "of no length"
    return exactly.get(length - bridge, "longer than bridge" if length > bridge else "shorter than bridge")


def modes(home: Home, trace: Trace, sets: list[tuple[int, str]]) -> Signal:
    """At one instant: the longest is over, what steps set, the hours of the night, commands."""
    night: list[tuple[int, str]] = []
    if home.night:
        edges = paint(hours(home.zone, *home.night, trace.first, trace.last), "begin", "end")
        before = [what for instant, what in edges if instant <= trace.first][-1]
        night = [(trace.first, before)] * (before == "begin") + [
            edge for edge in edges if edge[0] > trace.first
        ]
    out: Signal = [(EVER, "home")]
    mode, until, due = "home", None, False
    waiting = sorted({instant for instant, _ in [*sets, *night, *trace.modes]})
    while waiting:
        now = heapq.heappop(waiting)
        chosen = ["home"] if until == now else []
        chosen += [to for instant, to in sets if instant == now]
        for what in [what for instant, what in night if instant == now]:
            due = what == "begin"
            if not due and [mode, *chosen][-1] == "night":
                chosen.append("home")
        if due and [mode, *chosen][-1] == "home":
            chosen.append("night")
            due = False
        for to in [to for instant, to in trace.modes if instant == now]:
            chosen.append(to)
            due = False
        if chosen:
            mode = chosen[-1]
            out.append((now, mode))
            until = now + home.longest[mode] if mode in home.longest else None
            if until is not None and until <= trace.last:
                heapq.heappush(waiting, until)
        while waiting and waiting[0] == now:
            heapq.heappop(waiting)
    return out


class _Life:
    """One use of a rule over the whole recording."""

    def __init__(self, use: Use, view: View, trace: Trace) -> None:
        self._use, self._view, self._trace = use, view, trace
        self._when, self._clear = view.signal(use.when), view.signal(use.clear)
        self._points = sorted(points_of(use.when))
        self._lost = {
            point: combine(lambda state: state in ("unknown", "stale"), view.state(point))
            for point in self._points
        }
        nobody = combine(lambda *lost: any(lost), *self._lost.values()) if self._lost else [(EVER, False)]
        self._blind = combine(lambda when, lost: when == U and lost, self._when, nobody)
        ups = [up for _, up in trace.downs]
        self._restarts = [trace.first, *ups]
        self._acks = {
            at if trace.up(at) else min((up for up in ups if up >= at and trace.up(up)), default=-1)
            for at, rule in trace.acks
            if rule == use.name
        }
        self._waiting = [*self._restarts, *self._acks]
        self._waiting += [start for signal in (self._when, self._clear, self._blind) for start, _ in signal]
        heapq.heapify(self._waiting)
        self._raised: int | None = None
        self._acked: int | None = None
        self._runs: dict[Step, list[int]] = {}
        """Instants at which steps of the open alert are due."""
        self._count, self._alert, self._fault = 0, "", ""

    def run(self) -> Iterator[Told]:
        now = EVER
        while self._waiting:
            before, now = now, heapq.heappop(self._waiting)
            if self._trace.first <= now <= self._trace.last and now != before and self._trace.up(now):
                for event, rest in (*self._alert_at(now), *self._blind_at(now)):
                    yield now, event, rest

    def _alert_at(self, now: int) -> Iterator[tuple[str, Line]]:
        use, this = self._use, {"alert": self._alert}
        if self._acked is not None and use.again is not None and now >= self._acked + use.again:
            self._acked = None
            self._plan(now, [step for step in use.steps if step.do == "notify"])
            yield "lapsed", this
        if now in self._acks and self._raised is not None and self._raised < now and self._acked is None:
            self._acked = now
            if use.again is not None:
                heapq.heappush(self._waiting, now + use.again)
            yield "acknowledged", this
        when, clear = at(self._when, now), at(self._clear, now)
        if when == T and self._raised is None:
            self._raised, self._alert = now, self._new()
            self._plan(now, use.steps)
            yield "raised", {"alert": self._alert}
        elif (
            self._raised is not None
            and when != T
            and clear == T
            and (not use.hold or self._acked is not None)
        ):
            self._raised, self._acked = None, None
            yield "resolved", this
            for step in use.steps:
                if step.after is None:
                    yield "step", this | {"step": step.number, "do": step.do, "to": step.to}
        if self._raised is not None:
            yield from self._steps_at(now)

    def _plan(self, now: int, steps: list[Step] | tuple[Step, ...]) -> None:
        for step in steps:
            if step.after is not None:
                self._runs[step] = [now + step.after + step.every * number for number in range(step.times)]
                self._waiting += self._runs[step]
        heapq.heapify(self._waiting)

    def _steps_at(self, now: int) -> Iterator[tuple[str, Line]]:
        due = []
        for step, runs in self._runs.items():
            owed = [instant for instant in runs if instant <= now]
            if owed and not (step.do == "notify" and self._acked is not None):
                due.append((owed[0], step.number, step))
                self._runs[step] = runs[len(owed) :]
        for _, number, step in sorted(due, key=lambda entry: entry[:2]):
            yield "step", {"alert": self._alert, "step": number, "do": step.do, "to": step.to}

    def _blind_at(self, now: int) -> Iterator[tuple[str, Line]]:
        if not at(self._blind, now):
            if self._fault:
                yield "recovered", {"alert": self._fault}
            self._fault = ""
        elif not self._fault:
            begin = max(start for start, _ in self._blind if start <= now)
            begin = max(begin, max(instant for instant in self._restarts if instant <= now))
            if now - begin < self._use.grace:
                heapq.heappush(self._waiting, begin + self._use.grace)
                return
            self._fault = self._new()
            because = [point for point in self._points if at(self._lost[point], now)]
            yield "fault", {"alert": self._fault, "because": because}

    def _new(self) -> str:
        self._count += 1
        return f"{self._use.name} {self._count}"
