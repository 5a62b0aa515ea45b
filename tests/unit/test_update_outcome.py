"""What comes of loading, installing, starting and proving a version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from homenode.update import bucket, machine, versions
from homenode.update.bucket import Bucket
from homenode.update.course import COMMITTED, Course, Stage, course_of, shown
from homenode.update.machine import Boot, Do, step
from homenode.update.order import LARGEST_B, Window
from homenode.update.proof import Before
from homenode.update.words import why
from tests.unit.update_course import BAD, FAST, GOOD, NOT_YET, ORDER, known, taken, trying


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


def test_what_failed_its_proof_stays_where_the_old_slot_does_not_start_any_more() -> None:
    """The boot loader has tried both: falling back again would leave the home without a gateway for ever."""
    trial = machine.installing(trying(proved="A"), known(), Before(), "B")
    falling = machine.judged(trial, BAD, (), 5)
    stays = machine.booted(falling, Boot("boot-9", "B", spare=False), 6)
    assert (stays.stage, stays.highest) == (Stage.FAILED, "0.1.0")
    assert stays.why["en"] == (
        "0.2.0 failed its proof: the node does not answer; the other slot does not start, so it stays"
    )
    assert machine.winds_up(stays, "B")
    assert step(stays, known(slot="B", running="0.2.0")).do is Do.END
    for spare in (False, True):
        assert machine.booted(stays, Boot("boot-10", "B", spare=spare), 7) == stays
    back = machine.booted(stays, Boot("boot-11", "A"), 8)
    assert back.why["en"] == "0.2.0 does not start any more (slot B): the version before runs"
    again = step(stays, known(order=replace(ORDER, id="2", version="0.3.0"), slot="B", running="0.2.0"))
    assert again.do is Do.LOAD
    assert machine.booted(falling, Boot("boot-9", "B"), 6) == falling, "there it is tried"


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


@pytest.mark.parametrize("later", [{"version": "0.1.5"}, {"version": "0.2.0"}, {"cancel": True}])
def test_that_a_good_slot_starts_no_more_is_told_though_another_order_came_to_nothing(
    later: dict[str, Any],
) -> None:
    course = machine.judged(machine.installing(trying(), known(), Before(), "B"), GOOD, (), 5)
    order = replace(ORDER, id="2", **later)
    course = step(course, known(order=order, running="0.2.0", slot="B")).course
    assert course.stage in (Stage.REFUSED, Stage.GOOD)
    assert machine.booted(course, Boot("boot-9", "B"), 9) == course
    older = machine.booted(course, Boot("boot-9", "A"), 9)
    assert older.stage is Stage.FAILED
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
    """While it is installed, too: after a power cut its gateway starts before its updater."""
    for stage in Stage:
        told = shown(trying(stage=stage, before=Before(journal=2)), "0.2.0", "B", None)
        assert ("journal" in told) is (stage in (Stage.INSTALLING, *COMMITTED))
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
    assert (machine.SETTLED_MS, machine.CUT_MS) == (120_000, 86_400_000)
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
