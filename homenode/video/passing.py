"""A camera's own H.264, passed on as it is while it fits; decoded and encoded anew while it doesn't.

A camera on the network can't be asked for a whole picture, nor for a lower rate. A viewer that lost
something, comes in the middle, or has a poor link, is served by our encoder until its next whole one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import av
from av.video.codeccontext import VideoCodecContext

from homenode.video.encoder import Encoded, Encoder
from homenode.video.picture import Picture
from homenode.video.rate import FIRST_BPS

_KEPT = 600
"""Packets since the last whole picture; a camera that sends none in 20 s is decoded throughout."""
_RATE_MS = 2000
_SPARE = 1.2
"""The camera's rate may be so many times what the viewer says comes through: it estimates from below."""
_LOOKED_EVERY_MS = 900


class Passing:
    """Args:
    encoder: For what can't be passed on.
    picture: What becomes of a decoded picture.
    """

    def __init__(self, encoder: Encoder, picture: Callable[[av.VideoFrame], Picture]) -> None:
        self._encoder, self._picture = encoder, picture
        self._since_whole: list[Encoded] = []
        self._decoder: VideoCodecContext | None = None
        self._sizes: deque[tuple[int, int]] = deque()
        self._bps, self._through, self._looked_ms = FIRST_BPS, False, -_LOOKED_EVERY_MS

    def want_whole(self) -> None:
        """The viewer lost pictures."""
        self._through = False
        self._encoder.want_whole()

    def limit(self, bps: int) -> None:
        """What comes through to the viewer."""
        self._bps = bps
        self._encoder.limit(bps)

    def take(self, packet: Encoded, at_ms: int, *, wanted: bool) -> tuple[Encoded | None, Picture | None]:
        """What to pass on, if that can be; and a picture, else to be encoded, and to judge the camera by.

        Raises:
            av.error.InvalidDataError: It can't be read.
        """
        through = wanted and self._fits(packet, at_ms) and (self._through or packet.is_keyframe)
        if self._through and not through:
            self._encoder.want_whole()
        self._through = through
        if through:
            self._keep(packet)
            self._decoder = None
            return packet, self._look(packet, at_ms) if packet.is_keyframe else None
        return None, self.decoded(packet)

    def decoded(self, packet: Encoded) -> Picture | None:
        """The newest picture; after a while of passing on, all since the last whole one are read at once."""
        self._keep(packet)
        to_read = [packet]
        if self._decoder is None:
            self._decoder, to_read = _decoder(), self._since_whole
        frames = [frame for one in to_read for frame in self._decoder.decode(one)]
        return self._picture(frames[-1]) if frames else None

    def _keep(self, packet: Encoded) -> None:
        if packet.is_keyframe:
            self._since_whole = []
        if len(self._since_whole) < _KEPT:
            self._since_whole.append(packet)

    def _look(self, packet: Encoded, at_ms: int) -> Picture | None:
        if at_ms - self._looked_ms < _LOOKED_EVERY_MS:
            return None
        self._looked_ms = at_ms
        decoder = _decoder()
        frames = [*decoder.decode(packet), *decoder.decode(None)]
        return self._picture(frames[0]) if frames else None

    def _fits(self, packet: Encoded, at_ms: int) -> bool:
        self._sizes.append((at_ms, packet.size))
        while self._sizes[0][0] < at_ms - _RATE_MS:
            self._sizes.popleft()
        took_ms = max(at_ms - self._sizes[0][0], _RATE_MS // 2)
        return sum(size for _, size in self._sizes) * 8000 / took_ms <= self._bps * _SPARE


def _decoder() -> VideoCodecContext:
    decoder: VideoCodecContext = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1  # more would give each picture later by one
    return decoder
