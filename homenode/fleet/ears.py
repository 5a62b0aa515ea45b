"""The operator's connection: what homes tell it, and commands to them."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from homenode.contract import topics
from homenode.contract.times import Zone
from homenode.errors import HomenodeError, Refused
from homenode.fleet.board import Board, json_object
from homenode.fleet.settings import PARTY, Settings
from homenode.gateway.clock import Clock
from homenode.link.address import Backoff, address
from homenode.link.connection import Connection, Inbound
from homenode.link.words import NoLink
from homenode.listen.event import split
from homenode.listen.opening import Opening
from homenode.paho import mqtt

log = logging.getLogger("homenode.fleet")

KEEPALIVE_S = 30
QUIET_S = 0.2
"""Brokers send what they keep before they answer the next request; NATS, which doesn't, without pauses."""
LONGEST_S = 20.0
TRAVELS_MS = 3_600_000
"""A command counts for an hour; a node that is away keeps none for longer."""
UTC = Zone("UTC")


class Ears:
    """Hears all homes into a board, for as long as `run` runs.

    Args:
        replied: Called with a home and its answer to a command.
    """

    def __init__(
        self,
        settings: Settings,
        board: Board,
        clock: Clock,
        *,
        replied: Callable[[str, Mapping[str, Any]], None] = lambda home, body: None,
    ) -> None:
        self._settings, self._board, self._clock = settings, board, clock
        self._replied = replied
        self._opening = Opening(PARTY, settings.keys)
        self._connection: Connection | None = None
        self._kept_s, self._complete = 0.0, False
        self._sent, self._empty = set[int](), asyncio.Event()
        self._empty.set()
        self.up = asyncio.Event()
        self.sealed: set[str] = set()
        """Homes whose status no key opens."""

    async def connect(self) -> None:
        """Connect and subscribe.

        Raises:
            NoLink: No broker can be reached.
        """
        failure: NoLink | None = None
        for url in self._settings.broker.urls:
            connection = Connection(
                address(url),
                self._settings.broker,
                client_id=f"fleet-{secrets.token_hex(6)}",
                will=None,
                keepalive_s=KEEPALIVE_S,
                version=mqtt.MQTTv311,
                on_progress=self._progress,
                keeps_session=False,
            )
            try:
                await connection.open()
            except NoLink as why:
                failure = why
                continue
            self._connection, self._complete = connection, False
            for home in self._settings.homes or ("+",):
                connection.subscribe([topics.link(home), topics.status(home, PARTY)], 0)
                connection.subscribe([topics.reply(home, PARTY)], 0)
            self.up.set()
            return
        assert failure is not None
        raise failure

    async def all_heard(self) -> None:
        """Until what the broker keeps has come, once for each connection.

        Raises:
            NoLink: The connection is lost.
            Refused: The broker shows nothing to this certificate.
        """
        loop, connection = asyncio.get_running_loop(), self._connection
        if self._complete or connection is None:
            return
        until_s = loop.time() + LONGEST_S
        while loop.time() < until_s:
            if connection.lost.done():
                raise await connection.lost
            if connection.answered and loop.time() - self._kept_s >= QUIET_S:
                self._complete = True
                break
            await asyncio.sleep(0.02)
        if not self._board.homes:
            do = "check that the certificate is one of operator@…, the broker's ACL, and that homes are there"
            raise Refused("the broker shows no home", do=do)

    async def run(self) -> None:
        """Stay connected until cancelled, over lost connections."""
        backoff, loop = Backoff(Random()), asyncio.get_running_loop()
        while True:
            if self._connection is None:
                try:
                    await self.connect()
                except NoLink as why:
                    log.warning("no link", extra={"why": str(why)})
                    await asyncio.sleep(backoff.next_s())
                    continue
                log.info("link up")
            connection, since = self._connection, loop.time()
            assert connection is not None
            while not connection.lost.done():
                await asyncio.wait([connection.lost], timeout=1.0)
                connection.tick()
            log.warning("link lost", extra={"why": str(await connection.lost)})
            self.up.clear()
            connection.close()
            self._connection = None
            self._sent.clear()
            self._empty.set()
            backoff.held(loop.time() - since)
            await asyncio.sleep(backoff.next_s())

    async def drained(self) -> None:
        """Until the broker has what was sent, or for 2 s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self._empty.wait()

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close(politely=True)
            self._connection = None

    def _progress(self) -> None:
        connection = self._connection
        if connection is None:
            return
        self._sent.difference_update(connection.acknowledged)
        if not self._sent:
            self._empty.set()
        connection.acknowledged.clear()
        messages, connection.inbound = connection.inbound, []
        for message in messages:
            self._came(message)
        for topic in connection.denied:
            log.error("broker denies", extra={"topic": topic, "do": "check the broker's ACL"})
        connection.denied.clear()

    def _came(self, message: Inbound) -> None:
        where = split(message.topic)
        if where is None:
            return
        if message.retained:
            self._kept_s = asyncio.get_running_loop().time()
        name, party, word = where
        if word == "link":
            self._board.link(name, message.payload, self._clock.wall(), retained=message.retained)
        elif party != PARTY or (body := self._plain(name, message)) is None:
            return
        elif word == "status":
            self._board.status(name, body)
        elif word == "reply":
            self._replied(name, json_object(body))

    def _plain(self, name: str, message: Inbound) -> bytes | None:
        try:
            body = self._opening.plain(message.topic, message.payload)
        except HomenodeError as closed:
            if name not in self.sealed:
                self.sealed.add(name)
                log.warning("can't be opened", extra={"home": name, "why": str(closed)})
            return None
        return body

    def command(self, home: str, do: str, args: Mapping[str, Any], by: str, id: str = "") -> str:
        """Send a command; returns its id, "" without a connection.

        Args:
            id: The same for the same wish: a node answers a repeated one without doing it again.
        """
        connection = self._connection
        if connection is None or connection.lost.done():
            return ""
        body = {
            "id": id or f"fleet-{secrets.token_hex(8)}",
            "do": do,
            "expires": UTC.text(self._clock.wall() + TRAVELS_MS),
            "by": by,
            "args": args,
        }
        payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        self._empty.clear()
        self._sent.add(connection.publish(topics.command(home, PARTY), payload, False))
        connection.flush()
        return str(body["id"])
