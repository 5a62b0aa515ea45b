"""The journal's format: damage costs what was hit, is always seen, and never turns into another record."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.journal.codec import (
    CODES,
    EDGE,
    FRAME_BYTES,
    MARK,
    SCHEMA,
    Checkpoint,
    Head,
    Scan,
    damage_of,
    decode,
    encode,
    frame,
    head_bytes,
    likely_seeds,
    marks_payload,
    read_checkpoint,
    read_head,
    seed_of,
    tail_bytes,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=8), JSON, max_size=4), min_size=1, max_size=12)
SIZE = 16 * 1024
EPOCH = "00112233445566ff"
SEED = seed_of(EPOCH)


def written(records: list[dict[str, Any]], *, sealed: bool = False) -> tuple[bytes, Head, Checkpoint | None]:
    """A whole file with `records`, numbered from 100."""
    head = Head(SIZE, EPOCH, 7, 7, 100)
    body = b"".join(
        frame(100 + nth, CODES["reading"], encode(record), SEED) for nth, record in enumerate(records)
    )
    end = EDGE + len(body)
    point = Checkpoint(end, len(records), crc32(body), 99 + len(records), 0, True) if sealed else None
    front = head_bytes(head).ljust(EDGE, b"\0")
    return (front + body).ljust(SIZE - EDGE, b"\0") + tail_bytes(head, point), head, point


def read(data: bytes, point: Checkpoint | None, next_first: int = 0) -> tuple[dict[int, Any], list[Any]]:
    """Records by number, and damage."""
    scan = Scan(data, EDGE, min(len(data), SIZE - EDGE), (SEED,))
    records = {found.number: decode(found.payload) for found in scan}
    return records, damage_of("f", len(data), SIZE, scan, point, 100, next_first)


@given(RECORDS)
def test_what_is_written_is_read(records: list[dict[str, Any]]) -> None:
    data, head, point = written(records, sealed=True)
    found, damage = read(data, point)
    assert list(found.values()) == json.loads(json.dumps(records))
    assert damage == []
    assert read_head(data) == head == read_head(data[-EDGE:])
    assert read_checkpoint(data[-EDGE:]) == point


@given(RECORDS, st.data())
def test_a_flipped_bit_costs_at_most_the_record_it_hit_and_is_seen(
    records: list[dict[str, Any]], choose: st.DataObject
) -> None:
    data, _, point = written(records, sealed=True)
    assert point is not None
    bit = choose.draw(st.integers(EDGE * 8, point.end * 8 - 1))
    broken = bytearray(data)
    broken[bit // 8] ^= 1 << bit % 8
    whole, _ = read(data, point)
    found, damage = read(bytes(broken), point, next_first=100 + len(records))
    lost = whole.keys() - found.keys()
    assert len(lost) == 1
    assert all(whole[number] == record for number, record in found.items())
    assert [(d.first, d.last) for d in damage] == [(min(lost), min(lost))]


@given(RECORDS, st.data())
def test_a_cut_costs_only_what_is_behind_it_and_is_seen(
    records: list[dict[str, Any]], choose: st.DataObject
) -> None:
    data, _, _ = written(records)
    cut = choose.draw(st.integers(EDGE, SIZE - 1))
    whole, _ = read(data, None)
    found, damage = read(data[:cut], None, next_first=100 + len(records))
    assert found == {number: whole[number] for number in found}
    assert sorted(found) == list(range(100, 100 + len(found)))
    assert damage
    assert {n for d in damage for n in range(d.first, d.last + 1)} == whole.keys() - found.keys()


@given(RECORDS, st.data())
def test_a_block_of_zeros_costs_only_the_records_it_touched(
    records: list[dict[str, Any]], choose: st.DataObject
) -> None:
    data, _, point = written(records, sealed=True)
    assert point is not None
    start = choose.draw(st.integers(EDGE, point.end - 1))
    stop = min(point.end, start + choose.draw(st.integers(1, 4096)))
    broken = data[:start] + bytes(stop - start) + data[stop:]
    whole, _ = read(data, point)
    found, damage = read(broken, point, next_first=100 + len(records))
    assert all(whole[number] == record for number, record in found.items())
    touched, offset = set(), EDGE
    for number, record in whole.items():
        length = FRAME_BYTES + len(encode(record))
        if start < offset + length and offset < stop:
            touched.add(number)
        offset += length
    lost = whole.keys() - found.keys()
    assert lost <= touched  # bytes that were zero before are no loss
    assert {n for d in damage for n in range(d.first, d.last + 1)} == lost


@given(RECORDS, st.binary(min_size=1, max_size=600), st.data())
def test_garbage_in_the_middle_never_becomes_a_record(
    records: list[dict[str, Any]], garbage: bytes, choose: st.DataObject
) -> None:
    data, _, point = written(records, sealed=True)
    place = choose.draw(st.integers(EDGE, SIZE - EDGE - len(garbage)))
    broken = data[:place] + garbage + data[place + len(garbage) :]
    whole, _ = read(data, point)
    found, damage = read(broken, point)
    assert all(whole[number] == record for number, record in found.items())
    assert damage or found == whole


@given(st.binary(max_size=2000))
def test_any_bytes_at_all_are_read_without_an_error(data: bytes) -> None:
    list(Scan(data, 0, len(data), (SEED,)))
    read_checkpoint(data)
    assert read_head(data) is None


def test_a_torn_end_of_the_newest_file_is_not_called_a_loss_of_what_was_acknowledged() -> None:
    data, _, _ = written([{"n": 1}, {"n": 2}])
    end = EDGE + 2 * (FRAME_BYTES + len(encode({"n": 1})))
    torn = data[: end - 3] + bytes(3) + data[end:]
    found, damage = read(torn, None)
    assert list(found) == [100]
    assert [d.torn for d in damage] == [True]


def test_a_lost_mark_is_no_lost_record() -> None:
    payload = encode({"t": "marks", "m": {}})
    body = frame(1, 1, b"{}", SEED) + frame(2, MARK, payload, SEED) + frame(2, 1, b"{}", SEED)
    place = len(frame(1, 1, b"{}", SEED)) + 8
    broken = body[:place] + b"\x99" + body[place + 1 :]
    scan = Scan(broken, 0, len(broken), (SEED,))
    assert [found.number for found in scan] == [1, 2]
    assert [(d.first, d.last) for d in damage_of("f", len(broken), len(broken), scan, None, 1, 3)] == [(2, 1)]


def test_a_file_of_a_later_schema_is_refused_and_not_guessed_at() -> None:
    head = bytearray(head_bytes(Head(SIZE, "00" * 8, 1, 1, 1)))
    head[8] = SCHEMA + 1
    head[-4:] = crc32(bytes(head[:-4])).to_bytes(4, "little")
    with pytest.raises(ValueError, match=f"schema {SCHEMA + 1}"):
        read_head(bytes(head))


@pytest.mark.parametrize("record", [{"v": float("nan")}, {"v": float("inf")}])
def test_what_json_does_not_have_is_refused_before_it_is_numbered(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(record)


@pytest.mark.parametrize("number", [1, 2**32 - 1, 2**32, 2**40 - 1])
def test_numbers_are_40_bits_wide(number: int) -> None:
    data = frame(number, CODES["alert"], b"{}", SEED)
    scan = Scan(data, 0, len(data), (SEED,))
    assert [(found.number, found.code) for found in scan] == [(number, CODES["alert"])]


def test_a_record_of_another_epoch_is_none_of_this_one() -> None:
    record = frame(1, CODES["alert"], b"{}", seed_of("ab" * 8))
    assert [found.number for found in Scan(record, 0, len(record), (seed_of("ab" * 8),))] == [1]
    assert list(Scan(record, 0, len(record), (SEED,))) == []
    assert list(Scan(record, 0, len(record), (seed_of("ab" * 8, 1),))) == []


def test_a_reading_takes_little_room_and_is_what_it_was() -> None:
    reading = {"t": "r", "p": "stove.power", "v": 1420, "at": 1_767_589_923_250}
    assert encode(reading) == b'["stove.power",1420,1767589923250]'
    assert decode(encode(reading)) == reading == decode(encode(reading, 1))
    assert encode(reading, 1).startswith(b"{")
    for other in (reading | {"h": "restored"}, {"t": "r", "n": 1}, {"t": "q", "p": "a", "v": 1, "at": 2}):
        assert decode(encode(other)) == other


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.data())
def test_of_what_was_not_flushed_a_cut_leaves_a_beginning_and_of_all_else_everything(
    commits: list[int], choose: st.DataObject
) -> None:
    """A drive writes what was not flushed in any order, sector by sector."""
    body, flushed, number = b"", 0, 99
    for size in commits:
        flushed = len(body)
        for nth in range(size):
            number += 1
            text = encode({"n": "x" * choose.draw(st.integers(0, 700))})
            body += frame(number, CODES["alert"], text, SEED, opens=not nth)
    lost = bytearray(body)
    for start in range(0, len(body), 512):
        if start + 512 > flushed and choose.draw(st.booleans()):
            first = max(start, flushed)
            lost[first : start + 512] = bytes(len(lost[first : start + 512]))
    scan = Scan(bytes(lost) + bytes(2000), 0, len(body) + 2000, (SEED,))
    numbers = [found.number for found in scan.tear(list(scan))]
    assert numbers == list(range(100, 100 + len(numbers)))
    assert len(numbers) >= sum(commits[:-1])
    assert scan.last == (numbers[-1] if numbers else 0)
    assert scan.count == len(numbers)
    damage = damage_of("f", len(body) + 5000, len(body) + 5000, scan, None, 100, 0)
    assert [one.torn for one in damage] in ([], [True])


def test_damage_before_the_last_flush_is_not_taken_for_torn() -> None:
    body = b"".join(frame(n, CODES["alert"], encode({"n": n}), SEED, opens=True) for n in (100, 101, 102))
    broken = bytearray(body)
    broken[len(body) // 2] ^= 1
    scan = Scan(bytes(broken), 0, len(body), (SEED,))
    assert [found.number for found in scan.tear(list(scan))] == [100, 102]
    assert [(d.first, d.torn) for d in damage_of("f", 9, 9, scan, None, 100, 0)] == [(101, False)]


def test_a_head_says_in_which_schema_its_file_is() -> None:
    older = Head(SIZE, EPOCH, 1, 1, 1, schema=1)
    assert read_head(head_bytes(older)) == older
    assert seed_of(EPOCH, 1) == 0


def test_a_file_without_a_head_is_read_by_what_its_marks_say() -> None:
    data = frame(5, MARK, marks_payload({"readings": 4}, EPOCH), SEED) + frame(5, 1, b"{}", SEED)
    scan = Scan(data, 0, len(data), likely_seeds(data))
    assert [(found.number, found.code) for found in scan] == [(5, MARK), (5, 1)]
    assert likely_seeds(b"nothing") == (0,)
