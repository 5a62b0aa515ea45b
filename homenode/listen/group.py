"""One member of a group of receivers that share the work over NATS.

NATS acknowledges an alert to its node when it lies in the stream ``$MQTT_msgs``, if somebody has asked for it
there; so the group is a durable consumer of that very stream. A stream of one's own on ``hn1.>`` is filled
beside the acknowledgement, and may miss what was acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from contextlib import suppress
from random import Random

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.kv import KeyValue

from homenode.config.model import Broker
from homenode.contract import topics
from homenode.gateway.clock import Clock
from homenode.listen import streams
from homenode.listen.desk import Desk
from homenode.listen.event import parse_link
from homenode.listen.intake import payload
from homenode.listen.members import BEAT_MS, Members
from homenode.listen.opening import Opening
from homenode.listen.settings import Settings
from homenode.listen.shared import RETRY_S, Shared
from homenode.listen.streams import AT_ONCE, OWN_API, STREAM
from homenode.listen.watch import Command

log = logging.getLogger("homenode.listen")

PULL_NS = 4_000_000_000
"""How long NATS keeps a request for messages; it says each quarter of that that it still does."""

AFRESH_MS = 600_000
"""How long what the others write is followed before all of it is read again, whatever was missed."""


class Group:
    """A member: connects, takes its share of the alerts, takes over from members that died."""

    desk: Desk

    def __init__(self, settings: Settings, servers: Broker, clock: Clock) -> None:
        self._settings, self._servers, self._clock = settings, servers, clock
        self._opening = Opening(settings.party, settings.keys)
        self._nats = Client()
        self.members = Members(secrets.token_hex(4), clock.now())
        self.store: Shared
        self._why = ""
        self._random = Random()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._listening = False
        self._again = asyncio.Event()
        self._beat = f"homenode.listen.{settings.party}.{settings.group}"

    # --- beginning

    async def connect(self) -> None:
        """Connect and have what the group needs in NATS.

        Raises:
            NoLink: What says who we are can't be read.
            SetupError: NATS can't be reached, or refuses.
        """
        settings = self._settings
        await streams.connect(
            self._nats,
            self._servers,
            name=f"homenode listen {self.members.me}",
            reconnect_time_wait=self._random.uniform(0.1, 3.0),  # full jitter
            max_reconnect_attempts=-1,
            ping_interval=10,
            disconnected_cb=self._deaf,
            reconnected_cb=self._hears,
            error_cb=self._error,
        )
        js = self._nats.jetstream()
        if settings.api:
            await streams.reaches_consumer(self._nats, settings)
        else:
            await streams.has_consumer(js, settings)
        kept = await streams.bucket(js, settings)
        self.store = Shared(kept, settings.plan(), self.members, self._clock.now)

    # --- while running

    async def begin(self) -> None:
        """Hear, and know what the group knows."""
        wanted = self._settings
        await self._nats.subscribe(f"{self._beat}.*", cb=self._member)
        for home in wanted.homes or ("*",):
            await self._nats.subscribe(topics.link(home).replace("/", "."), cb=self._link)
            await self._nats.subscribe(topics.reply(home, wanted.party).replace("/", "."), cb=self._reply)
        for home in wanted.homes:
            self.desk.pulses.know(home, self._clock.now())
        self.members.listening(self._clock.now())
        self._listening = True
        self.desk.start(self._follow())
        self.desk.start(self._fetch())
        self.desk.start(self._ticks())
        log.info("listening", extra={"nats": self._nats.connected_url and self._nats.connected_url.netloc})

    async def leave(self) -> None:
        """Say goodbye, so that the others need not wait."""
        with suppress(NatsError, TimeoutError, OSError):
            await self._nats.publish(f"{self._beat}.left", self.members.me.encode())
            await self._nats.flush(1)
            await self._nats.close()

    async def send(self, home: str, command: Command) -> None:
        """An acknowledgement for a home. It may be lost; it is sent until it is answered."""
        with suppress(NatsError):
            topic = topics.command(home, self._settings.party)
            await self._nats.publish(topic.replace("/", "."), payload(command))

    async def _deaf(self) -> None:
        self._listening = False
        log.warning("not listening", extra={"why": "the connection to NATS was lost"})

    async def _hears(self) -> None:
        now = self._clock.now()
        self.members.listening(now)
        self.desk.pulses.listening(now)
        self._listening = True
        self._again.set()
        self._why = ""
        log.info("listening again")

    async def _error(self, error: Exception) -> None:
        """Tried again for ever; told once for each reason."""
        why = str(error) or type(error).__name__
        if why != self._why:
            self._why = why
            log.warning("not listening", extra={"why": f"NATS: {why}"})

    async def _member(self, message: Msg) -> None:
        name = message.data.decode("ascii", "replace")
        if message.subject.endswith(".left"):
            self.members.left(name)
        else:
            self.members.heard(name, self._clock.now())

    async def _link(self, message: Msg) -> None:
        if (online := parse_link(message.data)) is not None:
            self.desk.heard(message.subject.split(".")[1], online)

    async def _reply(self, message: Msg) -> None:
        home = message.subject.split(".")[1]
        if self.store.mine(home) is not None and (reply := self._opening.reply(home, message.data)):
            self.desk.start(self.desk.replied(home, reply))

    async def _follow(self) -> None:
        """What the others write; from the beginning after a loss of the connection."""
        while True:
            self._again.clear()
            try:
                watcher = await self.store.bucket.watchall()
                until = self._clock.now() + AFRESH_MS
                while not self._again.is_set() and self._clock.now() < until:
                    with suppress(TimeoutError):
                        entry = await watcher.updates(timeout=1.0)  # type: ignore[no-untyped-call]  # nats-py's
                        if entry is not None:
                            self._told_of(entry)
                await watcher.stop()  # type: ignore[no-untyped-call]  # nats-py's
            except (NatsError, TimeoutError) as error:
                log.debug("NATS could not", exc_info=error)
                await asyncio.sleep(RETRY_S)

    def _told_of(self, entry: KeyValue.Entry) -> None:
        """The bucket has it: written by us, by another one, or before we came."""
        gone = entry.operation is not None
        self.store.came(entry.key, None if gone else entry.value, entry.revision or 0)
        if not gone and not self.store.entries[entry.key].silent:
            self.desk.pulses.know(entry.key, self._clock.now())
        self.desk.look(entry.key)

    async def _fetch(self) -> None:
        """Take alerts as long as there is room; each at once, which `fetch` of nats-py does not do."""
        inbox = self._nats.new_inbox()
        source = await self._nats.subscribe(inbox)
        pull = f"{self._settings.api or OWN_API}.CONSUMER.MSG.NEXT.{STREAM}.{streams.durable(self._settings)}"
        wanted = {"batch": AT_ONCE, "expires": PULL_NS, "idle_heartbeat": PULL_NS // 4}
        while True:
            left = AT_ONCE
            with suppress(NatsError, TimeoutError):  # it is asked again
                await self._nats.publish(pull, json.dumps(wanted).encode(), inbox)
                while left and (message := await source.next_msg(timeout=PULL_NS / 2e9)):
                    if message.reply and not (message.headers or {}).get("Status"):
                        left -= 1
                        await self._room.acquire()
                        self.desk.start(self._settle(message.subject.split(".")[3], message))
                    elif (message.headers or {}).get("Status") != "100":  # no heartbeat: the request is over
                        break
            if left == AT_ONCE:
                await asyncio.sleep(self._random.uniform(0, 0.1))

    async def _settle(self, home: str, message: Msg) -> None:
        """Once it is in the group's bucket NATS may forget it."""
        try:
            now = self._clock.now()
            event = self.desk.readable(home, self._opening.alert(home, message.data, now))
            if event is not None:
                await self.desk.change(home, lambda watch: watch.alert(event, now))
            with suppress(NatsError):  # then it comes again, and is known
                await message.ack()
        finally:
            self._room.release()

    # --- time

    async def _ticks(self) -> None:
        """Each second: say that we live, do what is due, take over from the dead."""
        while True:
            await asyncio.sleep(BEAT_MS / 1000)
            if not self._listening:
                continue
            with suppress(NatsError):
                await self._nats.publish(f"{self._beat}.alive", self.members.me.encode())
            self._tick()

    def _tick(self) -> None:
        if not self.desk.tick():
            self.members.listening(self._clock.now())
        self._take_over(self._clock.now())
        self.desk.silences()

    def _take_over(self, now: int) -> None:
        """What a dead member has left undone."""
        for home, entry in self.store.entries.items():
            waits = entry.busy or (entry.due is not None and now >= entry.due)
            if waits and not self.members.alive(entry.owner, now) and self.responsible(home):
                self.desk.begin(home, lambda watch: True)
            elif entry.silent and self.desk.pulses.lives(home, now) and self.responsible(home):
                self.desk.begin(home, lambda watch: watch.came_back(now))

    def responsible(self, home: str) -> bool:
        """Whether it is ours to tell of the silence of a home, and to take it over from a dead member."""
        return self.members.responsible(home, self._clock.now())
