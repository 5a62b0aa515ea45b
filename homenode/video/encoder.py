"""Pictures → H.264 at the rate that the link carries."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from homenode.video.picture import Picture

HIGHEST_BPS, LOWEST_BPS = 1_500_000, 100_000
FIRST_BPS = 500_000
"""Until the viewer has said what comes through."""
TIME_BASE = Fraction(1, 1000)

Encoded: TypeAlias = "av.Packet[Any]"
"""One picture of H.264."""


@dataclass(frozen=True, slots=True)
class Step:
    """How it is encoded from a rate on.

    Attributes:
        from_bps: From this rate on, up to the next step's.
        shrunk: Width and height are divided by this.
        every: Each how manieth picture is sent.
    """

    from_bps: int
    shrunk: int
    every: int


STEPS = (
    Step(700_000, 1, 1),
    Step(300_000, 1, 1),
    Step(LOWEST_BPS + 20_000, 2, 1),
    Step(LOWEST_BPS, 2, 2),
)
_BACK = 1.25
"""Times a step's rate before it is taken again: no going to and fro."""
_BURST_S = 0.5
"""A whole picture may cost what the link carries in this time, so that it is there soon."""


class Encoder:
    """Not safe for threads but for `want_whole` and `limit`."""

    def __init__(self) -> None:
        self._codec: VideoCodecContext | None = None
        self._opened_for: tuple[Step, int, int] | None = None
        self._step = STEPS[1]
        self._bps = FIRST_BPS
        self._whole = True
        self._nth = 0

    def want_whole(self) -> None:
        """The next picture can be read without those before it (the viewer lost some)."""
        self._whole = True

    def limit(self, bps: int) -> None:
        """What comes through to the viewer."""
        self._bps = max(LOWEST_BPS, min(int(bps), HIGHEST_BPS))

    def encode(self, picture: Picture, at_ms: int) -> Encoded | None:
        """None: left out, as the link carries fewer."""
        self._step = _step(self._step, self._bps)
        self._nth += 1
        if self._nth % self._step.every and not self._whole:
            return None
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        width, height = (side // self._step.shrunk // 2 * 2 for side in (frame.width, frame.height))
        if (width, height) != (frame.width, frame.height):
            frame = frame.reformat(width, height)
        frame.pts, frame.time_base = at_ms, TIME_BASE
        codec = self._opened(width, height)
        codec.bit_rate = self._bps  # x264 takes it on the way
        frame.pict_type = PictureType.I if self._whole else PictureType.NONE
        self._whole = False
        packets = codec.encode(frame)
        return packets[0] if packets else None

    def _opened(self, width: int, height: int) -> VideoCodecContext:
        wanted = (self._step, width, height)
        if self._codec is None or self._opened_for != wanted:
            self._codec, self._opened_for = _x264(self._bps, width, height), wanted
        return self._codec


def _step(now: Step, bps: int) -> Step:
    """Down at once, up with something to spare."""
    fits = next(step for step in STEPS if bps >= step.from_bps)
    if fits.from_bps <= now.from_bps:
        return fits
    return next(
        (step for step in STEPS if bps >= step.from_bps * _BACK and step.from_bps >= now.from_bps), now
    )


def _x264(bps: int, width: int, height: int) -> VideoCodecContext:
    codec: VideoCodecContext = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = TIME_BASE, Fraction(15)
    codec.bit_rate, codec.thread_count = bps, 1
    codec.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "maxrate": str(bps * 3 // 2),
        "bufsize": str(int(bps * _BURST_S)),
        "g": "100000",  # whole pictures are sent when somebody asks
        "forced-idr": "1",
        "x264-params": "scenecut=0",
    }
    return codec
