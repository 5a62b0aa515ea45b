"""The node's end of the link: commands come in, places of alerts and PUBACKs go to the journal."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from homenode import records
from homenode.contract import topics
from homenode.delivery import NodeFault
from homenode.gateway.office_calls import OfficeCalls
from homenode.gateway.outage import Outage
from homenode.link import Link, LinkState, Told
from homenode.message import Class
from homenode.outbox import Acknowledged

if TYPE_CHECKING:
    from homenode.gateway.node import Node


log = logging.getLogger("homenode.node")

DENIES = "broker denies"
"""Source of a fault."""


class Uplink:
    """Works for one node.

    Attributes:
        link: None if home.yaml names no broker.
        acknowledged: Whether a broker has acknowledged anything since the start.
        reached: Whether the one that home.yaml names now has.
        outage: What is done while there is no link.
        refusals: What the broker doesn't take, and which topics nobody listens to.
        heartbeat_s: As the operator set it; 0: as home.yaml says.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.link: Link | None = None
        self.acknowledged = self.reached = False
        self.outage = Outage(node)
        self._calls = OfficeCalls(node)
        self.refusals = Told({}, ())
        self.heartbeat_s = node.recovered.heartbeat_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect to the broker, if home.yaml names one."""
        self.reached = False
        if self._node.home.broker is None:
            return
        self.link = Link(
            self._node.home.broker,
            self._node.home.home,
            self._node.outbox,
            zone=self._node.judge.zone,
            wall=self._node.clock.wall,
            on_command=self._node.requests.command,
            on_unasked=self._node.requests.unasked,
            on_state=self._link_changed,
            on_acknowledged=self._acknowledged,
            write_numbers=self._node.outcomes.numbered,
            seal=self._node.showing.seal,
            shown=self._node.showing.current,
            on_shown=self._node.showing.first,
            on_refusals=self._refused,
        )
        if self.heartbeat_s:
            self.link.beat_each(self.heartbeat_s)
        self._task = self._node.start("link", self.link.run())

    async def stop(self) -> None:
        """Say goodbye to the broker."""
        if self._task is not None:
            self.outage.stop()
            self._task.cancel()
            await asyncio.wait([self._task])
            self.link = self._task = None

    def wake(self) -> None:
        """The outbox has something new."""
        if self.link is not None:
            self.link.wake()

    def _acknowledged(self, gone: Acknowledged) -> None:
        self.acknowledged = self.reached = True
        if gone.id:
            self._node.journal.append(records.of_got([gone.id], self._node.clock.now()), klass="alert")
            self._node.watchers.got(gone.id)
        elif gone.klass is Class.READING:
            self._node.refill.consider()
        elif gone.klass is Class.STATUS:
            self._node.showing.acknowledged(gone)

    def mark_sent(self) -> None:
        """Remember up to which record every shared reading is with the broker."""
        done = self._node.outbox.readings_done(self._node.journal.last) - 1
        self._node.journal.mark("readings", done)
        self._node.showing.shown.sent_up_to(done)

    @property
    def beats_each_s(self) -> float:
        """Seconds between two heartbeats."""
        broker = self._node.home.broker
        return self.heartbeat_s or (broker.heartbeat_s if broker is not None else 0.0)

    def beat_each(self, heartbeat_s: float) -> None:
        """The operator wants a heartbeat each so many seconds; 0: as home.yaml says. Kept over restarts."""
        node, self.heartbeat_s = self._node, heartbeat_s
        node.journal.append(records.of_heartbeat(heartbeat_s, node.clock.now()), klass="system")
        if self.link is not None:
            self.link.beat_each(self.beats_each_s)

    def _refused(self, told: Told) -> None:
        """The broker says that it doesn't pass something on, or that nobody is there for it."""
        if (
            told.deserted != self.refusals.deserted
        ):  # no fault: whether there are alerts is not the operator's
            log.warning("nobody listens", extra={"topics": ", ".join(told.deserted)})
        self.refusals = told
        if not told.denied:
            self._node.outcomes.well(DENIES)
            return
        whose = ", ".join(f"{name} ({why})" for name, why in self.denied.items())
        text = {
            "sv": f"meddelandekön tar inte emot det som är till {whose}",
            "en": f"the broker does not take what is for {whose}",
        }
        self._node.outcomes.fault(NodeFault(DENIES, text))

    @property
    def denied(self) -> dict[str, str]:
        """What the broker doesn't take, by party and not by topic: who keeps nodes running needs no more."""
        home = self._node.home.home
        return {topics.party_of(home, topic) or topic: why for topic, why in self.refusals.denied.items()}

    def _link_changed(self, state: LinkState) -> None:
        self.outage.changed(state)
        self._calls.consider(state)
        self._node.watchers.event({"link": "up" if state.online else "down", "why": state.why})
        if not state.online:
            self._node.looks.link_lost()
        if state.online:
            for message in self._node.judge.delivery.statuses(self._node.clock.now()):
                self._node.outbox.add(message)
            self._node.showing.link_up()
            self._node.refill.consider()
