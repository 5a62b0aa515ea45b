"""One receiver's connection to a broker: what comes, and when the broker may forget it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from functools import partial
from random import Random

from homenode.config.model import Broker
from homenode.contract import topics
from homenode.link.address import Backoff, address
from homenode.link.connection import Connection, Inbound
from homenode.link.words import NoLink
from homenode.listen import told
from homenode.listen.watch import Command
from homenode.paho import mqtt

log = logging.getLogger("homenode.listen")

KEEPALIVE_S = 30
PERSON_S = 30.0
TOPICS_AT_ONCE = 100


class Intake:
    """Connects, subscribes, and hands on what comes, for as long as `run` runs.

    Args:
        client_id: The same for ever: the broker keeps what comes while we are away.
        homes: Only these; empty for all.
        readings: Homes whose shared readings are wanted, too.
        on_message: What came; `take` it when it is durable.
        on_link: Whether there is a connection.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        party: str,
        homes: tuple[str, ...],
        *,
        on_messages: Callable[[list[Inbound], Connection], None],
        on_link: Callable[[bool], None],
        readings: Iterable[str] = (),
    ) -> None:
        self._broker, self._client_id, self._party = broker, client_id, party
        self._homes, self._readings = homes or ("+",), tuple(readings)
        self._on_messages, self._on_link = on_messages, on_link
        self._addresses = [address(url) for url in broker.urls]
        self._connection: Connection | None = None
        self._backoff = Backoff(Random())
        self._why = ""

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            person = True
            for where in self._addresses:
                connection = Connection(
                    where,
                    self._broker,
                    client_id=self._client_id,
                    will=None,
                    keepalive_s=KEEPALIVE_S,
                    version=mqtt.MQTTv311,
                    on_progress=self._progress,
                    takes_itself=True,
                )
                try:
                    await connection.open()
                except NoLink as why:
                    person = person and why.person
                    self._tell(why)
                    continue
                since = loop.time()
                self._tell(await self._serve(connection))
                self._backoff.held(loop.time() - since)
                person = False
                break
            pause_s = self._backoff.next_s()
            await asyncio.sleep(max(pause_s, PERSON_S) if person else pause_s)

    async def _serve(self, connection: Connection) -> NoLink:
        self._connection = connection
        try:
            self._subscribe(connection)
            self._why = ""
            log.info("listening", extra={"url": connection.address.url, "party": self._party})
            self._on_link(True)
            self._progress()
            while not connection.lost.done():
                await asyncio.wait([connection.lost], timeout=1.0)
                connection.tick()
            return await connection.lost
        finally:
            self._on_link(False)
            self._connection = None
            connection.close(politely=True)

    def _subscribe(self, connection: Connection) -> None:
        """Alerts are kept for us while we are away; signs of life and answers are of the moment;
        the status says that we are shown what is for the party."""
        kept = [topics.alerts(home, self._party) for home in self._homes]
        of_home = (
            topics.link,
            partial(topics.reply, party=self._party),
            partial(topics.status, party=self._party),
        )
        passing = [topic(home) for home in self._homes for topic in of_home]
        passing += [topics.reading(home, self._party, "+.+") for home in self._readings]
        for wanted, qos in ((kept, 1), (passing, 0)):
            for begin in range(0, len(wanted), TOPICS_AT_ONCE):
                connection.subscribe(wanted[begin : begin + TOPICS_AT_ONCE], qos)

    def _progress(self) -> None:
        connection = self._connection
        if connection is None:
            return
        connection.acknowledged.clear()
        if connection.inbound:
            messages, connection.inbound = connection.inbound, []
            self._on_messages(messages, connection)
        for topic in connection.denied:
            log.error("broker denies", extra={"topic": topic, "do": "check the broker's ACL"})
        connection.denied.clear()

    async def send(self, home: str, command: Command) -> None:
        """An acknowledgement for a home; nothing without a connection."""
        self.command(home, payload(command))

    def command(self, home: str, body: bytes) -> bool:
        """Any command for a home; False without a connection."""
        connection = self._connection
        if connection is None or connection.lost.done():
            return False
        connection.publish(topics.command(home, self._party), body, False)
        connection.flush()
        return True

    def _tell(self, why: NoLink) -> None:
        if str(why) != self._why:
            self._why = str(why)
            log.warning("not listening", extra={"why": self._why})


def payload(command: Command) -> bytes:
    """The command as the contract has it."""
    body = {
        "id": command.id,
        "do": "acknowledge",
        "expires": told.time(command.expires),
        "by": command.by,
        "args": {"alert": command.alert},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
