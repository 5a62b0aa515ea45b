"""What the panel by the door shows: green only if everything is known to be off and shut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.panel.chosen import HOLD_MS
from homenode.panel.picture import picture, to_see_to
from homenode.panel.things import Known, Quiet, Thing
from homenode.panel.words import LANGUAGES, PAGE_WORDS, WORDS, say

MIN = 60_000


def told(
    *things: Thing, known: dict[str, Known], mode: str = "home", now: int = 0, **more: Any
) -> dict[str, Any]:
    """What the node answers."""
    rows = [
        {
            "points": thing.points,
            "known": [list(known.get(point, Known(None, False))) for point in thing.points],
            "symbol": thing.symbol, "called": thing.called, "room": thing.room, "name": thing.name,
            "above": thing.above, "hold_ms": thing.hold_ms,
        }
        for thing in things
    ]  # fmt: skip
    plain = {
        "language": "sv", "now": now, "at": "2026-01-05T14:05:00.000+01:00", "clock": True, "mode": mode,
        "link": "up",
        "alerts": [], "answerable": "", "cameras": {}, "looks": {"sessions": [], "log": []},
    }  # fmt: skip
    return {**plain, "things": rows, **more}


DOOR = Thing(("front.contact",), "door", "front_door", "hall")
STOVE = Thing(("stove.power",), "stove", "stove", "kök", above={"stove.power": 50.0}, hold_ms=HOLD_MS)
SHUT = {"front.contact": Known(False, True, 0), "stove.power": Known(0.0, True, HOLD_MS)}


def test_all_is_off_and_shut_when_everything_says_so() -> None:
    shown = picture(told(DOOR, STOVE, known=SHUT), Quiet(), "sv")
    assert shown["headline"] == {"state": "off", "text": "Allt är av och stängt", "more": ""}
    assert [tile["word"] for tile in shown["tiles"]] == ["stängd", "av"]
    assert to_see_to(shown) == ""


@pytest.mark.parametrize(
    ("point", "known", "state", "word"),
    [
        ("front.contact", Known(True, True), "on", "öppen"),
        ("front.contact", Known(False, False), "unknown", "vet inte"),
        ("front.contact", Known(None, True), "unknown", "vet inte"),
        ("front.contact", Known(0, True, HOLD_MS), "unknown", "vet inte"),
        ("stove.power", Known(1400.0, True), "on", "på"),
        ("stove.power", Known(-1400.0, True), "on", "på"),
        ("stove.power", Known(0.0, True, HOLD_MS - 1), "unknown", "nyss på"),
        ("stove.power", Known(True, True, HOLD_MS), "unknown", "vet inte"),
        ("stove.power", Known(50.0, True, HOLD_MS), "off", "av"),
    ],
)
def test_one_thing_that_is_not_so_takes_the_green_away(
    point: str, known: Known, state: str, word: str
) -> None:
    shown = picture(told(DOOR, STOVE, known={**SHUT, point: known}), Quiet(), "sv")
    tile = next(tile for tile in shown["tiles"] if tile["key"] == point)
    assert (tile["state"], tile["word"]) == (state, word)
    assert shown["headline"]["state"] == state


def test_a_home_with_nothing_to_show_is_not_green() -> None:
    shown = picture(told(known={}), Quiet(), "en")["headline"]
    assert shown == {"state": "unknown", "text": "Nothing to show", "more": ""}


@pytest.mark.parametrize(("severity", "state"), [("alarm", "on"), ("warning", "on"), ("info", "off")])
def test_there_is_no_green_above_an_alarm(severity: str, state: str) -> None:
    alerts = [ALERT | {"severity": severity, "acknowledged": True}]
    shown = picture(told(DOOR, STOVE, known=SHUT, alerts=alerts), Quiet(), "sv")
    assert shown["headline"]["state"] == state


_KNOWN = st.builds(
    Known,
    st.one_of(st.none(), st.booleans(), st.floats(-3000, 3000), st.integers(-1, 1)),
    st.booleans(),
    st.integers(0, 2 * HOLD_MS),
)
_POINTS = ("a.contact", "b.contact", "c.lock", "d.water", "e.power", "f.current", "f.current_2", "g.switch")
_THINGS = (
    Thing(("a.contact",), "door", "door", "hall"),
    Thing(("b.contact",), "window", "window", "kök"),
    Thing(("c.lock",), "lock", "lock", "hall"),
    Thing(("d.water",), "water", "water", "bad"),
    Thing(("e.power",), "iron", "iron", "kök", above={"e.power": 15.0}, hold_ms=HOLD_MS),
    Thing(("f.current", "f.current_2"), "stove", "stove", "kök", above={"f.current": 1.0}, hold_ms=MIN),
    Thing(("g.switch",), "coffee", "coffee", "kök"),
)


def _sure(point: str, one: Known | None, hold_ms: int) -> bool:
    """A second, plainer reading of what off and shut means."""
    if one is None or not one.good or one.value is None:
        return False
    kind = point.partition(".")[2]
    if kind in ("power", "current", "current_2"):
        most = {"e.power": 15.0, "f.current": 1.0}.get(point, 0.2)
        return not isinstance(one.value, bool) and -most <= one.value <= most and one.for_ms >= hold_ms
    return one.value is (kind == "lock") and one.for_ms >= hold_ms


@given(
    st.lists(st.sampled_from(_THINGS), min_size=0, max_size=7, unique_by=lambda thing: thing.points),
    st.dictionaries(st.sampled_from(_POINTS), _KNOWN, max_size=3),
    st.sampled_from(["home", "away", "night", "service", "own-mode"]),
    st.sampled_from(LANGUAGES),
)
def test_never_all_shut_when_anything_is_not_known_to_be(
    things: list[Thing], different: dict[str, Known], mode: str, language: str
) -> None:
    known = {point: Known(point == "c.lock", True, HOLD_MS) for point in _POINTS} | {
        point: Known(0.0, True, HOLD_MS) for point in ("e.power", "f.current", "f.current_2")
    }
    known |= different
    shown = picture(told(*things, known=known, mode=mode), Quiet(), language)
    sure = bool(things) and all(
        _sure(point, known.get(point), thing.hold_ms) for thing in things for point in thing.points
    )
    green = shown["headline"]["state"] == "off"
    assert green == sure
    assert green == (shown["headline"]["text"] == say("all_off", language))
    assert bool(to_see_to(shown)) == any(tile["state"] != "off" for tile in shown["tiles"])
    for tile in shown["tiles"]:
        assert tile["state"] in ("off", "on", "unknown")


def test_an_alarm_without_anything_on_is_not_about_leaving() -> None:
    shown = picture(told(DOOR, STOVE, known=SHUT, alerts=[ALERT], mode="away"), Quiet(), "sv")
    assert shown["headline"] == {"state": "on", "text": "Se efter", "more": ""}


# --- alerts, modes, the camera

ALERT = {
    "alert": "a-1", "severity": "alarm", "text": {"sv": "Spisen är på.", "en": "The stove is on."},
    "to": ["care"],
    "told": [], "acknowledged": False, "answered": False, "may_answer": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("is_so", "state"),
    [
        ({}, ""),
        ({"may_answer": False}, "Hemtjänsten får veta."),
        ({"may_answer": False, "to": []}, ""),
        ({"may_answer": False, "told": ["care"]}, "Hemtjänsten har fått veta."),
        ({"may_answer": False, "told": ["property"]}, "Hyresvärden har fått veta."),
        ({"may_answer": False, "answered": True}, "Du har svarat. Fortsätter det får hemtjänsten veta."),
        ({"may_answer": False, "answered": True, "to": []}, "Du har svarat."),
        ({"may_answer": False, "answered": True, "acknowledged": True}, "Du har svarat."),
        ({"may_answer": False, "told": ["care"], "acknowledged": True}, "Någon tar hand om det."),
    ],
)
def test_an_alert_says_who_knows(is_so: dict[str, Any], state: str) -> None:
    [shown] = picture(told(known={}, alerts=[ALERT | is_so]), Quiet(), "sv")["alerts"]
    assert (shown["text"], shown["state"]) == ("Spisen är på.", state)
    assert shown["may_answer"] == is_so.get("may_answer", True)


def test_alarms_come_first_and_in_a_language_that_there_is() -> None:
    other = ALERT | {"alert": "a-2", "severity": "info", "text": {"en": "Tea"}}
    shown = picture(told(known={}, alerts=[other, ALERT]), Quiet(), "sv")["alerts"]
    assert [one["text"] for one in shown] == ["Spisen är på.", "Tea"]


@pytest.mark.parametrize(
    ("mode", "text", "leave", "back"),
    [
        ("home", "", True, False),
        ("night", "", True, False),
        ("away", "Du är ute", False, True),
        ("hospital", "Du är på sjukhus", False, True),
        ("visit", "Du har besök", True, True),
        ("service", "Service pågår: larm är prov", True, True),
        ("summer", "Läge: summer", True, True),
    ],
)
def test_leaving_and_coming_home(mode: str, text: str, leave: bool, back: bool) -> None:
    shown = picture(told(known={}, mode=mode), Quiet(), "sv")
    assert shown["mode"] == {"text": text, "leave": leave, "back": back}


def test_who_leaves_hears_what_is_on_and_what_is_not_known() -> None:
    known = {"front.contact": Known(True, True)}
    shown = picture(told(DOOR, STOVE, known=known, mode="away"), Quiet(), "sv")
    assert to_see_to(shown) == "Innan du går: Ytterdörren, hall: öppen. Spisen, kök: vet inte."
    more = "Ytterdörren: öppen · Spisen: vet inte"
    assert shown["headline"] == {"state": "on", "text": "Innan du går", "more": more}


@pytest.mark.parametrize(
    ("at", "clock", "mode", "night"),
    [
        ("2026-01-05T20:59:59.000+01:00", True, "home", False),
        ("2026-01-05T21:00:00.000+01:00", True, "home", True),
        ("2026-01-05T06:59:00.000+01:00", True, "home", True),
        ("2026-01-05T07:00:00.000+01:00", True, "home", False),
        ("2026-01-05T03:00:00.000+01:00", False, "home", False),
        ("2026-01-05T14:00:00.000+01:00", False, "night", True),
    ],
)
def test_it_is_dark_at_night_and_shows_no_time_that_is_not_known(
    at: str, clock: bool, mode: str, night: bool
) -> None:
    shown = picture(told(known={}, at=at, clock=clock, mode=mode), Quiet(), "sv")
    assert shown["night"] is night
    assert bool(shown["clock"]) is clock
    assert bool(shown["day"]) is clock


WISH = {"party": "care", "by": "Eva", "reason": "rond", "camera": "bed", "view": "blurred"}
SESSION = {**WISH, "session": "s", "room": "sovrum", "until": "2026-01-05T14:07:00.000+01:00", "warning": ""}
ENTRY = {**WISH, "n": 1, "event": "ended", "at": "2026-01-05T03:02:00.000+01:00", "why": "viewer"}
SEEN = {"from": "2026-01-05T03:01:00.000+01:00", "to": "2026-01-05T03:02:00.000+01:00"}


def camera(sessions: list[dict[str, Any]], log: list[dict[str, Any]], language: str = "sv") -> dict[str, Any]:
    looks = {"sessions": sessions, "log": log}
    shown = picture(told(known={}, cameras={"bed": "sovrum"}, looks=looks), Quiet(), language)["camera"]
    assert shown is not None
    return shown


@pytest.mark.parametrize(
    ("state", "on", "text"),
    [
        ("asked", False, "Kameran är av"),
        ("granted", True, "Kameran är på"),
        ("live", True, "Kameran är på"),
        ("ended", False, "Kameran stängs av"),
    ],
)
def test_whether_the_camera_is_on(state: str, on: bool, text: str) -> None:
    shown = camera([SESSION | {"state": state}], [])
    assert (shown["on"], shown["text"]) == (on, text)
    assert [one["asked"] for one in shown["looks"]] == ([state == "asked"] if state != "ended" else [])


def test_who_looks_now_and_why() -> None:
    [look] = camera([SESSION | {"state": "live"}], [])["looks"]
    assert look["text"] == "Eva, hemtjänsten tittar nu: sovrum"
    assert look["more"] == ["Varför: rond", "Så syns det: suddigt", "Till 14:07"]
    [asks] = camera([SESSION | {"state": "asked"}], [], "en")["looks"]
    assert asks["text"] == "May Eva, home care look: sovrum?"


@pytest.mark.parametrize(
    ("entry", "text", "more"),
    [
        (ENTRY | SEEN, "Eva, hemtjänsten tittade: sovrum, suddigt", "Varför: rond"),
        (
            ENTRY | SEEN | {"why": "stopped"},
            "Eva, hemtjänsten tittade: sovrum, suddigt",
            "Varför: rond · Du sa stopp.",
        ),
        (
            ENTRY | {"from": None, "why": "refused"},
            "Eva, hemtjänsten såg ingenting: sovrum",
            "Varför: rond · Du sa nej.",
        ),
        (
            ENTRY | {"event": "refused", "code": "view"},
            "Eva, hemtjänsten fick inte titta: sovrum",
            "Varför: rond",
        ),
        (
            ENTRY | SEEN | {"camera": "gone", "party": "x", "view": "x"},
            "Eva tittade: gone, x",
            "Varför: rond",
        ),
    ],
)
def test_who_looked_in_plain_words(entry: dict[str, Any], text: str, more: str) -> None:
    [row] = camera([], [{**ENTRY, "event": "granted"}, entry])["log"]
    assert (row["text"], row["more"]) == (text, more)


def test_the_newest_look_comes_first_with_its_times() -> None:
    rows = camera([], [ENTRY | SEEN, ENTRY | {"n": 2, "event": "refused"}])["log"]
    assert [row["when"] for row in rows] == ["2026-01-05 03:02", "2026-01-05 03:01–03:02"]


def test_no_camera_no_word_of_one() -> None:
    assert picture(told(known={}), Quiet(), "sv")["camera"] is None
    assert picture(told(known={}, looks={"sessions": [], "log": [ENTRY]}), Quiet(), "sv")["camera"]["log"]


def test_the_link_is_told_only_when_it_is_down() -> None:
    notes = [picture(told(known={}, link=link), Quiet(), "sv")["notes"] for link in ("up", "none", "down")]
    assert notes == [[], [], ["Just nu når hemmet inte hemtjänsten."]]


def test_another_language_is_that_of_the_home() -> None:
    assert picture(told(known={}), Quiet(), "de")["language"] == "sv"


def test_words_are_there_in_both_languages() -> None:
    assert all(len(texts) == len(LANGUAGES) and all(texts) for texts in WORDS.values())
    assert set(PAGE_WORDS) <= set(WORDS)
