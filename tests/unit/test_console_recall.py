"""A start knows all that was known, whether it reads every fact, a picture of them, or half of one."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("jinja2", reason="the extra console is not installed")

from homenode.console import recall
from homenode.console.board import MOST_LOGGED, Board
from homenode.console.case import LONGEST_NOTE, MOST_HISTORY, MOST_SEEN
from homenode.console.control_room import ControlRoom
from homenode.console.settings import Console
from homenode.gateway.clock import Clock
from homenode.journal.journal import Journal
from homenode.listen import told
from homenode.listen.kept import Kept
from homenode.listen.told import ALL, Kind
from tests.unit.listening import NOW, message

SETTINGS = Console((), "127.0.0.1", 0, "", None, False, "sv", "Europe/Stockholm", 1, 1, False, {}, {})
LOOK = {
    "id": "l",
    "party": "care",
    "home": "a",
    "camera": "bed",
    "view": "silhouette",
    "reason": "x",
    "by": "Eva",
}
SHIFT = {
    "id": "s",
    "party": "care",
    "who": "eva",
    "name": "Eva",
    "begin": NOW,
    "end": NOW + 9,
    "note": "",
    "by": "E",
}


def came(number: int, home: str = "a", told_: str = "notified") -> dict[str, Any]:
    fact = {"what": "came", "at": NOW + number, "party": "care", "home": home, "kind": "alert", "stage": 0}
    return fact | {"body": message(number, told_, alert=f"stove:{number}").body}


def own(kind: Kind, body: Mapping[str, Any], home: str = "a") -> dict[str, Any]:
    return {
        "what": "came",
        "at": NOW,
        "party": "care",
        "home": home,
        "kind": kind.value,
        "stage": 0,
        "body": body,
    }


def did(what: str, key: str, note: str = "x") -> dict[str, Any]:
    return {
        "what": "did",
        "at": NOW,
        "key": key,
        "did": what,
        "by": "Eva",
        "who": "eva",
        "note": note,
        "home": "a",
    }


def known(board: Board) -> dict[str, Any]:
    """Everything but how often it changed, and what the broker tells anew."""
    cases = {key: dataclasses.asdict(case) | {"version": 0} for key, case in board.cases.items()}
    silent = {key: home.silent_since for key, home in board.homes.items()}
    more = (board.duty.shifts, board.looks.looks, board.looks.rounds, list(board.log), board.silent)
    return {"cases": cases, "homes": silent, "to do": [one.key for one in board.to_do()], "more": more}


def some() -> list[dict[str, Any]]:
    """A fact of each sort."""
    board = Board()
    board.apply(came(1))
    [key] = board.cases
    at = {"at": NOW, "who": "eva", "by": "Eva"}
    return [
        came(1), did("take", key), did("close", key), came(2), came(3, "b"), came(3, "b", "resolved"),
        own(Kind.SILENT, told.silent("a", NOW, NOW - 9, "no heartbeat")),
        own(Kind.NOBODY, told.nobody(NOW), ALL),
        {"what": "shift", **at, **SHIFT}, {"what": "looked", **at, **LOOK},
        {"what": "look_granted", **at, "id": "l", "home": "a", "session": "s1", "until": NOW + 9, "note": ""},
        {"what": "look_ended", "at": NOW + 1, "id": "l", "why": "ended"},
        {"what": "round", **at, "id": "r", "note": "asleep"},
        {"what": "signed_in", **at, "local": True, "roles": [], "hash": "h", "note": ""},
    ]  # fmt: skip


@given(st.lists(st.integers(0, len(some()) - 1)), st.lists(st.integers(0, len(some()) - 1)), st.data())
def test_a_picture_is_as_good_as_all_facts_wherever_facts_come_between_its_parts(
    before: list[int], between: list[int], data: st.DataObject
) -> None:
    facts, told_ = [{"t": "console", **fact} for fact in some()], Board()
    for nth in before:
        told_.apply(facts[nth])
    head, at_once, later = recall.picture(told_)
    records = json.loads(json.dumps([head, *at_once]))  # as each stands in the journal then
    for nth in between:
        for _ in range(data.draw(st.integers(0, 2))):
            records += json.loads(json.dumps([part for part in [next(later, None)] if part]))
        records.append(facts[nth])
        told_.apply(facts[nth])
    found, missing, read = recall.recalled([*records, *later])
    assert missing == 0
    assert read == len(between)
    assert known(found) == known(told_)


def test_what_is_remembered_of_a_case_fits_in_a_record_whatever_was_done_with_it() -> None:
    board = Board()
    board.apply(came(1))
    [key] = board.cases
    for nth in range(2 * MOST_HISTORY):
        board.apply(did("note", key, "å" * LONGEST_NOTE))
        body = {**message(1, "acknowledged", alert="stove:1").body, "id": f"{nth}"}
        board.apply(came(1) | {"body": body})
    case = board.cases[key]
    assert len(case.history) == MOST_HISTORY
    assert case.history[0].what == "came"
    assert case.history[-1].what == "home_said_acknowledged"
    assert len(case.seen) == MOST_SEEN


# --- in the journal

WHOLE = (MOST_LOGGED + 70) // recall.AT_ONCE + 1
"""Seconds for all lines and 70 cases."""


def room_of(folder: Path) -> tuple[ControlRoom, Journal]:
    journal = Kept.open(folder)
    return ControlRoom(SETTINGS, journal, Clock()), journal


def ticking(room: ControlRoom) -> None:
    """A second of its time."""

    async def tick() -> None:
        ticks = asyncio.ensure_future(room.ticks())
        await asyncio.sleep(0)
        ticks.cancel()
        with suppress(asyncio.CancelledError):
            await ticks

    asyncio.run(tick())


def filled(folder: Path, cases: int, ticks: int) -> dict[str, Any]:
    """So many cases, and so many notes that a picture is due; what is known then."""
    room, journal = room_of(folder)
    for number in range(1, cases + 1):
        room.record(**came(number, f"h{number % 7}"))
    key = next(iter(room.board.cases))
    for nth in range(recall.EACH):
        room.record(**did("note", key, str(nth)))
    for _ in range(ticks):
        ticking(room)
    room.record(**came(cases + 1))
    journal.close()
    return known(room.board)


def test_a_start_reads_the_picture_and_what_came_since(tmp_path: Path) -> None:
    was = filled(tmp_path, 70, WHOLE)
    room, journal = room_of(tmp_path)
    with journal:
        assert known(room.board) == was
        assert len(room.board.log) == MOST_LOGGED
        _, _, read = recall.recalled(record for _, record in journal.read(journal.newest_state))
        assert read == 1


def test_half_a_picture_is_passed_over(tmp_path: Path) -> None:
    was = filled(tmp_path, 70, WHOLE - 1)
    room, journal = room_of(tmp_path)
    assert known(room.board) == was
    for _ in range(WHOLE):
        ticking(room)
    journal.close()
    room, journal = room_of(tmp_path)
    with journal:
        assert known(room.board) == was
