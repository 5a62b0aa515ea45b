"""One receiver for all homes: what comes is made durable, acknowledged to the broker, and handed over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from homenode.contract.topics import party_and_point
from homenode.gateway.clock import Clock
from homenode.link.connection import Connection, Inbound
from homenode.listen.desk import Desk
from homenode.listen.event import Reply, parse_link, split
from homenode.listen.kept import Kept
from homenode.listen.opening import Opening
from homenode.listen.pulses import Shown
from homenode.listen.settings import Settings
from homenode.listen.told import ALL
from homenode.listen.watch import Watch

log = logging.getLogger("homenode.listen")


class Onlooker(Protocol):
    """Who shows people what a receiver hears beside alerts."""

    def link(self, up: bool) -> None:
        """We have a connection, or none."""

    def online(self, home: str, online: bool) -> None:
        """A home's heartbeat, or its will."""

    def status(self, home: str, body: Mapping[str, Any]) -> None:
        """What is open in a home, and its health."""

    def reading(self, home: str, point: str, body: Mapping[str, Any] | None) -> None:
        """Of a shared point; None if it can't be read, or there is none any more."""

    def replied(self, home: str, reply: Reply) -> None:
        """The answer to a command, whoever asked."""


class Single:
    """What comes from the broker, for a `Desk`."""

    desk: Desk

    def __init__(
        self, settings: Settings, store: Kept, clock: Clock, onlooker: Onlooker | None = None
    ) -> None:
        self._onlooker = onlooker
        self._settings, self._store, self._clock = settings, store, clock
        self._opening = Opening(settings.party, settings.keys)
        self._deaf_since: int | None = clock.now()
        self._shown = Shown()

    async def begin(self) -> None:
        """Go on where the last run ended."""
        await self._store.begin()
        now = self._clock.now()
        for home in self._store.homes:
            self.desk.look(home)
        asked = self._settings.homes  # one that was named and is never heard is silent: a misspelt one, too
        for home in asked or (name for name in self._store.homes if name != ALL):
            watch = self._store.mine(home)
            if watch is None or watch.silent_since is None:
                self.desk.pulses.know(home, now)

    def link(self, up: bool) -> None:
        """We hear, or don't: a home that we could not hear is not silent."""
        if self._onlooker:
            self._onlooker.link(up)
        now = self._clock.now()
        if not up:
            self._deaf_since = now
            self._shown.deaf()
            return
        self.desk.pulses.listening(now)
        self._deaf_since = None
        self.desk.begin(ALL, lambda watch: watch.came_back(now))

    def came(self, messages: list[Inbound], connection: Connection) -> None:
        """Messages from the broker."""
        changed: set[str] = set()
        taken: list[Inbound] = []
        for message in messages:
            if message.mid:
                taken.append(message)
            where = split(message.topic)
            if where is None or (self._settings.homes and where[0] not in self._settings.homes):
                continue
            home, party, word = where
            if word == "link":
                self._link(home, message)
            elif party != self._settings.party:
                continue
            else:
                self._shown.shown(home)
            if word == "reply" and (reply := self._opening.reply(home, message.payload)) is not None:
                self.desk.start(self.desk.replied(home, reply))
                if self._onlooker:
                    self._onlooker.replied(home, reply)
            elif word == "alerts" and self._alert(home, message):
                changed.add(home)
            elif word == "status":
                self._status(home, message.payload)
            elif word == "readings" and self._onlooker:
                _, point = party_and_point(home, message.topic)
                self._onlooker.reading(home, point, self._opening.reading(message.topic, message.payload))
        for home in changed:
            self.desk.look(home)
        if taken:
            self.desk.start(self._settle(taken, connection))

    def _link(self, home: str, message: Inbound) -> None:
        online = parse_link(message.payload)
        if online:
            self._shown.lives(home, self._clock.now())
        if online is not None:
            self.desk.heard(home, online, retained=message.retained)
            if self._onlooker:
                self._onlooker.online(home, online)

    def _status(self, home: str, payload: bytes) -> None:
        if self._onlooker and (body := self._opening.status(home, payload)) is not None:
            self._onlooker.status(home, body)

    def _alert(self, home: str, message: Inbound) -> bool:
        now = self._clock.now()
        said = "it is retained" if message.retained else self._opening.alert(home, message.payload, now)
        if (event := self.desk.readable(home, said)) is None:
            return False
        self.desk.pulses.know(home, now)
        return self._store.apply(home, lambda watch: watch.alert(event, now))

    async def _settle(self, taken: list[Inbound], connection: Connection) -> None:
        """Once it is durable the broker may forget it; handing over waits for no disk."""
        await self._store.safe()
        if not connection.lost.done():
            for message in taken:
                connection.take(message)
            connection.flush()

    async def ticks(self) -> None:
        """Once a second: the time."""
        while True:
            await asyncio.sleep(1.0)
            self._store.renew()
            self.desk.tick()
            since, now = self._deaf_since, self._clock.now()
            if since is None:
                self.desk.silences()
                self._tell_of_what_is_not_shown(now)
            elif now >= since + self._settings.silent_after_ms:
                self.desk.begin(ALL, partial(Watch.fell_silent, since=since, why="no connection", now=now))

    def _tell_of_what_is_not_shown(self, now: int) -> None:
        if missing := self._shown.missing(now):
            party = self._settings.party
            log.error(
                "homes live, and the broker shows nothing of theirs for this party: no alert may come",
                extra={
                    "party": party,
                    "home": missing[0],
                    "homes": len(missing),
                    "do": f"check that broker.cert is one of {party}, and the broker's ACL",
                },
            )
