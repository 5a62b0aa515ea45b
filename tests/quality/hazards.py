"""Hazards put into a recorded home at random times, and when the rule's requirement says they must be found.

The deadline is worked out with `tests.quality.spans` from the requirement in plain words and the rule's
numbers; neither the rule's condition nor the engine has a part in it. A hazard that can't be put into this
home then (the door is open already, the alarm for it is) is drawn anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from homenode.config.durations import milliseconds
from homenode.config.model import RuleUse
from homenode.config.yaml12 import Scalar, Table, compose, read_text
from homenode.importing.gather import Imported
from homenode.reading import Instant, Value
from tests.quality.laid_over import burning, with_power
from tests.quality.recorded import RecordedHome
from tests.quality.spans import (
    MINUTE_MS,
    Spans,
    both,
    clock,
    first,
    lasted,
    longer,
    outside,
    shorter,
    union,
    where,
)

HOUR_MS = 60 * MINUTE_MS
LEAD_MS, TRAIL_MS = 30 * HOUR_MS, 8 * HOUR_MS
"""What of the recording before and after a hazard is replayed; longer than any rule of these remembers."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One hazard.

    Attributes:
        readings: What the node hears in [start, end], the hazard in it.
        at: When it begins.
        due: When the rule must raise.
    """

    readings: list[Imported]
    start: Instant
    end: Instant
    at: Instant
    due: Instant


class Place:
    """A stretch of a home's recording into which one hazard is put.

    Args:
        home: The home.
        use: The rule whose hazard it is.
        at: When.
        rng: For what else is random.
    """

    def __init__(self, home: RecordedHome, use: RuleUse, at: Instant, rng: random.Random) -> None:
        self.home, self.use, self.at, self.rng = home, use, at, rng
        self.start, self.end = at - LEAD_MS, at + TRAIL_MS
        before: dict[str, Imported] = {}
        self.readings: list[Imported] = []
        for reading in home.readings:
            if reading.at <= self.start:
                before[reading.point] = reading._replace(at=self.start)
            elif reading.at <= self.end:
                self.readings.append(reading)
        self.readings = [*before.values(), *self.readings]

    def points(self, role: str) -> tuple[str, ...]:
        """What the home binds to it; none if the rule has no such role."""
        return self.use.bind.get(role, ())

    def span_ms(self, parameter: str) -> int:
        """A duration of the rule: as the home sets it, else the rule's default."""
        return milliseconds(number(self.use, parameter))

    def is_now(self, point: str, value: Value) -> bool:
        """Whether the point says so when the hazard begins."""
        before = [
            reading.value for reading in self.readings if reading.point == point and reading.at <= self.at
        ]
        return bool(before) and before[-1] == value

    def silence(self, points: tuple[str, ...], after: Instant) -> None:
        """The points say nothing more from then on."""
        self.readings = [
            reading for reading in self.readings if reading.point not in points or reading.at <= after
        ]

    def say(self, *readings: tuple[Instant, str, Value]) -> None:
        """They are heard besides."""
        said = [*self.readings, *(Imported(*reading) for reading in readings)]
        self.readings = sorted(said, key=lambda reading: reading.at)

    def when(self, point: str, holds: Callable[[Value], bool] = bool) -> Spans:
        """Stretches in which the point's value is so."""
        return where(self.readings, point, holds, self.end + 1)

    def found(self, spans: Spans) -> Injected | None:
        """The hazard, due at the first instant of `spans` from its beginning on."""
        due = first(spans, self.at)
        return None if due is None else Injected(self.readings, self.start, self.end, self.at, due)


def number(use: RuleUse, parameter: str) -> str:
    """A parameter's text."""
    if parameter in use.set:
        return use.set[parameter]
    root = compose(read_text(use.file, str(use.file)), str(use.file))
    assert isinstance(root, Table)
    parameters = root.get("parameters")
    assert isinstance(parameters, Table), use.file
    row = parameters.get(parameter)
    assert isinstance(row, Table), parameter
    default = row.get("default")
    assert isinstance(default, Scalar)
    return default.text


def hob_left_on(place: Place) -> Injected | None:
    """A hob is on; whoever cooked goes away within 10 min, and nobody comes back."""
    (stove,), eyes = place.points("stove"), place.points("presence")
    gone = place.at + place.rng.randrange(10 * MINUTE_MS)
    place.silence(eyes, gone)
    place.say(*((gone, eye, False) for eye in eyes))
    place.readings = with_power(place.readings, stove, burning(place.rng, place.at, place.end))
    hot_w = float(number(place.use, "hot").split()[0])
    hot = longer(place.when(stove, lambda value: value is not None and value > hot_w), place.span_ms("cycle"))
    seen = shorter(union(*(place.when(eye) for eye in eyes)), place.span_ms("stuck"))
    absent = outside(seen, place.start, place.end)
    return place.found(lasted(both(hot, absent), place.span_ms("alone")))


def stands_open(place: Place) -> Injected | None:
    """A door is opened and stays open."""
    (door,) = place.points("door")
    if not place.is_now(door, False):
        return None
    place.silence((door,), place.at)
    place.say((place.at, door, True))
    return place.found(lasted(place.when(door), place.span_ms("open")))


def stands_open_at_night(place: Place) -> Injected | None:
    """A door is opened in the evening or at night and stays open."""
    (door,) = place.points("door")
    begin, end = number(place.use, "from"), number(place.use, "to")
    night = clock(begin, end, place.home.zone, place.start, place.end)
    evening = longer(night, 0) + [(a - HOUR_MS, a) for a, _ in night]
    if not place.is_now(door, False) or first(union(evening), place.at) != place.at:
        return None
    place.silence((door,), place.at)
    place.say((place.at, door, True))
    return place.found(both(lasted(place.when(door), place.span_ms("open")), night))


def leaves_the_bed(place: Place) -> Injected | None:
    """Somebody in bed gets up at night, is seen once on the way, and neither seen nor in bed after that."""
    beds = place.points("bed")
    begin, end = number(place.use, "from"), number(place.use, "to")
    night = clock(begin, end, place.home.zone, place.start, place.end)
    if not any(place.is_now(bed, True) for bed in beds) or first(night, place.at) != place.at:
        return None
    others = tuple(
        {reading.point for reading in place.readings if reading.point.endswith((".motion", ".contact"))}
    )
    place.silence((*beds, *others), place.at)
    place.say(*((place.at, bed, False) for bed in beds))
    ways = [way for way in others if way in place.points("up")]
    seen = place.at + place.rng.randrange(MINUTE_MS, 5 * MINUTE_MS)
    if ways:
        way = place.rng.choice(sorted(ways))
        calm = place.is_now(way, True)
        place.say((seen, way, not calm), (seen + 20_000, way, calm))
    empty = outside(union(*(place.when(bed) for bed in beds)), place.start, place.end)
    return place.found(both(lasted(empty, place.span_ms("out")), night))


def says(value: Value, role: str, after: str = "", every_ms: int = 0) -> Callable[[Place], Injected | None]:
    """A sensor of `role` says `value` from some instant on; due at once, or after the parameter `after`."""

    def put(place: Place) -> Injected | None:
        point = place.points(role)[0]
        place.silence((point,), place.at)
        times = range(place.at, place.end, every_ms) if every_ms else (place.at,)
        place.say(*((at, point, value) for at in times))
        due = place.at + (place.span_ms(after) if after else 0)
        return Injected(place.readings, place.start, place.end, place.at, due)

    return put


HAZARDS: dict[str, Callable[[Place], Injected | None]] = {
    "battery_low": says(5, "battery", after="long"),
    "co_alarm": says(True, "co"),
    "cold": says(14.5, "temperature", after="long", every_ms=10 * MINUTE_MS),
    "door_left_open": stands_open,
    "door_open_at_night": stands_open_at_night,
    "help_button": says(True, "button"),
    "out_of_bed_at_night": leaves_the_bed,
    "smoke_alarm": says(True, "smoke"),
    "stove_left_on": hob_left_on,
    "water_leak": says(True, "water"),
}
"""By the rule file's name."""

TRIES = 400


def draw(home: RecordedHome, use: RuleUse, times: int, rng: random.Random, busy: Spans) -> list[Injected]:
    """So many hazards of a rule at random times, each in a home of its own; fewer if there is no room.

    Args:
        busy: When the rule's alert is open without any hazard.
    """
    put = HAZARDS[use.file.stem]
    found: list[Injected] = []
    for _ in range(TRIES):
        if len(found) == times:
            break
        at = rng.randrange(home.start + LEAD_MS, home.end - TRAIL_MS)
        if not home.is_up(at - LEAD_MS, at + TRAIL_MS):
            continue
        hazard = put(Place(home, use, at, rng))
        if hazard is None or any(start <= hazard.due and end >= hazard.at for start, end in busy):
            continue
        found.append(hazard)
    return found
