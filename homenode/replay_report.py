"""What a replay found, for a person: what would have fired, how often a week, and what was blind how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from homenode.config.durations import words
from homenode.contract.times import Zone
from homenode.engine.transition import Happening, Transition
from homenode.language.bound import BoundRule
from homenode.reading import Instant

WEEK_MS = 7 * 86_400_000
SHOWN = 20
"""Alerts of a rule that are listed; of more, only how many."""


@dataclass(slots=True)
class _Occasion:
    """One alert or fault."""

    start: Instant
    end: Instant | None = None
    acknowledged: Instant | None = None
    steps: int = 0
    because: tuple[str, ...] = ()


@dataclass(slots=True)
class _Told:
    """What a rule did."""

    alerts: dict[str, _Occasion] = field(default_factory=dict)
    faults: dict[str, _Occasion] = field(default_factory=dict)


class Report:
    """Collects the transitions of a replay.

    Args:
        rules: Of the home, in its order.
        zone: For the times.
    """

    def __init__(self, rules: Sequence[BoundRule], zone: Zone) -> None:
        self._rules, self._zone = rules, zone
        self._told = {rule.name: _Told() for rule in rules}

    def add(self, change: Transition) -> None:
        """One transition, in order."""
        told = self._told[change.rule]
        match change.event:
            case Happening.RAISED:
                told.alerts[change.alert] = _Occasion(change.at)
            case Happening.RESOLVED:
                told.alerts[change.alert].end = change.at
            case Happening.ACKNOWLEDGED:
                told.alerts[change.alert].acknowledged = change.at
            case Happening.STEP:
                told.alerts[change.alert].steps += 1
            case Happening.FAULT:
                told.faults[change.alert] = _Occasion(change.at, because=change.because)
            case Happening.RECOVERED:
                told.faults[change.alert].end = change.at
            case _:
                pass

    def write(self, out: TextIO, start: Instant, end: Instant, lines: int) -> None:
        """Print it.

        Args:
            out: Where to.
            start, end: Of the recording.
            lines: Of the recording.
        """
        span_ms = end - start
        print(f"{lines:,} lines, {self._when(start)} to {self._when(end)} ({_span(span_ms)})", file=out)
        for rule in self._rules:
            self._rule(out, rule, span_ms, end)

    def _rule(self, out: TextIO, rule: BoundRule, span_ms: int, end: Instant) -> None:
        told = self._told[rule.name]
        count = len(told.alerts)
        rate = f", {count * WEEK_MS / span_ms:.1f} a week" if count and span_ms >= WEEK_MS else ""
        plural = "" if count == 1 else "s"
        print(f"\n{rule.name} ({rule.severity}): {count or 'no'} alert{plural}{rate}", file=out)
        for alert in list(told.alerts.values())[:SHOWN]:
            print(f"  {self._when(alert.start)}  {self._course(alert)}", file=out)
        if count > SHOWN:
            print(f"  … and {count - SHOWN} more", file=out)
        blind_ms = sum((fault.end or end) - fault.start for fault in told.faults.values())
        if told.faults:
            points = sorted({point for fault in told.faults.values() for point in fault.because})
            times = len(told.faults)
            said = f"blind {times} time{'' if times == 1 else 's'}, {_span(blind_ms)} in all"
            print(f"  {said}, because of {', '.join(points)}", file=out)

    def _course(self, alert: _Occasion) -> str:
        parts = [f"{alert.steps} step{'' if alert.steps == 1 else 's'}"]
        if alert.acknowledged is not None:
            parts.append(f"acknowledged after {_span(alert.acknowledged - alert.start)}")
        parts.append(
            "still open" if alert.end is None else f"resolved after {_span(alert.end - alert.start)}"
        )
        return ", ".join(parts)

    def _when(self, at: Instant) -> str:
        return self._zone.text(at)[:19].replace("T", " ")


def _span(span_ms: int) -> str:
    """A duration for people: whole seconds once it is longer than a minute."""
    return words(span_ms if span_ms < 60_000 else span_ms // 1000 * 1000)
