"""Shared readings that waited in the journal (broker away, node restarted) find their way to the broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homenode import records
from homenode.message import Message
from homenode.records import Record

if TYPE_CHECKING:
    from homenode.gateway.node import Node

AT_A_TIME = 1000
"""Records read in one go: about 20 ms of work in another thread."""


class Refill:
    """Works for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._task: asyncio.Task[None] | None = None
        self._next = (0, 0)  # what is wanted if all goes on as it did, and where that begins
        self._records: Iterator[tuple[int, Record]] = iter(())

    def consider(self) -> None:
        """The outbox may have room for what waits in the journal. Cheap."""
        if (self._task is None or self._task.done()) and self._node.outbox.wants() is not None:
            self._task = self._node.start_apart("refill", self._fill())

    async def _fill(self) -> None:
        node = self._node
        loop = asyncio.get_running_loop()
        while (wanted := node.outbox.wants()) is not None:
            first, last = wanted
            if wanted != self._next:
                self._records = node.journal.read(first)
            self._next = (0, 0)
            through, told = await loop.run_in_executor(None, _some, self._records, last)
            messages: list[Message] = []
            for number, record in told:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # told at the start
                    messages += node.showing.sent(node.judge.shared(records.to_reading(record), number))
            if node.outbox.wants() != wanted:
                continue  # the link was lost, or more was spilt, meanwhile
            node.outbox.refill(messages, through)
            self._next = (through + 1, last)
            if through == last:
                self._records = iter(())  # it holds a file of the journal
            node.uplink.wake()


def _some(records: Iterator[tuple[int, Record]], last: int) -> tuple[int, list[tuple[int, Record]]]:
    """The readings among the next records; returns up to which of those until `last` it looked, too.

    Records are counted, not their numbers: after damage these go on a million higher.
    """
    through, told = 0, []
    for count, (number, record) in enumerate(records, 1):
        if number > last:
            break
        through = max(through, number)  # readings that a full disk held back stand behind later ones
        if record["t"] == "r":
            told.append((number, record))
        if count == AT_A_TIME:
            return through, told
    return last, told
