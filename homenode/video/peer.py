"""The viewer's connection, on aiortc: takes what is encoded, and passes on what the viewer asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RtcpPsfbPacket,
    unpack_remb_fci,
)

from homenode.video.encoder import Encoded
from homenode.video.words import Unfit

REACHED_WITHIN_S = 15
_WAITING = 4
"""Packets that may wait for the link; what comes then is left out before it is encoded."""


class Wishes(Protocol):
    """What a viewer asks of the pictures; called in the event loop."""

    def want_whole(self) -> None: ...
    def limit(self, bps: int) -> None: ...


class Pictures(MediaStreamTrack):
    """What is encoded, on its way to the viewer."""

    kind = "video"

    def __init__(self, wanted: Callable[[], None], live: Callable[[], None]) -> None:
        super().__init__()
        self._queued: asyncio.Queue[Encoded] = asyncio.Queue()
        self._asked, self._wanted, self._live = 0, wanted, live

    @property
    def behind(self) -> bool:
        """Whether the link takes them more slowly than they come."""
        return self._queued.qsize() >= _WAITING

    def put(self, packet: Encoded) -> None:
        self._queued.put_nowait(packet)

    async def recv(self) -> Any:
        """The next; aiortc asks first when the viewer is connected, and then after each that it has sent."""
        if self.readyState != "live":
            raise MediaStreamError
        self._asked += 1
        if self._asked <= 2:
            (self._wanted if self._asked == 1 else self._live)()
        return await self._queued.get()


class Peer:
    """Args:
    ice: As the gateway says; nothing is asked of any server that isn't named.
    wanted: Called when the viewer is connected.
    live: Called when the first picture was sent.
    gone: Called when the viewer is.
    """

    def __init__(
        self,
        ice: Mapping[str, Any],
        wishes: Wishes,
        *,
        wanted: Callable[[], None],
        live: Callable[[], None],
        gone: Callable[[str], None],
    ) -> None:
        servers = [
            RTCIceServer(urls=one["urls"], username=one.get("username"), credential=one.get("credential"))
            for one in ice.get("servers", ())
        ]
        only_relay = RTCIceTransportPolicy.RELAY if ice.get("relay") else RTCIceTransportPolicy.ALL
        self._connection = RTCPeerConnection(RTCConfiguration(servers, iceTransportPolicy=only_relay))
        self.pictures = Pictures(wanted, live)
        self._wishes, self._gone = wishes, gone
        self._connection.on("connectionstatechange", self._changed)

    async def answer(self, offer: str) -> str:
        """To an offer that was looked at (`offer.taken`).

        Raises:
            Unfit: aiortc can't agree with it.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            sender = self._connection.addTrack(self.pictures)
            _listen(sender, self._wishes)
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except (ValueError, KeyError, IndexError) as error:
            raise Unfit("sdp", type(error).__name__) from error
        sdp: str = self._connection.localDescription.sdp
        return sdp

    def _changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._gone("viewer")

    @property
    def connected(self) -> bool:
        return bool(self._connection.connectionState == "connected")

    async def close(self) -> None:
        """Tell the viewer, and let go of the ports."""
        self._connection.remove_all_listeners()
        await self._connection.close()


def _listen(sender: Any, wishes: Wishes) -> None:
    """aiortc tells a viewer's wishes to its own encoders only; so ours are told here."""
    handled: Callable[[Any], Awaitable[None]] = sender._handle_rtcp_packet

    async def heard(packet: Any) -> None:
        if isinstance(packet, RtcpPsfbPacket):
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                wishes.want_whole()
            elif packet.fmt == RTCP_PSFB_APP:
                try:
                    bps, _ = unpack_remb_fci(packet.fci)
                except ValueError:
                    return
                wishes.limit(bps)
        await handled(packet)

    sender._handle_rtcp_packet = heard
