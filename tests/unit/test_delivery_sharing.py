"""Readings leave the home only where `share` says so, and never for the operator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homenode.config.model import NEVER
from homenode.contract.times import Zone
from homenode.delivery import Sharing
from homenode.message import Class
from homenode.reading import How, Quality, Reading, Value


def sharing(**share: list[str]) -> Sharing:
    return Sharing("h1", Zone("UTC"), share)


def told(point: str, value: Value, how: How = How.LIVE, **more: Any) -> dict[str, Any]:
    (message,) = sharing(care=["*.*"]).messages(Reading(point, value, 1000, how), 0, **more)
    return dict(json.loads(message.payload)) | {"retain": message.retain}


def test_what_no_pattern_names_stays_in_the_home() -> None:
    assert sharing().messages(Reading("hall.motion", True, 0), 0) == ()
    assert sharing(property=["sink.water", "*.battery"]).messages(Reading("hall.motion", True, 0), 0) == ()


@pytest.mark.parametrize(
    ("point", "parties"),
    [("sink.water", ("property",)), ("eye.battery", ("care", "property")), ("eye.motion", ("care",))],
)
def test_one_pattern_of_several_is_enough(point: str, parties: tuple[str, ...]) -> None:
    shared = sharing(property=["sink.water", "*.battery"], care=["eye.*"])
    assert [message.party for message in shared.messages(Reading(point, True, 0), 0)] == list(parties)


@pytest.mark.parametrize(
    ("pattern", "point", "shared"),
    [
        ("*.battery", "stove.battery", True),
        ("*.battery", "stove.power", False),
        ("sink.*", "sink.water", True),
        ("sink.*", "sink2.water", False),
        ("*.*", "bed.occupancy", True),
        ("sink.water", "sink.water", True),
        ("sink.water", "sink.water_2", False),
    ],
)
def test_nothing_is_shared_that_is_not_named(pattern: str, point: str, shared: bool) -> None:
    told = sharing(care=[pattern]).messages(Reading(point, True, 0), 0)
    assert [message.party for message in told] == (["care"] if shared else [])


def test_the_operator_gets_no_reading_whatever_is_shared() -> None:
    assert sharing(operator=["*.*"]).messages(Reading("eye.battery", 7, 0), 0) == ()


def test_a_reading_says_what_was_heard_when_and_how_long_it_holds() -> None:
    shared = sharing(care=["*.*"])
    reading = Reading("stove.power", 1420, 1000)
    (message,) = shared.messages(reading, 500, stale_after_ms=60_000, record=9)
    assert (message.topic, message.klass) == ("hn1/h1/care/readings/stove/power", Class.READING)
    assert (message.record, message.point, message.retain) == (9, "stove.power", True)
    assert json.loads(message.payload) == {
        "value": 1420,
        "unit": "W",
        "at": "1970-01-01T00:00:01.500+00:00",
        "valid_until": "1970-01-01T00:01:01.500+00:00",
        "quality": "good",
        "how": "live",
    }


def test_a_device_fault_is_unknown_and_never_good() -> None:
    body = told("sink.water", None)
    assert (body["value"], body["quality"], body["valid_until"]) == (None, "unknown", None)


def test_a_point_that_went_stale_says_so_and_a_value_is_good() -> None:
    assert told("sink.water", None, quality=Quality.STALE)["quality"] == "stale"
    assert told("sink.water", False) == told("sink.water", False, stale_after_ms=NEVER)
    assert told("sink.water", False)["quality"] == "good"


def test_a_historical_reading_does_not_replace_the_newest_at_the_broker() -> None:
    assert told("sink.water", True, How.HISTORICAL)["retain"] is False
    assert told("sink.water", True, How.RESTORED)["retain"] is True
