"""Brokers that nobody should meet: each does one wrong thing on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ = 1, 2, 3, 4, 8, 9, 12


class HostileBroker:
    """Speaks just enough MQTT 3.1.1 to misbehave.

    Args:
        connack: Return code of CONNACK; None answers nothing at all.
        acknowledges: Awaited with each publish's number (from 1); whether to send its PUBACK.
        first_bytes: Sent as soon as somebody connects.
        hangs_up: Closes the connection before CONNACK.
        unasked: Sent behind SUBACK.
    """

    def __init__(
        self,
        *,
        connack: int | None = 0,
        acknowledges: Callable[[int], Awaitable[bool]] | None = None,
        first_bytes: bytes = b"",
        hangs_up: bool = False,
        unasked: bytes = b"",
    ) -> None:
        self.connack, self.acknowledges = connack, acknowledges
        self.first_bytes, self.hangs_up, self.unasked = first_bytes, hangs_up, unasked
        self.connections = 0
        self.published: list[bytes] = []
        self.changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """For ``broker.url``."""
        assert self._server is not None
        return f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for what `published` and `connections` must say."""
        async with self.changed:
            await self.changed.wait_for(true)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._talk(reader, writer)
        except* (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the node left, or the test is over
        self._tasks.discard(task)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self.changed:
            self.connections += 1
            self.changed.notify_all()
        writer.write(self.first_bytes)
        if self.hangs_up:
            return
        async with asyncio.TaskGroup() as answers:
            while True:
                head = (await reader.readexactly(1))[0]
                length, shift = 0, 0
                while True:
                    byte = (await reader.readexactly(1))[0]
                    length |= (byte & 0x7F) << shift
                    shift += 7
                    if byte < 0x80:
                        break
                body = await reader.readexactly(length)
                match head >> 4:
                    case 1 if self.connack is not None:
                        writer.write(bytes([CONNACK << 4, 2, 0, self.connack]))
                    case 3:
                        topic_b = int.from_bytes(body[:2], "big")
                        async with self.changed:
                            self.published.append(body[4 + topic_b :])
                            self.changed.notify_all()
                        mid = body[2 + topic_b : 4 + topic_b]
                        answers.create_task(self._acknowledge(writer, mid, len(self.published)))
                    case 8:
                        topics = body.count(b"hn1/")
                        writer.write(bytes([SUBACK << 4, 2 + topics]) + body[:2] + b"\x01" * topics)
                        writer.write(self.unasked)
                    case 12:
                        writer.write(b"\xd0\x00")

    async def _acknowledge(self, writer: asyncio.StreamWriter, mid: bytes, nth: int) -> None:
        if self.acknowledges is None or await self.acknowledges(nth):
            writer.write(bytes([PUBACK << 4, 2]) + mid)
