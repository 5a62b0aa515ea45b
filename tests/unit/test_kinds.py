"""The table of point kinds, and what can be a value of each."""

from __future__ import annotations

import math

import pytest

from homenode.kinds import KINDS, Kind, Shape, kind_of, why_not

AT_ONCE = {"contact", "water", "smoke", "co", "gas", "heat", "tamper", "button", "lock", "switch"}
"""The design's list of what is committed at once; motion and numbers may wait, mains tells of a cut."""


def test_what_must_not_be_lost_is_committed_at_once() -> None:
    assert {name for name, kind in KINDS.items() if kind.at_once} == AT_ONCE | {"mains"}


def test_only_a_button_is_momentary() -> None:
    assert [kind.name for kind in KINDS.values() if kind.shape is Shape.MOMENTARY] == ["button"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_has_words_for_people_and_a_range(kind: Kind) -> None:
    assert kind.sv
    assert kind.en
    assert kind.low < kind.high
    assert (kind.unit is None) or kind.shape is Shape.NUMBER
    assert bool(kind.true_word) == bool(kind.false_word)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("stove.power", "power"),
        ("cooker.current_2", "current"),
        ("current_12", "current"),
        ("flow_volume", "flow_volume"),
        ("link_quality_3", "link_quality"),
    ],
)
def test_a_point_is_of_the_kind_it_ends_in(name: str, kind: str) -> None:
    found = kind_of(name)
    assert found is not None
    assert found.name == kind


@pytest.mark.parametrize(
    "name", ["", "stove", "stove.", "current_1", "current_0", "current_02", "Power", "power_"]
)
def test_other_words_are_no_kind(name: str) -> None:
    assert kind_of(name) is None


@pytest.mark.parametrize("value", [0, 100, 55.5, 0.0, 100.0, None])
def test_a_number_within_its_range_is_taken(value: float | None) -> None:
    assert why_not(KINDS["battery"], value) == ""


@pytest.mark.parametrize("value", [-0.001, 100.001, math.nan, math.inf, True, "50", [50]])
def test_a_number_out_of_range_and_what_is_no_number_is_told(value: object) -> None:
    assert repr(value) in why_not(KINDS["battery"], value)


@pytest.mark.parametrize("name", ["contact", "button"])
def test_a_flag_is_true_or_false_or_the_devices_fault(name: str) -> None:
    assert [why_not(KINDS[name], value) for value in (True, False, None)] == ["", "", ""]
    assert [bool(why_not(KINDS[name], value)) for value in (0, 1, "on", 1.0)] == [True] * 4
