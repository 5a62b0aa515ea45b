"""Which things the panel shows follows from devices, rules and home.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.config.model import Camera, Device, Home, Shown
from homenode.language.bound import BoundRule, Compare
from homenode.panel.chosen import HOLD_MS, things_of
from homenode.panel.things import Known, State, Thing, state_of

MIN = 60_000


def a_home(devices: list[Device], panel: dict[str, Shown] | None = None) -> Home:
    return Home(
        Path("home.yaml"), "h-1", "Europe/Stockholm", "sv", None, {}, {one.name: one for one in devices},
        (), {}, {},
        panel=panel or {}, cameras={"bed": Camera("bed", "sovrum", "scene")},
    )  # fmt: skip


def device(name: str, *kinds: str, room: str = "hall", thing: str = "") -> Device:
    return Device(name, "zigbee", room, thing=thing, kinds=kinds or None)


def rule(roles: dict[str, tuple[str, ...]], **parameters: str) -> BoundRule:
    when = Compare(next(iter(roles.values()))[0], ">", 1)
    return BoundRule("r", "r", 1, "alarm", ("care",), when, when, roles=roles, parameters=parameters)


def symbols(things: list[Thing]) -> list[tuple[str, tuple[str, ...]]]:
    return [(thing.called, thing.points) for thing in things]


def test_what_is_shown_follows_from_what_devices_are() -> None:
    home = a_home(
        [
            device("spis", "power", "switch", "energy", thing="stove"),
            device("ytterdorr", "contact", "battery"),
            device("koksfonster", "contact"),
            device("hall_lock", "lock"),
            device("sink", "water"),
            device("kaffebryggare", "switch"),
            device("tv", "power", "switch"),
            device("hall_eye", "motion"),
        ]
    )
    assert symbols(things_of(home, [], [])) == [
        ("stove", ("spis.power",)), ("front_door", ("ytterdorr.contact",)),
        ("window", ("koksfonster.contact",)),
        ("lock", ("hall_lock.lock",)), ("water", ("sink.water",)), ("coffee", ("kaffebryggare.switch",)),
    ]  # fmt: skip


def test_what_never_joined_is_shown_as_not_known_rather_than_left_out() -> None:
    home = a_home([device("plug_1", thing="iron"), device("back_door"), device("lamp")])
    things = things_of(home, [], [])
    assert symbols(things) == [("iron", ("plug_1.power",)), ("door", ("back_door.contact",))]
    assert {state_of(thing, {}) for thing in things} == {State.UNKNOWN}


def test_a_sensor_beside_the_stove_is_no_stove() -> None:
    home = a_home([device("stove_eye")])
    assert things_of(home, [], ["stove_eye.motion"]) == []


def test_a_rule_says_what_is_on_and_how_long_it_pauses() -> None:
    home = a_home([device("plug_7"), device("cooker", "current", "current_2", "current_3")])
    rules = [
        rule({"stove": ("plug_7.power",), "guard": ("plug_7.switch",)}, hot="50 W", cycle="9 min"),
        rule({"current": ("cooker.current", "cooker.current_2")}, hot="1 A", cycle="8 min"),
    ]
    plug, cooker = things_of(home, rules, ["plug_7.power"])
    assert (plug.symbol, plug.above, plug.hold_ms) == ("stove", {"plug_7.power": 50.0}, 9 * MIN)
    assert (cooker.points, cooker.hold_ms) == (("cooker.current", "cooker.current_2"), 8 * MIN)
    known = {"cooker.current": Known(0.0, True, HOLD_MS), "cooker.current_2": Known(9.0, True, HOLD_MS)}
    assert state_of(cooker, known) is State.ON
    assert state_of(cooker, {"cooker.current": known["cooker.current"]}) is State.UNKNOWN


@pytest.mark.parametrize(("said", "above"), [({"hot": "30 min"}, 10.0), ({"on": "2 A"}, 10.0), ({}, 10.0)])
def test_a_rule_that_means_something_else_by_its_words_is_passed_over(
    said: dict[str, str], above: float
) -> None:
    home = a_home([device("plug_7", "power")])
    [thing] = things_of(home, [rule({"stove": ("plug_7.power",)}, cycle="9 min", **said)], [])
    assert thing.above == {"plug_7.power": above}
    assert things_of(home, [rule({"stove": ("plug_7.power",)}, cycle="often", **said)], []) == []


def test_home_yaml_orders_and_renames() -> None:
    home = a_home(
        [device("a", "contact"), device("b", "power"), device("c", "contact")],
        {"b.power": Shown("Brödrosten", "plug", 5.0, MIN), "a.contact": Shown()},
    )
    toaster, door = things_of(home, [], [])
    assert (toaster.name, toaster.above, toaster.hold_ms) == ("Brödrosten", {"b.power": 5.0}, MIN)
    assert (door.points, door.called) == (("a.contact",), "door")


def test_the_longest_pause_of_an_appliance_counts() -> None:
    home = a_home([device("cooker", "current", "current_2")])
    rules = [
        rule({"current": ("cooker.current",)}, hot="1 A", cycle="8 min"),
        rule({"current": ("cooker.current_2",)}, hot="1 A", cycle="3 min"),
    ]
    [cooker] = things_of(home, rules, [])
    assert cooker.hold_ms == 8 * MIN


def test_only_what_is_measured_pauses_by_itself() -> None:
    home = a_home([device("iron", "power"), device("coffee", "switch"), device("door", "contact")])
    assert [thing.hold_ms for thing in things_of(home, [], [])] == [480_000, 0, 0]


def test_a_wired_thermometer_at_the_stove_is_no_stove() -> None:
    assert things_of(a_home([device("t_1", "temperature", thing="stove")]), [], []) == []


def test_a_device_that_was_taken_out_is_left_out() -> None:
    assert things_of(a_home([], {"b.power": Shown()}), [], []) == []
