"""The viewer's connection, on aiortc: takes what is encoded, and passes on what the viewer asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
    codecs,
    rtp,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters

from homenode.video.clocks import now_ms
from homenode.video.encoder import Encoded
from homenode.video.rate import Rate
from homenode.video.repeats import Lost, Repeats
from homenode.video.words import Unfit

_WAITING = 4
"""Packets that may wait for the link; what comes then is left out before it is encoded."""


_AT_ONCE = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
"""A header that says how long a browser may keep a picture, shortest and longest: 12 bits each."""
codecs.HEADER_EXTENSIONS["video"].append(RTCRtpHeaderExtensionParameters(id=15, uri=_AT_ONCE))


class _AtOnce(rtp.HeaderExtensionsMap):
    """aiortc's headers, and that a picture is to be shown at once: else browsers even out by up to 80 ms."""

    _id = 0

    def configure(self, parameters: Any) -> None:
        super().configure(parameters)
        self._id = next((one.id for one in parameters.headerExtensions if one.uri == _AT_ONCE), 0)

    def set(self, values: Any) -> tuple[int, bytes]:
        known = rtp.unpack_header_extensions(*super().set(values))
        return rtp.pack_header_extensions([*known, (self._id, bytes(3))] if self._id else known)


class Wishes(Protocol):
    """What a viewer asks of the pictures; called in the event loop."""

    def want_whole(self) -> None: ...
    def limit(self, bps: int) -> None: ...


class Pictures(MediaStreamTrack):
    """What is encoded, on its way to the viewer."""

    kind = "video"

    def __init__(self, live: Callable[[], None], sent: Callable[[Encoded], None]) -> None:
        super().__init__()
        self._queued: asyncio.Queue[Encoded] = asyncio.Queue()
        self._asked, self._live, self._sent = 0, live, sent

    @property
    def waiting(self) -> bool:
        """Whether the viewer is not there yet; asked from any thread."""
        return self._asked == 0

    @property
    def wanted(self) -> bool:
        """Whether the link takes them as fast as they come; asked from any thread."""
        return self._queued.qsize() < _WAITING

    def put(self, packet: Encoded) -> None:
        """While `waiting`, the newest whole one is kept."""
        if self.waiting:
            if not packet.is_keyframe:
                return
            if not self._queued.empty():
                self._queued.get_nowait()
        self._queued.put_nowait(packet)

    async def recv(self) -> Any:
        """The next; aiortc asks first when the viewer is connected, and then after each that it has sent."""
        if self.readyState != "live":
            raise MediaStreamError
        self._asked += 1
        if self._asked == 2:
            self._live()
        packet = await self._queued.get()
        self._sent(packet)
        return packet


class Peer:
    """Args:
    ice: As the gateway says; nothing is asked of any server that isn't named.
    live: Called when the first picture was sent.
    """

    def __init__(
        self,
        ice: Mapping[str, Any],
        wishes: Wishes,
        *,
        live: Callable[[], None],
    ) -> None:
        servers = [
            RTCIceServer(urls=one["urls"], username=one.get("username"), credential=one.get("credential"))
            for one in ice.get("servers", ())
        ]
        only_relay = RTCIceTransportPolicy.RELAY if ice.get("relay") else RTCIceTransportPolicy.ALL
        self._connection = RTCPeerConnection(RTCConfiguration(servers, iceTransportPolicy=only_relay))
        self._rate = Rate()
        self._repeats = Repeats()
        self.pictures = Pictures(live, self._passed)
        self._wishes = wishes

    async def answer(self, offer: str) -> str:
        """To an offer that was looked at (`offer.taken`).

        Raises:
            Unfit: aiortc can't agree with it.
        """
        # The viewer begins: of what is lost browsers ask again after 50 ms, OpenSSL after 1, 2, 4 s
        offer = offer.replace("a=setup:actpass", "a=setup:active")
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            sender: Any = self._connection.addTrack(self.pictures)
            _listen(sender, self._rate, self._repeats, self._wishes)
            sender._RTCRtpSender__rtp_header_extensions_map = _AtOnce()
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except (ValueError, KeyError, IndexError) as error:
            raise Unfit("sdp", type(error).__name__) from error
        sdp: str = self._connection.localDescription.sdp
        return sdp

    @property
    def connected(self) -> bool:
        return bool(self._connection.connectionState == "connected")

    def _passed(self, picture: Encoded) -> None:
        """One is on its way."""
        self._rate.sent(picture.size, now_ms())
        self._repeats.sent(picture.pts or 0, now_ms(), whole=picture.is_keyframe)

    async def close(self) -> None:
        """Tell the viewer, and let go of the ports."""
        await self._connection.close()


def _listen(sender: Any, rate: Rate, repeats: Repeats, wishes: Wishes) -> None:
    """aiortc tells a viewer's wishes to its own encoders only; so ours are told here."""

    def lost(numbers: Sequence[int]) -> Iterator[Lost]:
        """aiortc remembers 128; one before these is as old as the oldest, and none can send it again."""
        newest, known = sender._RTCRtpSender__rtp_timestamp, sender._RTCRtpSender__rtp_history
        for number in numbers:
            packet = known.get(number % rtp.RTP_HISTORY_SIZE)
            if packet is not None and packet.sequence_number == number:
                yield Lost(number, (newest - packet.timestamp) % 2**32 // 90, len(packet.payload))
            elif known:
                oldest = max((newest - one.timestamp) % 2**32 for one in known.values())
                yield Lost(number, oldest // 90, 0)

    def rtt_ms() -> float:
        return (sender._RTCRtpSender__rtt or 0.1) * 1000

    handled: Callable[[Any], Awaitable[None]] = sender._handle_rtcp_packet

    async def heard(packet: Any) -> None:
        match packet:
            case rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_PLI | rtp.RTCP_PSFB_FIR):
                if repeats.whole(now_ms()):
                    wishes.want_whole()
            case rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_APP):
                with suppress(ValueError):  # not an estimate
                    rate.estimated(rtp.unpack_remb_fci(packet.fci)[0], now_ms())
            case rtp.RtcpRtpfbPacket(fmt=rtp.RTCP_RTPFB_NACK):
                again, given_up = repeats.of(lost(packet.lost), now_ms(), rtt_ms(), rate.again_bps / 8)
                packet.lost = again
                if given_up and repeats.whole(now_ms()):
                    wishes.want_whole()
            case rtp.RtcpRrPacket():
                for report in packet.reports:
                    if report.ssrc == sender._ssrc:
                        rate.reported(report.fraction_lost / 256, now_ms())
        wishes.limit(rate.bps)
        await handled(packet)

    sender._handle_rtcp_packet = heard
