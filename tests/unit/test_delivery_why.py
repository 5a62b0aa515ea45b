"""Why an alert was raised, in a sentence for people; and what of it the landlord never learns."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.contract.alert import numbered
from homenode.contract.times import Zone
from homenode.delivery import Delivery, Evidence
from homenode.delivery.evidence import PRESENCE, stored
from homenode.delivery.why import why
from homenode.engine.transition import Happening, Transition
from homenode.kinds import KINDS, Shape
from homenode.language.bound import BoundRule, BoundStep, Compare, For, HasQuality, Not, Or
from homenode.language.stuck import stuck_after
from homenode.reading import Quality
from tests.contract import CONTRACT

MIN, HOUR = 60_000, 3_600_000
ZONE = Zone("UTC")
NOON = 12 * HOUR
ROOMS = {"stove": "kitchen", "kitchen_eye": "kitchen", "hall_eye": "hall", "help": "bedroom", "door": "hall"}


def said(*evidence: Evidence, party: str = "care", at: int = NOON) -> dict[str, str]:
    return why(stored(evidence), party, at, ROOMS, ZONE.text)


def good(point: str, value: Any, since: int | None = NOON - HOUR, **more: Any) -> Evidence:
    return Evidence(point, value, Quality.GOOD, NOON - 5 * MIN, since, **more)


def test_each_point_is_told_with_its_value_and_since_when() -> None:
    assert said(good("stove.power", 7), good("hall_eye.motion", False)) == {
        "sv": "effekten hos stove (kitchen) är 7 W (hörd 11:55); hall_eye ser ingen rörelse (sedan 11:00).",
        "en": "the power of stove (kitchen) is 7 W (heard 11:55); hall_eye sees no motion (since 11:00).",
    }


def test_what_can_not_be_believed_comes_first_and_says_so() -> None:
    told = said(
        good("door.contact", True, NOON - 16 * HOUR),
        Evidence("kitchen_eye.motion", None, Quality.STALE, NOON - 8 * HOUR),
        Evidence("stove.power", None, Quality.UNKNOWN, NOON - HOUR),
        Evidence("help.button", None, Quality.UNKNOWN, None),
        good("hall_eye.motion", True, NOON - 3 * HOUR - 30_000, stuck=True),
    )
    assert told["sv"].split("; ") == [
        "kitchen_eye är tyst och räknas inte: hördes senast 04:00",
        "stove (kitchen) går inte att lita på: hördes senast 11:00",
        "help (bedroom) har aldrig hörts",
        "hall_eye ser rörelse utan avbrott sedan 08:59 (3 h) och räknas inte: sensorn kan ha hängt sig",
        "door (hall) står öppen (sedan 1969-12-31 20:00).",
    ]
    assert told["en"].split("; ") == [
        "kitchen_eye is silent and not counted: it was last heard 04:00",
        "stove (kitchen) can't be believed: it was last heard 11:00",
        "help (bedroom) was never heard",
        "hall_eye sees motion without a break since 08:59 (3 h) and is not counted: the sensor may hang",
        "door (hall) is open (since 1969-12-31 20:00).",
    ]


def test_a_button_was_pressed_or_not() -> None:
    assert said(good("help.button", True))["en"] == "help (bedroom) was pressed at 11:00."
    assert said(good("help.button_2", None, None))["en"] == "help 2 (bedroom) was not pressed."
    assert said(good("help.button", True))["sv"] == "help (bedroom) trycktes in 11:00."
    assert said(good("help.button", None, None))["sv"] == "help (bedroom) har inte tryckts in."


def test_every_kind_has_words_for_what_it_can_be() -> None:
    for kind in KINDS.values():
        values = (True, False) if kind.shape is not Shape.NUMBER else (7,)
        for value in values:
            for text in said(good(f"thing.{kind.name}", value)).values():
                assert "thing" in text
                assert "  " not in text
                assert "None" not in text


def test_a_long_list_is_cut_short_and_says_how_much_is_left_out() -> None:
    told = said(*(good(f"eye{n}.motion", False) for n in range(10)))
    assert told["en"].endswith("eye7 sees no motion (since 11:00), and 2 more.")
    assert told["sv"].endswith(", och 2 till.")
    assert "more" not in said(*(good(f"eye{n}.motion", False) for n in range(8)))["en"]


def test_a_value_whose_begin_nobody_knows_is_told_with_when_it_was_heard() -> None:
    assert said(good("door.contact", False, None))["en"] == "door (hall) is closed (heard 11:55)."


def test_the_landlord_hears_of_his_pipes_and_not_who_is_home() -> None:
    private = [good("kitchen_eye.motion", True), good("door.contact", True), good("door.lock", True)]
    assert said(*private, party="property") == {}
    told = said(*private, good("sink.water", True), party="property")
    assert told == {"sv": "sink är våt (sedan 11:00).", "en": "sink is wet (since 11:00)."}


# -- what hangs counts as absent

EYE = Compare("eye.motion", "==", True)
ABSENT = Or((Not(EYE), HasQuality("eye.motion", "stale"), For(EYE, HOUR)))


def test_a_presence_that_counts_as_absent_after_a_while_is_found_wherever_it_stands() -> None:
    assert stuck_after(For(ABSENT, 20 * MIN)) == {"eye.motion": HOUR}
    assert stuck_after(Or((ABSENT, Or((Not(EYE), For(EYE, 2 * HOUR)))))) == {"eye.motion": HOUR}
    assert stuck_after(Or((Compare("eye.motion", "==", False), For(EYE, HOUR)))) == {"eye.motion": HOUR}


def test_a_presence_that_the_rule_waits_for_is_not_stuck() -> None:
    assert stuck_after(For(EYE, HOUR)) == {}
    assert stuck_after(Or((For(EYE, HOUR), For(Not(EYE), HOUR)))) == {}
    assert stuck_after(Or((Not(EYE), For(Not(EYE), HOUR)))) == {}
    door = Compare("door.contact", "==", True)
    assert stuck_after(Or((Not(door), For(door, HOUR)))) == {}


# -- no flow of presence to the landlord


def delivery(points: list[str]) -> Delivery:
    rule = BoundRule(
        "any", "any", 3, "alarm", ("care", "property"), Compare(points[0], "==", True), Not(EYE),
        (BoundStep(1, "notify", 0, parties=("care", "property")),),
        says={"sv": "Något", "en": "Something"}, roles={"role": tuple(points)},
        parameters={"alone": "20 min"},
    )  # fmt: skip
    return Delivery("h1", ZONE, ROOMS, {"any": rule}, {"homenode": "1"})


def heard(points: list[str], evidence: list[Evidence]) -> dict[str, list[bytes]]:
    machine, found = delivery(points), {"care": [], "property": []}  # type: ignore[var-annotated]  # lists of payloads
    for change in (
        Transition(NOON, "any", "any:1", Happening.RAISED),
        Transition(NOON, "any", "any:1", Happening.STEP, 1, "notify", 1, parties=("care", "property")),
        Transition(NOON + MIN, "any", "any:1", Happening.ACKNOWLEDGED, parties=("care",), reason="Eva"),
        Transition(NOON + HOUR, "any", "any:1", Happening.RESOLVED),
    ):
        for message in machine.transition(change, evidence).messages:
            if message.party in found:
                found[message.party].append(message.payload)
                if message.id:
                    told = numbered(message.payload, 1, "e")
                    assert not CONTRACT.why_not(message.topic, told, retain=message.retain)
    return found


INSTANTS = st.integers(0, NOON)
NAMES = st.sampled_from(("stove", "kitchen_eye", "hall_eye", "door", "sink"))


@st.composite
def evidence_of(draw: st.DrawFn, point: str) -> Evidence:
    quality = draw(st.sampled_from(tuple(Quality)))
    if quality is not Quality.GOOD:
        return Evidence(point, None, quality, draw(st.none() | INSTANTS))
    number = KINDS[point.partition(".")[2]].shape is Shape.NUMBER
    value = draw(st.integers(0, 100)) if number else draw(st.booleans())
    return Evidence(point, value, quality, draw(INSTANTS), draw(st.none() | INSTANTS), draw(st.booleans()))


@st.composite
def two_views(draw: st.DrawFn) -> tuple[list[str], list[Evidence], list[Evidence]]:
    """Points of a home, and what is known of them in two worlds that differ in who was home when."""
    kinds = st.sampled_from(sorted(KINDS))
    points = draw(st.lists(st.tuples(NAMES, kinds), min_size=1, max_size=12, unique=True))
    names = [f"{device}.{kind}" for device, kind in points]
    one = [draw(evidence_of(name)) for name in names]
    other = [
        draw(evidence_of(item.point)) if item.point.partition(".")[2] in PRESENCE else item for item in one
    ]
    return names, one, other


@given(two_views())
@settings(max_examples=300)
def test_nothing_that_property_gets_depends_on_who_was_home_when(
    views: tuple[list[str], list[Evidence], list[Evidence]],
) -> None:
    points, one, other = views
    assert heard(points, one)["property"] == heard(points, other)["property"]


def test_care_gets_version_thresholds_since_and_the_sentence() -> None:
    evidence = [good("door.contact", True), good("hall_eye.motion", True, stuck=True)]
    data = json.loads(heard(["door.contact"], evidence)["care"][0])["data"]
    assert (data["version"], data["thresholds"]) == (3, {"alone": "20 min"})
    assert data["evidence"] == [
        {
            "point": "door.contact", "unit": None, "value": True, "quality": "good",
            "at": "1970-01-01T11:55:00.000+00:00", "since": "1970-01-01T11:00:00.000+00:00",
        },
        {
            "point": "hall_eye.motion", "unit": None, "value": True, "quality": "good", "stuck": True,
            "at": "1970-01-01T11:55:00.000+00:00", "since": "1970-01-01T11:00:00.000+00:00",
        },
    ]  # fmt: skip
    assert data["why"]["en"].startswith("hall_eye sees motion without a break since 11:00 (1 h)")
    acknowledged = json.loads(heard(["door.contact"], evidence)["care"][2])["data"]
    assert acknowledged["version"] == 3
    assert "why" not in acknowledged
    assert "thresholds" not in acknowledged


def test_evidence_that_the_first_version_wrote_is_read() -> None:
    old = [["door.contact", True, "good", NOON]]
    assert why(old, "care", NOON, ROOMS, ZONE.text)["en"] == "door (hall) is open (heard 12:00)."
