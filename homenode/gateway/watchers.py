"""Those who follow the node live over the local socket (`homenode watch`): readings, alerts, what is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homenode.engine.transition import Happening
from homenode.judge import Decided
from homenode.reading import Reading

if TYPE_CHECKING:
    from homenode.gateway.node import Node

MOST_WAITING = 1000
"""Events that a slow watcher may be behind; then it is cut off, as memory is for alerts."""


class Watchers:
    """Everybody who follows; nothing is computed while nobody does."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._queues: set[asyncio.Queue[Mapping[str, Any] | None]] = set()

    async def follow(self) -> AsyncIterator[Mapping[str, Any]]:
        """Events from now on."""
        queue: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue(MOST_WAITING)
        self._queues.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

    def event(self, event: Mapping[str, Any]) -> None:
        """Tell everybody."""
        if not self._queues:
            return
        event = {
            "at": self._node.judge.zone.text(self._node.clock.now() + self._node.judge.offset_ms),
            **event,
        }
        for queue in list(self._queues):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._end(queue)

    def heard(self, readings: Sequence[Reading]) -> None:
        """Readings."""
        if self._queues:
            for reading in readings:
                self.event({"point": reading.point, "value": reading.value})

    def tell(self, decided: Decided) -> None:
        """Transitions of alerts and rules."""
        if self._queues:
            for change in decided.transitions:
                event: dict[str, Any] = {
                    "rule": change.rule,
                    "event": change.event.value,
                    "alert": change.alert,
                }
                if change.do:
                    event |= {"step": str(change.step), "do": change.do}
                if change.because:
                    event["because"] = ", ".join(change.because)
                if change.event is Happening.ACKNOWLEDGED:
                    event |= {"parties": list(change.parties), "by": change.reason}
                self.event(event)
            for message in decided.messages:
                if message.alert:
                    test = bool(json.loads(message.payload)["data"]["test"])
                    about = {"alert": message.alert, "party": message.party, "test": test}
                    self.event({"message": message.id, **about})

    def got(self, message: str) -> None:
        """The broker has it."""
        self.event({"got": message})

    def close(self) -> None:
        """The node stops."""
        for queue in list(self._queues):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Mapping[str, Any] | None]) -> None:
        """Let go of one; None tells it, and takes the place of its oldest event if there is no room."""
        self._queues.discard(queue)
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(None)
