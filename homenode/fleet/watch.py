"""`homenode fleet watch`: the table of homes, live in a terminal."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import termios
import tty
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from homenode.errors import SetupError
from homenode.fleet.board import Board
from homenode.fleet.ears import Ears
from homenode.fleet.filters import Filter, read_filter
from homenode.fleet.screen import ENTER, LEAVE, Screen, page
from homenode.fleet.settings import settings_of
from homenode.fleet.table import Columns, chosen, summary
from homenode.gateway.clock import Clock

EACH_S = 1.0
"""Between two pictures: whatever a thousand homes say meanwhile is drawn once."""
MOST_LINES = 100
NO_LINK = "NO LINK to the broker: this is how it was"
KEYS = "space: on  b: back  q: quit"


def run(args: argparse.Namespace) -> int:
    """Until q or Ctrl-C.

    Raises:
        HomenodeError: No terminal, no broker, a filter that means nothing.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SetupError("watch needs a terminal", do="homenode fleet list --json is for programs")
    wanted = read_filter(args.filter) if args.filter else None
    chosen(Board(), 0, wanted, args.sort)
    watch = _Watch(args, wanted, Clock())
    with held_back(), _raw_terminal():
        return asyncio.run(watch.run())


class _Held(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records = deque[logging.LogRecord](maxlen=MOST_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def held_back() -> Iterator[None]:
    """Log lines would stand in the table: the last of them come when the terminal is as it was."""
    root, held = logging.getLogger(), _Held()
    before, root.handlers[:] = root.handlers[:], [held]
    try:
        yield
    finally:
        root.handlers[:] = before
        for record in held.records:
            root.handle(record)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Keys come at once and aren't shown; as it was afterwards, whatever happens."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        sys.stdout.write(ENTER)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stdout.write(LEAVE)
        sys.stdout.flush()


class _Watch:
    def __init__(self, args: argparse.Namespace, wanted: Filter | None, clock: Clock) -> None:
        self._args, self._wanted, self._clock, self._board = args, wanted, clock, Board()
        self._settings = settings_of(args)
        self._columns, self._screen, self._first = Columns(), Screen(), 0
        self._wake, self._stop = asyncio.Event(), False

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, self._key)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGWINCH, self._wake.set)
        ears = Ears(self._settings, self._board, self._clock)
        await ears.connect()
        async with asyncio.TaskGroup() as tasks:
            link = tasks.create_task(ears.run(), name="link")
            await ears.all_heard()
            while not self._stop:
                self._draw(ears.up.is_set())
                self._wake.clear()
                try:
                    async with asyncio.timeout(EACH_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            ears.close()
            link.cancel()
        return 0

    def _end(self) -> None:
        self._stop = True
        self._wake.set()

    def _key(self) -> None:
        for key in os.read(sys.stdin.fileno(), 64).decode(errors="ignore") or "q":
            if key in "qQ\x04":
                self._end()
            self._first = page(len(self._board.homes), self._rows, self._first, key)
        self._wake.set()

    @property
    def _rows(self) -> int:
        return max(1, shutil.get_terminal_size().lines - 2)

    def _draw(self, connected: bool) -> None:
        now_ms = self._clock.wall()
        homes = chosen(self._board, now_ms, self._wanted, self._args.sort)
        self._first = page(len(homes), self._rows, self._first, "")
        part = homes[self._first : self._first + self._rows]
        colour = "NO_COLOR" not in os.environ
        rows = self._columns.rows(part, now_ms, colour=colour)
        state = summary(self._board, homes, now_ms) if connected else NO_LINK
        more = f"  {self._first + 1}–{self._first + len(part)}" if len(homes) > len(part) else ""
        lines = [self._columns.heads(), *rows, *[""] * (self._rows - len(rows)), f"{state}{more}  {KEYS}"]
        size = shutil.get_terminal_size()
        sys.stdout.write(self._screen.draw(lines, size.columns, size.lines))
        sys.stdout.flush()
