"""What happens in the apartment when somebody does something: doors, motion, beds, appliances."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from homenode.sim.apartment import OUTSIDE
from homenode.sim.appliances import APPLIANCES
from homenode.sim.scenario import Scenario
from homenode.sim.sentences import AWAY, ELSEWHERE, Goes, Measures, Presses, Runs, Sentence, Sets
from homenode.sim.things import Thing
from homenode.sim.timeline import Cancel, Timeline

STIRS_S = (15.0, 50.0)
"""How often somebody awake in a room is seen by its motion sensor (least and most seconds between)."""
SEEN_S = 8.0
"""How long a wired motion sensor stays on after a movement; Zigbee ones clear by themselves."""
DOOR_OPEN_S = 6.0
"""How long a door stands open when somebody goes through."""
METER_S = 30.0
"""How often a running appliance's meter reads anew; a plug reports when that differs enough."""
LEAST_REAL_S = 0.25
"""However fast the clock runs, nothing is shorter than this in reality: contacts are debounced."""
MAINS_V = 230
SCATTER = 0.02
"""Of a meter's readings around the mean: tracebase's plate scatters by 2 to 4 %."""


class Appliance:
    """One appliance on a metering plug; draws nothing while the plug is off."""

    def __init__(self, kind: str, plug: Thing, timeline: Timeline, dice: random.Random) -> None:
        self._what, self._plug, self._timeline, self.dice = APPLIANCES[kind], plug, timeline, dice
        self.on = False
        self._mean_w = self._what.idle_w
        self._phases: Iterator[tuple[float, float]] = iter(())
        self._phase: Cancel | None = None
        self._meter: Cancel | None = None
        if self._what.always_on:
            self.turn(True)
        else:
            self.read()

    def turn(self, on: bool) -> None:
        """On or off, at its own switch."""
        for cancel in (self._phase, self._meter):
            if cancel is not None:
                cancel()
        self._phase = self._meter = None
        self.on = on
        self._phases = self._what.run(self.dice) if on else iter(())
        if on:
            self._next()
        else:
            self._mean_w = self._what.idle_w
            self.read()

    def read(self) -> None:
        """The meter reads now."""
        powered = self._plug.outputs.get("switch", True)
        mean_w = self._mean_w if powered else 0.0
        scattered = mean_w * self.dice.uniform(1 - SCATTER, 1 + SCATTER)
        self._plug.measure("power", round(scattered, 1))
        if "current" in self._plug.kinds:
            self._plug.measure("current", round(scattered / MAINS_V, 3))

    def _next(self) -> None:
        phase = next(self._phases, None)
        if phase is None:
            self.turn(False)
            return
        self._mean_w, lasts_s = phase
        self._phase = self._timeline.after(lasts_s, self._next)
        if self._meter is not None:
            self._meter()
        self._read_on()

    def _read_on(self) -> None:
        self.read()
        self._meter = self._timeline.after(METER_S, self._read_on, real_s=LEAST_REAL_S)


class People:
    """Everybody who lives in the apartment, and what their doings do to its devices."""

    def __init__(
        self,
        things: Mapping[str, Thing],
        appliances: Mapping[str, Appliance],
        timeline: Timeline,
        said: Callable[[str], None],
    ) -> None:
        self._things, self._appliances, self._timeline, self._said = things, appliances, timeline, said
        self.where: dict[str, str] = {}
        self.dice = random.Random(1)
        self._stirring: dict[str, Cancel] = {}
        self._due: Cancel | None = None
        self.scenario: Scenario | None = None

    # ---- the day ------------------------------------------------------------------------------------

    def start(self, scenario: Scenario) -> None:
        """Play a scenario from now on."""
        self.stop()
        self.scenario = scenario
        self.dice.seed(scenario.seed)
        for person in scenario.people:
            self._arrive(person, scenario.start.get(person, ELSEWHERE))
        moments = scenario.from_time(self._timeline.now(), self._timeline.zone)

        def next_moment() -> None:
            found = next(moments, None)
            if found is None:
                self._due = None
                return
            at, moment = found

            def due() -> None:
                self._said(moment.text)
                next_moment()
                self.do(moment.sentence)

            self._due = self._timeline.at(at, due)

        next_moment()

    def stop(self) -> None:
        """Nobody does anything any more."""
        if self._due is not None:
            self._due()
            self._due = None
        for cancel in self._stirring.values():
            cancel()
        self._stirring.clear()
        self.where.clear()
        self.scenario = None

    # ---- what is said -------------------------------------------------------------------------------

    def do(self, sentence: Sentence) -> None:
        """Make a sentence true. Raises Refused where a device can't."""
        match sentence:
            case Goes(person, place):
                self._go(person, place)
            case Sets(device, on):
                self._things[device].sense(on)
            case Runs(device, on):
                self._appliances[device].turn(on)
            case Presses(device, way):
                self._things[device].press(way)
            case Measures(device, kind, value):
                self._things[device].measure(kind, value)

    # ---- where people are ---------------------------------------------------------------------------

    def _bed(self, place: str) -> Thing | None:
        """What one lies or sits on there; other devices may be called like a room."""
        thing = self._things.get(place)
        return thing if thing is not None and "occupancy" in thing.kinds else None

    def _room(self, place: str) -> str:
        bed = self._bed(place)
        if bed is not None:
            return bed.room
        return OUTSIDE if place in AWAY else place

    def _go(self, person: str, place: str) -> None:
        left = self.where.get(person, ELSEWHERE)
        self._leave(person, left)
        here, there = self._room(left), self._room(place)
        if here != there:
            for door in self._doors(here, there):
                door.sense(True)
                self._timeline.after(DOOR_OPEN_S, partial(door.sense, False), real_s=LEAST_REAL_S)
        self._arrive(person, place)

    def _doors(self, here: str, there: str) -> list[Thing]:
        """The doors on the way: that between the two rooms, or the front door of somebody who goes out."""
        for door in self._things.values():
            if door.between and set(door.between) == {here, there}:
                return [door]
        if OUTSIDE in (here, there):
            return [door for door in self._things.values() if OUTSIDE in door.between][:1]
        return []

    def _leave(self, person: str, place: str) -> None:
        if cancel := self._stirring.pop(person, None):
            cancel()
        bed = self._bed(place)
        if bed is not None and not any(who != person and at == place for who, at in self.where.items()):
            bed.sense(False)

    def _arrive(self, person: str, place: str) -> None:
        self.where[person] = place
        bed = self._bed(place)
        if bed is not None:
            bed.sense(True)
        elif place not in (ELSEWHERE, *AWAY):
            self._stir(person, place)

    def _stir(self, person: str, room: str) -> None:
        for thing in self._things.values():
            if thing.room == room and thing.kinds[0] == "motion":
                thing.sense(True)
                if self.clears(thing):
                    self._timeline.after(SEEN_S, partial(thing.sense, False), real_s=LEAST_REAL_S)
        self._stirring[person] = self._timeline.after(
            self.dice.uniform(*STIRS_S), partial(self._stir, person, room), real_s=2 * LEAST_REAL_S
        )

    @staticmethod
    def clears(thing: Thing) -> bool:
        """Whether a motion sensor has to be told that nobody moves any more."""
        device = getattr(thing, "device", None)
        return device is None or not (device.spec.clears_s or device.spec.never_clears)
