"""For drivers of devices that already speak MQTT to a broker in the home.

    async with topic("mqtt://192.168.1.2", "sensors/bath") as payloads:
        async for payload in payloads:
            ...

It never blocks, and says when the broker is gone. Of a flood the oldest is lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from homenode.errors import DriverLost, SetupError

CONNECT_S = 5.0
KEEP_ALIVE_S = 15
"""A broker that vanished without a word is missed after one and a half times this."""
MOST = 1_000
"""Payloads that wait to be taken."""
TURN = 50
"""Payloads after which others in the loop get their turn."""


class Payloads:
    """What comes under the topic, a payload each."""

    def __init__(self, where: str) -> None:
        self.where, self.up = where, asyncio.Event()
        self.gone = ""
        self._waiting: deque[bytes] = deque(maxlen=MOST)
        self._news, self._nth = asyncio.Event(), 0
        self._loop = asyncio.get_running_loop()

    def __aiter__(self) -> Payloads:
        return self

    async def __anext__(self) -> bytes:
        """The next. Raises DriverLost when the broker is gone."""
        self._nth += 1
        if self._nth % TURN == 0:
            await asyncio.sleep(0)
        while not self._waiting:
            if self.gone:
                raise DriverLost(self.gone, where=self.where)
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def tell(self, *, payload: bytes | None = None, up: bool = False, gone: str = "") -> None:
        """From paho's thread."""
        if payload is not None:
            self._waiting.append(payload)
        self.gone = gone or self.gone
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake, up or bool(gone))

    def _wake(self, up: bool) -> None:
        self._news.set()
        if up:
            self.up.set()


@asynccontextmanager
async def topic(broker: str, name: str) -> AsyncIterator[Payloads]:
    """What is published under a topic, or a pattern of topics.

    Raises:
        DriverLost: The broker doesn't answer, or no more.
        SetupError: `broker` is no address such as mqtt://192.168.1.2.
    """
    from paho.mqtt.enums import CallbackAPIVersion

    from homenode.paho import mqtt  # what only checks home.yaml needs none

    where = urlsplit(broker)
    try:
        host, port = where.hostname, where.port or 1883
    except ValueError:
        host, port = None, 0
    if where.scheme != "mqtt" or not host:
        raise SetupError(f"{broker!r} is no broker", do="such as mqtt://192.168.1.2 or mqtt://127.0.0.1:1883")
    payloads = Payloads(broker)
    client: Any = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: payloads.tell(payload=message.payload)
    client.on_disconnect = lambda *_: payloads.tell(gone="the broker hung up")
    client.on_connect_fail = lambda *_: payloads.tell(gone="no broker answers")

    def connected(its: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            payloads.tell(gone=f"the broker refuses: {reason}")
            return
        its.subscribe(name)
        payloads.tell(up=True)

    client.on_connect = connected
    client.connect_async(host, port, KEEP_ALIVE_S)
    client.loop_start()
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                await payloads.up.wait()
        except TimeoutError:
            raise DriverLost("no answer in 5 s", where=broker, do="see that the broker runs") from None
        if payloads.gone:
            raise DriverLost(payloads.gone, where=broker, do="see that the broker runs")
        yield payloads
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
