"""What may be looked at, as a home says it, and what a console makes of homes that say it otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from homenode.console.board import Board
from homenode.console.cameras import Camera, of_home, offered

NIGHT, NOON = (
    int(datetime.fromisoformat(f"2026-03-01T{text}+01:00").timestamp() * 1000) for text in ("23:00", "12:00")
)
NIGHTS = {
    "decision": "nights", "party": "care", "cameras": [{"camera": "bed", "room": "bedroom"}],
    "views": ["silhouette"], "from": "2026-01-01", "to": "2026-06-30", "hours": "22:00-06:00", "ask": False,
    "longest_s": 120.0,
}  # fmt: skip
FALLS = {
    **NIGHTS, "decision": "falls", "views": ["clear"], "modes": ["home"], "ask": True,
    "cameras": [*NIGHTS["cameras"], {"camera": "hall", "room": "hall"}],
}  # fmt: skip


def cameras(*looks: Any, now: int = NIGHT, mode: str = "home") -> dict[str, Camera]:
    board = Board()
    board.status("care", "a", {"looks": list(looks), "mode": mode})
    return of_home(board, "a", "Europe/Stockholm", now)


def test_each_camera_has_the_views_of_all_decisions_that_hold_the_least_first() -> None:
    found = cameras(FALLS, NIGHTS)
    assert (found["bed"].views, found["hall"].views) == (("silhouette", "clear"), ("clear",))
    assert found["bed"].room == "bedroom"
    assert found["bed"].asks
    assert not cameras(NIGHTS)["bed"].asks


def test_out_of_its_hours_or_mode_a_camera_is_there_and_says_when() -> None:
    noon = cameras(NIGHTS, now=NOON)["bed"]
    assert (noon.views, noon.when) == ((), ("2026-01-01 – 2026-06-30, 22:00-06:00",))
    assert cameras(FALLS, mode="away")["hall"].views == ()


def test_a_home_that_says_nothing_shows_nothing() -> None:
    assert of_home(Board(), "a", "Europe/Stockholm", NIGHT) == {}
    assert cameras() == {}
    board = Board()
    board.status("property", "a", {"looks": [NIGHTS]})  # what is told to others isn't care's
    board.status("care", "a", {"looks": "all"})
    assert of_home(board, "a", "Europe/Stockholm", NIGHT) == {}


@pytest.mark.parametrize("strange", [None, "bed", {"decision": "x"}, {**NIGHTS, "party": "operator"}])
def test_a_decision_that_we_cannot_read_hides_no_other(strange: object) -> None:
    assert list(cameras(strange, FALLS)) == ["bed", "hall"]


def test_an_alert_offers_what_the_home_knows_each_once() -> None:
    known = cameras(NIGHTS)
    assert [one.camera for one in offered(known, ["bed", "bath", "bed", {}, None])] == ["bed"]
    assert offered(known, None) == offered(known, "bed") == []
