"""Readings that the broker keeps for whoever comes later: taken back when they are no longer shared."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from homenode import records
from homenode.contract import topics
from homenode.delivery.sharing import names
from homenode.message import Class, Message
from homenode.outbox import Acknowledged

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.node")


class Showing:
    """Works for one node."""

    def __init__(self, node: Node) -> None:
        self._node, self.shown = node, node.recovered.shown

    def wanted(self, topic: str) -> bool:
        """Whether readings of this topic are shared."""
        home = self._node.home
        party, point = topics.party_and_point(home.home, topic)
        return point.rpartition(".")[0] in home.devices and names(home.share, party, point)

    def apply(self) -> None:
        """home.yaml was read: what it no longer shares is not sent, and taken back."""
        node = self._node
        if self.shown.shared_from(node.home.share, node.journal.last):
            record = records.of_share(node.home.share, node.journal.last, node.clock.now())
            node.journal.append(record, klass="system")
            node.journal.commit()
        node.outbox.keep_readings(self.wanted)
        self.take_back()

    def take_back(self) -> None:
        """Empty at this broker what is no longer shared."""
        node = self._node
        link = node.uplink.link
        if link is None or not link.state.online:
            return
        for topic in self.shown.unwanted(self.wanted, link.state.url):
            node.outbox.add(Message("", "", topic, b"", Class.STATUS, node.clock.now(), retain=True))
        node.uplink.wake()

    def show(self, topic: str) -> None:
        """The first reading under this topic is about to go out."""
        self.shown.add(topic)
        self._write("shown", topic)

    def acknowledged(self, gone: Acknowledged) -> None:
        """The broker has a message that may have emptied a topic."""
        node = self._node
        if node.uplink.link is None or node.home.broker is None or self.wanted(gone.topic):
            return
        if self.shown.taken_back(gone.topic, node.uplink.link.state.url, node.home.broker.urls):
            self._write("gone", gone.topic)
            log.info("no longer shared, taken back", extra={"topic": gone.topic})

    def _write(self, what: str, topic: str) -> None:
        node = self._node
        node.journal.append({"t": what, "at": node.clock.now(), "topic": topic}, klass="system")
        node.journal.commit()

    def sent(self, readings: Iterable[Message]) -> list[Message]:
        """Of readings out of the journal those whose point was shared already when they were heard."""
        return [
            message
            for message in readings
            if all(
                names(share, message.party, message.point) for share in self.shown.shared_at(message.record)
            )
        ]
