"""Shared readings that waited in the journal (broker away, node restarted) find their way to the broker."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import takewhile
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

    def consider(self) -> None:
        """The outbox may have room for what waits in the journal. Cheap."""
        if (self._task is None or self._task.done()) and self._node.outbox.wants() is not None:
            self._task = self._node.start_apart("refill", self._fill())

    async def _fill(self) -> None:
        node = self._node
        while (wanted := node.outbox.wants()) is not None:
            first, last = wanted
            loop = asyncio.get_running_loop()
            through, told = await loop.run_in_executor(None, self._read, first, last)
            messages: list[Message] = []
            for number, record in told:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # told at the start
                    messages += node.judge.shared(records.to_reading(record), number)
            if node.outbox.wants() != wanted:
                continue  # the link was lost, or more was spilt, meanwhile
            node.outbox.refill(messages, through)
            node.uplink.wake()

    def _read(self, first: int, last: int) -> tuple[int, list[tuple[int, Record]]]:
        """Readings from record `first` on; returns up to which record it looked, too."""
        told: list[tuple[int, Record]] = []
        upto = min(last, first + AT_A_TIME - 1)
        for number, record in takewhile(lambda item: item[0] <= upto, self._node.journal.read(first)):
            if record["t"] == "r":
                told.append((number, record))
        return upto, told
