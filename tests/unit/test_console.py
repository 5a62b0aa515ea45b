"""Cases and who sees them: what the console decides by, without a page."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import homenode.console
from homenode.config.model import VIEWS
from homenode.console.access import Grant, Person
from homenode.console.board import Board
from homenode.console.case import Case, key_of
from homenode.console.plot import plot
from homenode.console.shown import age, picture, valued
from homenode.console.words import WORDS
from homenode.listen import told
from homenode.listen.told import Kind
from homenode.panel.things import State
from tests.unit.listening import NOW, message

MIN = 60_000
EVA = Person("eva", "Eva Lind", (Grant("care"),))
KEY = key_of("care", "a", "stove:1")


def came(board: Board, number: int, told_: str = "notified", now: int = NOW, **data: Any) -> None:
    body = message(number, told_, **data).body
    fact = {"what": "came", "at": now, "party": "care", "home": "a", "kind": "alert", "stage": 0}
    board.apply(fact | {"body": body})


def own(board: Board, kind: Kind, body: dict[str, Any], home: str = "a", at: int = NOW) -> None:
    fact = {"what": "came", "at": at, "party": "care", "home": home, "kind": kind.value, "stage": 0}
    board.apply(fact | {"body": body})


def did(board: Board, what: str, note: str = "", key: str = KEY) -> None:
    fact = {"what": "did", "at": NOW + 1, "key": key, "did": what, "by": "Eva Lind", "who": "eva"}
    board.apply(fact | {"note": note, "home": "a"})


def case(board: Board) -> Case:
    return board.cases[KEY]


# --- cases


def test_an_alert_calls_until_somebody_has_it() -> None:
    board = Board()
    came(board, 1)
    assert case(board).calls
    did(board, "take")
    assert not case(board).calls
    did(board, "release")
    assert case(board).calls


def test_taking_is_between_colleagues_and_acknowledging_is_for_the_home() -> None:
    board = Board()
    came(board, 1)
    did(board, "take")
    assert case(board).home_waits
    did(board, "acknowledge")
    assert not case(board).home_waits
    assert case(board).asked
    came(board, 2, "acknowledged", by="Eva Lind")
    assert (case(board).home_says, case(board).asked) == ("acknowledged", False)


def test_what_another_party_acknowledges_is_told_and_waits_for_ours() -> None:
    board = Board()
    came(board, 1)
    came(board, 2, "acknowledged", by="property")
    assert case(board).calls
    assert case(board).history[-1].by == "property"
    came(board, 3, "acknowledged", by="property, Eva Lind")
    assert not case(board).calls


def test_an_answer_that_is_quicker_than_our_own_note_is_not_waited_for() -> None:
    board = Board()
    came(board, 1)
    came(board, 2, "acknowledged", by="Eva Lind")
    did(board, "acknowledge")
    assert not case(board).asked


def test_a_home_that_refuses_an_acknowledgement_calls_again() -> None:
    board = Board()
    came(board, 1)
    did(board, "acknowledge")
    did(board, "release")
    assert not case(board).calls
    own(board, Kind.REFUSED, told.refused("a", NOW, "stove:1", "Eva Lind", "it is over"))
    assert case(board).calls
    assert case(board).refused == "it is over"


def test_an_alarm_that_ends_by_itself_stays_until_a_person_has_looked() -> None:
    board = Board()
    came(board, 1)
    came(board, 2, "resolved")
    assert board.to_do() == [case(board)]
    did(board, "close", "looked in")
    assert board.to_do() == []


def test_a_warning_that_ends_leaves_the_list() -> None:
    board = Board()
    came(board, 1, severity="warning")
    came(board, 2, "resolved", severity="warning")
    assert board.to_do() == []


def test_a_closed_alert_that_lapses_in_the_home_is_back() -> None:
    board = Board()
    came(board, 1)
    did(board, "take")
    did(board, "close", "rang")
    assert board.to_do() == []
    came(board, 2)
    assert not case(board).calls  # Eva has it still
    assert board.to_do() == [case(board)]


def test_what_comes_twice_is_told_once() -> None:
    board = Board()
    for _ in range(2):
        came(board, 1)
        came(board, 2, "resolved")
    assert [done.what for done in case(board).history] == ["came", "over"]


def test_an_end_without_a_beginning_makes_no_case() -> None:
    board = Board()
    came(board, 2, "resolved")
    own(board, Kind.BACK, told.back("a", NOW, NOW))
    assert not board.cases


def test_a_severity_that_nobody_knows_is_an_alarm() -> None:
    board = Board()
    came(board, 1, severity="mild")
    assert case(board).severity == "alarm"


def test_a_silent_home_is_an_alarm_until_it_is_heard() -> None:
    board = Board()
    own(board, Kind.SILENT, told.silent("a", NOW, NOW - MIN, "no heartbeat"))
    [silent] = board.to_do()
    assert (silent.severity, silent.own, board.home("care", "a").state) == ("alarm", True, "silent")
    own(board, Kind.BACK, told.back("a", NOW + MIN, NOW - MIN))
    assert board.to_do() == []
    assert board.home("care", "a").state == "unknown"


def test_a_hole_is_filled_by_any_number_of_it() -> None:
    board = Board()
    own(board, Kind.HOLE, told.missing("a", NOW, "e", 3, 5))
    own(board, Kind.FILLED, told.filled("a", NOW, "other", 4))
    assert len(board.to_do()) == 1
    own(board, Kind.FILLED, told.filled("a", NOW, "e", 4))
    assert board.to_do() == []


def test_the_worst_stands_first_then_what_nobody_has_then_the_oldest() -> None:
    board = Board()
    came(board, 1, alert="w", severity="warning", now=NOW)
    came(board, 2, alert="late", now=NOW + 2)
    came(board, 3, alert="early", now=NOW + 1)
    came(board, 4, alert="had", now=NOW)
    did(board, "take", key=key_of("care", "a", "had"))
    assert [one.alert for one in board.to_do()] == ["early", "late", "had", "w"]


def test_a_test_calls_nobody_and_stands_last() -> None:
    board = Board()
    came(board, 1, test=True)
    came(board, 2, alert="i", severity="info")
    assert not case(board).calls
    assert [one.alert for one in board.to_do()] == ["i", "stove:1"]


@given(st.lists(st.sampled_from(["notified", "acknowledged", "resolved", "take", "close", "release"])))
def test_a_resend_changes_nothing_and_each_case_is_on_one_list(steps: list[str]) -> None:
    one, other = Board(), Board()
    for number, step in enumerate(steps, 1):
        if step in ("notified", "acknowledged", "resolved"):
            for board in (one, other, other) if step != "notified" else (one, other):
                came(board, number, step, by="Eva Lind")
        else:
            did(one, step)
            did(other, step)
    assert [c.history for c in other.cases.values()] == [c.history for c in one.cases.values()]
    assert {case.key for case in one.to_do()} == {key for key, case in one.cases.items() if case.to_do}


def test_what_a_home_refuses_is_in_the_history_and_asked_again_it_is_forgotten() -> None:
    board = Board()
    came(board, 1)
    did(board, "acknowledge")
    own(board, Kind.REFUSED, told.refused("a", NOW, "stove:1", "Eva Lind", "it is over"))
    done = case(board).history[-1]
    assert (done.what, done.by, done.note) == ("refused", "Eva Lind", "it is over")
    did(board, "acknowledge")
    assert (case(board).refused, case(board).asked) == ("", True)


def test_a_status_is_news_when_a_page_would_show_another_state_or_look() -> None:
    board = Board()
    board.online("care", "a", True, NOW)
    good = {"open": [], "health": {"state": "good"}}
    assert board.status("care", "a", good)
    assert not board.status("care", "a", {**good, "versions": {}})
    assert board.status("care", "a", {**good, "looks": [{}]})
    assert not board.status("care", "a", {**good, "looks": [{}]})
    assert board.status("care", "a", {**good, "looks": [{}], "health": {"state": "fault"}})


def test_whatever_happens_makes_the_board_newer() -> None:
    board, versions = Board(), [0]
    for change in (
        lambda: came(board, 1),
        lambda: did(board, "take"),
        lambda: board.link("care", False, NOW),
        lambda: board.link("care", True, NOW),
        lambda: board.online("care", "a", True, NOW),
        lambda: board.status("care", "a", {"open": []}),
    ):
        change()
        versions.append(board.version)
    assert all(one < other for one, other in pairwise(versions))
    assert case(board).version == versions[2]


# --- who sees what


def test_nobody_sees_another_home_or_another_partys() -> None:
    board = Board()
    came(board, 1)
    here, there = (
        Person("n", "N", (Grant("care", frozenset({"a"})),)),
        Person("t", "T", (Grant("care", frozenset({"b"})),)),
    )
    landlord = Person("l", "L", (Grant("property"),))
    assert here.case(board, KEY) is case(board)
    assert there.case(board, KEY) is None
    assert landlord.case(board, KEY) is None
    assert there.cases(board) == landlord.cases(board) == []


def test_a_relative_sees_no_case_and_only_one_home() -> None:
    board = Board()
    came(board, 1)
    dora = Person("dora", "Dora", (Grant("relative", frozenset({"a"})),))
    assert dora.case(board, KEY) is None
    assert not dora.works
    assert dora.related("a")
    assert not dora.related("b")
    assert not dora.related("*")


def test_a_relative_is_never_told_calm_of_what_is_not_known() -> None:
    board = Board()
    assert picture([], []) == "unknown"
    home = board.home("care", "a")
    assert picture([home], []) == "unknown"
    board.online("care", "a", True, NOW)
    assert picture([home], []) == "unknown"
    board.status("care", "a", {"open": [], "health": {"state": "good"}})
    assert picture([home], []) == "calm"
    board.status("care", "a", {"open": [], "health": {"state": "fault"}})
    assert picture([home], []) == "partly"
    board.status("care", "a", {"open": [], "health": {}})  # of a home that says less than it should
    assert picture([home], []) == "partly"
    came(board, 1)
    assert picture([home], board.of_home("care", "a")) == "alert"
    did(board, "acknowledge")
    assert picture([home], board.of_home("care", "a")) == "seen_to"
    board.online("care", "a", False, NOW)  # a short gap is no silence, and nobody knows
    assert picture([home], board.of_home("care", "a")) == "unknown"
    own(board, Kind.SILENT, told.silent("a", NOW, NOW, "offline"))
    assert picture([home], board.of_home("care", "a")) == "silent"
    assert board.silent == {("care", "a")}
    own(board, Kind.SILENT, told.silent("*", NOW, NOW, "no connection"), "*")
    own(board, Kind.BACK, told.back("a", NOW, NOW))
    assert board.silent == set()


# --- what is shown


def test_a_value_that_is_not_known_is_never_shown_as_one() -> None:
    assert valued({"point": "d.contact", "value": None, "quality": "stale"}, "en") == "too old to count"
    assert valued({"point": "d.contact", "value": False, "quality": "unknown"}, "en") == "unknown"
    assert valued({"point": "d.contact", "value": "<b>", "quality": "good"}, "en").endswith("?")


def test_a_plot_has_a_lane_for_each_point_and_no_markup_of_a_home() -> None:
    board = Board()
    at = "2026-01-05T06:12:03.250+01:00"
    rows = [
        {"point": "stove.power", "value": 1420, "quality": "good", "at": at, "since": at},
        {"point": "<script>.x", "value": None, "quality": "unknown"},
        "nonsense",
    ]
    came(board, 1, at=at, evidence=rows)
    drawn = plot(case(board), "en")
    assert "stove.power: power 1420 W" in drawn
    assert "<script" not in drawn
    assert "06:12:03" in drawn
    came(board, 2, at="yesterday", evidence=rows)
    assert plot(case(board), "en") == ""


def test_an_age_is_read_at_a_glance() -> None:
    ages = [age(one * 1000) for one in (-5, 0, 59, 60, 3_599, 3_600, 86_400)]
    assert ages == ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "1 d"]


def test_every_word_that_a_page_uses_is_there_and_every_word_is_used() -> None:
    folder = Path(homenode.console.__file__).parent
    pages = "\n".join(path.read_text() for path in folder.glob("page/*.html"))
    code = "\n".join(path.read_text() for path in folder.glob("*.py") if path.name != "words.py")
    used = set(re.findall(r'\bt\("([a-z_]+)"', pages)) | set(re.findall(r'\b(?:say|t)\("([a-z_]+)"', code))
    used = {key for key in used if not key.endswith("_")}
    assert used <= WORDS.keys()
    named = {*re.findall(r'"([a-z_]+)"', pages + code), *VIEWS, *(state.value for state in State)}
    made = {
        f"{stem}_{end}"
        for stem in ("state", "picture", "shared", "did", "quality", "log", "view")
        for end in named
    }
    assert WORDS.keys() - used - named - made == set()


def test_swedish_and_english_have_the_same_gaps() -> None:
    for key, (sv, en) in WORDS.items():
        assert set(re.findall(r"{\w+}", sv)) == set(re.findall(r"{\w+}", en)), key
