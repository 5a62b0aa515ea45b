"""The judge and the journal: what is written, read again, decides the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode import records
from homenode.delivery import NodeFault
from homenode.engine.engine import Engine
from homenode.engine.events import Acknowledge, ClockSet, Event, Heard, ModeSet, StaleAfter
from homenode.judge import Decided, Judge
from homenode.reading import How, Reading
from tests.unit.test_judge import (
    FAULT,
    LIMITS_MS,
    MIN,
    MODES,
    RULE,
    a_judge,
    opened,
)

INPUTS = st.lists(
    st.tuples(
        st.integers(0, 8 * MIN),
        st.one_of(
            st.sampled_from(
                [("r", "door.contact", True), ("r", "door.contact", False), ("r", "eye.motion", True)]
            ),
            st.sampled_from([("r", "door.contact", None), ("heard",), ("mode", "away"), ("ack",)]),
            st.sampled_from([("fault",), ("well",), ("ok",)]),
        ),
    ),
    max_size=12,
)


def event_of(what: tuple[Any, ...], at: int) -> Event | None:
    match what:
        case ("r", point, value):
            return Reading(point, value, at)
        case ("heard",):
            return Heard("eye", at)
        case ("mode", mode):
            return ModeSet(mode, at)
        case ("ack",):
            return Acknowledge("ajar", at, ("care",), "Anna")
    return None


def lived(inputs: list[tuple[int, tuple[Any, ...]]], judge: Judge) -> tuple[list[dict[str, Any]], list[str]]:
    """What a journal holds after these inputs, and the ids of the messages that were decided."""
    written: list[dict[str, Any]] = []
    ids: list[str] = []

    def note(decided: Decided) -> None:
        written.extend(decided.records)
        ids.extend(message.id for message in decided.messages if message.id)

    now = 0
    for wait, what in inputs:
        now += wait + 1
        event = event_of(what, now)
        if event is not None:
            if isinstance(event, Reading):
                event = judge.dated(event, now)
            note(judge.advance(now - 1))
            written.append(records.of_event(event))
            judge.feed(event)
        elif what == ("fault",):
            note(judge.fault(FAULT, now))
        elif what == ("well",):
            note(judge.well("zigbee", now))
        else:
            note(judge.answered(now))
    note(judge.advance(now + 60 * MIN))
    return written, ids


def decided_again(written: list[dict[str, Any]], judge: Judge, end: int) -> list[str]:
    ids = []
    for record in written:
        ids += [message.id for message in judge.again(record).messages if message.id]
    return ids + [message.id for message in judge.advance(end).messages if message.id]


@given(INPUTS)
def test_the_journal_read_again_decides_the_same_to_the_id(inputs: list[tuple[int, tuple[Any, ...]]]) -> None:
    judge = a_judge()
    written, ids = lived(inputs, judge)
    end = sum(wait + 1 for wait, _ in inputs) + 60 * MIN
    other = a_judge()
    assert decided_again(json.loads(json.dumps(written)), other, end) == ids
    assert other.troubled == judge.troubled
    assert json.dumps(other.dump()) == json.dumps(judge.dump())


@given(INPUTS, st.integers(0, 12))
def test_a_state_carries_all_of_it_over(inputs: list[tuple[int, tuple[Any, ...]]], cut: int) -> None:
    judge = a_judge()
    lived(inputs[:cut], judge)
    state = json.loads(json.dumps(judge.dump()))
    other = a_judge(Engine.load(state["engine"], [RULE], LIMITS_MS, modes=MODES))
    other.load(state)
    assert json.loads(json.dumps(other.dump())) == state


def test_only_messages_with_an_id_are_written() -> None:
    judge = a_judge()
    opened(judge)
    decided = judge.advance(20 * MIN)
    written = [record for record in decided.records if record["t"] == "msg"]
    assert len(written) == len([message for message in decided.messages if message.id])
    assert len(written) < len(decided.messages)


def test_what_a_state_holds_counts_after_a_start() -> None:
    judge = a_judge()
    judge.feed(StaleAfter("eye", 5, 30 * MIN))
    judge.feed(ClockSet(6, 777))
    judge.dated(Reading("door.contact", True, 50), 100)
    judge.fault(FAULT, 100)
    state = json.loads(json.dumps(judge.dump()))
    other = a_judge(Engine.load(state["engine"], [RULE], LIMITS_MS, modes=MODES))
    other.load(state)
    assert (other.offset_ms, other.rows_ms, other.troubled) == (777, {"eye": 30 * MIN}, judge.troubled)
    assert other.dated(Reading("door.contact", False, 49), 100).how is How.HISTORICAL


def test_a_reading_that_no_point_can_have_is_refused_when_the_journal_is_read() -> None:
    for point, value in (("door.contact", 5), ("door.nothing", True)):
        with pytest.raises(ValueError, match="can't be"):
            a_judge().again({"t": "r", "p": point, "v": value, "at": 5})


def test_a_reading_from_the_journal_makes_what_is_older_historical() -> None:
    judge = a_judge()
    judge.again({"t": "r", "p": "door.contact", "v": True, "at": 500})
    assert judge.dated(Reading("door.contact", False, 499), 1000).how is How.HISTORICAL


def test_what_a_device_was_told_of_is_written_before_what_comes_of_it() -> None:
    judge = a_judge()
    at_once = NodeFault("disk", {"en": "full"}, at_once=True)
    assert [record["t"] for record in judge.fault(at_once, 5).records] == ["fault", "msg"]
    assert [record["t"] for record in judge.well("disk", 6).records] == ["well", "msg"]
    assert records.of_message(judge.fault(at_once, 7).messages[0])["at"] == 7
