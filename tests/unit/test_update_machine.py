"""An update's way, decided without clock, disk or RAUC: orders, windows, what goes on, power cuts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.update import bucket, machine, versions
from homenode.update.bucket import Bucket
from homenode.update.course import COMMITTED, OVER, Course, Stage, course_of, shown
from homenode.update.machine import Boot, Do, Known, step
from homenode.update.order import LARGEST_B, Order, Window, order_of, window_of
from homenode.update.proof import Before, Verdict
from homenode.update.words import why

ORDER = Order("1", "home-1", 5, version="0.2.0", url="https://office/b.raucb", sha256="0" * 64)
NOON = 12 * 60
GOOD, BAD = Verdict(True, True, False, {}), Verdict(False, False, True, why("no_answer"))
FAST, NOT_YET = Verdict(True, False, False, why("young")), Verdict(False, False, False, why("broker"))


def known(**other: Any) -> Known:
    fields: dict[str, Any] = {"now_ms": 1000, "minute": NOON, "order": ORDER, "running": "0.1.0", "slot": "A"}
    return Known(**{**fields, **other})


def taken(**order: Any) -> Course:
    """An order that was just looked at."""
    return step(Course(highest="0.1.0"), known(order=replace(ORDER, **order))).course


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
        ("0.2.0", "0.1.0", "0.2.0", Stage.REFUSED),
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


# -- what came of it


def test_a_cut_download_is_tried_again_ever_more_slowly_and_never_given_up() -> None:
    course, waits = taken(), []
    for _ in range(30):
        course, wait_ms = machine.loaded(course, "cut", 1, "HTTP 503")
        assert course.stage is Stage.LOADING
        waits.append(wait_ms)
    assert waits[:3] == [10_000, 20_000, 40_000]
    assert waits == sorted(waits)
    assert waits[-1] == machine.LONGEST_RETRY_MS
    assert machine.loaded(course, "", 1)[0].tries == 0


@pytest.mark.parametrize("code", ["gone", "large", "room"])
def test_what_no_patience_mends_has_failed(code: str) -> None:
    assert machine.loaded(taken(), code, 1, "x")[0].stage is Stage.FAILED


def test_a_wrong_sum_is_loaded_once_more() -> None:
    course, _ = machine.loaded(taken(), "sum", 1)
    assert course.stage is Stage.LOADING
    assert machine.loaded(course, "sum", 1)[0].stage is Stage.FAILED


def test_cuts_are_no_wrong_sums() -> None:
    course = taken()
    for _ in range(5):
        course, _ = machine.loaded(course, "cut", 1)
    course, _ = machine.loaded(course, "sum", 1)
    assert course.stage is Stage.LOADING
    course, _ = machine.loaded(course, "cut", 1)
    assert machine.loaded(course, "sum", 1)[0].stage is Stage.FAILED


def test_a_wrong_sum_is_no_failed_installation() -> None:
    course, _ = machine.loaded(taken(), "sum", 1)
    course, _ = machine.loaded(course, "", 1)
    assert machine.installed(course, "rauc", 1, "b", "x").stage is Stage.INSTALLING


@pytest.mark.parametrize("code", ["board", "signature", "version"])
def test_a_bundle_that_lies_is_refused(code: str) -> None:
    assert machine.installed(taken(), code, 1, "b", "x").stage is Stage.REFUSED


def test_rauc_is_asked_twice() -> None:
    course = machine.installed(taken(), "rauc", 1, "b", "no space")
    assert step(course, known(loaded=True)).do is Do.INSTALL
    assert machine.installed(course, "rauc", 1, "b", "no space").stage is Stage.FAILED


def trying(**other: Any) -> Course:
    fields: dict[str, Any] = {"order": ORDER, "stage": Stage.TRYING, "slot": "B", "source_slot": "A"}
    return Course(**{**fields, "boot": "boot-1", "boots": 1, "highest": "0.1.0", **other})


@pytest.mark.parametrize(
    ("boot", "words"),
    [
        (Boot("boot-2", "A"), "0.2.0 never started so far that anything could be written down"),
        (Boot("boot-2", "A", starts=2), "0.2.0 started 2 times and ended without saying why"),
        (Boot("boot-2", "A", starts=2, deadline_min=20), "0.2.0 gave no sign of life within 20 min"),
    ],
)
def test_the_old_version_finds_out_that_it_is_back_and_why(boot: Boot, words: str) -> None:
    for stage in (Stage.REBOOTING, Stage.TRYING):
        found = machine.booted(trying(stage=stage), boot, 9)
        assert (found.stage, found.at_ms) == (Stage.FAILED, 9)
        assert words in found.why["en"]
        assert found.highest == "0.1.0"


def test_why_it_fell_back_is_what_the_new_version_had_said() -> None:
    falling = machine.judged(trying(), BAD, (), 5)
    assert falling.stage is Stage.FALLING
    assert step(falling, known(slot="B")).do is Do.FALL_BACK
    assert step(machine.booted(falling, Boot("boot-2", "B"), 6), known(slot="B")).do is Do.FALL_BACK
    failed = machine.booted(falling, Boot("boot-2", "A"), 6)
    assert (failed.stage, failed.why["en"]) == (
        Stage.FAILED,
        "0.2.0 failed its proof: the node does not answer",
    )


def test_a_version_that_restarts_the_machine_again_and_again_falls_back() -> None:
    course = trying()
    for nth in range(2, machine.MOST_BOOTS + 1):
        course = machine.booted(course, Boot(f"boot-{nth}", "B"), nth)
        assert course.stage is Stage.TRYING
    course = machine.booted(course, Boot("one more", "B"), 9)
    assert (course.stage, course.boots) == (Stage.FALLING, machine.MOST_BOOTS + 1)
    assert "restarted 6 times" in course.why["en"]


@pytest.mark.parametrize(
    "stage", [stage for stage in Stage if stage not in (Stage.NONE, Stage.INSTALLING, *COMMITTED)]
)
def test_what_starts_without_being_on_trial_and_was_never_proved_does_not_stay(stage: Stage) -> None:
    """Such as what RAUC went on to install when nobody waited for it any more."""
    course = machine.installing(taken(), known(), Before(), "B")
    for _ in range(machine.MOST_WRONG):
        course = machine.installed(course, "rauc", 1, "boot-1", "no answer within 60 s")
    assert (course.stage, course.unproved) == (Stage.FAILED, "B")
    course = replace(course, stage=stage)
    strayed = machine.booted(course, Boot("boot-2", "B"), 5)
    assert strayed.stage is Stage.FALLING
    assert not machine.winds_up(strayed, "B")
    assert step(strayed, known(slot="B", running="0.2.0")).do is Do.FALL_BACK
    back = machine.booted(strayed, Boot("boot-3", "A"), 6)
    assert (back.stage, back.unproved) == (Stage.FAILED, "B")
    assert "never proved" in back.why["en"]
    alone = machine.booted(course, Boot("boot-2", "B", spare=False), 5)
    assert alone == course, "where no other slot starts, one that works somehow is better than none"
    assert not machine.winds_up(alone, "B")


def test_a_slot_that_was_proved_once_is_good_when_the_boot_loader_falls_back_to_it() -> None:
    course = machine.judged(machine.installing(trying(), known(), Before(), "B"), GOOD, (), 5)
    assert course.unproved == ""
    assert machine.booted(course, Boot("boot-9", "B"), 9) == course
    older = machine.booted(course, Boot("boot-9", "A"), 9)
    assert machine.winds_up(older, "A")
    assert (older.stage, older.highest) == (Stage.FAILED, "0.2.0"), "which somebody should know"
    assert older.why["en"] == "0.2.0 does not start any more (slot B): the version before runs"
    assert machine.booted(older, Boot("boot-10", "A"), 10) == older


def test_a_newer_order_does_not_make_the_other_slot_proved() -> None:
    course = machine.installed(machine.installing(taken(), known(), Before(), "B"), "board", 1, "boot-1")
    for other in (replace(ORDER, id="2", version="0.3.0"), replace(ORDER, id="3", cancel=True)):
        course = step(course, known(order=other)).course
        assert course.unproved == "B"


def test_on_trial_without_a_memory_the_old_version_comes_back() -> None:
    """The data partition was lost: nobody knows what has to be proved."""
    lost = machine.lost(ORDER, running="0.2.0", boot=Boot("boot-7", "B"), trial=("B", "A"), now_ms=5)
    assert (lost.stage, lost.slot, lost.source_slot, lost.highest) == (Stage.FALLING, "B", "A", "")
    assert not machine.winds_up(lost, "B")
    assert step(lost, known(order=None, slot="B", running="0.2.0")).do is Do.FALL_BACK
    assert course_of(json.loads(json.dumps(lost.record()))) == lost
    nothing = machine.lost(None, running="0.2.0", boot=Boot("boot-7", "B"), trial=("B", "A"), now_ms=5)
    assert step(nothing, known(order=None, slot="B", running="0.2.0")).do is Do.FALL_BACK
    back = machine.booted(nothing, Boot("boot-8", "A"), 6)
    assert (back.stage, "remembers" in back.why["en"]) == (Stage.FAILED, True)


def test_without_a_memory_and_without_another_slot_it_stays() -> None:
    boot = Boot("boot-7", "B", spare=False)
    assert machine.lost(None, running="0.2.0", boot=boot, trial=("B", "A"), now_ms=5) == Course()


def test_what_can_not_be_read_any_more_is_not_begun_anew() -> None:
    """A version that failed may have written it: it would be installed each night."""
    for trial in (None, ("B", "A")):
        lost = machine.lost(ORDER, running="0.1.0", boot=Boot("boot-7", "A"), trial=trial, now_ms=5)
        assert lost.stage is Stage.FAILED
        found = step(lost, known(order=ORDER))
        assert (found.do, found.course) == (Do.END, lost)
        assert step(lost, known(order=replace(ORDER, id="2"))).do is Do.LOAD
    fresh = machine.lost(None, running="0.1.0", boot=Boot("boot-7", "A"), trial=None, now_ms=5)
    assert fresh == Course()


def test_a_second_start_of_the_updater_in_one_boot_changes_nothing() -> None:
    for stage in Stage:
        course = trying(stage=stage)
        assert machine.booted(course, Boot("boot-1", "B"), 9) == course


def test_good_is_remembered_as_the_highest_and_only_then() -> None:
    assert machine.judged(trying(), FAST, (), 5).highest == "0.1.0"
    assert machine.judged(trying(), BAD, (), 5).highest == "0.1.0"
    assert machine.judged(trying(), GOOD, (), 5).highest == "0.2.0"
    assert machine.judged(trying(highest="0.3.0"), GOOD, (), 5).highest == "0.3.0"


def test_the_first_stage_is_told_for_the_start_in_which_it_was_passed() -> None:
    course = machine.judged(trying(), FAST, ("plug",), 5)
    assert (course.fast, course.heard) == (1, ("plug",))
    again = machine.booted(course, Boot("boot-2", "B"), 6)
    assert again.fast != again.boots
    assert machine.judged(again, NOT_YET, ("eye",), 7).heard == ("eye", "plug")


def test_all_that_is_known_of_a_course_outlives_a_restart() -> None:
    course = trying(
        order=replace(ORDER, window=Window(1, 2), exception="e"), heard=("a",), why=why("busy"), at_ms=7,
        before=Before(("a",), ("b",), ("r",), ("x",), True, journal=2), tries=1, fast=1, put_off="busy",
    )  # fmt: skip
    assert course_of(json.loads(json.dumps(course.record()))) == course
    assert course_of({**course.record(), "later": 1}) == course


def test_while_a_version_is_on_trial_the_journal_is_written_as_the_old_one_reads_it() -> None:
    for stage in Stage:
        told = shown(trying(stage=stage, before=Before(journal=2)), "0.2.0", "B", None)
        assert ("journal" in told) is (stage in COMMITTED)
    assert "journal" not in shown(trying(), "0.2.0", "B", None)


def test_at_is_since_when_it_is_there_for_this_reason() -> None:
    course = Course(order=ORDER).to(Stage.WAITING, why("clock"), 5)
    assert course.at_ms == 5
    assert course.to(Stage.WAITING, why("clock"), 9).at_ms == 5
    assert course.to(Stage.WAITING, why("not_before"), 9).at_ms == 9
    assert course.to(Stage.BUSY, why("clock"), 9).at_ms == 9
    assert machine.loaded(course, "gone", 7)[0].at_ms == 7
    untimed = step(Course(highest="0.1.0"), known(now_ms=None, minute=None))
    assert untimed.course.at_ms == 0


def test_how_much_is_there_is_told_while_something_comes() -> None:
    for stage in Stage:
        told = shown(trying(stage=stage), "0.1.0", "A", 0.256)
        assert told.get("progress") == (0.26 if stage in (Stage.LOADING, Stage.INSTALLING) else None)
        assert "progress" not in shown(trying(stage=stage), "0.1.0", "A", None)
    assert shown(trying(stage=Stage.LOADING), "0.1.0", "A", 0.0)["progress"] == 0.0
    told = shown(trying(), "0.1.0", "B", None)
    assert (told["id"], told["version"], told["state"], told["slot"]) == ("1", "0.2.0", "trying", "B")
    assert shown(Course(), "0.1.0", "A", None)["version"] == ""


def test_what_was_put_off_is_no_longer_when_the_machine_has_started() -> None:
    course = machine.installed(taken(), "", 1, "boot-1")
    course = step(machine.installing(course, known(), Before(), "B"), known(busy=True)).course
    assert course.put_off
    assert not machine.booted(course, Boot("boot-2", "B"), 5).put_off
    assert not machine.booted(course, Boot("boot-2", "A"), 5).put_off


def test_a_cut_amid_installing_is_on_trial_only_if_the_new_slot_came_up() -> None:
    course = machine.installing(taken(), known(), Before(("plug",)), "B")
    course = course.to(Stage.INSTALLING, why("installing"), 1)
    assert machine.booted(course, Boot("boot-2", "A"), 5) == course
    found = machine.booted(course, Boot("boot-2", "B"), 5)
    assert (found.stage, found.boots, found.at_ms) == (Stage.TRYING, 1, 5)
    assert (found.source, found.source_slot, found.slot) == ("0.1.0", "A", "B")
    assert found.before.mains == ("plug",)
    fresh = taken().to(Stage.INSTALLING, why("installing"), 1)
    assert machine.booted(fresh, Boot("boot-2", "A"), 5) == fresh


def test_an_installation_begins_the_count_of_a_trial_anew() -> None:
    course = replace(trying(stage=Stage.INSTALLING), boots=4, fast=3, heard=("x",), tries=1)
    course = machine.installed(course, "", 1, "boot-9")
    assert (course.boots, course.fast, course.heard, course.tries) == (0, 0, (), 0)
    assert (course.stage, course.boot) == (Stage.REBOOTING, "boot-9")
    failed = machine.installed(replace(course, tries=1), "board", 1, "boot-9", "other")
    assert (failed.stage, failed.tries) == (Stage.REFUSED, 0)


def test_the_times_are_those_that_the_readme_tells() -> None:
    assert (machine.LOOK_MS, machine.BUSY_MS, machine.DEAF_MS) == (30_000, 600_000, 1_800_000)
    assert machine.SETTLED_MS == 120_000
    assert (machine.FIRST_RETRY_MS, machine.LONGEST_RETRY_MS) == (10_000, 900_000)
    assert (machine.MOST_BOOTS, machine.MOST_WRONG) == (6, 2)
    assert (bucket.RATE_B_S, LARGEST_B, versions.LONGEST) == (524_288, 1_073_741_824, 64)


def test_waits_are_no_longer_than_a_look() -> None:
    course = taken(not_before_ms=10**9)
    assert step(course, known(order=course.order)).wait_ms == machine.LOOK_MS
    assert machine.loaded(taken(), "sum", 1)[1] == machine.FIRST_RETRY_MS
    assert machine.loaded(taken(), "gone", 1)[1] == 0
    assert machine.loaded(replace(taken(), tries=5), "gone", 1)[0].tries == 0


def test_no_more_than_the_rate_comes_through() -> None:
    taking, now_s, taken_b = Bucket(1000, 100.0), 100.0, 0
    while now_s < 160:
        taken_b += 170
        now_s += 0.01 + taking.wait_s(170, now_s)
    assert 60_000 <= taken_b <= 61_500


def test_a_second_s_worth_may_come_at_once_and_no_pause_saves_up_more() -> None:
    for pause_s in (0.0, 1.0, 3600.0):
        taking = Bucket(1000, 0.0)
        assert taking.wait_s(1000, pause_s) == 0
        assert taking.wait_s(500, pause_s) == 0.5
        assert taking.wait_s(0, pause_s - 5) == 0.5, "a clock that goes back gives nothing"
        assert taking.wait_s(0, pause_s + 0.25) <= 0.5


# -- the whole way, with power cuts


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


# -- versions and orders as they are written


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=4), st.lists(st.integers(0, 30), min_size=1, max_size=4)
)
def test_versions_are_ordered_as_numbers(one: list[int], other: list[int]) -> None:
    first, second = ".".join(map(str, one)), ".".join(map(str, other))
    padded = [[*parts, 0, 0, 0, 0][:4] for parts in (one, other)]
    assert versions.is_later(first, second) == (padded[0] > padded[1])
    assert versions.same(first, second) == (padded[0] == padded[1])


def test_versions_before_a_release_are_ordered_as_semver_says() -> None:
    told = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0"
    order = told.split()  # semver 2.0.0, section 11.4
    assert sorted(order, key=versions.key) == order
    assert all(versions.is_later(later, early) for early, later in itertools.pairwise(order))


def test_of_two_builds_of_one_version_the_one_made_later_is_the_later() -> None:
    """As `make image` names what it makes: semver knows no order of builds, a node needs one."""
    told = "0.1.0 0.1.0+20261127.211312.gacda880 0.1.0+20261127.211313.g0000000 0.1.0+20261128.1.g1 0.1.1"
    order = told.split()
    assert sorted(order, key=versions.key) == order
    assert all(versions.is_later(later, early) for early, later in itertools.pairwise(order))
    assert versions.same(order[1], order[1])
    assert not any(versions.same(one, other) for one, other in itertools.pairwise(order))
    running = order[1]
    found = step(Course(highest=running), known(order=replace(ORDER, version=order[2]), running=running))
    assert found.do is Do.LOAD


@pytest.mark.parametrize(
    "text", ["", "1.", ".1", "v1", "1+", "1+a..b", "1..0", "1-", "1.0-ä", "1" * 65, "1\n"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version such as"):
        versions.key(text)


def changed(**other: Any) -> Callable[[], Order]:
    return lambda: order_of({**ORDER.record(), **other})


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (changed(url="http://office/b"), "url must begin with https://"),
        (changed(url="https://office"), "url must begin with https://"),
        (changed(url="https://of fice/b"), "url must begin with https://"),
        (changed(sha256="0" * 63), "sha256 must be 64"),
        (changed(sha256="A" * 64), "sha256 must be 64"),
        (changed(size=-1), "size must be bytes"),
        (changed(size=1 << 31), "size must be bytes"),
        (changed(window="2:00-04:00"), "window must be HH:MM-HH:MM"),
        (changed(window="02:00-24:00"), "window must be HH:MM-HH:MM"),
        (changed(window="02:00-02:00"), "two different times"),
        (changed(version="new"), "is no version"),
        (lambda: order_of({"id": "1"}), "this is no order"),
    ],
)
def test_an_order_that_is_none_is_told_why(made: Callable[[], Order], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made()


def test_the_largest_and_the_longest_are_taken() -> None:
    assert order_of({**ORDER.record(), "size": LARGEST_B}).size == LARGEST_B
    assert order_of({**ORDER.record(), "size": 0}).size == 0
    longest = "1.2-" + "a" * 60
    assert len(longest) == versions.LONGEST
    assert order_of({**ORDER.record(), "version": longest}).version == longest
    with pytest.raises(ValueError, match="no version"):
        versions.key(longest + "a")
    assert versions.is_later("0.1", "")
    assert not versions.same("0.1", "")


def test_an_order_is_kept_whole() -> None:
    order = replace(ORDER, window=window_of("23:30-04:05"), size=7, not_before_ms=8, exception="e", by="Ola")
    assert order_of(json.loads(json.dumps(order.record()))) == order
    assert order.window == Window(23 * 60 + 30, 4 * 60 + 5)
