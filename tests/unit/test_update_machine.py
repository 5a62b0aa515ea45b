"""An update's way, decided without clock, disk or RAUC: orders, windows, what goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from homenode.update import machine
from homenode.update.course import COMMITTED, OVER, Course, Stage, shown
from homenode.update.machine import Boot, Do, step
from homenode.update.order import Order, Window
from homenode.update.proof import Before
from tests.unit.update_course import ORDER, known, taken

# -- orders


def test_without_an_order_there_is_nothing_to_do() -> None:
    assert step(Course(), known(order=None)).do is Do.END


def test_a_newer_version_is_loaded_at_once() -> None:
    found = step(Course(highest="0.1.0"), known())
    assert (found.do, found.course.stage, found.course.order) == (Do.LOAD, Stage.LOADING, ORDER)


@pytest.mark.parametrize("version", ["0.1.0", "0.1", "0.1.0.0"])
def test_what_runs_already_is_good(version: str) -> None:
    found = step(Course(highest="0.1.0"), known(order=replace(ORDER, version=version), running="0.1.0"))
    assert (found.do, found.course.stage) == (Do.END, Stage.GOOD)


@pytest.mark.parametrize(
    ("version", "running", "highest", "stage"),
    [
        ("0.2.0", "0.3.0", "0.3.0", Stage.REFUSED),
        ("0.2.0", "0.1.0", "0.3.0", Stage.REFUSED),
        ("0.2.0", "0.1.0", "0.2.0", Stage.LOADING),
        ("0.2.0-rc.1", "0.2.0", "", Stage.REFUSED),
        ("0.2.0", "0.2.0-rc.1", "", Stage.LOADING),
        ("0.10.0", "0.9.0", "0.9.0", Stage.LOADING),
        ("0.2.0", "0.1.0", "", Stage.LOADING),
    ],
)
def test_what_is_not_later_than_the_highest_that_was_ever_good_is_refused(
    version: str, running: str, highest: str, stage: Stage
) -> None:
    found = step(Course(highest=highest), known(order=replace(ORDER, version=version), running=running))
    assert found.course.stage is stage
    assert found.course.highest == highest


def test_an_exception_lets_an_older_version_in_only_if_it_holds() -> None:
    old = replace(ORDER, version="0.1.5", exception="e.y.s")
    assert step(Course(highest="0.3.0"), known(order=old)).course.stage is Stage.LOADING
    found = step(Course(highest="0.3.0"), known(order=old, allows="it is for other-1"))
    assert (found.do, found.course.stage) == (Do.END, Stage.REFUSED)
    assert "it is for other-1" in found.course.why["en"]


def test_a_newer_order_takes_the_place_of_the_one_before() -> None:
    newer = replace(ORDER, id="2", version="0.3.0")
    for stage in Stage:
        course = Course(order=ORDER, stage=stage, slot="B", source_slot="A", highest="0.1.0")
        found = step(course, known(order=newer)).course
        assert (found.order == newer) is (stage not in COMMITTED), stage


def test_cancelling_ends_what_is_not_yet_committed() -> None:
    cancel = Order("2", "home-1", 6, by="Ola", cancel=True)
    for stage in Stage:
        course = Course(order=ORDER, stage=stage, highest="0.1.0", slot="B", source_slot="A")
        found = step(course, known(order=cancel))
        if stage in COMMITTED:
            assert found.course.stage is stage
        elif stage in OVER:
            assert (found.do, found.course.stage) == (Do.END, stage)
        else:
            assert (found.do, found.course.stage) == (Do.END, Stage.CANCELLED)
            assert "Ola" in found.course.why["en"]
            assert found.course.order is not None
            assert found.course.order.version == "0.2.0"
        assert step(found.course, known(order=cancel)).course == found.course


# -- when


@pytest.mark.parametrize(
    ("start", "end", "minute", "is_open"),
    [
        (120, 240, 119, False), (120, 240, 120, True), (120, 240, 239, True), (120, 240, 240, False),
        (1380, 60, 1379, False), (1380, 60, 1380, True), (1380, 60, 0, True), (1380, 60, 59, True),
        (1380, 60, 60, False),
    ],
)  # fmt: skip
def test_a_window_may_go_over_midnight(start: int, end: int, minute: int, is_open: bool) -> None:
    assert Window(start, end).is_open(minute) is is_open


def test_a_restart_that_was_put_off_waits_for_the_next_window() -> None:
    course = machine.installed(taken(window=Window(120, 240)), "", 1, "boot-1")
    waits = step(course, known(order=course.order))
    assert (waits.do, waits.course.why["en"]) == (Do.WAIT, "waits for the hours 02:00-04:00")
    assert step(waits.course, known(order=course.order, minute=130)).do is Do.REBOOT


def test_a_restart_does_not_take_an_unset_clock_for_its_window() -> None:
    """An updater that started anew, and no time service since."""
    course = machine.installed(taken(window=Window(120, 240)), "", 1, "boot-1")
    waits = step(course, known(order=course.order, now_ms=None, minute=None))
    assert (waits.do, waits.course.why["en"]) == (Do.WAIT, "the clock is not set")
    assert shown(waits.course, "0.1.0", "A", None)["state"] == "waiting"
    at_any_time = machine.installed(taken(), "", 1, "boot-1")
    assert step(at_any_time, known(now_ms=None, minute=None)).do is Do.REBOOT


def test_it_is_loaded_before_the_window_and_installed_in_it() -> None:
    course = taken(window=Window(120, 240))
    order = course.order
    assert step(course, known(order=order)).do is Do.LOAD
    waits = step(course, known(order=order, loaded=True))
    assert (waits.do, waits.course.stage) == (Do.WAIT, Stage.WAITING)
    assert waits.course.why["en"] == "waits for the hours 02:00-04:00"
    assert 0 < waits.wait_ms <= machine.LOOK_MS
    assert step(waits.course, known(order=order, loaded=True, minute=180)).do is Do.INSTALL


def test_not_before_holds_back_loading_too() -> None:
    course = taken(not_before_ms=5_000)
    waits = step(course, known(order=course.order, now_ms=4_999))
    assert (waits.do, waits.course.stage, waits.wait_ms) == (Do.WAIT, Stage.WAITING, 1)
    assert step(course, known(order=course.order, now_ms=5_000)).do is Do.LOAD


@pytest.mark.parametrize("when", [{}, {"window": Window(1, 2)}])
def test_installing_waits_for_a_clock_that_is_set_and_loading_tries(when: dict[str, Any]) -> None:
    course = taken(**when)
    unset = known(order=course.order, now_ms=None, minute=None)
    assert step(course, unset).do is Do.LOAD
    waits = step(course, replace(unset, loaded=True))
    assert (waits.do, waits.course.why["en"]) == (Do.WAIT, "the clock is not set")


def test_what_goes_on_in_the_home_puts_it_off_and_never_drops_it_and_is_not_told() -> None:
    course = taken()
    for _ in range(500):
        waits = step(course, known(loaded=True, busy=True))
        assert (waits.do, waits.course.stage) == (Do.WAIT, Stage.BUSY)
        assert waits.course.why["en"] == "the home is busy"
        assert waits.wait_ms == machine.BUSY_MS
        course = waits.course
    assert step(course, known(loaded=True)).do is Do.INSTALL


def test_a_restart_that_waits_for_its_window_is_not_called_busy_and_misses_no_short_one() -> None:
    course = machine.installed(taken(window=Window(120, 125)), "", 1, "boot-1")
    waits = step(course, known(order=course.order, minute=119))
    assert (waits.do, waits.wait_ms) == (Do.WAIT, machine.LOOK_MS)
    assert shown(waits.course, "0.1.0", "A", None)["state"] == "waiting"
    busy = step(waits.course, known(order=course.order, minute=121, busy=True))
    assert shown(busy.course, "0.1.0", "A", None)["state"] == "busy"


@pytest.mark.parametrize("cancel", [True, False])
def test_a_restart_that_was_put_off_can_still_be_called_off(cancel: bool) -> None:
    """A fleet that halts believes it of a home that is `busy`: it must not start the version at night."""
    course = machine.installing(taken(), known(), Before(), "B")
    course = step(machine.installed(course, "", 1, "boot-1"), known(busy=True)).course
    other = replace(ORDER, id="2", version="0.3.0", cancel=cancel)
    back = step(course, known(order=other, busy=True))
    assert (back.do, back.course) == (Do.TAKE_BACK, course), "first the boot loader"
    found = step(machine.taken_back(back.course, 5), known(order=other))
    assert found.course.stage is (Stage.CANCELLED if cancel else Stage.LOADING)
    assert found.course.unproved == "B"
    on_trial = machine.booted(course, Boot("boot-2", "B"), 5)
    assert step(on_trial, known(order=other, slot="B")).do is Do.PROVE


def test_it_puts_off_the_restart_too_if_it_begins_after_the_installation() -> None:
    course = machine.installed(taken(), "", 1, "boot-1")
    waits = step(course, known(busy=True))
    assert (waits.do, waits.course.stage) == (Do.WAIT, Stage.REBOOTING)
    assert shown(waits.course, "0.1.0", "A", None)["state"] == "busy"
    after = step(waits.course, known())
    assert after.do is Do.REBOOT
    assert shown(after.course, "0.1.0", "A", None)["state"] == "installing"


def test_a_node_that_does_not_answer_is_waited_for_half_an_hour() -> None:
    silent = known(loaded=True, busy=None, deaf_ms=machine.DEAF_MS - 1)
    assert step(taken(), silent).do is Do.WAIT
    assert step(taken(), replace(silent, deaf_ms=machine.DEAF_MS)).do is Do.INSTALL


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.REBOOTING])
def test_a_home_whose_link_is_down_starts_no_version_that_could_not_prove_its_own(stage: Stage) -> None:
    course = Course(order=ORDER, highest="0.1.0", slot="B", source_slot="A", stage=stage)
    for cut_ms in (1, machine.CUT_MS - 1):
        found = step(course, known(loaded=True, cut_ms=cut_ms))
        assert (found.do, found.course.stage, found.course.why["en"][:16]) == (
            Do.WAIT, stage, "the link is down",
        )  # fmt: skip
    for cut_ms in (0, machine.CUT_MS):
        assert step(course, known(loaded=True, cut_ms=cut_ms)).do in (Do.INSTALL, Do.REBOOT)


def test_a_gateway_that_has_just_started_does_not_say_yet_what_the_old_version_can() -> None:
    """Its radio is not up, its link neither: the new version would have to prove nothing."""
    young = known(loaded=True, up_ms=machine.SETTLED_MS - 1)
    waits = step(taken(), young)
    assert (waits.do, waits.course.stage, waits.wait_ms) == (Do.WAIT, Stage.WAITING, machine.LOOK_MS)
    assert waits.course.why["en"] == "the node has just started"
    assert step(waits.course, known(loaded=True)).do is Do.INSTALL
    assert step(taken(), replace(young, busy=True)).course.stage is Stage.BUSY
    again = machine.installed(taken(), "", 1, "boot-1")
    assert shown(step(again, young).course, "0.1.0", "A", None)["state"] == "waiting"
    assert step(again, known()).do is Do.REBOOT
    restless = replace(young, deaf_ms=machine.DEAF_MS)
    assert step(taken(), restless).do is Do.INSTALL, "what starts again and again is perhaps cured by it"
    assert step(taken(), replace(restless, busy=True)).course.stage is Stage.BUSY
