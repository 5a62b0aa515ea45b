"""Runs the real engine over what a home's node heard, and says which alarms came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from homenode.engine.events import Event
from homenode.engine.transition import Happening, Transition
from homenode.language.bound import BoundRule
from homenode.reading import Instant
from homenode.replay import run
from tests.quality.recorded import RecordedHome


class Alarm(NamedTuple):
    """One alert.

    Attributes:
        told: Instant of its first notify step; None if it ended before.
        end: None if it was still open.
    """

    rule: str
    at: Instant
    told: Instant | None
    end: Instant | None


class _Tape:
    """Events as `homenode.replay.run` takes a trace's."""

    start = None
    trusted = True

    def __init__(self, events: Sequence[Event], end: Instant) -> None:
        self._events, self._end = events, end

    def events(self) -> Iterator[tuple[Instant, Event | None]]:
        for event in self._events:
            if event.at <= self._end:
                yield event.at, event
        yield self._end, None


def transitions(
    home: RecordedHome, events: Sequence[Event], end: Instant, rules: Sequence[BoundRule] | None = None
) -> Iterator[Transition]:
    """All of them, until `end`."""
    return run(home.home, tuple(home.rules if rules is None else rules), _Tape(events, end))


def alarms(changes: Iterator[Transition], rules: Sequence[BoundRule]) -> list[Alarm]:
    """Alerts in the order they were raised. One without a notify step is told at once."""
    silent = {rule.name: not any(step.do == "notify" for step in rule.steps) for rule in rules}
    begun: dict[str, Alarm] = {}
    for change in changes:
        match change.event:
            case Happening.RAISED:
                told = change.at if silent[change.rule] else None
                begun[change.alert] = Alarm(change.rule, change.at, told, None)
            case Happening.STEP if change.do == "notify" and begun[change.alert].told is None:
                begun[change.alert] = begun[change.alert]._replace(told=change.at)
            case Happening.RESOLVED:
                begun[change.alert] = begun[change.alert]._replace(end=change.at)
    return list(begun.values())
