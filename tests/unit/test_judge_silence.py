"""The judge finds silent devices: in time, once, and tells whom it concerns."""

from __future__ import annotations

from homenode.config.model import NEVER
from homenode.engine.events import ClockSet, StaleAfter
from homenode.judge import SILENCE_RECHECK_MS
from homenode.reading import Reading
from tests.unit.test_judge import (
    HOME,
    MIN,
    RULE,
    a_judge,
    data_of,
    opened,
)


def test_a_silent_device_is_a_fault_once_and_well_when_it_is_heard() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    judge.silence(60 * MIN)
    assert judge.silent == set()
    due = judge.silence_due
    assert due == 1000 + 60 * MIN
    silent = judge.silence(due)
    assert [(r["t"], r["source"]) for r in silent.records if r["t"] == "fault"] == [("fault", "eye silent")]
    assert judge.silent == {"eye"}
    (stale,) = [data_of(m) for m in silent.messages if "readings" in m.topic]
    assert (stale["value"], stale["quality"]) == (None, "stale")
    again = judge.silence(due + 1)
    assert not [r for r in again.records if r["t"] == "fault"]
    assert not [m for m in again.messages if "readings" in m.topic]
    assert judge.silence_due == due + 1 + SILENCE_RECHECK_MS
    judge.feed(judge.dated(Reading("eye.motion", False, due + 5), due + 5))
    heard = judge.silence(due + 6)
    assert [record["source"] for record in heard.records if record["t"] == "well"] == ["eye silent"]
    assert judge.silent == set()


def test_what_drivers_say_of_silence_is_remembered() -> None:
    judge = a_judge()
    judge.feed(StaleAfter("eye", 5, 1234))
    judge.feed(ClockSet(6, 777))
    assert judge.rows_ms == {"eye": 1234}
    assert judge.offset_ms == 777


def test_a_silent_device_is_told_in_hours_to_property_too() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    (fault,) = [record for record in judge.silence(1000 + 60 * MIN).records if record["t"] == "fault"]
    assert fault["text"]["en"] == "eye (kitchen) was not heard for 1.0 h"
    assert fault["to_property"] is True
    judge.feed(judge.dated(Reading("eye.motion", True, 70 * MIN), 70 * MIN))
    judge.silence(70 * MIN)
    silent_again = judge.silence(130 * MIN)
    assert [data_of(m)["quality"] for m in silent_again.messages if "readings" in m.topic] == ["stale"]


def test_a_device_first_heard_after_a_look_is_found_silent_in_time() -> None:
    judge = a_judge()
    judge.silence(0)
    judge.feed(Reading("eye.motion", True, 1000))
    while not judge.silent:
        assert judge.silence_due <= 1000 + 60 * MIN
        judge.silence(judge.silence_due)
    assert judge.troubled["eye silent"][0] == 1000 + 60 * MIN


def test_a_shorter_limit_counts_from_the_next_look() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    judge.silence(1000)
    judge.reload(HOME, [RULE], {"door": NEVER, "eye": 10 * MIN}, 2000)
    while not judge.silent:
        judge.silence(judge.silence_due)
    assert judge.troubled["eye silent"][0] == 1000 + 10 * MIN


def test_with_nothing_that_may_fall_silent_all_are_looked_at_each_minute() -> None:
    judge = a_judge()
    opened(judge)
    judge.advance(20 * MIN)
    judge.silence(20 * MIN)
    assert judge.silence_due == judge.next_deadline() == 21 * MIN


def test_the_next_look_for_silence_is_when_the_first_device_may_have_fallen_silent() -> None:
    judge = a_judge()
    judge.feed(Reading("eye.motion", True, 1000))
    judge.feed(StaleAfter("door", 1000, 30 * MIN))
    judge.feed(Reading("door.contact", False, 1000))
    judge.silence(30 * MIN)
    assert judge.silence_due == judge.next_deadline() == 1000 + 30 * MIN


def test_a_silent_device_that_home_yaml_does_not_know_is_nobodys_fault() -> None:
    judge = a_judge()
    judge.feed(StaleAfter("stranger", 5, 1000))
    judge.feed(Reading("stranger.contact", True, 10))
    judge.advance(20)
    assert not [record for record in judge.silence(2000).records if record["t"] == "fault"]


def test_a_point_that_went_stale_is_told_as_of_then_and_a_button_and_a_fault_are_not() -> None:
    judge = a_judge()
    for point, value in (("eye.motion", True), ("eye.button", True), ("eye.battery", None)):
        judge.feed(Reading(point, value, 1000))
    judge.feed(ClockSet(1000, offset_ms=1000))
    (told,) = [m for m in judge.silence(1000 + 60 * MIN).messages if "readings" in m.topic]
    assert told.topic == "hn1/h1/care/readings/eye/motion"
    assert data_of(told)["at"] == "1970-01-01T01:00:02.000+00:00"
