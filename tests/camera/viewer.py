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


class Screen:
    """The browser of somebody who looks."""

    def __init__(self, connection: RTCPeerConnection, kept: Kept) -> None:
        self._connection, self._kept = connection, kept

    @property
    def offer(self) -> str:
        return self._connection.localDescription.sdp

    async def take(self, answer: str) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def until_pictures(self, count: int) -> None:
        """So many more have come."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(count):
                await self._kept.came.get()


@asynccontextmanager
async def screen(into: Path) -> AsyncIterator[Screen]:
    """One that asks for pictures."""
    connection = RTCPeerConnection(RTCConfiguration([]))
    with into.open("wb") as file:
        kept = Kept(file)
        rtcrtpreceiver.get_decoder = lambda codec: kept
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        try:
            yield Screen(connection, kept)
        finally:
            await connection.close()


class Gateway:
    """Who speaks to what films."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, leash: RawIOBase) -> None:
        self._reader, self._writer, self.leash = reader, writer, leash

    def say(self, **words: Any) -> None:
        self._writer.write(json.dumps(words).encode() + b"\n")

    def hang_up(self) -> None:
        self._writer.close()

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


@asynccontextmanager
async def asking(source: Mapping[str, Any], screen: Screen) -> AsyncIterator[Gateway]:
    """What a gateway does, after systemd has started what films."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(SOCKET)
    with leashed(line) as leash:
        gateway = Gateway(*await asyncio.open_unix_connection(sock=line), leash)
        gateway.say(
            do="start", session="s-1", source=source, view="clear", masks=[], enhance=False, ice={},
            sdp=screen.offer, until_ms=now_ms() + 240_000, timezone="Europe/Stockholm",
        )  # fmt: skip
        try:
            yield gateway
        finally:
            gateway.hang_up()


@asynccontextmanager
async def looking(source: Mapping[str, Any], into: Path) -> AsyncIterator[tuple[Screen, Gateway]]:
    """A look that is answered."""
    async with screen(into) as viewer, asking(source, viewer) as gateway:
        await viewer.take((await gateway.until(sdp=...))["sdp"])
        yield viewer, gateway
