"""The node's end of the link: commands come in, places of alerts and PUBACKs go to the journal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from homenode import records
from homenode.link import Link, LinkState
from homenode.message import Class
from homenode.outbox import Acknowledged

if TYPE_CHECKING:
    from homenode.gateway.node import Node


class Uplink:
    """Works for one node.

    Attributes:
        link: None if home.yaml names no broker.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.link: Link | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect to the broker, if home.yaml names one."""
        if self._node.home.broker is None:
            return
        self.link = Link(
            self._node.home.broker,
            self._node.home.home,
            self._node.outbox,
            zone=self._node.judge.zone,
            wall=self._node.clock.wall,
            on_command=self._node.requests.command,
            on_state=self._link_changed,
            on_acknowledged=self._acknowledged,
            write_numbers=self._node.outcomes.numbered,
            shown=self._node.showing.shown.topics,
            on_shown=self._node.showing.show,
        )
        self._task = self._node.start("link", self.link.run())

    async def stop(self) -> None:
        """Say goodbye to the broker."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self.link = self._task = None

    def wake(self) -> None:
        """The outbox has something new."""
        if self.link is not None:
            self.link.wake()

    def _acknowledged(self, gone: Acknowledged) -> None:
        if gone.id:
            self._node.journal.append(records.of_got([gone.id], self._node.clock.now()), klass="alert")
        elif gone.klass is Class.READING:
            self._node.refill.consider()
        elif gone.klass is Class.STATUS:
            self._node.showing.acknowledged(gone)

    def mark_sent(self) -> None:
        """Remember up to which record every shared reading is with the broker."""
        done = self._node.outbox.readings_done(self._node.journal.last) - 1
        self._node.journal.mark("readings", done)
        self._node.showing.shown.sent_up_to(done)

    def _link_changed(self, state: LinkState) -> None:
        self._node.watchers.event({"link": "up" if state.online else "down", "why": state.why})
        if state.online:
            for message in self._node.judge.delivery.statuses(self._node.clock.now()):
                self._node.outbox.add(message)
            self._node.showing.take_back()
            self._node.refill.consider()
