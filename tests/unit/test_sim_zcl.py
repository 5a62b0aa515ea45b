"""The simulator's own ZCL codec, held against zigpy's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zigpy.zcl import foundation

from homenode.sim.zigbee.zcl import TYPES, Frame, Malformed, analog, build, decode, encode, parse

_BYTE = st.integers(0, 255)
_WHOLE = [name for name in TYPES if name.startswith(("uint", "int", "map", "enum"))]


def _oracle(name: str) -> foundation.DataType:
    return foundation.DataType.from_type_id(foundation.DataTypeId(TYPES[name]))


@pytest.mark.parametrize("name", _WHOLE)
@given(data=st.data())
def test_whole_numbers_are_the_bytes_zigpy_makes(name: str, data: st.DataObject) -> None:
    bits = 8 * len(encode(TYPES[name], 0))
    low, high = (
        (-(1 << (bits - 1)) + 1, (1 << (bits - 1)) - 1) if name.startswith("int") else (0, (1 << bits) - 1)
    )
    value = data.draw(st.integers(low, high))
    raw = encode(TYPES[name], value)
    assert raw == _oracle(name).python_type(value).serialize()
    assert decode(TYPES[name], raw) == (value, len(raw))


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40))  # zigpy cuts at NUL
def test_strings_survive_the_way_there_and_back(text: str) -> None:
    raw = encode(TYPES["string"], text)
    assert decode(TYPES["string"], raw)[0] == text
    assert foundation.DataType.from_type_id(0x42).python_type.deserialize(raw)[0] == text


def test_a_number_without_a_value_is_the_invalid_one_of_its_type() -> None:
    assert encode(TYPES["int16"], None) == b"\x00\x80"
    assert encode(TYPES["uint16"], None) == b"\xff\xff"
    value, _ = decode(TYPES["single"], encode(TYPES["single"], None))
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    "name", [name for name in TYPES if name not in ("nodata", "array", "struct", "set", "bag")]
)
def test_the_same_types_are_analog_as_in_zigpy(name: str) -> None:
    assert analog(TYPES[name]) == (_oracle(name).type_class is foundation.DataClass.Analog)


@given(st.binary(max_size=12), st.sampled_from(sorted(TYPES.values())))
def test_any_bytes_are_a_value_or_malformed_and_nothing_else(data: bytes, kind: int) -> None:
    try:
        _, end = decode(kind, data)
    except Malformed:
        return
    assert end <= len(data)


@given(st.binary(max_size=12))
def test_any_bytes_are_a_frame_or_malformed_and_nothing_else(data: bytes) -> None:
    try:
        frame = parse(data)
    except Malformed:
        return
    assert parse(build(frame)) == frame


@given(
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.booleans(),
    st.booleans(),
    st.integers(0, 255),
    st.integers(0, 255),
)
def test_a_frame_header_means_to_zigpy_what_it_means_here(
    specific: bool, code: int, to_client: bool, quiet: bool, sequence: int, command: int
) -> None:
    header, rest = foundation.ZCLHeader.deserialize(
        build(Frame(specific, code, to_client, quiet, sequence, command, b"\x01\x02"))
    )
    assert rest == b"\x01\x02"
    assert bool(header.frame_control.frame_type) == specific
    assert (header.manufacturer or 0) == code
    assert bool(header.frame_control.disable_default_response) == quiet
    assert bool(header.direction) == to_client
    assert (header.tsn, header.command_id) == (sequence, command)
