"""Where what drivers say crosses from their threads to the gateway's loop; bounded against floods."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from homenode.driver import Joined
from homenode.kinds import kind_of
from homenode.reading import Instant, Reading, Value


class Alive(NamedTuple):
    """A device was heard without a value."""

    device: str
    at: Instant


class Trouble(NamedTuple):
    """A fault that a driver tells, or (`why` empty) its end. `battery`: one is to be changed."""

    source: str
    why: str
    devices: tuple[str, ...]
    at: Instant
    battery: bool = False


class Noticed(NamedTuple):
    """What a device said that has joined and has no name: an installer sees it, and nothing uses it."""

    address: str
    kind: str
    value: Value


Item = Reading | Alive | Trouble | Joined | Noticed

ROUTINE_LIMIT = 10_000
"""Readings of one driver that may wait; of motion and numbers then only the newest per point is kept.

At 1,000 readings/s this is ten seconds of a stopped loop, and about 2 MB.
"""
HARD_LIMIT = 40_000
"""Beyond this nothing more of the driver is kept: only a runaway gets here."""


class Inbox:
    """What one driver has said and the gateway hasn't taken.

    Its loop is woken by an event descriptor: asyncio's own pipe takes three system calls and four times as
    long for each reading.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop, self._wake = loop, wake
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        weakref.finalize(self, os.close, self._bell)  # not before: a driver left behind may still ring
        loop.add_reader(self._bell, self._rung)
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()
        self._newest: dict[str, Reading] = {}
        self._woken = self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items) + len(self._newest)

    def put(self, item: Item) -> None:
        """From any thread."""
        with self._lock:
            waiting = len(self._items)
            if self._closed:
                self.dropped += 1
            elif waiting < ROUTINE_LIMIT:
                self._items.append(item)
            elif isinstance(item, Reading) and not _at_once(item):
                self.dropped += item.point in self._newest
                self._newest[item.point] = item
            elif waiting < HARD_LIMIT:
                self._items.append(item)
            else:
                self.dropped += 1
            if self._woken:
                return
            self._woken = True
        if self._loop.is_closed():
            self.dropped += 1  # the node is stopping
        else:
            os.eventfd_write(self._bell, 1)

    def _rung(self) -> None:
        os.eventfd_read(self._bell)
        self._wake()

    def close(self) -> None:
        """Nothing more comes in: its driver had its time, and one that floods must not delay the end.

        The gateway calls this in its loop.
        """
        with self._lock:
            self._closed = True
        self._loop.remove_reader(self._bell)

    def take(self, most: int) -> list[Item]:
        """Up to `most` items in the order they came; the gateway calls this in its loop."""
        with self._lock:
            items = self._items
            taken = [items.popleft() for _ in range(min(most, len(items)))]
            if not items and self._newest:
                newest = list(self._newest.values())
                newest.sort(key=lambda reading: reading.at)
                items.extend(newest)
                self._newest.clear()
            self._woken = bool(items)
            if self._woken:
                self._loop.call_soon(self._wake)
            return taken


def _at_once(reading: Reading) -> bool:
    kind = kind_of(reading.point)
    return kind is None or kind.at_once
