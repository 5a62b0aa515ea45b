"""Who is on duty when, and which homes a round looks in on: times of people, over a change of the clock."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from homenode.console.duty import KEPT_MS, Duty, instant
from homenode.console.rounds import Round, queue, stops
from tests.unit.listening import NOW

MIN = 60_000


# --- duty


def shift(duty: Duty, name: str, begin: int, end: int) -> None:
    row = {"id": name, "party": "care", "who": name, "name": name, "begin": begin, "end": end, "note": ""}
    duty.apply({"what": "shift", "at": NOW, **row})


def test_a_shift_holds_from_its_beginning_to_before_its_end() -> None:
    duty = Duty()
    shift(duty, "a", NOW, NOW + MIN)
    assert [bool(duty.on("care", at)) for at in (NOW - 1, NOW, NOW + MIN - 1, NOW + MIN)] == [0, 1, 1, 0]
    assert not duty.on("property", NOW)


def test_covered_is_until_the_first_gap() -> None:
    duty = Duty()
    shift(duty, "c", NOW + 3 * MIN, NOW + 4 * MIN)
    shift(duty, "a", NOW - MIN, NOW + MIN)
    shift(duty, "b", NOW, NOW + 2 * MIN)
    assert duty.covered_until("care", NOW) == NOW + 2 * MIN
    assert duty.covered_until("care", NOW + 2 * MIN) == NOW + 2 * MIN


def test_a_shift_that_is_struck_out_is_none() -> None:
    duty = Duty()
    shift(duty, "a", NOW, NOW + MIN)
    duty.apply({"what": "shift_off", "id": "a"})
    assert not duty.on("care", NOW)


def test_a_shift_for_next_month_strikes_out_none_of_today() -> None:
    duty = Duty()
    shift(duty, "today", NOW, NOW + MIN)
    shift(duty, "next month", NOW + 40_000 * MIN, NOW + 40_001 * MIN)
    assert [one.name for one in duty.on("care", NOW)] == ["today"]
    late = {"id": "later", "party": "care", "who": "l", "name": "l", "begin": NOW, "end": NOW + 1, "note": ""}
    duty.apply({"what": "shift", "at": NOW + KEPT_MS + MIN, **late})
    assert "today" in duty.shifts
    duty.apply({"what": "shift", "at": NOW + KEPT_MS + MIN + 1, **late})
    assert "today" not in duty.shifts  # it ended more than a week before


def test_a_night_in_which_the_clock_is_changed_has_no_gap_and_its_real_length() -> None:
    def at(text: str) -> int:
        return instant(text, "Europe/Stockholm")

    assert at("2026-10-25T06:00") - at("2026-10-24T22:00") == 9 * 60 * MIN
    assert at("2027-03-28T06:00") - at("2027-03-27T22:00") == 7 * 60 * MIN
    assert at("2027-03-28T02:30") == at("2027-03-28T03:30")  # that hour is skipped
    for night in ("2026-10-25", "2027-03-28"):
        duty, ends = (
            Duty(),
            [at(f"{night}T{clock}") for clock in ("00:00", "01:30", "02:30", "03:30", "06:00")],
        )
        for nth, (begin, end) in enumerate(pairwise(ends)):
            shift(duty, str(nth), begin, end)
        assert duty.covered_until("care", ends[0]) == ends[-1]


# --- rounds


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_round_is_due_at_its_times_until_it_is_gone_or_it_is_morning() -> None:
    one = Round("a", "bed", (23 * 60, 2 * 60))
    found = stops([one], "Europe/Stockholm", at("2026-01-05T23:30+01:00"))
    assert [stop.at for stop in found] == [at("2026-01-05T23:00+01:00"), at("2026-01-06T02:00+01:00")]
    assert queue(found, {}, at("2026-01-05T23:30+01:00")) == found[:1]
    assert queue(found, {}, found[0].at - 1) == []
    assert queue(found, {}, found[0].at) == found[:1]
    assert queue(found, {found[0].id: 0}, at("2026-01-05T23:30+01:00")) == []
    later = stops([one], "Europe/Stockholm", at("2026-01-06T03:00+01:00"))
    assert later[0].id == found[0].id  # after midnight it is the same one still
    assert stops([one], "Europe/Stockholm", at("2026-01-06T09:00+01:00")) == []


def test_an_hour_that_comes_twice_has_one_round() -> None:
    one = Round("a", "bed", (150,))
    found = stops([one], "Europe/Stockholm", at("2026-10-25T03:00+01:00"))
    assert len({stop.id for stop in found}) == len(found) == 1
