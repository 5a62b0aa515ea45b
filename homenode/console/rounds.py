"""Night rounds as a queue: which looks are due, by their times (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LATE_MS = 6 * 3_600_000
"""A look that was not taken for so long is missed: it is morning."""
AHEAD_MS = 4 * 3_600_000
"""What comes is shown so long before."""


@dataclass(frozen=True, slots=True)
class Round:
    """When a home is looked in on, and through which of its cameras; `times` in minutes of the day."""

    home: str
    camera: str
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """One look of a round; `id` is the same for everybody who sees the queue."""

    id: str
    at: int
    round: Round


def stops(rounds: Iterable[Round], timezone: str, now: int) -> list[Stop]:
    """Those of now, in order; who has seen to which is the board's."""
    zone, found = ZoneInfo(timezone), []
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()
    for one in rounds:
        for minutes in one.times:
            for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
                at = _instant(day, minutes, zone)
                if now - LATE_MS <= at <= now + AHEAD_MS:
                    name = f"{day.isoformat()}.{minutes:04d}.{one.home}.{one.camera}"
                    found.append(Stop(name, at, one))
    return sorted(found, key=lambda stop: (stop.at, stop.id))


def queue(found: Iterable[Stop], gone: Mapping[str, object], now: int) -> list[Stop]:
    """What is to be looked at now, the longest due first."""
    return [stop for stop in found if stop.at <= now and stop.id not in gone]


def _instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    local = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
    return int(local.timestamp() * 1000)
