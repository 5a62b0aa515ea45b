"""What the page is given to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homenode.install.steps import Installation
from homenode.install.view import lack_in_words, view, want_in_words
from tests.unit.installing import AT, NEW, devices, do, installation, joined, status


@pytest.fixture
def steps(tmp_path: Path) -> Installation:
    return installation(tmp_path)


def shown(steps: Installation, language: str = "en", now_ms: int = 0) -> dict[str, Any]:
    return view(steps, language, now_ms, ["one", "two", "three", "four"])


def device(steps: Installation, name: str, language: str = "en") -> dict[str, Any]:
    (found,) = (one for one in shown(steps, language)["devices"] if one["name"] == name)
    return dict(found)


def test_the_node_as_it_says_it_is(steps: Installation) -> None:
    drivers = {"zigbee": "running", "gpio": "starting", "p1": "lost: no such port"}
    steps.saw(status(mode="service", mode_left_ms=7_199_000, drivers=drivers), devices())
    assert shown(steps)["node"] == {
        "troubles": ["The radio is gone: p1: lost: no such port"], "mode": "service", "mode_left_min": 119,
    }  # fmt: skip


def test_what_stands_in_the_way_is_told_in_the_installers_language(steps: Installation) -> None:
    steps.saw(status(clock="not set", link={"state": "down", "why": "nothing listens there"}), devices())
    steps.unread("home.yaml has mistakes now")
    link, clock = (
        "Ingen förbindelse med larmmottagaren: nothing listens there",
        "Nodens klocka är inte ställd",
    )
    file, told, late = shown(steps, "sv")["node"]["troubles"]
    assert (file, told, late[: len(clock)]) == ("home.yaml has mistakes now", link, clock)
    steps.lost("no node is running")
    assert shown(steps)["node"]["troubles"] == ["The node does not answer: no node is running"]


def test_a_mode_without_an_end_has_no_minutes_left(steps: Installation) -> None:
    assert shown(steps)["node"]["mode_left_min"] is None


def test_only_the_last_notices_are_shown_and_no_report_before_there_is_one(steps: Installation) -> None:
    assert shown(steps)["notices"] == ["two", "three", "four"]
    assert shown(steps)["report"] is False
    assert shown(steps)["walk"] is None


def test_the_network_is_open_until_its_time_is_over(steps: Installation) -> None:
    steps.open_for(1000)
    assert (shown(steps, now_ms=999)["open"], shown(steps, now_ms=1000)["open"]) == (True, False)


def test_a_new_device_with_its_signs_of_life_and_a_name_for_each_room(steps: Installation) -> None:
    steps.saw(status(), devices(joined(NEW, "", "water", "battery")))
    steps.heard({"noticed": NEW, "kind": "water", "value": True, "at": AT})
    steps.heard({"noticed": NEW, "kind": "link_quality", "value": 131, "at": AT})
    (new,) = shown(steps, "sv")["arrivals"]
    assert new["names"] | {"hall": "hall_water", "kitchen": "kitchen_water"} == new["names"]
    assert new["could"] == ["water_leak"]
    del new["names"]
    assert new == {
        "address": NEW, "picture": "water", "called": "vattenläckagevarnare", "about": "IKEA PARASOLL",
        "note": "", "ready": True, "lqi": 131.0, "signs": ["vatten: ja 10:00:00"], "could": ["water_leak"],
    }  # fmt: skip


def test_a_wired_device_has_no_link_and_is_there(steps: Installation) -> None:
    steps.saw(
        status(points=[{"point": "door.contact", "value": True, "quality": "good", "shown": "open"}]),
        devices(),
    )
    door = device(steps, "door")
    assert (door["radio"], door["joined"], door["link"], door["placing"]) == (False, True, None, None)
    assert (door["shown"], door["room"], door["rules"]) == (["open"], "hall", ["door_left_open"])


def test_a_device_of_the_radio_has_joined_or_not(steps: Installation) -> None:
    assert device(steps, "help")["joined"]
    steps.saw(status(), [])
    assert not device(steps, "help")["joined"]


def test_a_link_is_what_was_heard_where_the_device_is_held(steps: Installation) -> None:
    known = [{"point": "help.link_quality", "value": 90, "quality": "good", "shown": "90"}]
    steps.saw(status(points=known), devices())
    assert device(steps, "help")["link"]["verdict"] == "weak"
    steps.heard({"point": "help.link_quality", "value": 150, "at": AT})
    assert device(steps, "help")["link"]["verdict"] == "fair"
    do(steps, "place", device="help")
    assert (
        device(steps, "help")["link"] == {"value": None, "verdict": "unknown"} | device(steps, "help")["link"]
    )
    for lqi in (210, 180, 205):
        steps.heard({"point": "help.link_quality", "value": lqi, "at": AT})
    steps.heard({"point": "help.button", "value": True, "at": AT})
    found = device(steps, "help", "sv")
    assert found["link"] == {"value": 205.0, "verdict": "good", "words": "bra förbindelse: sätt upp den här"}
    assert found["placing"] == {"frames": 1, "weakest": 180}
    assert found["shown"] == [], "a link is no state"


def test_a_device_says_what_it_serves_and_could_serve(steps: Installation) -> None:
    assert device(steps, "sink")["rules"] == ["water_leak"]
    assert device(steps, "sink")["fits"] == [], "its only point serves that rule already"
    steps.saw(status(), devices(joined(NEW, "", "smoke")))
    (new,) = steps.arrivals.values()
    assert [(fit.rule, fit.point) for fit in steps.could(new)] == [("smoke_alarm", f"{NEW}.smoke")]


def test_the_walk_as_it_stands(steps: Installation) -> None:
    do(steps, "walk")
    still = [{"rule": rule, "alert": f"{rule}:1", "acknowledged": False} for rule in ("b", "a")]
    steps.saw(status(mode="service", alerts=still), devices())
    steps.heard({"point": "door.contact", "value": True, "at": AT})
    steps.heard({"point": "door.contact", "value": False, "at": AT})
    steps.heard({"rule": "water_leak", "event": "raised", "alert": "w:1", "at": AT})
    steps.heard({"message": "m1", "alert": "w:1", "party": "care", "test": True, "at": AT})
    steps.heard({"got": "m1", "at": AT})
    told = {"event": "acknowledged", "alert": "w:1", "parties": ["care"], "by": "Karin", "at": AT}
    steps.heard({"rule": "water_leak", **told})
    walk = shown(steps)["walk"]
    assert (walk["active"], walk["begun"], walk["accepted"], walk["passed"]) == (
        True,
        "2026-11-27 10:00",
        False,
        1,
    )
    assert walk["open_alerts"] == ["a", "b"]
    assert "the alert water_leak was not sent, delivered and acknowledged" in walk["lacks"]
    assert not any("door" in lack for lack in walk["lacks"]), "what lacks of devices stands in their rows"
    rows = {row["device"]: row for row in walk["rows"]}
    assert rows["door"] == {
        "device": "door", "room": "hall", "picture": "contact", "called": "door or window contact",
        "passed": True, "at": "10:00:00", "trouble": "", "remark": "",
        "checks": [{"point": "door.contact", "called": "open", "output": False, "failed": False,
                    "wants": [{"words": "open", "at": "10:00:00"}, {"words": "closed", "at": "10:00:00"}]}],
    }  # fmt: skip
    (check,) = rows["lamp"]["checks"]
    assert (check["output"], rows["lamp"]["passed"], rows["lamp"]["at"]) == (True, False, "")
    (line,) = (line for line in walk["lines"] if line["rule"] == "water_leak")
    assert (line["at_once"], line["raised"], line["passed"]) == (True, "10:00:00", False)
    care = next(party for party in line["parties"] if party["by"])
    assert care == {
        "called": "care", "sent": "10:00:00", "test": True, "arrived": "10:00:00", "acknowledged": "10:00:00",
        "by": "Karin", "passed": True,
    }  # fmt: skip


def test_an_output_that_did_nothing_is_shown_so(steps: Installation) -> None:
    do(steps, "walk")
    do(steps, "tried", point="lamp.light", works=False)
    (row,) = (row for row in shown(steps)["walk"]["rows"] if row["device"] == "lamp")
    assert row["checks"][0]["failed"] is True


@pytest.mark.parametrize(
    ("kind", "want", "en"),
    [("contact", "true", "open"), ("contact", "false", "closed"), ("lock", "false", "unlocked")],
)
def test_what_is_wanted_of_a_point_is_its_state_in_words(kind: str, want: str, en: str) -> None:
    assert want_in_words(kind, want, "en") == en
    assert want_in_words(kind, want, "sv") != en


def test_what_is_wanted_of_a_point_without_states_is_an_act() -> None:
    assert want_in_words("water", "true", "en") == "tripped"
    assert want_in_words("power", "on", "en") != want_in_words("power", "on", "sv")


def test_what_lacks_is_said_of_a_party_by_its_name() -> None:
    assert lack_in_words("party", "care", "sv") == "hemtjänsten har inte kvitterat något provlarm"
