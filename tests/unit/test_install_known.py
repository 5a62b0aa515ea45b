"""What a sensor is called, what it may serve, and the words for its link and its values."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.install.known import (
    fits,
    kind_called,
    link_verdict,
    look,
    main_kind,
    suggested_name,
    value_in_words,
)
from homenode.install.page_words import PAGE, page_words
from homenode.reading import Value
from tests.unit.installing import installation


@pytest.mark.parametrize(
    ("kinds", "picture", "called"),
    [
        (("contact", "temperature", "battery", "tamper"), "contact", "door or window contact"),
        (("motion", "illuminance", "link_quality"), "motion", "motion sensor"),
        (("smoke", "siren", "temperature"), "smoke", "smoke alarm"),
        (("switch", "power", "energy"), "plug", "plug that measures power"),
        (("switch_2", "switch"), "plug", "switch"),
        (("switch", "power", "motion"), "motion", "motion sensor"),
        (("power", "energy"), "plug", "power meter"),
        (("button", "button_2", "battery"), "button", "button"),
        ((), "unknown", "new device, still being asked"),
        (("battery", "link_quality"), "unknown", "new device, still being asked"),
    ],
)
def test_the_most_telling_of_its_points_says_what_a_device_is(
    kinds: tuple[str, ...], picture: str, called: str
) -> None:
    assert (look(kinds).picture, look(kinds).called["en"]) == (picture, called)


def test_a_numbered_point_tells_as_its_kind_does() -> None:
    assert main_kind(["temperature_2", "water_3"]) == "water"


@pytest.mark.parametrize(
    ("room", "kinds", "taken", "name"),
    [
        ("kök", ("water",), (), "kok_water"),
        ("Anna's room, 2nd floor", ("motion",), (), "anna_s_room_2nd_floor_eye"),
        ("hall", ("contact",), ("hall_door",), "hall_door_2"),
        ("hall", ("contact",), ("hall_door", "hall_door_2", "hall_door_3"), "hall_door_4"),
        ("厨房", ("smoke",), (), "smoke"),
        ("x" * 90, ("smoke",), (), "x" * 60),
    ],
)
def test_a_suggested_name_is_one_that_the_file_takes(
    room: str, kinds: tuple[str, ...], taken: tuple[str, ...], name: str
) -> None:
    assert suggested_name(room, kinds, taken) == name


@pytest.mark.parametrize(
    ("lqi", "verdict"),
    [
        (None, "unknown"),
        (255.0, "good"),
        (200.0, "good"),
        (199.0, "fair"),
        (120.0, "fair"),
        (119.0, "weak"),
        (0.0, "weak"),
    ],
)
def test_a_link_gets_a_verdict_and_what_to_do(lqi: float | None, verdict: str) -> None:
    found, words = link_verdict(lqi)
    assert found == verdict
    assert words["sv"] != words["en"]


@pytest.mark.parametrize(
    ("kind", "value", "sv", "en"),
    [
        ("contact", True, "öppen", "open"),
        ("contact", False, "stängd", "closed"),
        ("motion", True, "rörelse: ja", "motion: yes"),
        ("motion", False, "rörelse: nej", "motion: no"),
        ("button_2", True, "tryckt", "pressed"),
        ("button", False, "inte tryckt", "not pressed"),
        ("power", 20.0, "effekt 20 W", "power 20 W"),
        ("water", None, "vatten ?", "water ?"),
        ("unheard_of", True, "unheard_of ?", "unheard_of ?"),
    ],
)
def test_a_value_in_the_words_of_a_person(kind: str, value: Value, sv: str, en: str) -> None:
    assert (value_in_words(kind, value, "sv"), value_in_words(kind, value, "en")) == (sv, en)


def test_a_kind_nobody_knows_is_called_as_it_is_written() -> None:
    assert kind_called("unheard_of", "sv") == "unheard_of"


def test_a_device_fits_the_uses_that_take_one_more_and_rules_that_it_can_serve_alone(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    found = {
        (fit.rule, fit.role, fit.point, fit.nth)
        for fit in fits("bath", ("water", "water_2", "tamper", "battery"), steps.home, steps.rule_files)
    }
    assert found == {("water_leak", "water", "bath.water", 0), ("tamper", "tamper", "bath.tamper", None)}


def test_what_it_serves_already_it_does_not_fit_again(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    assert not fits("sink", ("water",), steps.home, steps.rule_files)
    (again,) = fits("sink", ("water", "water_2"), steps.home, steps.rule_files)
    assert again.point == "sink.water_2"


def test_a_rule_that_needs_more_than_this_device_is_no_fit(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    assert not fits("plug", ("power", "switch"), steps.home, steps.rule_files)


def test_a_rule_says_what_it_will_say_with_its_parameters(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    (fit,) = fits("kitchen_smoke", ("smoke",), steps.home, steps.rule_files)
    assert (fit.rule, fit.role, fit.nth) == ("smoke_alarm", "smoke", None)
    assert "{" not in fit.says["sv"] + fit.says["en"]


def test_the_page_has_every_word_in_both_languages() -> None:
    sv, en = page_words("sv"), page_words("en")
    assert sv.keys() == en.keys() == PAGE.keys()
    assert (sv["sent"], en["sent"]) == ("skickat", "sent")
