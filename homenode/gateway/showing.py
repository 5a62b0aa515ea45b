"""Readings that the broker keeps for whoever comes later, and how other systems are to show them.

Both are taken back when they are no longer shared.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from homenode import records
from homenode.contract import topics
from homenode.delivery.exporting import discoveries
from homenode.delivery.sharing import names
from homenode.message import Class, Message
from homenode.outbox import Acknowledged
from homenode.sealing.seals import Seals

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.node")


class Showing:
    """Works for one node.

    Attributes:
        current: Topics under which the broker keeps readings as they are now shared.
    """

    def __init__(self, node: Node) -> None:
        self._node, self.shown = node, node.recovered.shown
        self.current: set[str] = set()
        self._exported: dict[str, bytes] = {}
        self._seals = Seals(node.home.home, node.home.keys)
        self._keys = node.home.keys

    def seal(self, topic: str, payload: bytes) -> bytes:
        """What is published in place of a payload."""
        return self._seals.seal(topic, payload)

    def _wanted(self, topic: str) -> str | None:
        """Under which key this topic of readings, or of how to show them, is wanted; None if it is not."""
        if topic in self._exported:
            return ""
        home = self._node.home
        party, point = topics.party_and_point(home.home, topic)
        shared = point.rpartition(".")[0] in home.devices and names(home.share, party, point)
        return self._seals.key_id(party) if shared else None

    def apply(self) -> None:
        """home.yaml was read: what it no longer shares is not sent, and taken back."""
        node = self._node
        if self.shown.shared_from(node.home.share, node.journal.last):
            record = records.of_share(node.home.share, node.journal.last, node.clock.now())
            node.journal.append(record, klass="system")
            node.journal.commit()
        if node.home.keys != self._keys:
            self._keys, self._seals = node.home.keys, Seals(node.home.home, node.home.keys)
            for message in node.judge.delivery.statuses(node.clock.now()):  # in place of the plain ones
                node.outbox.add(message)
        self._exported = discoveries(node.home, node.judge.engine.home)
        self.current.clear()
        self.current |= self.shown.current(self._wanted)
        node.outbox.keep_readings(lambda topic: self._wanted(topic) is not None)
        self.link_up()

    def link_up(self) -> None:
        """A broker is there: what it keeps shall be what is shared now."""
        self._export(self._exported)
        self.take_back()

    def export(self) -> None:
        """A device told of points, or how long it may be silent: tell what is new of that."""
        exported = discoveries(self._node.home, self._node.judge.engine.home)
        news = {topic: told for topic, told in exported.items() if self._exported.get(topic) != told}
        self._exported = exported
        self._export(news)

    def _export(self, told: Mapping[str, bytes]) -> None:
        node = self._node
        link = node.uplink.link
        if link is None or not link.state.online:
            return
        for topic, payload in told.items():
            if topic not in self.current:
                self.show(topic)
            node.outbox.add(Message("", "", topic, payload, Class.STATUS, node.clock.now(), retain=True))
        node.uplink.wake()

    def take_back(self) -> None:
        """Empty at this broker what is no longer shared."""
        node = self._node
        link = node.uplink.link
        if link is None or not link.state.online:
            return
        for topic in self.shown.unwanted(self._wanted, link.state.url):
            node.outbox.add(Message("", "", topic, b"", Class.STATUS, node.clock.now(), retain=True))
        node.uplink.wake()

    def show(self, topic: str) -> None:
        """The first message under this topic is about to go out."""
        key = self._wanted(topic) or ""
        self.current.add(topic)
        self.shown.add(topic, key)
        self._write("shown", topic, key)
        self._node.journal.flush()  # before it is sent: kill -9 can't make the node forget it

    def first(self, topic: str) -> None:
        """The first reading under this topic is about to go out."""
        self.show(topic)
        asyncio.get_running_loop().call_soon(self.export)  # the link is in the middle of it

    def acknowledged(self, gone: Acknowledged) -> None:
        """The broker has a message that may have emptied a topic."""
        node = self._node
        if node.uplink.link is None or node.home.broker is None:
            return
        url, urls = node.uplink.link.state.url, node.home.broker.urls
        for topic, key in self.shown.taken_back(gone.topic, self._wanted, url, urls):
            self._write("gone", topic, key)
            log.info("no longer shared, taken back", extra={"topic": topic})

    def _write(self, what: str, topic: str, key: str) -> None:
        node = self._node
        node.journal.append({"t": what, "at": node.clock.now(), "topic": topic, "key": key}, klass="system")
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
