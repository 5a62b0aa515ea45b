"""ZCL bytes, against what zigpy's own types write."""

from __future__ import annotations

import pytest
import zigpy.types as t
from hypothesis import given
from hypothesis import strategies as st
from zigpy.zcl import foundation

from drivers.zigbee.zcl import (
    Frame,
    Malformed,
    default_response,
    parse,
    read_answers,
    reports,
)


def _record(attribute: int, kind: int, value: object) -> bytes:
    record = foundation.Attribute(attribute, foundation.TypeValue(type=kind, value=value))
    return bytes(record.serialize())


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        (0x10, t.Bool.true, True),
        (0x18, t.bitmap8(5), 5),
        (0x20, t.uint8_t(154), 154),
        (0x21, t.uint16_t(2300), 2300),
        (0x25, t.uint48_t(123456789012), 123456789012),
        (0x29, t.int16s(-1234), -1234),
        (0x2A, t.int24s(-70000), -70000),
        (0x30, t.enum8(2), 2),
        (0x39, t.Single(1.5), 1.5),
        (0x42, t.CharacterString("ab"), b"ab"),
    ],
)
def test_a_reported_value_is_read_as_zigpy_writes_it(kind: int, written: object, read: object) -> None:
    assert reports(_record(0x0102, kind, written) * 2) == [(0x0102, read), (0x0102, read)]


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (0x10, b"\xff"),
        (0x20, b"\xff"),
        (0x21, b"\xff\xff"),
        (0x29, b"\x00\x80"),
        (0x2A, b"\x00\x00\x80"),
        (0x39, b"\x00\x00\xc0\x7f"),
        (0x42, b"\xff"),
    ],
)
def test_a_non_value_is_none_and_never_a_number(kind: int, raw: bytes) -> None:
    assert reports(b"\x00\x00" + bytes([kind]) + raw) == [(0, None)]


def test_a_refused_attribute_is_no_value() -> None:
    body = b"\x00\x00\x86" + b"\x01\x00\x00\x20\x05"
    assert read_answers(body) == [(0, 0x86, None), (1, 0, 5)]


def test_what_follows_a_structure_is_still_read() -> None:
    structure = b"\x02\xff\x4c\x02\x00\x20\x05\x42\x01a"
    assert reports(structure + b"\x00\x00\x20\x07") == [(0xFF02, (5, b"a")), (0, 7)]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_report_cut_anywhere_is_malformed_and_says_nothing(cut: int) -> None:
    whole = _record(0, 0x29, t.int16s(2157)) + _record(1, 0x25, t.uint48_t(1))
    if cut != 5:
        with pytest.raises(Malformed):
            reports(whole[:cut])


@given(st.binary(max_size=60))
def test_no_bytes_whatever_end_in_anything_but_malformed(data: bytes) -> None:
    for read in (parse, reports, read_answers):
        try:
            read(data)
        except Malformed:
            continue


def test_the_header_is_read_as_zigpy_writes_it() -> None:
    header = foundation.ZCLHeader.general(tsn=7, command_id=0x0A, manufacturer=0x115F)
    header.frame_control = header.frame_control.replace(direction=foundation.Direction.Server_to_Client)
    frame = parse(header.serialize() + b"rest")
    assert (frame.sequence, frame.command, frame.manufacturer, frame.body) == (7, 0x0A, 0x115F, b"rest")
    assert frame.from_server
    assert not frame.of_cluster


@pytest.mark.parametrize("manufacturer", [None, 0x115F])
def test_a_default_response_goes_the_other_way_and_asks_for_nothing(manufacturer: int | None) -> None:
    answer = default_response(Frame(0x09, manufacturer, 33, 0x00, b""))
    header, rest = foundation.ZCLHeader.deserialize(answer)
    assert header.frame_control.disable_default_response
    assert header.frame_control.direction == foundation.Direction.Client_to_Server
    assert (header.tsn, header.command_id, header.manufacturer) == (33, 0x0B, manufacturer)
    assert rest == b"\x00\x00"
