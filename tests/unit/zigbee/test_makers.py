"""Bytes of Tuya's data points and of Xiaomi's attributes with many values in one."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.zigbee import tuya, xiaomi
from drivers.zigbee.meanings import NotOfItsType, meaning_of
from drivers.zigbee.zcl import Malformed

SMOKE_AND_BATTERY = bytes.fromhex("001201040001000f02000400000057")


def test_data_points_of_one_frame_are_told_in_order() -> None:
    assert tuya.records(SMOKE_AND_BATTERY) == [(1, 0), (15, 87)]


def test_a_value_below_zero_is_below_zero() -> None:
    assert tuya.records(bytes.fromhex("001201020004ffffffec")) == [(1, -20)]


@pytest.mark.parametrize("cut", [1, *(n for n in range(3, len(SMOKE_AND_BATTERY)) if n != 7)])
def test_data_points_cut_anywhere_are_malformed(cut: int) -> None:
    with pytest.raises(Malformed):
        tuya.records(SMOKE_AND_BATTERY[:cut])


def test_a_data_point_of_an_unknown_type_is_malformed() -> None:
    with pytest.raises(Malformed, match="type 9"):
        tuya.records(bytes.fromhex("00120109000100"))


def test_an_order_is_a_frame_of_the_cluster() -> None:
    assert tuya.order(7, 13, True).hex() == "01070000070d01000101"


HEARTBEAT = bytes.fromhex("0121bd0b03281a641001")


def _report(attribute: int, value: bytes, wrong: int = 0) -> bytes:
    return attribute.to_bytes(2, "little") + bytes((0x42, len(value) - wrong)) + value


@pytest.mark.parametrize(("cluster", "attribute"), [(0x0000, 0xFF01), (0xFCC0, 0x00F7)])
def test_a_heartbeat_has_a_value_for_each_tag(cluster: int, attribute: int) -> None:
    told = xiaomi.values(cluster, _report(attribute, HEARTBEAT))
    assert told == [(attribute, 1, 3005), (attribute, 3, 26), (attribute, 100, True)]


@pytest.mark.parametrize("wrong", [0, -1, 1, -3])
def test_a_heartbeat_whose_length_is_wrong_is_read_all_the_same(wrong: int) -> None:
    told = xiaomi.values(0, _report(0xFF01, HEARTBEAT, wrong))
    assert (0xFF01, 1, 3005) in told
    assert (0xFF01, 100, True) in told


def test_a_structure_gives_its_values_by_place() -> None:
    body = bytes.fromhex("02ff4c0200100121e50b")
    assert xiaomi.values(0, body) == [(0xFF02, 0, True), (0xFF02, 1, 3045)]


def test_other_attributes_of_the_cluster_are_as_ever() -> None:
    assert xiaomi.values(0, bytes.fromhex("0500420461626364")) == [(5, None, b"abcd")]


def test_a_heartbeat_that_makes_no_sense_is_malformed_and_says_nothing() -> None:
    with pytest.raises(Malformed):
        xiaomi.values(0, _report(0xFF01, b"\x01\x99\x00"))


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_malformed(body: bytes) -> None:
    for read in (tuya.records, lambda body: xiaomi.values(0, b"\x01\xff\x42" + body)):
        with contextlib.suppress(Malformed):
            read(body)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("by 10", 215, 21.5),
        ("times 10", 3, 30),
        ("wrapped by 10", 215, 21.5),
        ("wrapped by 10", 0xFFFF - 50, -5.0),
        ("volts 2820 3100", 2960, 50.0),
        ("volts 2820 3100", 3300, 100.0),
        ("volts 2820 3100", 2000, 0.0),
        ("map 0:yes 1:no", 0, True),
        ("map 0:yes 1:no", True, False),
        ("map 0:yes 1:no", 2, None),
        ("map 0:25 2:100", 2, 100.0),
    ],
)
def test_a_row_names_a_meaning(name: str, raw: int, value: object) -> None:
    meaning = meaning_of(name)
    assert meaning is not None
    assert meaning(raw) == value
    assert meaning(None) is None
    with pytest.raises(NotOfItsType):
        meaning(b"oops")


@pytest.mark.parametrize("name", ["by 0", "volts 3000 2000", "map", "map 0:maybe", "guessed"])
def test_what_is_no_meaning_is_none(name: str) -> None:
    assert meaning_of(name) is None
