"""What a relative is told of the things that a home shares: never off and shut if that isn't known."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.console.board import Board
from homenode.console.shared import MOST_POINTS, Shared
from homenode.console.shown import Pictured, pictured
from homenode.contract.times import Zone
from homenode.panel.chosen import HOLD_MS
from tests.unit.listening import NOW
from tests.unit.test_console import came

MIN = 60_000
ZONE = Zone("Europe/Stockholm")


def reading(value: object, at: int = NOW, **more: Any) -> dict[str, Any]:
    good = {"quality": "good", "how": "live", "valid_until": ZONE.text(at + 60 * MIN)}
    return {"value": value, "unit": None, "at": ZONE.text(at), **good, **more}


def states(shared: Shared, now: int = NOW) -> dict[str, str]:
    return {row["key"]: row["word"] for row in shared.tiles(now, "en")}


def test_doors_and_windows_are_as_they_say_and_no_longer_than_that_holds() -> None:
    shared = Shared()
    shared.came("front_door.contact", reading(True))
    shared.came("bedroom_window.contact", reading(False))
    assert states(shared) == {"front_door.contact": "open", "bedroom_window.contact": "shut"}
    assert states(shared, NOW + 60 * MIN - 1)["bedroom_window.contact"] == "shut"
    assert set(states(shared, NOW + 60 * MIN).values()) == {"don't know"}
    shared.came("bedroom_window.contact", reading(False, valid_until=None))  # for ever
    assert states(shared, NOW + 99 * 60 * MIN)["bedroom_window.contact"] == "shut"


@pytest.mark.parametrize(
    "strange",
    [
        {"value": None, "quality": "stale", "valid_until": None},
        {"value": False, "quality": "unknown"},
        {"value": "no"},
        {"value": 0.0},
        {"at": "now"},
        {"valid_until": 5},
        {"valid_until": "soon"},
    ],
)
def test_what_is_not_known_is_never_shut(strange: dict[str, Any]) -> None:
    shared = Shared()
    shared.came("front_door.contact", reading(False))
    shared.came("front_door.contact", {**reading(False), **strange})
    assert "shut" not in states(shared).values()


def test_a_stove_is_off_only_when_it_has_drawn_nothing_for_as_long_as_a_thermostat_pauses() -> None:
    shared = Shared()
    shared.came("stove.power", reading(1420.0))
    assert states(shared) == {"stove.power": "on"}
    shared.came("stove.power", reading(0.4, NOW + MIN))
    shared.came("stove.power", reading(0.3, NOW + 2 * MIN))  # still off, and since before
    assert states(shared, NOW + MIN + HOLD_MS - 1) == {"stove.power": "on just now"}
    assert states(shared, NOW + MIN + HOLD_MS) == {"stove.power": "off"}
    shared.came("stove.power", reading(1400.0, NOW + 20 * MIN))
    shared.came("stove.power", reading(0.0, NOW + 21 * MIN))
    assert states(shared, NOW + 22 * MIN) == {"stove.power": "on just now"}


def test_what_was_off_before_a_gap_begins_anew() -> None:
    shared = Shared()
    shared.came("stove.power", reading(0.0, valid_until=ZONE.text(NOW + MIN)))
    shared.came("stove.power", reading(0.0, NOW + 2 * MIN))  # in between nobody knew
    assert states(shared, NOW + 2 * MIN + HOLD_MS - 1) == {"stove.power": "on just now"}


def test_an_older_reading_changes_nothing_and_one_that_is_taken_back_is_forgotten() -> None:
    shared = Shared()
    shared.came("front_door.contact", reading(False, how="historical"))
    assert states(shared) == {}
    shared.came("front_door.contact", reading(True))
    shared.came("front_door.contact", reading(False, NOW - 1))
    assert states(shared) == {"front_door.contact": "open"}
    shared.came("front_door.contact", reading(False))  # at the same instant the last one holds
    assert states(shared) == {"front_door.contact": "shut"}
    shared.came("front_door.contact", None)
    assert states(shared) == {}


def test_what_can_not_be_off_or_shut_is_not_shown() -> None:
    shared = Shared()
    for point in ("hall_eye.motion", "bed.occupancy", "hall.temperature", "nonsense", "x.nonsense"):
        shared.came(point, reading(False))
    assert states(shared) == {}


def test_a_home_that_shares_without_end_fills_no_memory() -> None:
    shared = Shared()
    for nth in range(MOST_POINTS + 50):
        shared.came(f"door_{nth}.contact", reading(False))
    assert len(shared.points) == MOST_POINTS
    shared.came("door_0.contact", reading(True))
    assert states(shared)["door_0.contact"] == "open"


def test_a_relative_is_told_what_is_shared_under_what_care_knows() -> None:
    board = Board()
    home = board.home("care", "a")

    def seen() -> Pictured:
        return pictured(home, board.of_home("care", "a"), "en", NOW)

    home.shared.came("front_door.contact", reading(False))
    assert seen() == Pictured("unknown")
    board.online("care", "a", True, NOW)
    board.status("care", "a", {"open": [], "health": {"state": "good"}})
    assert (seen().seen, seen().whole) == ("calm", "off")
    home.shared.came("stove.power", reading(0.0))  # since now: a thermostat may pause
    assert (seen().seen, seen().whole) == ("no_alert", "unknown")
    home.shared.came("stove.power", reading(900.0))
    assert (seen().seen, seen().whole) == ("no_alert", "on")
    came(board, 1)
    assert (seen().seen, seen().whole) == ("alert", "on")
    board.link("property", False, NOW)
    assert seen().whole == "on"
    board.link("care", False, NOW)  # what comes while we are away is not heard
    assert (seen().tiles, seen().whole) == ([], "")
