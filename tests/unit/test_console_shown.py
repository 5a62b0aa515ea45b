"""How a case is drawn and put in words: the places of marks, whose alert calls, what a home is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from homenode.console.access import Grant, Person
from homenode.console.board import Board, Home
from homenode.console.case import Case
from homenode.console.looks import LATE_MS, MOST_SHOWN, Looks
from homenode.console.plot import BESIDE, LANE, LEFT, RIGHT, TOP, WIDTH, plot
from homenode.console.shown import (
    LARGEST,
    LONGEST_TEXT,
    age,
    alarm_bar,
    filters,
    picture,
    readable,
    room_of,
    text_of,
    valued,
)
from homenode.listen import told
from homenode.listen.told import ALL, Kind
from homenode.tune.drawing import ALERTS, NOTIFIED, SOFT
from tests.unit.listening import NOW, message

END = WIDTH - RIGHT
BEGIN = LEFT + BESIDE * (END - LEFT)


def at(minute: int, second: int = 0) -> str:
    return f"2026-01-05T06:{minute:02d}:{second:02d}.000+01:00"


def case(**data: Any) -> Case:
    body = {"data": {"alert": "a:1", "at": at(20), "raised": at(10), "evidence": [], **data}}
    return Case("k", "care", "home-1", "a:1", NOW, body)


def point(**more: Any) -> dict[str, Any]:
    return {"point": "stove.power", "value": 1420, "quality": "good", "at": at(15), "since": at(0), **more}


def texts(svg: str) -> dict[str, tuple[float, float, str]]:
    """What is written, and where it begins or ends."""
    found = re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)"[^>]*text-anchor="(\w+)">([^<]*)', svg)
    return {text: (float(x), float(y), anchor) for x, y, anchor, text in found}


def lines(svg: str) -> list[tuple[list[float], str]]:
    """Numbers of each line, and its colour."""
    found = re.findall(r'<polyline points="([^"]+)" fill="none" stroke="([^"]+)"', svg)
    return [([float(one) for one in re.split("[ ,]", points)], colour) for points, colour in found]


def dots(svg: str) -> list[tuple[float, float, str]]:
    return [
        (float(x), float(y), c)
        for x, y, c in re.findall(r'<circle cx="(.*?)" cy="(.*?)" r="5" fill="(.*?)"', svg)
    ]


# --- the drawing


def test_time_runs_from_the_first_mark_to_when_it_was_told() -> None:
    svg = plot(case(evidence=[point()]), "en")
    written = texts(svg)
    middle = (BEGIN + END) / 2
    assert written["raised"] == (pytest.approx(middle + 4, 0.1), TOP - 12, "start")
    assert written["sent"] == (pytest.approx(END - 4, 0.1), TOP - 12, "end")
    assert written["06:00:00"] == (pytest.approx(BEGIN, 0.1), TOP + LANE + 18, "start")
    assert written["06:20:00"] == (pytest.approx(END, 0.1), TOP + LANE + 18, "end")
    assert f'viewBox="0 0 {WIDTH} {TOP + LANE + 26}"' in svg
    assert written["stove.power: power 1420 W"][:2] == (LEFT, TOP + 14)


def test_a_lane_says_since_when_and_when_it_was_heard_last() -> None:
    evidence = [
        point(),
        point(point="hall.motion", value=False),
        point(point="bed.occupancy", quality="stale"),
    ]
    svg = plot(case(evidence=evidence), "en")
    drawn = lines(svg)
    raised, sent = drawn[:2]
    assert raised == (
        [
            pytest.approx((BEGIN + END) / 2, 0.1),
            TOP - 6,
            pytest.approx((BEGIN + END) / 2, 0.1),
            TOP + 3 * LANE,
        ],
        ALERTS,
    )
    assert sent[1] == NOTIFIED
    bars = [(numbers, colour) for numbers, colour in drawn[2:] if colour in (ALERTS, SOFT)]
    places = [TOP + LANE * nth + 26 for nth in range(3)]
    assert bars == [
        ([pytest.approx(BEGIN, 0.1), places[0], pytest.approx(END, 0.1), places[0]], ALERTS),
        ([pytest.approx(BEGIN, 0.1), places[1], pytest.approx(END, 0.1), places[1]], SOFT),
    ]  # what is not known has no bar
    heard = pytest.approx(BEGIN + (END - BEGIN) * 0.75, 0.1)
    assert dots(svg) == [(heard, places[0], ALERTS), (heard, places[1], ALERTS), (heard, places[2], SOFT)]
    grid = [numbers for numbers, colour in drawn[2:] if colour not in (ALERTS, SOFT)]
    assert grid == [[LEFT, place, END, place] for place in places]


def test_a_point_without_one_of_its_times_is_drawn_by_the_other() -> None:
    [first, _] = [
        numbers[0]
        for numbers, colour in lines(plot(case(evidence=[point(since=None)]), "en"))
        if colour == ALERTS
    ]
    assert first == pytest.approx(BEGIN, 0.1)  # raised is the first mark then
    svg = plot(case(evidence=[point(at=None)]), "en")
    assert dots(svg) == []
    assert [colour for _, colour in lines(svg)].count(ALERTS) == 2
    svg = plot(case(evidence=[point(at=None, since=None)]), "en")
    assert [colour for _, colour in lines(svg)].count(ALERTS) == 1


def test_what_is_raised_and_sent_at_once_is_one_mark_and_a_minute_is_the_least_that_is_shown() -> None:
    svg = plot(case(raised=at(20), evidence=[point(at=at(20), since=at(20))]), "en")
    assert {"sent", "raised"} & set(texts(svg)) == {"raised"}
    assert {"06:19:00", "06:20:00"} <= set(texts(svg))
    assert "raised" in texts(plot(case(raised=None, evidence=[point()]), "en"))
    for zone, clock in (("-05:30", "06:20:00"), ("Z", "06:20:00")):
        told_at = at(20).replace("+01:00", zone)
        assert clock in texts(
            plot(case(at=told_at, raised=told_at, evidence=[point(at=None, since=None)]), "en")
        )


def test_nothing_is_drawn_of_an_alert_without_points_or_time() -> None:
    assert plot(case(), "en") == ""
    assert plot(case(evidence="x"), "en") == ""
    assert plot(case(at="soon", evidence=[point()]), "en") == ""
    assert plot(case(evidence=[point()] * 20), "en").count("stove.power") == 12


# --- words


def test_what_others_say_is_cut_and_turns_no_line_around() -> None:
    assert len(text_of({"text": {"en": "x" * 9_000}}, "en")) == LONGEST_TEXT
    assert text_of({"text": {"sv": "bara svenska"}}, "en") == "bara svenska"
    assert text_of({"text": "x"}, "en") == text_of({}, "en") == ""
    assert len(room_of(case(room="x" * 9_000))) == 80
    assert readable("a\u202eb\x1bc\nd") == "a\ufffdb\ufffdc\nd"
    assert readable(1) == 1
    assert valued({"point": "s.power", "value": LARGEST, "quality": "good"}, "en") == "power ?"
    assert valued({"point": "s.power", "value": 10**400, "quality": "good"}, "en") == "power ?"


def test_since_when_a_home_is_silent_is_said_by_our_clock() -> None:
    said = filters("Europe/Stockholm")["sentence"]
    at_ten = 1_767_603_600_000  # 2026-01-05, 10:00 in Stockholm, 09:00 UTC
    for home, words in (
        ("home-1", "The node is silent since 10:00"),
        (ALL, "The console had no connection from 10:00"),
    ):
        silent = told.silent(home, at_ten + 180_000, at_ten, "x")
        assert said(
            Case("k", "care", home, f"silent:{silent['data']['since']}", NOW, silent), "en"
        ).startswith(words)
    nobody = told.nobody(at_ten)
    assert said(Case("k", "care", ALL, "nobody:x", NOW, nobody), "en") == nobody["data"]["text"]["en"]


def test_an_age_has_one_unit() -> None:
    assert [age(ms) for ms in (-5, 999, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000)] == [
        "0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d",
    ]  # fmt: skip


# --- what is loud, and for whom


def fact(kind: Kind, body: dict[str, Any], home: str, party: str = "care") -> dict[str, Any]:
    return {
        "what": "came",
        "at": NOW,
        "party": party,
        "home": home,
        "kind": kind.value,
        "stage": 0,
        "body": body,
    }


def test_the_bar_says_to_each_what_is_theirs() -> None:
    board = Board()
    board.link("care", up=False, now=NOW)
    board.link("care", up=False, now=NOW + 1)
    assert board.deaf == {"care": NOW}
    board.apply(fact(Kind.SILENT, dict(told.silent("a", NOW, NOW, "x")), "a"))
    board.apply(fact(Kind.ALERT, dict(message(1).body), "b"))
    eva = Person("eva", "Eva", (Grant("care"),))
    north = Person("nils", "Nils", (Grant("care", frozenset({"b"})),))
    lars = Person("lars", "Lars", (Grant("property"),))
    dora = Person("dora", "Dora", (Grant("relative", frozenset({"a"})),))
    bars = [alarm_bar(board, one, True, NOW) for one in (eva, north, lars, dora)]
    assert [bar.deaf for bar in bars] == [("care",), ("care",), (), ()]
    assert [bar.silent for bar in bars] == [1, 0, 0, 0]
    assert [len(bar.calls) for bar in bars] == [2, 1, 0, 0]
    assert [bar.alone for bar in bars] == [("care",), ("care",), ("property",), ()]
    assert [bar.loud for bar in bars] == [True, True, False, False]
    assert alarm_bar(board, eva, False, NOW).alone == ()
    board.link("care", up=True, now=NOW + 2)
    assert board.deaf == {}


def test_a_home_is_good_only_if_it_is_heard_and_says_so() -> None:
    board = Board()
    home = board.home("care", "a")
    assert home.state == "unknown"
    assert board.online("care", "a", True, NOW)
    assert not board.online("care", "a", True, NOW + 1)
    assert home.heard == NOW + 1
    assert home.state == "unknown"  # it has said nothing of itself
    assert board.status(
        "care", "a", {"open": [{"event": "fault"}, {"event": "notified"}, 7], "health": {"state": "good"}}
    )
    assert not board.status("care", "a", {"open": [], "health": {"state": "good"}})  # no page shows less
    assert home.state == "good"
    board.status(
        "care", "a", {"open": [{"event": "fault"}, {"event": "notified"}, 7], "health": {"state": "fault"}}
    )
    assert (home.state, len(home.faults), len(home.open)) == ("fault", 1, 2)
    board.status("care", "a", {"open": [], "health": "good"})
    assert home.state == "fault"
    assert board.online("care", "a", False, NOW + 9)
    assert (home.state, home.heard) == ("unknown", NOW + 1)
    board.home("care", ALL)
    board.home("care", "0")
    assert [one.home for one in board.real_homes()] == ["0", "a"]
    assert Home("care", "b").faults == []


def test_a_look_without_an_end_is_lost_a_minute_after_its_lease() -> None:
    looks, about = Looks(), {"party": "care", "home": "a", "camera": "bed", "by": "Eva", "who": "eva"}
    began = {"what": "looked", "at": 5, "view": "silhouette", "reason": "round", **about}
    looks.apply({**began, "id": "long", "until": 1_000})
    looks.apply({**began, "id": "old"})  # of a console that didn't write it down
    assert looks.lost(4 + LATE_MS) == []
    assert looks.lost(5 + LATE_MS) == [looks.looks["old"]]
    looks.looks["long"].until = 2_000  # renewed
    assert looks.lost(1_999 + LATE_MS) == [looks.looks["old"]]
    looks.resume(10_000)  # after a start whoever looks still is waited for
    assert looks.lost(9_999 + LATE_MS) == []
    assert len(looks.lost(10_000 + LATE_MS)) == 2
    looks.apply({"what": "look_ended", "at": 9, "id": "long", "why": "lost"})
    assert looks.lost(10_000 + LATE_MS) == [looks.looks["old"]]


def test_looks_are_the_newest_first_and_bounded() -> None:
    looks = Looks()
    about = {"party": "care", "home": "a", "camera": "bed", "reason": "x", "by": "Eva", "who": "eva"}
    for nth in range(MOST_SHOWN + 1):
        looks.apply({"what": "looked", "at": nth, "id": str(nth), "view": "silhouette", **about})
        looks.apply({"what": "round", "at": nth, "id": str(nth), "by": "Eva", "note": "asleep"})
    newest = looks.newest()
    assert (len(newest), newest[0].id, newest[-1].id) == (MOST_SHOWN, str(MOST_SHOWN), "1")
    assert looks.rounds[str(MOST_SHOWN)] == (MOST_SHOWN, "Eva", "asleep")
    assert len(looks.rounds) == MOST_SHOWN
    looks.apply({"what": "look_granted", "at": 7, "id": "5", "session": "s1", "until": 30_007})
    looks.apply({"what": "look_view", "at": 8, "id": "5", "view": "clear"})
    looks.apply({"what": "look_ended", "at": 9, "id": "5", "why": "time"})
    looks.apply({"what": "look_ended", "at": 9, "id": "nobody", "why": "time"})
    look = looks.looks["5"]
    assert (look.begin, look.end, look.ended, look.views) == (7, 9, "time", ["silhouette", "clear"])
    assert (look.session, look.until, looks.looks["6"].session) == ("s1", 30_007, "")


def test_what_is_done_is_forgotten_at_last_and_what_is_open_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homenode.console.board.MOST_DONE", 2)
    board = Board()
    for number in range(1, 6):
        body = dict(message(number, alert=f"door:{number}", severity="warning").body)
        board.apply(fact(Kind.ALERT, body, "a"))
        if number > 1:
            body = dict(message(100 + number, "resolved", alert=f"door:{number}", severity="warning").body)
            board.apply(fact(Kind.ALERT, body, "a"))
    assert [one.alert for one in board.to_do()] == ["door:1"]
    assert sorted(one.alert for one in board.of_home("care", "a")) == ["door:1", "door:4", "door:5"]
    assert len(board.by_age()) == len(board.cases) == 3


# --- what happened, as it is kept


def test_shifts_escalations_and_deeds_are_on_the_board_and_in_its_log() -> None:
    board = Board()
    shift = {
        "id": "s",
        "party": "care",
        "who": "eva",
        "name": "Eva",
        "begin": NOW,
        "end": NOW + 9,
        "note": "",
    }
    board.apply({"what": "shift", "at": NOW, **shift})
    assert [one.who for one in board.duty.on("care", NOW)] == ["eva"]
    body = dict(message(1).body)
    board.apply(fact(Kind.ALERT, body, "a"))
    [key] = board.cases
    before = board.cases[key].version
    for stage in (2, 1):
        board.apply(fact(Kind.ESCALATED, body, "a") | {"stage": stage})
    one = board.cases[key]
    assert (one.stage, [done.note for done in one.history]) == (2, ["", "2", "1"])
    assert one.version == before + 2
    deed = {"key": key, "did": "acknowledge", "by": "Eva", "who": "eva", "note": "", "home": "a"}
    board.apply({"what": "did", "at": NOW, **deed})
    board.apply({"what": "signed_in", "at": NOW, "who": "eva"})
    assert [line["what"] for line in board.log] == ["shift", "did", "signed_in"]
    assert board.cases[key].version == board.version - 1


def test_a_bar_is_loud_for_an_alert_alone_or_for_deafness_alone() -> None:
    eva, calling, deaf = Person("eva", "Eva", (Grant("care"),)), Board(), Board()
    assert not alarm_bar(calling, eva, False, NOW).loud
    calling.apply(fact(Kind.ALERT, dict(message(1).body), "a"))
    assert alarm_bar(calling, eva, False, NOW).loud
    deaf.link("care", up=False, now=NOW)
    assert alarm_bar(deaf, eva, False, NOW).loud


def test_a_hole_is_filled_by_its_first_and_its_last_number_and_no_other() -> None:
    for number, over in ((4, False), (5, True), (7, True), (8, False)):
        board = Board()
        board.apply(fact(Kind.HOLE, dict(told.missing("a", NOW, "e", 5, 7)), "a"))
        board.apply(fact(Kind.FILLED, dict(told.filled("a", NOW, "e", number)), "a"))
        [one] = board.cases.values()
        assert (one.home_says == "over") is over, number


def test_what_one_of_several_says_counts() -> None:
    board = Board()
    for home, state in (("a", "good"), ("b", "fault")):
        board.online("care", home, True, NOW)
        board.status("care", home, {"open": [{"event": "fault", "text": {"en": home}}, {"event": "notified"}],
                                    "health": {"state": state}})  # fmt: skip
    both = board.real_homes()
    assert [fault["text"]["en"] for fault in both[0].faults] == ["a"]
    assert both[0].version < both[1].version == board.version
    assert picture(both, []) == "partly"
    board.online("care", "b", False, NOW)
    assert picture(both, []) == "unknown"
    board.apply(fact(Kind.SILENT, dict(told.silent("b", NOW, NOW, "x")), "b"))
    assert picture(both, []) == "silent"
    roles = Person("e", "Eva", (Grant("relative", frozenset({"a"})), Grant("care", frozenset({"b"}))))
    assert (roles.works, roles.sees("care", "b"), roles.sees("care", "a"), roles.related("a")) == (
        True,
        True,
        False,
        True,
    )
