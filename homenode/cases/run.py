"""Runs a case by the engine that runs in a home, and tells what came out differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homenode.cases.case import Case, Expected
from homenode.cases.lines import ALWAYS, SOMETIMES
from homenode.engine.engine import Engine
from homenode.engine.transition import Happening, Transition
from homenode.engine.wall import WallClock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case; it holds if nothing is missing and nothing came unasked."""

    case: Case
    missing: tuple[Expected, ...]
    unasked: tuple[Expected, ...]

    @property
    def holds(self) -> bool:
        """Whether the rule did what the case says and nothing else."""
        return not self.missing and not self.unasked

    def lines(self) -> Iterator[str]:
        """What was different, in order of time."""
        both = [(e.at, 0, e) for e in self.missing] + [(e.at, 1, e) for e in self.unasked]
        for at, unasked, expected in sorted(both, key=lambda found: found[:2]):
            why = "happened, and no line says so" if unasked else "did not happen"
            because = f" {' '.join(expected.because)}" if expected.because else ""
            yield f"{self.case.calendar.reads(at)} {expected.what}{because}: {why}"


def run(case: Case) -> Outcome:
    """One case from beginning to end."""
    wall = WallClock(case.calendar.timezone)
    engine = Engine([case.rule], case.limits_ms, start=case.start, modes=case.modes, wall=wall)
    for event in case.events:
        engine.feed(event)
    return compare(case, engine.advance(case.end))


def compare(case: Case, happened: list[Transition]) -> Outcome:
    """What a case says, beside what happened."""
    named = {_sort(expected.what) for expected in case.expected} | set(ALWAYS)
    found = [_told(change) for change in happened if _sort(_told(change).what) in named]
    missing = []
    for expected in case.expected:
        match = next((told for told in found if _fits(expected, told)), None)
        if match is None:
            missing.append(expected)
        else:
            found.remove(match)
    return Outcome(case, tuple(missing), tuple(found))


def _fits(expected: Expected, told: Expected) -> bool:
    same = (expected.at, expected.what) == (told.at, told.what)
    return same and expected.because in (None, told.because)


def _sort(what: str) -> str:
    """Steps are told all or none, likewise acknowledgements and lapses."""
    return what if what in (*ALWAYS, *SOMETIMES) else "step"


def _told(change: Transition) -> Expected:
    if change.event is Happening.STEP:
        return Expected(change.at, f"step {change.step} {change.do}")
    because = change.because if change.event is Happening.FAULT else None
    return Expected(change.at, change.event.value, because)
