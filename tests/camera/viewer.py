"""A viewer without a screen: aiortc, which keeps the H.264 that it is sent instead of decoding it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, rtcrtpreceiver
from aiortc.codecs.base import Decoder

from homenode.gateway.capture import leashed
from homenode.video.clocks import now_ms

SOCKET = "/run/homenode-video/socket"
PATIENCE_S = 120.0
"""A processor in software on a busy machine takes a minute for what others do in a second."""


class Kept(Decoder):
    """In the place of a decoder; aiortc calls it in a thread."""

    def __init__(self, into: BinaryIO) -> None:
        self._into, self._loop = into, asyncio.get_running_loop()
        self.came: asyncio.Queue[int] = asyncio.Queue()

    def decode(self, encoded: Any) -> list[Any]:
        self._into.write(encoded.data)
        self._loop.call_soon_threadsafe(self.came.put_nowait, len(encoded.data))
        return []


class Viewer:
    """Of one granted look."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: RTCPeerConnection,
        kept: Kept,
        leash: RawIOBase,
    ) -> None:
        self._reader, self._writer, self._connection, self._kept = reader, writer, connection, kept
        self.leash = leash

    async def take(self, answer: str) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def say(self, **words: Any) -> None:
        self._writer.write(json.dumps(words).encode() + b"\n")

    async def until(self, **wanted: Any) -> Mapping[str, Any]:
        """The next line that says so; an "ended" that was not asked for ends it."""
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._reader.readline():
                said: dict[str, Any] = json.loads(line)
                if all(name in said and value in (said[name], ...) for name, value in wanted.items()):
                    return said
                if said.get("did") == "ended":
                    break
        raise AssertionError(f"no {wanted}, but {line.decode().strip() or 'the end'}")

    async def until_pictures(self, count: int) -> None:
        """So many more have come."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(count):
                await self._kept.came.get()


@asynccontextmanager
async def asking(source: Mapping[str, Any], into: Path) -> AsyncIterator[Viewer]:
    """What a gateway and a browser do, after systemd has started what films."""
    gateway = socket.socket(socket.AF_UNIX)
    gateway.connect(SOCKET)
    leash = leashed(gateway)
    reader, writer = await asyncio.open_unix_connection(sock=gateway)
    connection = RTCPeerConnection(RTCConfiguration([]))
    with into.open("wb") as file:
        kept = Kept(file)
        rtcrtpreceiver.get_decoder = lambda codec: kept
        viewer = Viewer(reader, writer, connection, kept, leash)
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        viewer.say(
            do="start", session="s-1", source=source, view="clear", masks=[], enhance=False, ice={},
            sdp=connection.localDescription.sdp, until_ms=now_ms() + 240_000, timezone="Europe/Stockholm",
        )  # fmt: skip
        try:
            yield viewer
        finally:
            await connection.close()
            writer.close()
            leash.close()


@asynccontextmanager
async def looking(source: Mapping[str, Any], into: Path) -> AsyncIterator[Viewer]:
    """One that is answered."""
    async with asking(source, into) as viewer:
        await viewer.take((await viewer.until(sdp=...))["sdp"])
        yield viewer
