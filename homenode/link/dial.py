"""Which broker is tried next, over which interface and in which MQTT."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from homenode.link.address import Address
from homenode.link.connection import Connection
from homenode.link.words import NoLink
from homenode.paho import mqtt

FEWEST = 4
"""Messages that a broker must take at once: alarms, alerts and the rest each have room of their own. One that
takes fewer in MQTT 5 is spoken to in 3.1.1, which sets no such limit."""


_OLDER_S = 3600.0
"""For so long a broker is not asked for MQTT 5 again; perhaps it was only slow."""


class Dialled(NamedTuple):
    """A connection (None: none can be had), its place in the order, why those tried before can't be had."""

    connection: Connection | None
    place: int
    reasons: list[NoLink]


class Dialer:
    """Opens connections.

    MQTT 5 is spoken where the broker does: only there it says that it didn't take a message. Brokers that
    hang up or don't answer are asked once more in 3.1.1, and for an hour at once.

    Args:
        addresses: In the order they are tried.
        open_: Opens one in this version of MQTT.
        version: The only one, or 0 for the newest that the broker knows.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        open_: Callable[[Address, int], Awaitable[Connection]],
        version: int = 0,
    ) -> None:
        self._addresses, self._open, self._version = addresses, open_, version
        self._older: dict[str, float] = {}

    @property
    def several(self) -> bool:
        """Whether there is more than one way to go."""
        return len(self._addresses) > 1

    async def any(self, first: int = 0, until: int | None = None) -> Dialled:
        """The first connection that can be had.

        Args:
            first: Where to begin; those before it come last.
            until: Look only at places before this one.
        """
        reasons: list[NoLink] = []
        count = len(self._addresses)
        for nth in range(count if until is None else until):
            index = (first + nth) % count
            try:
                return Dialled(await self._one(self._addresses[index]), index, reasons)
            except NoLink as reason:
                reasons.append(reason)
        return Dialled(None, 0, reasons)

    async def _one(self, address: Address) -> Connection:
        now_s = asyncio.get_running_loop().time()
        if self._version or self._older.get(address.url, 0.0) > now_s:
            return await self._open(address, self._version or mqtt.MQTTv311)
        try:
            connection = await self._open(address, mqtt.MQTTv5)
        except NoLink as reason:
            if not reason.older:
                raise
            connection = await self._open(address, mqtt.MQTTv311)
        else:
            if not 0 < connection.window < FEWEST:
                return connection
            connection.close(politely=True)
            connection = await self._open(address, mqtt.MQTTv311)
        self._older[address.url] = now_s + _OLDER_S
        return connection
