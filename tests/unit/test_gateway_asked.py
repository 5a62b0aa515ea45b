"""Requests at the local socket: each with its fields, and what is wrong with one in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.errors import Refused
from homenode.gateway.asked import FIELDS, LONGEST, MAY_LACK, asked
from homenode.gateway.refusals import REFUSALS_SAID_MS, Refusals

GOOD: dict[str, dict[str, Any]] = {
    "status": {},
    "devices": {},
    "reload": {},
    "pair": {"for_s": 60},
    "dismiss": {"address": "00:15:8d:00:02:aa:bb:01"},
    "ack": {"party": "care", "alert": "door:1", "by": "Eva"},
    "mode": {"mode": "away"},
    "speed": {"speed": 2.5},
    "switch": {"point": "lamp.light", "to": "on"},
    "say": {"text": "Hej", "language": "sv"},
    "panel": {},
    "ok": {"seen": "0123456789abcdef"},
    "looks": {},
    "answer_look": {"to": "yes"},
    "stop_looks": {},
    "proof": {},
    "keep": {},
}


@pytest.mark.parametrize("do", FIELDS)
def test_a_whole_request_is_taken_and_what_is_strange_in_it_left_out(do: str) -> None:
    assert asked({"do": do, **GOOD[do], "colour": "blue"}) == {"do": do, **GOOD[do]}


@pytest.mark.parametrize(
    ("do", "name"), [(do, name) for do in GOOD for name in GOOD[do] if name not in MAY_LACK]
)
def test_a_field_that_lacks_is_named(do: str, name: str) -> None:
    with pytest.raises(Refused, match=f"{do} lacks {name}"):
        asked({"do": do, **{key: value for key, value in GOOD[do].items() if key != name}})


@pytest.mark.parametrize(("do", "name"), [(do, name) for do in GOOD for name in GOOD[do]])
@pytest.mark.parametrize("value", [[], {}, True, b"x"])
def test_a_field_of_another_type_is_named(do: str, name: str, value: object) -> None:
    with pytest.raises(Refused, match=f"{name} of the request {do}"):
        asked({"do": do, **GOOD[do], name: value})


def test_a_long_field_is_not_repeated() -> None:
    with pytest.raises(Refused, match=f"{LONGEST + 1} characters") as caught:
        asked({"do": "mode", "mode": "m" * (LONGEST + 1)})
    assert "mmm" not in str(caught.value)
    assert asked({"do": "mode", "mode": "m" * LONGEST})


def test_a_party_that_is_none_is_told_who_there_is() -> None:
    with pytest.raises(Refused, match="care, property, resident, operator"):
        asked({"do": "ack", "party": "press", "alert": "x"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["do", "for_s", "mode", "alert", "party", "to", "point"]), json_values)
)
def test_whatever_is_asked_is_a_request_or_refused(request: dict[str, Any]) -> None:
    found: dict[str, Any] = {"do": "status"}
    refusal = ""
    try:
        found = asked(request)
    except Refused as refused:
        refusal = str(refused)
    assert len(refusal) < 400
    assert found["do"] in FIELDS
    json.dumps(found)


def test_of_many_refused_commands_one_a_minute_is_said_with_how_many_were_not() -> None:
    refusals = Refusals()
    assert refusals.count("care", 0) == 0
    assert [refusals.count("care", at) for at in range(1, 100)] == [None] * 99
    assert refusals.count("property", 50) == 0
    assert refusals.count("care", REFUSALS_SAID_MS - 1) is None
    assert refusals.count("care", REFUSALS_SAID_MS) == 100
    assert refusals.count("care", REFUSALS_SAID_MS + 1) is None
    assert refusals.counted == {"care": 103, "property": 1}
