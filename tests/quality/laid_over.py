"""Real appliances' power laid over the homes, as a plug would report it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from homenode.importing.gather import Imported
from homenode.reading import Instant
from homenode.recordings import Recording
from tests.quality.recorded import RecordedHome
from tests.quality.spans import MINUTE_MS

POWER = Path(__file__).parents[3] / "shared/data/power"
CHANGE_W, LEAST_MS = 5, 5_000
"""A plug reports a change of this much, at most this often."""
USE_W, PAUSE_MS = 50, 8 * MINUTE_MS
"""One use of an appliance: above this, with pauses up to that (a hob's thermostat: 7 min 11 s)."""
MARGIN_MS = 30_000
"""A hob is turned on and off this long after cooking begins and before it ends."""

Reports = list[tuple[int, float]]
"""Milliseconds since its beginning, and W."""


@cache
def days(appliance: str) -> tuple[Reports, ...]:
    """Its recorded days, each from local midnight."""
    found = []
    for file in sorted(POWER.glob(f"{appliance}_*.csv.gz")):
        reports: Reports = []
        for at, source, value, _ in Recording(file):
            if source == "power" and isinstance(value, int | float):
                since = at % 86_400_000
                if not reports or (
                    since - reports[-1][0] >= LEAST_MS and abs(value - reports[-1][1]) >= CHANGE_W
                ):
                    reports.append((since, value))
        found.append(reports)
    return tuple(found)


@cache
def uses(appliance: str) -> tuple[Reports, ...]:
    """All its uses on all days, each from the instant it is turned on; the last report is off."""
    found: list[Reports] = []
    for reports in days(appliance):
        begun = ended = None
        for n, (since, watt) in enumerate(reports):
            if watt <= USE_W:
                continue
            if begun is None or ended is None or since - ended > PAUSE_MS:
                begun = n
                found.append([])
            off = reports[n + 1][0] if n + 1 < len(reports) else since + LEAST_MS
            ended = off
            found[-1] = [(at - reports[begun][0], w) for at, w in reports[begun : n + 1]]
            found[-1].append((off - reports[begun][0], 0))
    return tuple(use for use in found if use[-1][0] >= 2 * MINUTE_MS)


def burning(
    rng: random.Random, start: Instant, end: Instant, appliance: str = "stove"
) -> list[tuple[Instant, float]]:
    """A hob on from `start` to `end`: a recorded use, over and over, and then off."""
    use = rng.choice([use for use in uses(appliance) if use[-1][0] >= 4 * MINUTE_MS])
    reports: list[tuple[Instant, float]] = []
    begin = start
    while begin < end:
        reports += [(begin + since, watt) for since, watt in use if begin + since < end]
        begin += use[-1][0] + 2 * MINUTE_MS
    return [*reports, (end, 0)]


def with_power(
    readings: Iterable[Imported], point: str, reports: list[tuple[Instant, float]]
) -> list[Imported]:
    """Readings in which a quiet plug draws what `reports` say; it repeats itself as before."""
    said: list[Imported] = []
    now, n = 0.0, 0
    for reading in readings:
        while n < len(reports) and reports[n][0] <= reading.at:
            now = reports[n][1]
            said.append(Imported(reports[n][0], point, now))
            n += 1
        said.append(Imported(reading.at, point, now) if reading.point == point else reading)
    return said


def attended(home: RecordedHome, point: str, rng: random.Random) -> tuple[list[Imported], int]:
    """The home's readings with a hob on all through each annotated cooking; and how often."""
    reports: list[tuple[Instant, float]] = []
    cooked = [
        activity
        for activity in home.annotation.of("cooking")
        if activity.start >= home.start and activity.end - activity.start > 2 * MINUTE_MS + 2 * MARGIN_MS
    ]
    for activity in cooked:
        reports += burning(rng, activity.start + MARGIN_MS, activity.end - MARGIN_MS)
    return with_power(home.readings, point, sorted(reports)), len(cooked)


def whole_days(home: RecordedHome, plugs: dict[str, str]) -> list[Imported]:
    """The home's readings with each plug (point to appliance) living the appliance's own days."""
    readings = home.readings
    for point, appliance in plugs.items():
        reports: list[tuple[Instant, float]] = []
        for n, midnight in enumerate(_midnights(home.start, home.end, home.zone)):
            day = days(appliance)[n % len(days(appliance))]
            reports += [(midnight + since, watt) for since, watt in day]
        readings = with_power(readings, point, [(at, w) for at, w in reports if at >= home.start])
    return readings


def _midnights(start: Instant, end: Instant, zone: ZoneInfo) -> list[Instant]:
    day = datetime.fromtimestamp(start / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while (at := round(day.timestamp() * 1000)) < end:
        found.append(at)
        day += timedelta(days=1)
    return found
