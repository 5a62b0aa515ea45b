"""An update's whole way, with the power cut anywhere."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from homenode.update import machine
from homenode.update.course import Course, Stage, course_of
from homenode.update.machine import Boot, Do, step
from homenode.update.order import Order
from homenode.update.proof import Before, Verdict
from tests.unit.update_course import BAD, GOOD, NOT_YET, ORDER, known


class Cut(Exception):
    """The power is gone."""


@dataclass
class World:
    """A box as small as it can be: its card, its boot loader, and a judge that says what a test wants.

    `cuts`: after so many things that last were done, in all, the power goes.
    """

    verdict: Verdict
    boots_new: bool = True
    cancelled: bool = False
    """While the restart is put off, the order is called off."""
    cuts: tuple[int, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)
    content: str = ""
    loaded: bool = False
    primary: str = "A"
    left: dict[str, int] = field(default_factory=lambda: {"A": 9, "B": 0})
    starts: int = 0
    boots: int = 0
    done: int = 0

    def lasts(self) -> None:
        """Something that lasts was done."""
        self.done += 1
        if self.done in self.cuts:
            raise Cut

    def keep(self, course: Course) -> Course:
        self.card = json.loads(json.dumps(course.record()))
        self.lasts()
        return course

    def power_on(self) -> str:
        """The boot loader's choice."""
        self.boots += 1
        for slot in (self.primary, "B" if self.primary == "A" else "A"):
            if self.left[slot] > 0:
                self.left[slot] -= 1
                return slot
        raise AssertionError("no slot can be started")

    def mark(self, state: str, slot: str) -> None:
        self.left[slot] = {"good": 9, "bad": 0, "active": 3}[state]
        if state == "active":
            self.primary = slot
        self.lasts()

    def session(self, slot: str) -> bool:
        """One start of the machine; whether another follows."""
        if slot == "B" and (self.content != "0.2.0" or not self.boots_new):
            return True  # it hangs, a watchdog bites
        course = course_of(self.card) if self.card else Course(highest="0.1.0")
        course = self.keep(machine.booted(course, Boot(f"boot-{self.boots}", slot, self.starts), 1))
        if machine.winds_up(course, slot):
            self.mark("good", slot)
        running = "0.2.0" if slot == "B" else "0.1.0"
        for _ in range(50):
            late = self.cancelled and self.content == "0.2.0"
            order = Order("2", "home-1", 6, by="Ola", cancel=True) if late else ORDER
            about = {"running": running, "slot": slot, "loaded": self.loaded, "order": order, "busy": late}
            now = step(course, known(**about))
            course = self.keep(now.course)
            match now.do:
                case Do.END:
                    return False
                case Do.LOAD:
                    self.loaded = True
                    course = self.keep(machine.loaded(course, "", 1)[0])
                case Do.INSTALL:
                    course = self.keep(
                        machine.installing(course, known(running=running, slot=slot), Before(), "B")
                    )
                    self.mark("bad", "B")
                    self.content = "half"
                    self.lasts()
                    self.content = "0.2.0"
                    self.mark("active", "B")
                    course = self.keep(machine.installed(course, "", 1, f"boot-{self.boots}"))
                case Do.REBOOT:
                    return True
                case Do.TAKE_BACK:
                    self.mark("active", slot)
                    self.mark("good", slot)
                    self.mark("bad", "B")
                    course = self.keep(machine.taken_back(course, 1))
                case Do.PROVE:
                    found = machine.judged(course, self.verdict, (), 1)
                    if found.stage is Stage.GOOD:
                        self.mark("good", "B")
                    course = self.keep(found)
                case Do.FALL_BACK:
                    self.mark("bad", "B")
                    self.mark("active", "A")
                    return True
                case Do.WAIT:
                    pass
        raise AssertionError("it goes round in circles")

    def run(self) -> Course:
        """To its end."""
        for _ in range(60):
            try:
                if not self.session(self.power_on()):
                    return course_of(self.card)
            except Cut:
                continue
        raise AssertionError("it never ends")


def cuts(verdict: Verdict, boots_new: bool, cancelled: bool = False) -> Iterator[tuple[int, ...]]:
    plain = World(verdict, boots_new, cancelled)
    plain.run()
    points = range(1, plain.done + 6)
    yield ()
    yield from itertools.combinations(points, 1)
    yield from itertools.combinations(points, 2)


@pytest.mark.parametrize("verdict", [GOOD, BAD], ids=["good", "bad"])
def test_power_cuts_anywhere_end_in_a_proven_version_or_in_the_old_one(verdict: Verdict) -> None:
    for where in cuts(verdict, True):
        world = World(verdict, cuts=where)
        course = world.run()
        if verdict.good:
            assert (course.stage, world.power_on()) == (Stage.GOOD, "B"), where
            assert world.left["B"] > 6, where
        else:
            assert (course.stage, world.power_on()) == (Stage.FAILED, "A"), where
            assert world.left["B"] == 0, where
        assert world.left["A"] > 6, where
        assert course.highest == ("0.2.0" if verdict.good else "0.1.0")


def test_one_that_cannot_be_started_ends_in_the_old_one_wherever_the_power_goes() -> None:
    for where in cuts(GOOD, False):
        course = World(GOOD, boots_new=False, cuts=where).run()
        assert course.stage is Stage.FAILED, where
        assert "never started" in course.why["en"]


def test_one_that_is_called_off_is_not_there_or_was_proved_wherever_the_power_goes() -> None:
    """A cut amid the calling off may start it: then it is on trial like any other."""
    ends = set()
    for where in cuts(GOOD, True, True):
        world = World(GOOD, cancelled=True, cuts=where)
        course = world.run()
        ends.add((course.stage, world.power_on()))
        assert world.left["A"] > 2, where
    assert (Stage.CANCELLED, "A") in ends
    assert ends <= {(Stage.CANCELLED, "A"), (Stage.FAILED, "A"), (Stage.GOOD, "B")}


def test_many_cuts_on_trial_use_the_boot_loaders_counter_up_and_that_is_told() -> None:
    world = World(NOT_YET)
    assert world.session(world.power_on())
    world.cuts = tuple(range(world.done + 1, world.done + 4))
    course = world.run()
    assert (course.stage, course.highest) == (Stage.FAILED, "0.1.0")
    assert (world.boots, world.power_on()) == (5, "A")
