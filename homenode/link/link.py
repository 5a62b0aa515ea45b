"""Keeps the outbox and a broker together: connects, publishes, and tells what the broker has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from random import Random

from paho.mqtt import client as mqtt

from homenode.config.model import PARTIES, Broker
from homenode.contract import status, topics
from homenode.contract.times import Zone
from homenode.link.address import Address, Backoff, address
from homenode.link.connection import Connection
from homenode.link.words import NoLink
from homenode.message import Class
from homenode.outbox import Acknowledged, Numbered, Outbox

_log = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
"""Link supervision at minute level is the Swedish agencies' conclusion; daily is too seldom."""

_KEEPALIVE_S = 30
_HELD_S = 10.0
"""A link that held so long was a good one: the back-off starts anew."""

_PATIENCE_S, _LONGEST_PATIENCE_S = 20.0, 600.0
"""How long the broker may owe a PUBACK before the connection is made anew. Doubles while that does not
help, and is at least twice what the broker last took, so that a slow one is slow and not lost."""

_PERSON_S = 30.0
"""Between tries where waiting won't help."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether there is a link, to which broker, and if not, why. `do`: what a person can do about it."""

    online: bool
    url: str = ""
    why: str = ""
    do: str = ""


class Link:
    """The node's link to its broker. Everything happens in the event loop that runs `run`.

    Args:
        broker: Where, and with which keys.
        home: Id of the home.
        outbox: What is to be sent.
        zone: For the times in ``link``.
        wall: The wall clock, ms since 1970.
        on_command: (party, payload, retained) of a message on a party's command topic.
        on_state: The link came or went, or the reason why there is none changed.
        on_acknowledged: The broker has a message; the outbox knows already.
        write_numbers: Sees to it that the places of alerts are on the disk, and only then tells the outbox
            (`Outbox.written`) and wakes the link. Returns at once.
        shown: Topics under which the broker keeps readings already.
        on_shown: A first reading is about to go to this topic and be kept.
        random: For the back-off.
        heartbeat_s: Between two retained messages on ``link``.
        version: Of MQTT.
    """

    def __init__(
        self,
        broker: Broker,
        home: str,
        outbox: Outbox,
        *,
        zone: Zone,
        wall: Callable[[], int],
        on_command: Callable[[str, bytes, bool], None],
        on_state: Callable[[LinkState], None],
        on_acknowledged: Callable[[Acknowledged], None],
        write_numbers: Callable[[list[Numbered]], None],
        shown: Container[str] = (),
        on_shown: Callable[[str], None] = lambda topic: None,
        random: Random | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        version: int = mqtt.MQTTv311,
    ) -> None:
        self.state = LinkState(False, why="not connected yet")
        self._broker, self._home, self._outbox = broker, home, outbox
        self._zone, self._wall = zone, wall
        self._on_command, self._on_state = on_command, on_state
        self._on_acknowledged, self._write_numbers = on_acknowledged, write_numbers
        self._shown, self._on_shown = shown, on_shown
        self._addresses = [address(url) for url in broker.urls]
        self._backoff = Backoff(random or Random())
        self._heartbeat_s, self._version = heartbeat_s, version
        self._connection: Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        self._keys: dict[int, tuple[int, float]] = {}
        self._patience_s = _PATIENCE_S
        self._denied: set[str] = set()

    # --- the caller's side

    def wake(self) -> None:
        """The outbox has something new. It goes at once if nothing is under way, else with what follows."""
        if self._connection is None or self._loop is None or self._woken:
            return
        if not self._keys:
            self._pump()
        else:
            self._woken = True
            self._loop.call_soon(self._pump)

    async def run(self) -> None:
        """Keep the link until cancelled; then say goodbye."""
        self._loop = asyncio.get_running_loop()
        first = 0
        while True:
            reasons: list[NoLink] = []
            for nth in range(len(self._addresses)):
                index = (first + nth) % len(self._addresses)
                try:
                    connection = await self._open(self._addresses[index])
                except NoLink as reason:
                    reasons.append(reason)
                    continue
                since = self._now()
                lost = await self._serve(connection)
                first = index + 1 if lost.elsewhere else 0
                reasons = [lost]
                if self._now() - since >= _HELD_S:
                    self._backoff.reset()
                break
            self._tell_none(reasons)
            wait_s = self._backoff.next_s()
            await asyncio.sleep(max(wait_s, _PERSON_S) if all(one.person for one in reasons) else wait_s)

    def _tell_none(self, reasons: list[NoLink]) -> None:
        """A round of all brokers is told as one, so that two that fail differently are not told for ever."""
        words = [one.what if len(reasons) == 1 else f"{one.where}: {one.what}" for one in reasons]
        advice = [one.do for one in reasons if one.do]
        self._tell(LinkState(False, reasons[0].where, "; ".join(words), "; ".join(dict.fromkeys(advice))))

    def _now(self) -> float:
        assert self._loop is not None  # `get_running_loop` is a system call; this is asked twice a message
        return self._loop.time()

    async def _open(self, where: Address) -> Connection:
        connection = Connection(
            where,
            self._broker,
            client_id=f"homenode-{self._home}",
            will=(topics.link(self._home), status.link_payload(False, self._zone.text(self._wall()))),
            keepalive_s=_KEEPALIVE_S,
            version=self._version,
            on_progress=self._progress,
        )
        await connection.open()
        return connection

    # --- while connected

    async def _serve(self, connection: Connection) -> NoLink:
        self._connection = connection
        self._outbox.link_up()
        try:
            connection.subscribe([topics.command(self._home, party) for party in PARTIES])
            self._heartbeat(connection, True)
            self._tell(LinkState(True, connection.address.url))
            self._progress()
            self._pump()
            await self._supervise(connection)
            return await connection.lost
        except asyncio.CancelledError:
            self._heartbeat(connection, False)
            connection.close(politely=True)
            raise
        finally:
            self._connection = None
            connection.close()
            self._keys.clear()
            self._outbox.link_lost()

    async def _supervise(self, connection: Connection) -> None:
        """Until it is lost: heartbeat, keep-alive, and a broker that stopped acknowledging."""
        beat = self._now() + self._heartbeat_s
        while not connection.lost.done():
            await asyncio.wait([connection.lost], timeout=1.0)
            connection.tick()
            now = self._now()
            if now >= beat:
                beat = now + self._heartbeat_s
                self._heartbeat(connection, True)
            oldest = next(iter(self._keys.values()), None)
            if oldest is not None and now - oldest[1] > self._patience_s:
                what = f"the broker has not acknowledged a message for {self._patience_s:.0f} s"
                self._patience_s = min(2 * self._patience_s, _LONGEST_PATIENCE_S)
                connection.lose(NoLink(what, where=connection.address.url, elsewhere=True))

    def _heartbeat(self, connection: Connection, online: bool) -> None:
        if not connection.lost.done():
            text = status.link_payload(online, self._zone.text(self._wall()))
            connection.publish(topics.link(self._home), text, True)
            connection.flush()

    def _pump(self) -> None:
        """Publish what the outbox gives."""
        self._woken = False
        connection = self._connection
        if connection is None or connection.lost.done():
            return
        if numbers := self._outbox.number():
            self._write_numbers(numbers)
        now = self._now()
        while (handed := self._outbox.next()) is not None:
            if handed.retain and handed.klass is Class.READING and handed.topic not in self._shown:
                self._on_shown(handed.topic)
            mid = connection.publish(handed.topic, handed.payload, handed.retain)
            self._keys[mid] = (handed.key, now)
        connection.flush()

    def _progress(self) -> None:
        """Something came from the broker."""
        connection = self._connection
        if connection is None:
            return
        if connection.acknowledged:
            mids, connection.acknowledged = connection.acknowledged, []
            now = self._now()
            for mid in mids:
                known = self._keys.pop(mid, None)
                if known is None:
                    continue  # a heartbeat
                took_s = now - known[1]
                gone = self._outbox.acknowledged(known[0])
                if gone is not None:
                    self._on_acknowledged(gone)
                self._patience_s = min(max(_PATIENCE_S, 2 * took_s), _LONGEST_PATIENCE_S)
            self._pump()
        inbound, connection.inbound = connection.inbound, []
        for message in inbound:
            if party := topics.commanding_party(self._home, message.topic):
                self._on_command(party, message.payload, message.retained)
        for topic in connection.denied:
            if topic not in self._denied:
                self._denied.add(topic)
                _log.warning("broker denies commands", extra={"topic": topic, "do": "check the broker's ACL"})
        connection.denied.clear()

    def _tell(self, state: LinkState) -> None:
        """Told once when lost, once when back, and when the reason changes."""
        before, self.state = self.state, state
        if state == before:
            return
        if state.online:
            _log.info("link up", extra={"url": state.url})
        else:
            fields = {"url": state.url, "why": state.why, "do": state.do}
            _log.warning("link lost" if before.online else "no link", extra=fields)
        self._on_state(state)
