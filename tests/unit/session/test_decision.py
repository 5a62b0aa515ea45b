"""A care decision allows exactly what it says, when it says so."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from homenode.errors import NoLook
from homenode.session.decision import Moment, Wish, allowing, holds, of_terms, terms, when
from tests.unit.session.some_decisions import CAMERAS, NIGHT, NIGHTS, WISH, decision, moment, wish


def why_not(asked: Wish, when: Moment, *others: Any) -> tuple[str, str]:
    with pytest.raises(NoLook) as no:
        allowing(asked, CAMERAS, {one.id: one for one in (NIGHTS, *others)}, when)
    return no.value.code, str(no.value)


def test_what_it_allows_is_allowed_by_it() -> None:
    assert allowing(WISH, CAMERAS, {"nights": NIGHTS}, NIGHT) is NIGHTS
    assert allowing(wish(view="blurred"), CAMERAS, {"nights": NIGHTS}, NIGHT) is NIGHTS


def test_another_camera_party_view_or_time_is_refused_by_name() -> None:
    assert why_not(wish(camera="bath"), NIGHT) == ("no_camera", "there is no camera bath")
    assert why_not(wish(camera="hall"), NIGHT) == ("no_decision", "no decision lets care look through hall")
    assert why_not(wish(party="property"), NIGHT)[0] == "no_decision"
    code, text = why_not(wish(view="clear"), NIGHT)
    assert (code, "allowed: silhouette or blurred" in text) == ("view", True)
    code, text = why_not(WISH, moment(day=date(2026, 7, 1)))
    assert (code, "nights: it ended on 2026-06-30" in text) == ("not_now", True)


@pytest.mark.parametrize(
    ("day", "held"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
    ],
)
def test_both_its_days_are_included(day: date, held: bool) -> None:
    assert holds(NIGHTS, moment(day=day)) is held


@pytest.mark.parametrize(
    ("hours", "minute", "held"),
    [
        ((1320, 360), 1319, False),
        ((1320, 360), 1320, True),
        ((1320, 360), 0, True),
        ((1320, 360), 359, True),
        ((1320, 360), 360, False),
        ((480, 600), 479, False),
        ((480, 600), 480, True),
        ((480, 600), 599, True),
        ((480, 600), 600, False),
        (None, 720, True),
    ],
)
def test_its_hours_run_over_midnight_and_end_before_the_last(
    hours: tuple[int, int] | None, minute: int, held: bool
) -> None:
    assert holds(decision(hours=hours), moment(minute=minute)) is held


def test_why_it_does_not_hold_is_told() -> None:
    def told(**when: Any) -> str:
        return why_not(WISH, moment(**when))[1]

    assert "(nights: only 22:00-06:00)" in told(minute=720)
    assert "(nights: from 2026-01-01)" in told(day=date(2025, 1, 1))
    only = decision(id="away", modes=("away", "visit"))
    text = why_not(wish(camera="bed"), moment(minute=720), only)[1]
    assert text == "no decision holds now (nights: only 22:00-06:00; away: only 22:00-06:00)"


def test_it_holds_in_its_modes_only() -> None:
    assert holds(decision(modes=("night",)), NIGHT)
    assert not holds(decision(modes=("away",)), NIGHT)
    with pytest.raises(NoLook, match=r"away: only in mode away or visit"):
        allowing(WISH, CAMERAS, {"away": decision(id="away", modes=("away", "visit"))}, NIGHT)


def test_of_several_one_that_allows_all_of_it_counts() -> None:
    clear = decision(id="clear", views=("clear",))
    other = decision(id="days", hours=(480, 600))
    decisions = {one.id: one for one in (other, NIGHTS, clear)}
    assert allowing(WISH, CAMERAS, decisions, NIGHT) is NIGHTS
    assert allowing(wish(view="clear"), CAMERAS, decisions, NIGHT) is clear
    assert allowing(WISH, CAMERAS, decisions, moment(minute=500)) is other
    assert "allowed: silhouette or blurred" in why_not(wish(view="clear"), NIGHT, other)[1]


def test_what_a_party_is_told_can_be_read_back() -> None:
    for one in (NIGHTS, decision(hours=None, modes=("night", "home"), ask=True, views=("clear",))):
        (told,) = terms(CAMERAS, {one.id: one})
        assert of_terms(json.loads(json.dumps(told))) == one


@pytest.mark.parametrize(
    "otherwise",
    [
        {"cameras": ["bed"]},
        {"cameras": None},
        {"from": "soon"},
        {"from": 7},
        {"hours": "22-6-7"},
        {"hours": 22},
        {"hours": "25:00-26:00"},
        {"views": 3},
        {"longest_s": None},
        {"longest_s": 1e400},
        {"modes": 5},
    ],
)
def test_terms_that_are_none_are_told_as_that(otherwise: dict[str, Any]) -> None:
    (told,) = terms(CAMERAS, {NIGHTS.id: NIGHTS})
    with pytest.raises(ValueError, match="no terms of a decision"):
        of_terms({**told, **otherwise})


def test_when_it_holds_is_said_in_no_language() -> None:
    assert when(NIGHTS) == "2026-01-01 – 2026-06-30, 22:00-06:00"
    assert when(decision(hours=None, modes=("night",))) == "2026-01-01 – 2026-06-30, night"
