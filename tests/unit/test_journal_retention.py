"""What the journal lets go, and what waits longest when the disk takes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homenode.journal.codec import CODES, Checkpoint, Frame, encode
from homenode.journal.pending import Item, Pending
from homenode.journal.retention import BATCH, DAY_MS, Limits, due, keeper
from homenode.journal.segment import Segment

SIZE = 1 << 20


def segment(number: int, newest_at: int, *, compact: bool = False, size: int = SIZE) -> Segment:
    point = Checkpoint(600, 1, 0, number, newest_at, True)
    return Segment(Path(f"{number}"), number, number, number, size, "e", point, compact)


def frame(klass: str, at: int | None = None, number: int = 1) -> Frame:
    record: dict[str, Any] = {} if at is None else {"at": at}
    return Frame(0, number, CODES[klass], encode(record))


def test_nothing_is_due_while_all_is_young_and_small() -> None:
    assert due([segment(n, 40 * DAY_MS) for n in range(1, 5)], Limits(), 41 * DAY_MS) == []


def test_files_whose_newest_reading_is_old_enough_are_due_oldest_first() -> None:
    files = [segment(n, n * DAY_MS) for n in range(1, 40)]
    assert [s.low for s in due(files, Limits(), 35 * DAY_MS)] == [1, 2, 3, 4]


def test_no_more_than_a_batch_is_due_at_once() -> None:
    files = [segment(n, 1) for n in range(1, 40)]
    assert len(due(files, Limits(), 400 * DAY_MS)) == BATCH


def test_too_much_is_due_however_young() -> None:
    files = [segment(n, DAY_MS) for n in range(1, 11)]
    assert [s.low for s in due(files, Limits(readings_bytes=8 * SIZE), DAY_MS)] == [1, 2]


def test_the_file_that_is_written_to_is_never_due() -> None:
    assert due([segment(1, 1)], Limits(readings_bytes=0), 400 * DAY_MS, urgent=True) == []


def test_a_full_disk_makes_the_oldest_file_due() -> None:
    files = [segment(n, DAY_MS) for n in range(1, 4)]
    assert [s.low for s in due(files, Limits(), DAY_MS, urgent=True)] == [1]


@pytest.mark.parametrize(("size", "joined"), [(1000, [1, 2]), (SIZE, [2])])
def test_a_small_compacted_file_is_joined_and_a_large_one_is_left(size: int, joined: list[int]) -> None:
    files = [segment(1, 1, compact=True, size=size), segment(2, 1), segment(3, 60 * DAY_MS)]
    assert [s.low for s in due(files, Limits(), 60 * DAY_MS)] == joined


def test_alerts_outlive_system_records_and_those_the_readings() -> None:
    now = 1000 * DAY_MS
    keep = keeper(Limits(), now, 0)
    for age_days, kept in ((1, "alert system"), (366, "alert"), (731, "")):
        at = now - age_days * DAY_MS
        assert [name for name in ("alert", "system", "reading") if keep(frame(name, at))] == kept.split()


def test_a_record_without_a_time_is_kept() -> None:
    assert keeper(Limits(), 1000 * DAY_MS, 0)(frame("alert"))


def test_of_states_the_newest_is_kept_and_marks_are_made_anew() -> None:
    keep = keeper(Limits(), 0, 7)
    assert [keep(frame("state", number=number)) for number in (6, 7)] == [False, True]
    assert not keep(frame("mark"))


def test_readings_that_a_start_would_judge_again_are_kept() -> None:
    keep = keeper(Limits(), 0, 7)
    assert [keep(frame("reading", number=number)) for number in (6, 7, 8)] == [False, False, True]
    assert not keeper(Limits(), 0, 0)(frame("reading", number=8)), "nobody's state, nobody's start"


def test_beyond_its_bound_the_queue_drops_readings_and_keeps_alerts() -> None:
    queue = Pending(1000)
    for number in range(1, 21):
        queue.add(Item(number, CODES["alert" if number % 4 == 0 else "reading"], bytes(100)))
    kept = [item.number for item in queue.items()]
    assert {4, 8, 12, 16, 20} <= set(kept)
    assert queue.size == 100 * len(kept) <= 1000
    assert queue.dropped == 20 - len(kept)
    assert queue.given_up == set(range(1, 21)) - set(kept)


def test_even_alerts_are_bounded_oldest_first() -> None:
    queue = Pending(1000)
    for number in range(1, 31):
        queue.add(Item(number, CODES["alert"], bytes(100)))
    assert queue.size <= 1000
    assert queue.items()[-1].number == 30


def test_what_is_put_back_comes_before_what_came_later_and_in_order() -> None:
    queue = Pending(1000)
    queue.add(Item(3, 1, b"c"))
    queue.put_back([Item(2, 2, b"b"), Item(1, 1, b"a"), Item(1, CODES["mark"], b"m")])
    assert [item.number for item in queue.take()] == [1, 2, 3]
    assert not queue
