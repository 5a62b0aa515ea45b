"""Who is heard of, who sees to whom, and what a person reads."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.config.rows import LANGUAGES
from homenode.contract.alert import Told
from homenode.listen import told
from homenode.listen.members import DEAD_MS, FORGOTTEN_MS, Members
from homenode.listen.pulses import GONE_MS, NOT_SHOWN_MS, Pulses, Shown
from homenode.listen.told import Kind
from homenode.listen.words import line

NOW = 1_767_651_193_000
SILENT_MS = 180_000


def silent(pulses: Pulses, now: int) -> list[tuple[str, str]]:
    return [(overdue.home, overdue.why) for overdue in pulses.overdue(now)]


# --- signs of life


def test_a_home_without_a_heartbeat_for_long_enough_is_silent_since_its_last() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.heard("a", NOW)
    pulses.heard("b", NOW + 1)
    assert pulses.overdue(NOW + SILENT_MS - 1) == []
    assert pulses.overdue(NOW + SILENT_MS) == [("a", NOW, "no heartbeat")]
    assert silent(pulses, NOW + SILENT_MS + 1) == [("a", "no heartbeat"), ("b", "no heartbeat")]


def test_a_home_that_is_heard_again_hides_no_other() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.heard("a", NOW)
    pulses.heard("b", NOW)
    pulses.heard("a", NOW + 1)
    assert silent(pulses, NOW + SILENT_MS) == [("b", "no heartbeat")]


def test_a_home_that_is_offline_is_silent_soon_but_not_at_once() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.heard("a", NOW)
    pulses.offline("a", NOW + 10)
    pulses.offline("a", NOW + 20)  # told again: since the first
    assert not pulses.lives("a", NOW + 20)
    assert pulses.overdue(NOW + 9 + GONE_MS) == []
    assert pulses.overdue(NOW + 10 + GONE_MS) == [("a", NOW + 10, "offline")]
    assert silent(pulses, NOW + SILENT_MS) == [("a", "offline")]


def test_a_link_that_comes_back_at_once_is_no_news() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.offline("a", NOW)
    pulses.heard("a", NOW + 1)
    assert pulses.lives("a", NOW + 1)
    assert pulses.overdue(NOW + GONE_MS + 1) == []


def test_silence_is_news_once_until_the_home_was_heard() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.heard("a", NOW)
    pulses.told("a")
    assert pulses.overdue(NOW + SILENT_MS) == []
    assert not pulses.lives("a", NOW + SILENT_MS)
    pulses.heard("a", NOW + SILENT_MS)
    assert silent(pulses, NOW + 2 * SILENT_MS) == [("a", "no heartbeat")]
    pulses.offline("a", NOW + 2 * SILENT_MS)
    pulses.told("a")
    assert pulses.overdue(NOW + 9 * SILENT_MS) == []


def test_nobody_is_silent_while_we_were_deaf() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.heard("a", NOW)
    pulses.offline("b", NOW)
    later = NOW + 10 * SILENT_MS
    pulses.listening(later)
    assert pulses.overdue(later + GONE_MS - 1) == []
    assert silent(pulses, later + SILENT_MS) == [("b", "offline"), ("a", "no heartbeat")]


def test_a_home_that_is_only_known_of_is_silent_if_it_never_speaks() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.know("a", NOW)
    pulses.know("a", NOW + 5)
    assert not pulses.lives("a", NOW)
    assert not pulses.lives("b", NOW)
    assert silent(pulses, NOW + SILENT_MS) == [("a", "no heartbeat")]


def test_nobody_lives_who_was_not_heard_since_we_were_deaf() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.heard("a", NOW)
    assert pulses.lives("a", NOW + SILENT_MS - 1)
    pulses.listening(NOW + 1)
    assert not pulses.lives("a", NOW + 1)
    pulses.heard("a", NOW + 2)
    assert pulses.lives("a", NOW + SILENT_MS + 1)
    assert not pulses.lives("a", NOW + SILENT_MS + 2)


def test_a_home_that_was_online_some_time_ago_is_not_gone_and_no_sign_of_life() -> None:
    pulses = Pulses(SILENT_MS)
    pulses.offline("a", NOW)
    pulses.was_online("a", NOW + 1)
    pulses.was_online("b", NOW + 1)
    assert not pulses.lives("a", NOW + 1)
    assert not pulses.lives("b", NOW + 1)
    assert pulses.overdue(NOW + SILENT_MS - 1) == []
    assert silent(pulses, NOW + SILENT_MS + 1) == [("a", "no heartbeat"), ("b", "no heartbeat")]


# --- members of a group


def group(*names: str) -> dict[str, Members]:
    members = {name: Members(name, NOW - DEAD_MS) for name in names}
    for one in members.values():
        for name in names:
            one.heard(name, NOW)
    return members


@given(st.integers(1, 6), st.text("abcdefghij-0123456789", min_size=1))
def test_one_member_is_responsible_for_a_home(number: int, home: str) -> None:
    members = group(*(f"m{nth}" for nth in range(number)))
    assert sum(one.responsible(home, NOW) for one in members.values()) == 1


@given(st.text("abcdefghij-0123456789", min_size=1))
def test_when_a_member_dies_only_its_homes_move(home: str) -> None:
    members = group("a", "b", "c")
    before = next(name for name, one in members.items() if one.responsible(home, NOW))
    for name in ("a", "b"):
        for other in ("a", "b"):
            members[name].heard(other, NOW + DEAD_MS)
    after = [name for name in ("a", "b") if members[name].responsible(home, NOW + DEAD_MS)]
    assert after == [before] if before != "c" else len(after) == 1


def test_a_member_is_dead_some_beats_after_its_last_and_at_once_when_it_leaves() -> None:
    one = group("a", "b")["a"]
    assert one.alive("b", NOW + DEAD_MS - 1)
    assert not one.alive("b", NOW + DEAD_MS)
    one.heard("b", NOW + DEAD_MS)
    one.left("b")
    assert not one.alive("b", NOW + DEAD_MS)
    assert one.alive("a", NOW + 9 * DEAD_MS)


def test_a_member_that_just_came_holds_nobody_for_dead() -> None:
    one = Members("a", NOW)
    assert one.alive("b", NOW + DEAD_MS - 1)
    assert not one.alive("b", NOW + DEAD_MS)
    one.listening(NOW + DEAD_MS)  # it was cut off until now
    assert one.alive("b", NOW + 2 * DEAD_MS - 1)


def test_a_member_that_was_frozen_holds_nobody_for_dead_because_of_that() -> None:
    one = group("a", "b")["a"]
    later = NOW + 20 * DEAD_MS
    assert not one.alive("b", later)
    one.listening(later)
    assert one.alive("b", later + DEAD_MS - 1)
    assert not one.alive("b", later + DEAD_MS)


def test_what_was_a_member_long_ago_is_nobody() -> None:
    one = group("a", "b")["a"]
    one.listening(NOW)
    assert one.responsible("x", NOW + FORGOTTEN_MS)
    one.listening(NOW + FORGOTTEN_MS)
    assert all(one.responsible(f"x{nth}", NOW + FORGOTTEN_MS) for nth in range(8))


# --- words


def alert(**data: Any) -> dict[str, Any]:
    usual = {
        "at": "2026-01-05T06:12:03.250+01:00", "severity": "alarm", "event": "notified", "room": "kök",
        "text": {"sv": "Spisen är på", "en": "The stove is on"}, "test": False,
    }  # fmt: skip
    return {"subject": "stove", "data": usual | data}


@pytest.mark.parametrize(
    ("language", "kind", "data", "shown"),
    [
        ("sv", Kind.ALERT, {}, "2026-01-05 06:12:03  LARM  a-1  kök: Spisen är på"),
        ("en", Kind.ALERT, {"room": ""}, "2026-01-05 06:12:03  ALARM  a-1  The stove is on"),
        ("sv", Kind.ESCALATED, {}, "2026-01-05 06:12:03  INGEN HAR KVITTERAT  LARM  a-1  kök: Spisen är på"),
        (
            "sv", Kind.ALERT, {"event": "acknowledged", "by": "Eva"},
            "2026-01-05 06:12:03  LARM  a-1  kök: Spisen är på (kvitterat av Eva)",
        ),
        (
            "en", Kind.ALERT, {"event": "resolved", "test": True, "severity": "info"},
            "2026-01-05 06:12:03  Info  a-1  kök: The stove is on (over, test)",
        ),
        ("en", Kind.ALERT, {"text": {"sv": "Torrt"}}, "2026-01-05 06:12:03  ALARM  a-1  kök: Torrt"),
        ("en", Kind.ALERT, {"text": None, "severity": 3}, "2026-01-05 06:12:03  a-1  kök: stove"),
        ("en", Kind.ALERT, {"severity": [], "event": {}}, "2026-01-05 06:12:03  a-1  kök: The stove is on"),
        ("en", Kind.ALERT, {"text": {}, "room": "\x1b[2J"}, "2026-01-05 06:12:03  ALARM  a-1  �[2J: stove"),
    ],
)  # fmt: skip
def test_a_line_says_when_how_bad_where_and_what(
    language: str, kind: Kind, data: dict[str, Any], shown: str
) -> None:
    assert line("a-1", kind, alert(**data), language) == shown


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ALERT])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_alert_of_a_home_says_so_in_each_language(language: str, kind: Kind) -> None:
    said = line("a-1", kind, alert(severity=None), language)
    assert said.index("a-1") > len("2026-01-05 06:12:03  "), said


ODD = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(["at", "severity", "event", "room", "text", "by", "test"]), ODD))
def test_there_is_a_line_of_one_line_whatever_a_node_sent(data: dict[str, Any]) -> None:
    shown = line("a-1", Kind.ALERT, alert(**data), "en")
    assert "a-1" in shown
    assert shown.isprintable()


def test_what_the_receiver_itself_says_stands_in_local_time_as_what_homes_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Europe/Stockholm")
    time.tzset()
    try:
        own = told.event("a-1", Kind.SILENT, 1_767_593_523_250, {"sv": "hörs inte"})
        assert own["time"] == "2026-01-05T06:12:03.250+00:00"
        assert line("a-1", Kind.SILENT, own, "sv") == "2026-01-05 07:12:03  TYST  a-1  hörs inte"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("event", [each.value for each in Told])
def test_each_event_has_words(language: str, event: str) -> None:
    shown = line("a", Kind.ALERT, alert(event=event, by="Eva"), language)
    assert ("(" in shown) == (event != "notified")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (told.missing("a", NOW, "e", 3, 3), "MISSING  a  message 3 has not arrived"),
        (told.missing("a", NOW, "e", 3, 5), "MISSING  a  messages 3 to 5 have not arrived"),
        (told.filled("a", NOW, "e", 4), "Back  a  message 4 came after all"),
        (
            told.silent("a", NOW, NOW - 180_000, "offline"),
            "SILENT  a  the node is silent since 22:10:13 UTC: an alert from here reaches nobody",
        ),
        (told.back("a", NOW, NOW - 1), "Back  a  the node is heard again"),
        (
            told.refused("a", NOW, "x", "Eva", "no such alert"),
            "Acknowledgement  a  the acknowledgement of Eva was not taken: no such alert",
        ),
    ],
)
def test_what_a_receiver_says_itself_has_the_form_of_an_event_and_words(
    body: dict[str, Any], shown: str
) -> None:
    kind = Kind(body["data"]["event"])
    assert body["type"] == f"hn1.listen.{kind.value}"
    assert body["source"] == "hn1/a"
    assert line("a", kind, body, "en") == f"2026-01-05 22:13:13  {shown}"
    assert set(body["data"]["text"]) == {"sv", "en"}


def test_holes_are_told_in_swedish_too() -> None:
    one, several = (told.missing("a", NOW, "e", 3, last)["data"]["text"]["sv"] for last in (3, 5))
    assert one == "meddelande 3 har inte kommit fram"
    assert several == "meddelandena 3 till 5 har inte kommit fram"


def test_a_receiver_that_hears_nothing_says_so_of_all_homes() -> None:
    body = told.silent(told.ALL, NOW, NOW, "no connection")
    assert "no alert reaches it" in line(told.ALL, Kind.SILENT, body, "en")
    assert "hears again" in line(told.ALL, Kind.BACK, told.back(told.ALL, NOW, NOW), "en")


def test_what_a_receiver_says_at_two_instants_has_two_ids() -> None:
    first, second = (told.back("a", now, NOW) for now in (NOW, NOW + 1))
    assert first["id"] != second["id"]
    assert told.filled("a", NOW, "e", 1)["id"] != told.filled("a", NOW, "e", 2)["id"]


def test_homes_that_live_and_of_which_the_broker_shows_nothing_are_told_once() -> None:
    shown = Shown()
    shown.lives("a", NOW)
    shown.lives("b", NOW)
    shown.shown("b")
    shown.lives("b", NOW + 1)
    shown.lives("a", NOW + 10_000)
    assert shown.missing(NOW + NOT_SHOWN_MS - 1) == []
    assert shown.missing(NOW + NOT_SHOWN_MS) == ["a"]
    shown.lives("c", NOW + NOT_SHOWN_MS)
    assert shown.missing(NOW + 10 * NOT_SHOWN_MS) == []


def test_what_is_shown_is_awaited_anew_after_each_connection() -> None:
    shown = Shown()
    shown.lives("a", NOW)
    shown.deaf()
    assert shown.missing(NOW + NOT_SHOWN_MS) == []
    shown.lives("a", NOW + NOT_SHOWN_MS)
    assert shown.missing(NOW + 2 * NOT_SHOWN_MS - 1) == []
    assert shown.missing(NOW + 2 * NOT_SHOWN_MS) == ["a"]
