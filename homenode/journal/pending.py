"""What was appended and is not yet written: a bounded queue, in the order of its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from homenode.journal.codec import CODES, MARK


class Item(NamedTuple):
    """A record as it will stand in the file."""

    number: int
    code: int
    data: bytes


READING = CODES["reading"]
_DROPPED_FIRST = ((READING,), (CODES["state"], CODES["part"], CODES["system"]), (CODES["alert"],))


class Pending:
    """The queue; whoever uses it holds the journal's lock.

    Attributes:
        size: Bytes in it.
        dropped: Records lost since the start because the disk took nothing for too long.
        given_up: Numbers of those, until somebody has told who waited for them.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._items: list[Item] = []
        self.size = self.dropped = 0
        self.given_up: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._items)

    def add(self, item: Item) -> None:
        """At the end; beyond the bound something less important goes."""
        self._items.append(item)
        self.size += len(item.data)
        if self.size > self._limit:
            self._drop()

    def take(self) -> list[Item]:
        """All of it; the queue is empty then."""
        items, self._items, self.size = self._items, [], 0
        return items

    def put_back(self, items: Iterable[Item]) -> None:
        """At the head again, by number. Marks are left out: they are made anew when needed."""
        back = sorted(item for item in items if item.code != MARK)
        self._items[:0] = back
        self.size += sum(len(item.data) for item in back)

    def after(self, number: int) -> list[Item]:
        """Those with a higher number."""
        return [item for item in self._items if item.number > number]

    def items(self) -> list[Item]:
        """What is in it now."""
        return list(self._items)

    def _drop(self) -> None:
        """Down to three quarters of the bound: readings first, alerts last, the oldest first of each."""
        target = self._limit * 3 // 4
        for codes in _DROPPED_FIRST:
            kept = []
            for item in self._items:
                if self.size > target and item.code in codes:
                    self.size -= len(item.data)
                    self.dropped += 1
                    self.given_up.add(item.number)
                else:
                    kept.append(item)
            self._items = kept
