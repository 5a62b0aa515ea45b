"""Keeps the outbox and a broker together: connects, publishes, and tells what the broker has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from random import Random

from homenode.config.model import PARTIES, Broker
from homenode.contract import status, topics
from homenode.contract.times import Zone
from homenode.link.address import Address, Backoff, addresses
from homenode.link.connection import Connection, Refused
from homenode.link.dial import Dialer, Dialled
from homenode.link.refusals import Refusals, Told
from homenode.link.words import NoLink
from homenode.message import Class
from homenode.outbox import Acknowledged, Handed, Numbered, Outbox

_log = logging.getLogger(__name__)

_KEEPALIVE_S, _KEEPALIVE_BESIDE_S = 30, 15
"""The second where there is another broker or interface to go to."""

_PATIENCE_S, _LONGEST_PATIENCE_S = 20.0, 600.0
"""How long the broker may owe a PUBACK before the connection is made anew. Doubles while that does not
help, and is at least twice what the broker last took, so that a slow one is slow and not lost."""

_LOOK_BACK_S = 300.0
"""On another broker or interface than the first, how often those listed before are tried."""

_OVERHEAD_B = 16
"""Of a PUBLISH without properties beside topic and payload."""

_ALERTS = (Class.ALARM, Class.ALERT)
_KEPT_FOR_NOBODY = 250
"""Alert messages that wait on a topic nobody listens to; about 250 KB. The oldest goes first."""

_PERSON_S = 30.0
"""Between tries where waiting won't help."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether there is a link, to which broker, and if not, why.

    Attributes:
        do: What a person can do about it.
        away: Nobody answers at any of the brokers' places.
        person: Waiting won't help: a certificate, a password or a file has to be another.
    """

    online: bool
    url: str = ""
    why: str = ""
    do: str = ""
    away: bool = False
    person: bool = False


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
        on_unasked: A message came under a topic that was not subscribed to.
        seal: Topic and payload to what is published: for a party with a key that only it can read.
        shown: Topics under which the broker keeps readings already.
        on_shown: A first reading is about to go to this topic and be kept.
        random: For the back-off.
        on_refusals: What the broker doesn't take, and what nobody listens to, changed.
        version: Of MQTT, if not the newest that the broker knows.
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
        on_unasked: Callable[[str], None] = lambda topic: None,
        seal: Callable[[str, bytes], bytes] = lambda topic, payload: payload,
        shown: Container[str] = (),
        on_shown: Callable[[str], None] = lambda topic: None,
        random: Random | None = None,
        on_refusals: Callable[[Told], None] = lambda told: None,
        version: int = 0,
    ) -> None:
        self.state = LinkState(False, why="not connected yet")
        self._broker, self._home, self._outbox = broker, home, outbox
        self._zone, self._wall = zone, wall
        self._on_command, self._on_unasked, self._on_state = on_command, on_unasked, on_state
        self._on_acknowledged, self._write_numbers = on_acknowledged, write_numbers
        self._seal, self._shown, self._on_shown = seal, shown, on_shown
        self._on_refusals, self._refusals, self._refusals_told = on_refusals, Refusals(), Told({}, ())
        self._dialer = Dialer(addresses(broker.urls, broker.interfaces), self._open, version)
        self._looking: asyncio.Task[Dialled] | None = None
        self._better: Dialled | None = None
        self._backoff = Backoff(random or Random())
        self._heartbeat_s, self._beat = broker.heartbeat_s, 0.0
        self._connection: Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        self._keys: dict[int, tuple[Handed, float]] = {}
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

    def beat_each(self, heartbeat_s: float) -> None:
        """From now on, a heartbeat each so many seconds."""
        self._heartbeat_s = heartbeat_s
        self._beat = 0.0

    async def run(self) -> None:
        """Keep the link until cancelled; then say goodbye."""
        self._loop = asyncio.get_running_loop()
        self._outbox.release()  # what another link to another broker held
        first = 0
        try:
            while True:
                connection, index, reasons = self._better or await self._dialer.any(first)
                self._better = None
                if connection is not None:
                    since = self._now()
                    lost = await self._serve(connection, index)
                    first = index + 1 if lost.elsewhere else 0
                    reasons = [lost]
                    self._backoff.held(self._now() - since)
                    if await self._looked_back():
                        continue
                self._tell_none(reasons)
                wait_s = self._backoff.next_s()
                await asyncio.sleep(max(wait_s, _PERSON_S) if all(one.person for one in reasons) else wait_s)
        finally:
            if self._looking is not None and not self._looking.cancel():
                self._better = self._looking.result()
            if self._better is not None and self._better.connection is not None:
                self._better.connection.close()

    async def _looked_back(self) -> bool:
        """Whether a broker listed earlier has answered meanwhile; the link goes on there without a pause."""
        looking, self._looking = self._looking, None
        if looking is not None:
            await asyncio.wait([looking])
            if not looking.cancelled() and looking.result().connection is not None:
                self._better = looking.result()
        return self._better is not None

    def _tell_none(self, reasons: list[NoLink]) -> None:
        """A round of all brokers is told as one, so that two that fail differently are not told for ever."""
        words = [one.what if len(reasons) == 1 else f"{one.where}: {one.what}" for one in reasons]
        advice = [one.do for one in reasons if one.do]
        away, do = all(one.away for one in reasons), "; ".join(dict.fromkeys(advice))
        person = any(one.person for one in reasons)
        self._tell(LinkState(False, reasons[0].where, "; ".join(words), do, away, person))

    def _now(self) -> float:
        assert self._loop is not None  # `get_running_loop` is a system call; this is asked twice a message
        return self._loop.time()

    async def _open(self, where: Address, version: int) -> Connection:
        connection = Connection(
            where,
            self._broker,
            client_id=f"homenode-{self._home}",
            will=(topics.link(self._home), status.link_payload(False, self._zone.text(self._wall()))),
            keepalive_s=_KEEPALIVE_BESIDE_S if self._dialer.several else _KEEPALIVE_S,
            version=version,
            on_progress=self._progress,
        )
        await connection.open()
        return connection

    # --- while connected

    async def _serve(self, connection: Connection, index: int) -> NoLink:
        self._connection = connection
        self._refusals.connected(self._now())
        self._outbox.link_up(connection.window)
        try:
            connection.subscribe([topics.command(self._home, party) for party in PARTIES])
            self._heartbeat(connection, True)
            self._tell(LinkState(True, str(connection.address)))
            self._progress()
            self._pump()
            await self._supervise(connection, index)
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

    async def _supervise(self, connection: Connection, index: int) -> None:
        """Until it is lost: heartbeat, keep-alive, silence about what was sent, a better broker."""
        self._beat = self._now() + self._heartbeat_s
        look = self._now() + _LOOK_BACK_S
        while not connection.lost.done():
            await asyncio.wait([connection.lost], timeout=1.0)
            connection.tick()
            now = self._now()
            if now >= self._beat:
                self._beat = now + self._heartbeat_s
                self._heartbeat(connection, True)
            if self._refusals and (topics := self._refusals.due(now)):
                self._outbox.release(*topics)
                self._pump()
            if index and now >= look:
                look = now + _LOOK_BACK_S
                self._look_back(connection, index)
            oldest = next(iter(self._keys.values()), None)
            if oldest is not None and now - oldest[1] > self._patience_s:
                what = f"the broker has not acknowledged a message for {self._patience_s:.0f} s"
                self._patience_s = min(2 * self._patience_s, _LONGEST_PATIENCE_S)
                connection.lose(NoLink(what, where=str(connection.address), elsewhere=True))

    def _look_back(self, connection: Connection, index: int) -> None:
        """See whether a broker listed before the present one is there again."""

        def seen(looking: asyncio.Task[Dialled]) -> None:
            if not looking.cancelled() and looking.result().connection is not None:
                connection.lose(NoLink("a broker listed earlier is back", where=str(connection.address)))

        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._dialer.any(until=index))
            self._looking.add_done_callback(seen)

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
            payload = self._seal(handed.topic, handed.payload)
            if self._refusals and not self._refusals.may_try(handed.topic, now):
                self._outbox.refused(handed.key)
                continue
            if 0 < connection.largest < len(payload) + len(handed.topic) + _OVERHEAD_B:
                self._refused(handed, f"at most {connection.largest} bytes", now)
                continue
            if handed.retain and handed.klass is Class.READING and handed.topic not in self._shown:
                self._on_shown(handed.topic)
            mid = connection.publish(handed.topic, payload, handed.retain)
            self._keys[mid] = (handed, now)
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
                self._acknowledged(known[0])
                if self._refusals and self._refusals.taken(known[0].topic):
                    self._outbox.release(known[0].topic)
                    self._tell_refusals()
                self._patience_s = min(max(_PATIENCE_S, 2 * took_s), _LONGEST_PATIENCE_S)
            self._pump()
        if connection.refused:
            answers, connection.refused = connection.refused, []
            for answer in answers:
                if known := self._keys.pop(answer.mid, None):
                    self._not_taken(known[0], answer)
            self._pump()
        inbound, connection.inbound = connection.inbound, []
        for message in inbound:
            if party := topics.commanding_party(self._home, message.topic):
                self._on_command(party, message.payload, message.retained)
            else:
                self._on_unasked(message.topic)
        for topic in connection.denied:
            if topic not in self._denied:
                self._denied.add(topic)
                _log.warning("broker denies commands", extra={"topic": topic, "do": "check the broker's ACL"})
        connection.denied.clear()

    def _acknowledged(self, handed: Handed) -> None:
        gone = self._outbox.acknowledged(handed.key)
        if gone is not None:
            self._on_acknowledged(gone)

    def _not_taken(self, handed: Handed, answer: Refused) -> None:
        """A broker of MQTT 5 says that it has a message for nobody, or doesn't take it."""
        if answer.unheard and handed.klass not in _ALERTS:
            self._acknowledged(handed)
        else:
            self._refused(handed, "" if answer.unheard else answer.why, self._now())

    def _refused(self, handed: Handed, why: str, now: float) -> None:
        if why or self._outbox.held(handed.topic) < _KEPT_FOR_NOBODY:
            self._outbox.refused(handed.key)
        else:
            _log.warning("nobody listens, the oldest alert is gone", extra={"topic": handed.topic})
            self._acknowledged(handed)
        self._refusals.refused(handed.topic, why, now)
        self._tell_refusals()

    def _tell_refusals(self) -> None:
        told = self._refusals.told()
        if told != self._refusals_told:
            self._refusals_told = told
            self._on_refusals(told)

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
