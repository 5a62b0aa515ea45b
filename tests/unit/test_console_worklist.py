"""A home gone mad: which of its alerts have a row, and that no other home is hidden."""

from __future__ import annotations

from typing import Any

from homenode.console.board import Board
from homenode.console.case import Case
from homenode.console.worklist import MOST_OF_HOME, More, Row, rows
from homenode.listen import told
from homenode.listen.told import ALL, Kind
from tests.unit.listening import NOW, message


def came(board: Board, number: int, home: str, alert: str, rule: str = "door", **data: Any) -> None:
    body = message(number, alert=alert, **data).body | {"subject": rule}
    fact = {"what": "came", "at": NOW + number, "party": "care", "home": home, "kind": "alert", "stage": 0}
    board.apply(fact | {"body": body})


def mad(count: int = 300, **data: Any) -> Board:
    board = Board()
    for number in range(count):
        came(board, number, "mad", f"{number}", **data)
    return board


def named(found: list[Row]) -> list[str]:
    return [
        f"{row.home} +{row.count}" if isinstance(row, More) else f"{row.home} {row.alert}" for row in found
    ]


def take(board: Board, alert: str, who: str) -> None:
    [case] = [one for one in board.cases.values() if one.alert == alert]
    did = {"what": "did", "did": "take", "at": NOW, "by": who, "who": who, "note": "", "home": case.home}
    board.apply({**did, "key": case.key})


def test_a_home_with_few_alerts_has_a_row_for_each() -> None:
    board = mad(MOST_OF_HOME)
    assert rows(board.to_do(), "eva") == board.to_do()


def test_a_home_gone_mad_leaves_room_for_the_alarm_of_another() -> None:
    board = mad()
    came(board, 1_000, "calm", "fall")
    assert named(rows(board.to_do(), "eva")) == [
        "mad 0", "mad 1", "mad 2", "mad 3", "mad 4", "mad +295", "calm fall",
    ]  # fmt: skip


def test_an_alarm_stands_before_all_warnings_of_a_home_gone_mad() -> None:
    board = mad(severity="warning")
    came(board, 1_000, "calm", "fall")
    came(board, 1_001, "mad", "smoke")
    found = named(rows(board.to_do(), "eva"))
    assert found[:3] == ["calm fall", "mad smoke", "mad 0"]
    assert found[-1] == "mad +296"


def test_a_thousand_times_one_rule_does_not_hide_what_another_says() -> None:
    board = mad()
    came(board, 1_000, "mad", "smoke", rule="smoke")
    assert named(rows(board.to_do(), "eva")) == [
        "mad 0", "mad 1", "mad 2", "mad 3", "mad smoke", "mad +296",
    ]  # fmt: skip


def test_tests_of_a_home_come_after_what_is_none() -> None:
    board = mad(test=True)
    came(board, 1_000, "mad", "note", severity="info")
    assert named(rows(board.to_do(), "eva"))[:2] == ["mad note", "mad 0"]


def test_what_somebody_took_keeps_its_row_for_them() -> None:
    board = mad()
    take(board, "250", "eva")
    assert named(rows(board.to_do(), "eva"))[-2:] == ["mad 250", "mad +294"]
    assert "mad 250" not in named(rows(board.to_do(), "nils"))


def test_the_last_row_says_how_many_how_bad_and_whether_one_calls() -> None:
    board = mad(8, severity="warning")
    [*_, more] = rows(board.to_do(), "eva")
    assert isinstance(more, More)
    assert (more.key, more.count, more.severity, more.calls) == ("more-mad", 3, "warning", True)
    for alert in ("5", "6", "7"):
        take(board, alert, "nils")
    [*_, quiet] = rows(board.to_do(), "eva")
    assert isinstance(quiet, More)
    assert not quiet.calls
    assert quiet.version != more.version
    for number in range(10, 16):
        came(board, number, "mad", f"{number}")
    [*_, worse] = rows(board.to_do(), "eva")
    assert isinstance(worse, More)
    assert (worse.count, worse.severity, worse.calls) == (9, "alarm", True)


def test_what_a_receiver_says_of_itself_all_has_a_row() -> None:
    board = Board()
    for number in range(2 * MOST_OF_HOME):
        fact = {
            "what": "came",
            "at": NOW,
            "party": "care",
            "home": ALL,
            "kind": Kind.NOBODY.value,
            "stage": 0,
        }
        board.apply(fact | {"body": told.nobody(NOW + 1000 * number)})
    found = rows(board.to_do(), "eva")
    assert len(found) == 2 * MOST_OF_HOME
    assert all(isinstance(row, Case) for row in found)


def test_by_itself_a_home_has_many_rows() -> None:
    assert len(rows(mad().to_do(), "eva", 200)) == 201
