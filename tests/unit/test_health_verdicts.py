"""What somebody must do, and when it is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from homenode.health import verdicts
from homenode.health.coarse import DAY
from homenode.health.machine import Card
from homenode.health.record import Record, Setting
from tests.unit.health_seen import DAY_MS, ENDED, HOUR, MIN, SEEN, WALL, judged


def test_a_machine_that_is_well_asks_for_nobody() -> None:
    record = Record()
    for nth in range(DAY):
        assert judged(record, SEEN, nth * 10 * MIN) == {}


@pytest.mark.parametrize(
    ("card", "source"),
    [(Card(life_pct=90), "card wear"), (Card(life_pct=80), ""), (Card(spare=2), "card wear"), (Card(spare=3),
     "card wear"), (Card(spare=1), ""), (Card(errors=1), "card errors"), (Card(errors=0), ""), (Card(), "")],
)  # fmt: skip
def test_a_card_that_ends_is_told_and_one_that_tells_nothing_is_not(card: Card, source: str) -> None:
    assert list(judged(Record(), replace(SEEN, card=card))) == [source] * bool(source)


def test_undervoltage_is_told_on_the_next_day_and_once_for_a_mark_that_stays() -> None:
    record = Record()
    bad, marked = (
        replace(SEEN, undervolted=True, undervolted_before=True),
        replace(SEEN, undervolted_before=True),
    )
    assert judged(record, bad, HOUR) == {}
    assert judged(record, marked, DAY_MS - 1) == {}
    assert list(judged(record, marked, DAY_MS)) == ["power supply"]
    assert list(judged(record, bad, DAY_MS + HOUR)) == ["power supply"]
    record = Record(record.kept())
    assert list(judged(record, marked, 2 * DAY_MS)) == ["power supply"]
    assert list(judged(record, marked, 3 * DAY_MS - 1)) == ["power supply"]
    assert judged(record, marked, 3 * DAY_MS) == {}
    again = replace(marked, boot_id="two")
    assert judged(record, again, 3 * DAY_MS) == {}
    assert list(judged(record, again, 4 * DAY_MS)) == ["power supply"]


def test_undervoltage_whose_mark_was_cleared_counts_again_when_it_is_set_again() -> None:
    record = Record()
    marked, unknown = replace(SEEN, undervolted_before=True), replace(SEEN, undervolted_before=None)
    judged(record, marked, HOUR)
    judged(record, SEEN, 2 * HOUR)
    for day in (3, 4):
        assert judged(record, SEEN, day * DAY_MS) == {}
    record = Record(record.kept())
    assert judged(record, marked, 4 * DAY_MS + HOUR) == {}
    assert list(judged(record, marked, 5 * DAY_MS)) == ["power supply"]
    assert list(judged(record, unknown, 5 * DAY_MS + HOUR)) == ["power supply"]
    assert list(judged(record, marked, 5 * DAY_MS + 2 * HOUR)) == ["power supply"]
    assert judged(record, marked, 6 * DAY_MS) == {}, "it stood there all the time, or nobody knows"


def test_heat_is_told_after_hours_and_over_with_some_distance() -> None:
    record = Record()
    hot, warm, cool = (replace(SEEN, temperature_c=degrees) for degrees in (82.0, 77.0, 70.0))
    for nth in range(verdicts.HOT_SAMPLES - 1):
        assert judged(record, hot, nth) == {}
    assert list(judged(record, hot)) == ["too hot"]
    for _ in range(verdicts.HOT_SAMPLES):
        assert list(judged(record, warm)) == ["too hot"]
    for _ in range(verdicts.HOT_SAMPLES):
        last = judged(record, cool)
    assert last == {}
    for _ in range(verdicts.HOT_SAMPLES):
        last = judged(record, warm)
    assert last == {}


def test_a_look_of_an_hour_in_a_warm_place_is_no_heat() -> None:
    record = Record()
    for nth in range(DAY):
        degrees = 85.0 if nth % 24 < 6 else 68.0
        assert judged(record, replace(SEEN, temperature_c=degrees), nth) == {}


@pytest.mark.parametrize(("days", "is_told"), [(100, False), (61, False), (60, True), (1, True), (-1, True)])
def test_a_certificate_that_should_have_been_renewed_is_told(days: int, is_told: bool) -> None:
    """Of 360 days; renewal begins with the 240th."""
    ends = WALL + days * DAY_MS
    found = verdicts.certificate(ends - 360 * DAY_MS, ends, WALL)
    assert (found is not None) is is_told
    if found is not None:
        assert ("has ended" in found.text["en"]) is (days < 0)


def test_a_certificate_is_judged_by_a_clock_that_is_trusted_only() -> None:
    ended = replace(SEEN, certificate=ENDED)
    assert judged(Record(), ended, wall=None) == {}
    assert list(judged(Record(), ended)) == ["certificate ends"]


def test_a_time_service_that_is_away_is_told_after_two_days_through_restarts_and_not_where_none_is() -> None:
    record = Record()
    lost = replace(SEEN, synchronised=False)
    assert judged(record, lost) == {}
    record = Record(record.kept())
    assert judged(record, lost, 2 * DAY_MS - 1) == {}
    assert list(judged(record, lost, 2 * DAY_MS)) == ["time service"]
    assert judged(record, lost, 2 * DAY_MS, Setting(clock_trusted=True)) == {}
    assert judged(record, SEEN, 2 * DAY_MS) == {}
    assert judged(record, lost, 3 * DAY_MS) == {}
    assert judged(record, replace(SEEN, synchronised=None), 9 * DAY_MS) == {}


def test_while_the_machine_was_off_no_time_service_was_missed() -> None:
    """The first look after a start is before any has answered, and is what is kept for a day."""
    record, lost = Record(), replace(SEEN, synchronised=False)
    assert judged(record, lost) == {}
    kept = json.loads(json.dumps(record.kept()))
    assert judged(record, SEEN, 10 * MIN) == {}
    record, again = Record(kept), replace(lost, boot_id="two")
    assert judged(record, again, 3 * DAY_MS) == {}
    assert judged(record, again, 4 * DAY_MS) == {}
    record, third = Record(json.loads(json.dumps(record.kept()))), replace(lost, boot_id="three")
    assert judged(record, third, 9 * DAY_MS) == {}
    assert judged(record, third, 10 * DAY_MS - 1) == {}
    assert list(judged(record, third, 10 * DAY_MS)) == ["time service"], "looked at for two days in all"
    record = Record(json.loads(json.dumps(record.kept())))
    assert list(judged(record, replace(lost, boot_id="four"), 20 * DAY_MS)) == ["time service"]


@pytest.mark.parametrize(("free", "is_told"), [(0.05, False), (0.049, True), (None, False)])
def test_a_full_disk_is_told(free: float | None, is_told: bool) -> None:
    assert ("disk room" in judged(Record(), replace(SEEN, disk_free=free))) is is_told


@pytest.mark.parametrize(
    ("partition", "size_mb", "said"),
    [("good", 5000, ""), ("repaired", 512, ""), ("", None, ""), ("new", 511, "too small (511 MB"),
     ("readonly", 5000, "data are damaged: the node goes on"), ("lost", 5000, "and can't be read")],
)  # fmt: skip
def test_an_images_data_partition_that_forgets_or_is_too_small_is_told(
    partition: str, size_mb: int | None, said: str
) -> None:
    found = judged(Record(), replace(SEEN, partition=partition, partition_mb=size_mb))
    assert bool(said) is ("card data" in found)
    assert said in found.get("card data", {"en": ""})["en"]


def test_every_verdict_has_a_source_of_its_own_that_no_device_can_have_and_says_what_to_do() -> None:
    worst = replace(SEEN, card=Card(life_pct=110, spare=3, errors=9), undervolted=True, temperature_c=99.0,
                    certificate=ENDED, synchronised=False, disk_free=0.0, partition="lost")  # fmt: skip
    record = Record({"unsynchronised": -3 * DAY_MS})
    judged(record, worst, -1)
    for _ in range(verdicts.HOT_SAMPLES):
        found = judged(record, worst)
    assert tuple(found) == verdicts.SOURCES
    for source, texts in found.items():
        assert " " in source
        assert set(texts) == {"sv", "en"}
        assert all(":" in said or ";" in said for said in texts.values())


def test_words_change_when_something_else_is_to_be_done_and_not_each_day() -> None:
    """Whoever hears of them is told anew then."""
    ends = WALL + 30 * DAY_MS
    for language, ends_on, has_ended in (
        ("en", "the node's certificate ends on 2026-10-21", "the node's certificate has ended"),
        ("sv", "nodens certifikat går ut 2026-10-21", "nodens certifikat har gått ut"),
    ):
        texts = [
            found.text[language].partition(" och " if language == "sv" else " and ")[0]
            for day in range(-30, 30)
            if (found := verdicts.certificate(ends - 360 * DAY_MS, ends, ends + day * DAY_MS)) is not None
        ]
        assert texts == [ends_on] * 30 + [has_ended] * 30
    worn = [
        found.text["en"] for pct in range(90, 120) if (found := verdicts.card_wear(pct, None)) is not None
    ]
    assert len(set(worn)) == 3


@pytest.mark.parametrize(
    ("recent", "was_hot", "is_hot"),
    [(79.9, False, False), (80.0, False, True), (75.0, True, True), (74.9, True, False), (None, True, False)],
)
def test_the_edges_of_heat(recent: float | None, was_hot: bool, is_hot: bool) -> None:
    assert (verdicts.heat(recent, was_hot=was_hot) is not None) is is_hot
    assert verdicts.HOT_SAMPLES == 12, "two hours: longer than a look"


def test_verdicts_say_how_much() -> None:
    wear, spare = verdicts.card_wear(95, None), verdicts.card_wear(None, 3)
    assert wear is not None
    assert wear.text["en"].startswith("at least 90 % of the card's life is used: change it")
    assert spare is not None
    assert spare.text["en"].startswith("the card's spare blocks run out: change it")
    assert wear.text["sv"].startswith("minneskortet är förbrukat till minst 90 %: byt det")
    assert spare.text["sv"].startswith("minneskortets reservblock tar slut: byt det")
    assert verdicts.card_wear(10, 2) == spare, "10 % used would be no reason"
    assert verdicts.card_wear(None, None) is verdicts.card_wear(89, 1) is verdicts.card_wear(0, 0) is None
    for days, left in ((30, "ends on 2026-10-21"), (0, "has ended"), (-5, "has ended")):
        found = verdicts.certificate(WALL - 400 * DAY_MS, WALL + days * DAY_MS, WALL)
        assert found is not None
        assert left in found.text["en"]
