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
from homenode.engine.events import Event, ModeSet, Reading
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
LEAD_MS, TRAIL_MS = 30 * HOUR_MS, 14 * HOUR_MS
"""What of the recording before and after a hazard is replayed; longer than any rule of these remembers."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One hazard.

    Attributes:
        readings: What the node hears in [start, end], the hazard in it.
        at: When it begins.
        due: When the rule must raise.
        modes: The mode that is set, and when.
    """

    readings: list[Imported]
    start: Instant
    end: Instant
    at: Instant
    due: Instant
    modes: tuple[tuple[Instant, str], ...] = ()

    def events(self) -> list[Event]:
        """What the engine is fed."""
        said: list[Event] = [Reading(point, value, at) for at, point, value in self.readings]
        said += [ModeSet(mode, at) for at, mode in self.modes]
        return sorted(said, key=lambda event: event.at)


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
        self.start, self.end = self.span = at - LEAD_MS, at + TRAIL_MS
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

    def turned(self, points: tuple[str, ...], start: Instant, end: Instant) -> list[Instant]:
        """When one of them said something else than before, in [start, end]."""
        last: dict[str, Value] = {}
        times = []
        for at, point, value in self.readings:
            if point in points:
                if start <= at <= end and point in last and last[point] != value:
                    times.append(at)
                last[point] = value
        return times

    def others(self, *points: str) -> tuple[str, ...]:
        """All points of the home that tell of people, but these."""
        telling = (".motion", ".occupancy", ".contact")
        return tuple({r.point for r in self.readings if r.point.endswith(telling)} - {*points})

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


def burner_left_on(place: Place) -> Injected | None:
    """As `hob_left_on`, by the knob's contact; seen by motion, or by what is used in the kitchen."""
    burners, eyes, used = place.points("burner"), place.points("presence"), place.points("used")
    if any(place.is_now(burner, True) for burner in burners):
        return None
    gone = place.at + place.rng.randrange(10 * MINUTE_MS)
    place.silence((*burners, *used), place.at)
    place.silence(eyes, gone)
    thing = place.rng.choice(used) if used else ""
    touches = [(gone, thing, not place.is_now(thing, True))] if thing else []
    place.say(*((gone, eye, False) for eye in eyes), *touches, (place.at, place.rng.choice(burners), True))
    hot = union(*(place.when(burner) for burner in burners))
    if used:
        due = max(place.at, gone + 1) + place.span_ms("alone")
        return Injected(place.readings, place.start, place.end, place.at, due)
    absent = outside(shorter(union(*(place.when(eye) for eye in eyes)), place.span_ms("stuck")), *place.span)
    return place.found(lasted(both(hot, absent), place.span_ms("alone")))


def cooker_left_on(place: Place) -> Injected | None:
    """As `hob_left_on`, by a clamp."""
    clamps, eyes = place.points("current"), place.points("presence")
    gone = place.at + place.rng.randrange(10 * MINUTE_MS)
    place.silence(eyes, gone)
    place.silence(clamps[:1], place.at)
    on = [(at, clamps[0], 7.5) for at in range(place.at, place.end, 10 * MINUTE_MS)]
    place.say(*((gone, eye, False) for eye in eyes), *on)
    absent = outside(shorter(union(*(place.when(eye) for eye in eyes)), place.span_ms("stuck")), *place.span)
    return place.found(lasted(both([(place.at, place.end)], absent), place.span_ms("alone")))


def hob_left_on_by_use(place: Place) -> Injected | None:
    """As `hob_left_on`; what was last touched in the kitchen tells when somebody was there."""
    (stove,), used = place.points("stove"), place.points("used")
    gone = place.at + place.rng.randrange(10 * MINUTE_MS)
    place.silence(used, place.at)
    thing = place.rng.choice(used)
    place.say((gone, thing, not place.is_now(thing, True)))
    place.readings = with_power(place.readings, stove, burning(place.rng, place.at, place.end))
    due = max(place.at, gone + 1) + place.span_ms("alone")
    return Injected(place.readings, place.start, place.end, place.at, due)


def hob_on_and_gone(place: Place) -> Injected | None:
    """A hob has been on for 5 min when somebody goes out by the front door; an eye may hold on."""
    (stove,), (door,), eyes = place.points("stove"), place.points("door"), place.points("presence")
    if not place.is_now(door, False):
        return None
    begun = place.at - 5 * MINUTE_MS
    last = place.at + place.rng.randrange(MINUTE_MS)
    place.silence((*eyes, door), begun)
    place.say(*((begun, eye, False) for eye in eyes))
    place.say((place.at - 10_000, eyes[0], True), (last, eyes[0], False))
    place.say((place.at, door, True), (place.at + place.rng.randrange(1_000, 20_000), door, False))
    place.readings = with_power(place.readings, stove, burning(place.rng, begun, place.end))
    hot_w = float(number(place.use, "hot").split()[0])
    hot = longer(place.when(stove, lambda value: value is not None and value > hot_w), place.span_ms("cycle"))
    gone = lasted([(max(place.at, last), place.end)], place.span_ms("quiet"))
    return place.found(both(hot, gone))


def out_at_night(place: Place) -> Injected | None:
    """Somebody goes out by the front door at night and doesn't come back."""
    (door,), inside, beds = place.points("door"), place.points("inside"), place.points("bed")
    night = clock(number(place.use, "from"), number(place.use, "to"), place.home.zone, *place.span)
    if not place.is_now(door, False) or first(night, place.at) != place.at:
        return None
    last = place.at + place.rng.randrange(MINUTE_MS)
    woken = place.at - 3 * MINUTE_MS
    place.silence((*inside, *beds, door), woken)
    place.say(*((woken, point, False) for point in (*inside, *beds)))
    place.say((place.at - MINUTE_MS, inside[0], True), (last, inside[0], False))
    place.say((place.at, door, True), (place.at + place.rng.randrange(1_000, 20_000), door, False))
    due = max(place.at, last) + place.span_ms("back")
    return Injected(place.readings, place.start, place.end, place.at, due)


def falls_in_the_bathroom(place: Place) -> Injected | None:
    """Somebody comes from another room into the bathroom, and nothing moves anywhere after that."""
    (bathroom,), elsewhere = place.points("bathroom"), place.points("elsewhere")
    if not elsewhere or place.turned((bathroom,), place.at - 20 * MINUTE_MS, place.at):
        return None
    place.silence((bathroom, *elsewhere), place.at - 2 * MINUTE_MS)
    way = place.rng.choice(elsewhere)
    open_now = place.is_now(way, True)
    place.say((place.at - 2 * MINUTE_MS, bathroom, False))
    place.say((place.at - 70_000, way, not open_now), (place.at - 40_000, way, open_now))
    place.say((place.at, bathroom, True), (place.at + 50_000, bathroom, False))
    due = place.at + place.span_ms("long")
    return Injected(place.readings, place.start, place.end, place.at, due)


def falls(place: Place) -> Injected | None:
    """Nothing in the home moves from some instant on."""
    life = (*place.points("life"), *place.points("door"))
    signs = place.turned(life, place.start, place.at)
    place.silence(place.others(), place.at)
    silence = place.home.home.modes["away"].silence
    doors = place.points("door") or ((silence.door,) if silence else ())
    if not signs or (doors and place.turned(doors, signs[-1] - 5 * MINUTE_MS, signs[-1])):
        return None  # the last that turned was the front door: somebody may have gone out
    # the last sign still counts at the instant that is exactly that long after it
    due = signs[-1] + place.span_ms("long") + 1
    return Injected(place.readings, place.start, place.end, place.at, due) if due > place.at else None


def somebody_in(place: Place) -> Injected | None:
    """The mode is away for an hour, and somebody moves about."""
    (*eyes,) = place.points("presence") or place.points("bed")
    away = place.at - HOUR_MS
    place.silence(tuple(eyes), away)
    place.say(*((away, eye, False) for eye in eyes))
    lying = bool(place.points("bed"))
    for at in range(place.at, place.at + place.span_ms("long") + HOUR_MS, MINUTE_MS):
        eye = place.rng.choice(eyes)
        place.say((at, eye, True), *(() if lying else ((at + 20_000, eye, False),)))
    due = place.at + place.span_ms("long")
    return Injected(place.readings, place.start, place.end, place.at, due, ((away, "away"),))


def left_on(place: Place) -> Injected | None:
    """An appliance is turned on and not off again; it goes on as recorded ones do."""
    (plug,) = place.points("appliance")
    place.readings = with_power(place.readings, plug, burning(place.rng, place.at, place.end, "iron"))
    on_w = float(number(place.use, "on").split()[0])
    on = longer(place.when(plug, lambda value: value is not None and value > on_w), place.span_ms("cycle"))
    return place.found(lasted(on, place.span_ms("long")))


def window_in_winter(place: Place) -> Injected | None:
    """A window is opened, and it gets cold inside within an hour."""
    window, (air,) = place.points("window")[0], place.points("temperature")
    place.silence((window, air), place.at)
    cold = place.at + place.rng.randrange(HOUR_MS)
    place.say((place.at, window, True), (cold, air, 15.0))
    times = range(cold, place.end, 10 * MINUTE_MS)
    place.say(*((at, air, 15.0) for at in times))
    due = max(place.at + place.span_ms("open"), cold)
    return Injected(place.readings, place.start, place.end, place.at, due)


def gets_up_in_the_dark(place: Place) -> Injected | None:
    """Somebody in bed gets up."""
    beds = place.points("bed")
    if not any(place.is_now(bed, True) for bed in beds):
        return None
    place.silence(beds, place.at)
    place.say(*((place.at, bed, False) for bed in beds))
    due = place.at + place.span_ms("up")
    return Injected(place.readings, place.start, place.end, place.at, due)


def stands_open(place: Place) -> Injected | None:
    """A door, fridge or window is opened and stays open."""
    (door,) = place.points("door") or place.points("fridge")
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
    """Somebody in bed gets up at night, and nothing is heard after that."""
    beds = place.points("bed")
    begin, end = number(place.use, "from"), number(place.use, "to")
    night = clock(begin, end, place.home.zone, place.start, place.end)
    stuck_ms = place.span_ms("stuck")
    taken = union(*(shorter(place.when(bed), stuck_ms) for bed in beds))
    if first(both(taken, night), place.at - 1) != place.at - 1:
        return None
    place.silence((*beds, *place.others(*beds)), place.at)
    place.say(*((place.at, bed, False) for bed in beds))
    taken = union(*(shorter(place.when(bed), stuck_ms) for bed in beds))
    empty = outside(taken, place.start, place.end)
    lain = longer(lasted(longer(taken, MINUTE_MS), place.span_ms("lain")), place.span_ms("slept"))
    return place.found(both(both(lasted(empty, place.span_ms("out")), night), lain))


def is_up_and_seen(place: Place) -> Injected | None:
    """Somebody in bed gets up at night and is seen elsewhere within 5 min, and nothing after that."""
    beds, elsewhere = place.points("bed"), place.points("elsewhere")
    night = clock(number(place.use, "from"), number(place.use, "to"), place.home.zone, *place.span)
    if not any(place.is_now(bed, True) for bed in beds) or first(night, place.at) != place.at:
        return None
    if place.turned(beds, place.at - 10 * MINUTE_MS, place.at) == []:
        return None  # a mat that hangs
    seen = place.at + place.rng.randrange(MINUTE_MS, 5 * MINUTE_MS)
    place.silence((*beds, *place.others(*beds)), place.at)
    eye = place.rng.choice(elsewhere)
    place.say(*((place.at, bed, False) for bed in beds), *((place.at, each, False) for each in elsewhere))
    place.say((seen, eye, True), (seen + 20_000, eye, False))
    return place.found(both([(seen + place.span_ms("out"), place.end)], night))


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
    "appliance_left_on": left_on,
    "burner_left_on": burner_left_on,
    "burner_left_on_by_use": burner_left_on,
    "cooker_left_on": cooker_left_on,
    "fridge_left_open": stands_open,
    "gas_alarm": says(True, "gas"),
    "guide_light": gets_up_in_the_dark,
    "heat_alarm": says(True, "heat"),
    "long_in_bathroom": falls_in_the_bathroom,
    "no_sign_of_life": falls,
    "out_at_night": out_at_night,
    "out_at_night_bed": out_at_night,
    "out_of_bed_at_night_mat": is_up_and_seen,
    "stove_left_on_by_use": hob_left_on_by_use,
    "no_sign_of_life_door": falls,
    "power_cut": says(False, "mains", after="long"),
    "somebody_home": somebody_in,
    "somebody_in_bed": somebody_in,
    "stove_guard": says(True, "guard"),
    "stove_on_and_gone": hob_on_and_gone,
    "tamper": says(True, "tamper"),
    "window_open_in_winter": window_in_winter,
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

TRIES = 1000


def _nights(home: RecordedHome, use: RuleUse) -> Spans:
    """When the hazards of a rule may begin: for one of the night an hour before it, and until its end."""
    if not use.file.stem.endswith(("_at_night", "_at_night_bed", "_at_night_mat")):
        return [(home.start, home.end)]
    nights = clock(number(use, "from"), number(use, "to"), home.zone, home.start, home.end)
    return union([(start - HOUR_MS, end) for start, end in nights])


def draw(home: RecordedHome, use: RuleUse, times: int, rng: random.Random, busy: Spans) -> list[Injected]:
    """So many hazards of a rule at random times, each in a home of its own; fewer if there is no room.

    Args:
        busy: When the rule's alert is open without any hazard.
    """
    put = HAZARDS[use.file.stem]
    nights = _nights(home, use)
    found: list[Injected] = []
    for _ in range(TRIES):
        if len(found) == times:
            break
        at = rng.randrange(home.start + LEAD_MS, home.end - TRAIL_MS)
        if not home.is_up(at - LEAD_MS, at + TRAIL_MS) or first(nights, at) != at:
            continue
        hazard = put(Place(home, use, at, rng))
        if hazard is None or any(start <= hazard.due and end >= hazard.at for start, end in busy):
            continue
        found.append(hazard)
    return found
