"""A viewer that is no browser (aiortc), for who needs many of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

import aiortc

from tests.system.nodes import PATIENCE_S

Made = TypeVar("Made")


class Viewer:
    """One at a time: each offer is a new one's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._peer: Any = None

    def offer(self) -> str:
        """What a new viewer offers; the one before is gone without a word."""
        return self._do(self._offer())

    def take(self, answer: str) -> None:
        """The home's answer: it connects."""
        self._do(self._peer.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer")))

    async def _offer(self) -> str:
        await self._close()
        self._peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self._peer.addTransceiver("video", direction="recvonly")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def _close(self) -> None:
        if self._peer is not None:
            await self._peer.close()
            self._peer = None

    def _do(self, what: Coroutine[Any, Any, Made]) -> Made:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
