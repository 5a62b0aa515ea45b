"""Pictures → H.264, or VP8 for a browser without it, at the rate that the link carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from homenode.video.offer import Form
from homenode.video.picture import Picture
from homenode.video.rate import FIRST_BPS

TIME_BASE = Fraction(1, 1000)

Encoded: TypeAlias = "av.Packet[Any]"
"""One picture of H.264 or VP8."""


@dataclass(frozen=True, slots=True)
class Step:
    """How it is encoded from a rate on.

    Attributes:
        from_bps: From this rate on, up to the next step's.
        shrunk: Width and height are divided by this.
    """

    from_bps: int
    shrunk: int


STEPS = (Step(250_000, 1), Step(0, 2))
_BACK = 1.25
"""Times a step's rate before it is taken again: no going to and fro."""
_BURST_S = 0.5
"""A whole picture may cost what the link carries in this time, so that it is there soon."""


class Encoder:
    """Not safe for threads but for `want_whole` and `limit`."""

    def __init__(self) -> None:
        self._codec: VideoCodecContext | None = None
        self._form, self._opened_bps = "", 0
        self._step = STEPS[0]
        self._bps = FIRST_BPS
        self._whole = True

    def want_whole(self) -> None:
        """The next picture can be read without those before it (the viewer lost some)."""
        self._whole = True

    def limit(self, bps: int) -> None:
        """What comes through to the viewer."""
        self._bps = bps

    def encode(self, picture: Picture, at_ms: int, form: Form = "h264") -> Encoded | None:
        """None: the encoder has nothing to send."""
        self._step = _step(self._step, self._bps)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        width, height = (side // self._step.shrunk // 2 * 2 for side in (frame.width, frame.height))
        if (width, height) != (frame.width, frame.height):
            frame = frame.reformat(width, height)
        frame.pts, frame.time_base = at_ms, TIME_BASE
        codec = self._opened(form, width, height)
        codec.bit_rate = self._bps  # x264 takes it on the way, libvpx does not
        frame.pict_type = PictureType.I if self._whole else PictureType.NONE
        self._whole = False
        packets = codec.encode(frame)
        return packets[0] if packets else None

    def _opened(self, form: Form, width: int, height: int) -> VideoCodecContext:
        """Bursts are bounded by the rate it was opened for, so it is opened anew when that is far off."""
        codec, (opened, (least, most)) = self._codec, _FORMS[form]
        fits = self._opened_bps * least <= self._bps <= self._opened_bps * most
        if codec is None or (self._form, codec.width, codec.height) != (form, width, height) or not fits:
            codec = self._codec = opened(self._bps, width, height)
            self._form, self._opened_bps = form, self._bps
        return codec


def _step(now: Step, bps: int) -> Step:
    """Down at once, up with something to spare."""
    fits = next(step for step in STEPS if bps >= step.from_bps)
    if fits.from_bps <= now.from_bps:
        return fits
    return next(
        (step for step in STEPS if bps >= step.from_bps * _BACK and step.from_bps >= now.from_bps), now
    )


def _x264(bps: int, width: int, height: int) -> VideoCodecContext:
    options = {"preset": "superfast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"}
    return _codec("libx264", bps, width, height, options | {"x264-params": "scenecut=0"})


def _vpx(bps: int, width: int, height: int) -> VideoCodecContext:
    options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "minrate": str(bps)}
    return _codec("libvpx", bps, width, height, options | {"static-thresh": "100"})


def _codec(name: str, bps: int, width: int, height: int, options: dict[str, str]) -> VideoCodecContext:
    codec: Any = av.CodecContext.create(name, "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = TIME_BASE, Fraction(15)
    codec.bit_rate, codec.thread_count = bps, 1
    whole_when_asked = "100000"
    bounds = {"maxrate": str(bps), "bufsize": str(int(bps * _BURST_S)), "g": whole_when_asked}
    codec.options = bounds | options
    opened: VideoCodecContext = codec
    return opened


_FORMS: Mapping[Form, tuple[Callable[[int, int, int], VideoCodecContext], tuple[float, float]]] = {
    "h264": (_x264, (0.6, 2)),
    "vp8": (_vpx, (0.85, 1.5)),
}
"""What opens it, and by how much the rate may then change."""
