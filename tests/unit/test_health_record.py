"""Figures over days and restarts, too coarse to tell of a life."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.contract.figures import FIGURES, MOST_PCT, taken
from homenode.health.certificate import Life
from homenode.health.coarse import DAY, SETTLED, Steady, Usual
from homenode.health.machine import Card
from homenode.health.record import Record, Setting
from tests.unit.health_seen import DAY_MS, HOUR, MIN, SEEN, UTC, judged, told


@given(st.lists(st.sampled_from((50.0, 51.0, 52.0)), min_size=DAY, max_size=DAY), st.integers(0, DAY - 24))
@settings(max_examples=60, deadline=None)
def test_looks_of_four_hours_a_day_move_no_usual_temperature(idle: list[float], at: int) -> None:
    """A look ends by itself after minutes; this is 24 of the 144 samples, 15 °C warmer."""
    quiet, looked = Usual(5), Usual(5)
    for nth, sample in enumerate(idle + idle):
        quiet.add(sample)
        looked.add(sample + (15 if at <= nth % DAY < at + 24 else 0))
        assert quiet.told() == looked.told() or nth < DAY


def test_nothing_is_usual_before_six_hours_and_none_is_no_sample() -> None:
    usual = Usual(5)
    for _ in range(SETTLED - 1):
        usual.add(52.0)
        usual.add(None)
    assert usual.told() is None
    usual.add(52.0)
    assert usual.told() == 50


def test_a_figure_at_the_edge_of_two_steps_stays_put() -> None:
    steady = Steady(5)
    assert [steady.of(value) for value in (52.4, 52.6, 52.4, 53.7, 53.8, 52.6, 51.3, 51.2)] == [
        50, 50, 50, 50, 55, 55, 55, 50]  # fmt: skip
    assert steady.of(None) is None


def test_what_is_written_adds_up_over_restarts_of_node_and_machine() -> None:
    setting = Setting(endurance_tb=0.1)
    record = Record()
    record.add(SEEN, 0)
    record.add(replace(SEEN, card=replace(SEEN.card, written_b=3 * 10**9)), MIN)
    record = Record(json.loads(json.dumps(record.kept())))
    record.add(replace(SEEN, card=replace(SEEN.card, written_b=4 * 10**9)), HOUR)
    record = Record(json.loads(json.dumps(record.kept())))
    after = replace(SEEN, boot_id="two", card=replace(SEEN.card, written_b=6 * 10**9))
    record.add(after, DAY_MS)
    assert told(record, after, setting)["card_worn_pct"] == 10
    assert told(record, after, setting)["card_worn_by"] == "written"
    assert told(record, after)["card_worn_pct"] is None, "without a known endurance nobody knows"


def test_a_card_that_took_many_times_what_it_may_is_no_unknown_one() -> None:
    record = Record()
    record.add(replace(SEEN, card=replace(SEEN.card, written_b=5 * 10**12)), 0)
    figures = told(record, SEEN, Setting(endurance_tb=1))
    assert taken(figures)["card_worn_pct"] == MOST_PCT
    assert "500 %" in judged(record, SEEN, 0, Setting(endurance_tb=1))["card wear"]["en"]


def test_what_the_card_says_itself_counts_more_than_what_was_written() -> None:
    emmc = replace(SEEN, card=replace(SEEN.card, life_pct=30, spare=1))
    record = Record()
    record.add(emmc, 0)
    figures = told(record, emmc, Setting(endurance_tb=0.001))
    assert (figures["card_worn_pct"], figures["card_worn_by"], figures["card_spare"]) == (
        30,
        "device",
        "normal",
    )


def test_starts_are_counted_for_one_run_of_the_machine() -> None:
    record = Record()
    record.add(SEEN, 0)
    assert told(record, SEEN)["restarts"] == 0
    for nth in (1, 2):
        record = Record(record.kept())
        record.add(SEEN, nth)
        record.add(SEEN, nth)
        assert told(record, SEEN)["restarts"] == nth
    again = replace(SEEN, boot_id="two")
    record = Record(record.kept())
    record.add(again, 3)
    assert told(record, again)["restarts"] == 0


@pytest.mark.parametrize(
    ("now", "before", "word"), [(None, None, None), (False, False, "never"), (False, None, "never"),
                                (False, True, "lately"), (True, True, "lately"), (True, None, "lately")],
)  # fmt: skip
def test_undervoltage_is_unknown_where_nothing_tells_and_told_with_the_day(
    now: bool | None, before: bool | None, word: str | None
) -> None:
    seen = replace(SEEN, undervolted=now, undervolted_before=before)
    record = Record()
    record.add(seen, 9 * HOUR)
    record.add(seen, DAY_MS - 1)
    assert told(record, seen)["undervoltage"] == (None if now is None else "never"), "nothing of this day"
    record.add(replace(seen, undervolted=seen.undervolted and False), DAY_MS)
    assert told(record, seen)["undervoltage"] == word


def test_undervoltage_of_long_ago_is_told_as_that() -> None:
    record = Record()
    record.add(replace(SEEN, undervolted=True, undervolted_before=None), 0)
    well = replace(SEEN, undervolted_before=None)
    record = Record(json.loads(json.dumps(record.kept())))
    record.add(well, 2 * DAY_MS)
    assert told(record, well)["undervoltage"] == "before"


@pytest.mark.parametrize(
    ("synchronised", "trusted", "word"), [(True, True, "synchronised"), (False, True, "trusted"),
                                          (False, False, "unset"), (None, False, "unset")],
)  # fmt: skip
def test_the_clocks_worth(synchronised: bool | None, trusted: bool, word: str) -> None:
    figures = Record().figures(replace(SEEN, synchronised=synchronised), Setting(), UTC, trusted=trusted)
    assert figures["clock"] == word


@pytest.mark.parametrize(
    ("error_ms", "said"), [(0, 1), (7, 10), (10, 10), (900, 1000), (16_000, 60_000), (None, None)]
)
def test_an_error_that_grows_all_the_time_is_told_in_steps(error_ms: int | None, said: int | None) -> None:
    record, seen = Record(), replace(SEEN, clock_error_ms=error_ms)
    record.add(seen, 0)
    assert told(record, seen)["clock_error_ms"] == said


def test_an_error_that_falls_with_each_word_of_a_time_service_is_no_news() -> None:
    record, said = Record(), set()
    for nth in range(3 * DAY):
        seen = replace(SEEN, clock_error_ms=5 + nth % 2 * 500)
        record.add(seen, nth)
        said.add(told(record, seen)["clock_error_ms"])
    assert said == {10, 1000}
    for nth in range(DAY):
        record.add(replace(SEEN, clock_error_ms=5), nth)
    assert told(record, SEEN)["clock_error_ms"] == 10


def test_what_is_told_is_what_the_contract_lists_and_fits_it() -> None:
    life = Life("20260101000000", "20270101000000")
    seen = replace(SEEN, certificate=life, card=Card("mmcblk0", 20, 2, 5, 0))
    record = Record()
    for nth in range(SETTLED):
        record.add(seen, nth * 10 * MIN)
    figures = told(record, seen)
    of_gateway = {"booted", "started", "gaps", "radios", "devices", "silent", "blind", "configuration"}
    assert set(figures) == {figure.name for figure in FIGURES} - of_gateway
    assert taken(figures) == figures
    assert figures["certificate_until"] == "2027-01-01T00:00:00.000+00:00"
