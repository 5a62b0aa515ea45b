"""One case of a rule: a story with its times, as the engine takes it, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from homenode.config.model import Mode
from homenode.engine.events import Event
from homenode.language.bound import BoundRule
from homenode.reading import Instant


@dataclass(frozen=True, slots=True)
class Calendar:
    """From the times of a story to instants: day 1 is `first`, times are local."""

    first: date
    timezone: str

    def instant(self, day: int, of_day_ms: int) -> Instant:
        """The instant at which the clock on the wall reads so."""
        seconds, ms = divmod(of_day_ms, 1000)
        at = datetime.combine(self.first + timedelta(days=day - 1), datetime.min.time())
        local = (at + timedelta(seconds=seconds)).replace(tzinfo=ZoneInfo(self.timezone))
        return round(local.timestamp()) * 1000 + ms

    def reads(self, at: Instant) -> str:
        """An instant as a story writes it."""
        local = datetime.fromtimestamp(at // 1000, ZoneInfo(self.timezone))
        day = (local.date() - self.first).days + 1
        text = f"{local:%H:%M:%S}" if local.second or at % 1000 else f"{local:%H:%M}"
        text += f".{at % 1000:03}" if at % 1000 else ""
        return text if day == 1 else f"day {day} {text}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must happen at an instant: ``raised``, ``step 2 notify``, ``fault`` …

    Attributes:
        because: Of a fault, the points it must name; None if any.
    """

    at: Instant
    what: str
    because: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case, read and bound.

    Attributes:
        it: The sentence that it shows.
        line: Of the trace's file.
        rule: As it is bound here.
        limits_ms: Per device, how long it may be silent (-1: for ever).
        events: What happens, in order.
        expected: What the rule does.
        start, end: The node's first start, and how far time runs.
    """

    it: str
    file: str
    line: int
    rule: BoundRule
    calendar: Calendar
    limits_ms: Mapping[str, int]
    modes: Mapping[str, Mode]
    events: tuple[Event, ...]
    expected: tuple[Expected, ...]
    start: Instant
    end: Instant
