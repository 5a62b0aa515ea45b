"""Between a node and its broker: ends the node's TLS, speaks MQTT on to the broker, and can do it badly."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

PUBACK = 4
CONNECT_S = 5.0


class Gate:
    """Everything it does wrong is an attribute that may be set at any time, from any thread.

    Attributes:
        shut: Why nobody is let in, if so.
        still: Not a byte goes through, though every connection stays.
        bytes_per_s: From the node to the broker; 0: as fast as it goes.
        late_s: Acknowledgements of the broker are passed on so much later.
        forgets: They aren't passed on at all.
    """

    def __init__(self, host: str, broker: int, keys: Path, node: str) -> None:
        self.shut: set[str] = set()
        self.still = self.forgets = False
        self.bytes_per_s, self.late_s = 0, 0.0
        self._host, self._broker, self._keys = host, broker, keys
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._tls.load_verify_locations(keys / "ca.pem")
        self.shows("gate")
        self._out = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        self._out.check_hostname = False
        self._out.load_cert_chain(keys / f"{node}.pem", keys / f"{node}.key")
        self._ends: set[tuple[asyncio.StreamWriter, ...]] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """For ``broker.url``."""
        return f"mqtts://{self._host}:{self._server.sockets[0].getsockname()[1]}"

    def shows(self, certificate: str) -> None:
        """To whoever connects from now on."""
        self._tls.load_cert_chain(self._keys / f"{certificate}.pem", self._keys / f"{certificate}.key")

    def hang_up(self) -> None:
        """On all who are connected."""
        self._loop.call_soon_threadsafe(self._hang_up)

    def _hang_up(self) -> None:
        for ends in self._ends:
            for end in ends:
                end.transport.abort()

    def half_open(self) -> None:
        """The broker forgets all who are connected, and they don't notice."""

        def so() -> None:
            for node, broker in self._ends:
                self._dead.add(node)
                broker.transport.abort()

        self._loop.call_soon_threadsafe(so)

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(CONNECT_S)
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(CONNECT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.transport.abort()
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                there = await asyncio.open_connection("127.0.0.1", self._broker, ssl=self._out)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, there[1])
        self._ends.add(ends)
        up = asyncio.create_task(self._up(reader, there[1]))  # noqa: TID251 - ended below
        down = asyncio.create_task(self._down(there[0], writer))  # noqa: TID251 - likewise
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            while writer in self._dead and not reader.at_eof():
                with contextlib.suppress(TimeoutError, OSError):
                    async with asyncio.timeout(1.0):
                        await reader.read(1 << 16)
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            self._ends.discard(ends)
            self._dead.discard(writer)
            for end in ends:
                end.transport.abort()

    async def _open(self) -> None:
        while self.still:  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.05)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(min(1 << 16, self.bytes_per_s or 1 << 16)):
                await self._open()
                if self.bytes_per_s:
                    await asyncio.sleep(len(data) / self.bytes_per_s)
                writer.write(data)
                await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async for kind, packet in _packets(reader):
                await self._open()
                if kind != PUBACK:
                    writer.write(packet)
                elif not self.forgets:
                    if self.late_s:
                        self._loop.call_later(self.late_s, _write, writer, packet)
                    else:
                        writer.write(packet)
                await writer.drain()


def _write(writer: asyncio.StreamWriter, packet: bytes) -> None:
    if not writer.is_closing():
        writer.write(packet)


async def _packets(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """(kind, bytes) of each MQTT packet."""
    while True:
        head = await reader.readexactly(1)
        length, shift, kind = 0, 0, head[0] >> 4
        while True:
            byte = await reader.readexactly(1)
            head += byte
            length |= (byte[0] & 0x7F) << shift
            shift += 7
            if byte[0] < 0x80:
                break
        yield kind, head + await reader.readexactly(length)
