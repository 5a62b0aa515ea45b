"""The electrical side of the simulated pins, without time passing."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import pytest

from homenode.sim.gpio.board import Board, Mode, Pull


class Time:
    """A scheduler that is turned by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._gone: set[int] = set()
        self._numbers = count()

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        number = next(self._numbers)
        heapq.heappush(self._due, (self.now_s + seconds, number, call))
        return lambda: self._gone.add(number)

    def pass_s(self, seconds: float) -> None:
        end = self.now_s + seconds
        while self._due and self._due[0][0] <= end + 1e-9:
            self.now_s, number, call = heapq.heappop(self._due)
            if number not in self._gone:
                call()
        self.now_s = end


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def board(time: Time) -> Board:
    return Board(time.later)


@pytest.mark.parametrize(("pull", "level"), [(Pull.UP, True), (Pull.DOWN, False)])
def test_an_open_contact_leaves_the_line_to_its_pull(board: Board, pull: Pull, level: bool) -> None:
    board.lines[17].pull = pull
    board.settle(board.lines[17])
    assert board.lines[17].level() is level


def test_a_closed_contact_wins_over_the_pull(board: Board) -> None:
    board.lines[17].pull = Pull.UP
    board.drive(17, False)
    assert board.lines[17].level() is False


def test_a_floating_line_keeps_its_level(board: Board) -> None:
    board.drive(17, True)
    board.drive(17, None)
    assert board.lines[17].level() is True


@pytest.mark.parametrize("pin", [2, 3])
def test_the_i2c_pins_have_a_pull_up_that_nothing_switches_off(board: Board, pin: int) -> None:
    board.lines[pin].pull = Pull.DOWN
    assert board.lines[pin].level() is True


def test_a_stuck_line_follows_nothing(board: Board) -> None:
    board.stick(17, False)
    board.drive(17, True)
    assert board.lines[17].level() is False
    board.stick(17, None)
    assert board.lines[17].level() is True


def test_a_bouncing_contact_ends_where_it_was_sent(board: Board, time: Time) -> None:
    seen: list[bool] = []
    board.lines[17].pull = Pull.DOWN
    board.watch(lambda pin, level: seen.append(level))
    board.drive(17, True, (1, 2, 1, 3))
    time.pass_s(1)
    assert seen == [True, False, True, False, True]


def test_an_odd_pattern_ends_where_it_was_sent(board: Board, time: Time) -> None:
    board.drive(17, True, (1, 2, 1))
    time.pass_s(1)
    assert board.lines[17].level() is True


def test_a_new_move_ends_the_bouncing_of_the_last(board: Board, time: Time) -> None:
    board.drive(17, True, (10, 10))
    board.drive(17, False)
    time.pass_s(1)
    assert board.lines[17].level() is False


def test_the_glitch_filter_reports_what_lasts(board: Board, time: Time) -> None:
    reported: list[int] = []
    board.listen(reported.append)
    board.lines[17].steady_us = 50_000
    board.drive(17, True)
    time.pass_s(0.049)
    assert reported == []
    time.pass_s(0.002)
    assert reported == [1 << 17]


def test_the_glitch_filter_ignores_what_is_shorter(board: Board, time: Time) -> None:
    reported: list[int] = []
    board.listen(reported.append)
    board.lines[17].steady_us = 50_000
    board.drive(17, True)
    time.pass_s(0.03)
    board.drive(17, False)
    time.pass_s(1)
    assert reported == []


def test_an_output_drives_its_line_and_letting_go_drops_it(board: Board) -> None:
    seen: list[tuple[int, bool]] = []
    board.watch(lambda pin, level: seen.append((pin, level)))
    line = board.lines[22]
    line.pull, line.mode, line.written = Pull.DOWN, Mode.OUTPUT, True
    board.settle(line)
    line.mode = Mode.INPUT
    board.settle(line)
    assert seen == [(22, True), (22, False)]
