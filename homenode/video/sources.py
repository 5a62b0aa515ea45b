"""Where pictures come from: files, V4L2, RTSP, picamera2, and the test scene.

Each is run through in one thread, and gives pictures, H.264 packets if `passing` is asked for and it has
them, or None for something that can't be read.
"""

from __future__ import annotations

import errno
import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import ColorRange

from homenode.video.clocks import now_ms
from homenode.video.encoder import Encoded
from homenode.video.picture import Picture
from homenode.video.words import Unfit

Shot: TypeAlias = "Picture | Encoded | None"

ANSWERS_WITHIN_S = 4
"""An IP camera; browsers of people wait no longer either."""
_USUAL = {"width": 640, "height": 480, "rate": 15}
_HELD = (errno.EBUSY,)
_DENIED = (errno.EACCES, errno.EPERM)


class Source(Protocol):
    """A camera that is open; iterating films.

    Attributes:
        predicted: Whether its pictures come from an encoder that makes one of another.
    """

    predicted: bool

    def __iter__(self) -> Iterator[Shot]: ...

    def want_whole(self) -> None:
        """Make the next packet one that can be read without those before it, if the camera can."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a camera is asked for."""

    kind: str
    options: Mapping[str, Any]
    width: int
    height: int
    rate: int
    passing: bool

    @classmethod
    def of(cls, source: Any, *, passing: bool) -> Asked:
        """Raises Unfit: it is described wrongly."""
        if not isinstance(source, Mapping) or source.get("kind") not in _OPEN:
            raise Unfit("source", f"kind is one of {', '.join(_OPEN)}")
        sizes = [source.get(name, usual) for name, usual in (("width", 640), ("height", 480), ("rate", 15))]
        if (
            not all(isinstance(size, int) and 1 <= size <= 1920 for size in sizes)
            or sizes[0] % 2
            or sizes[1] % 2
        ):
            raise Unfit(
                "source", "width, height and rate are whole numbers, the first two even and at most 1920"
            )
        width, height, rate = sizes
        return cls(source["kind"], source, width, height, rate, passing)

    def text(self, name: str) -> str:
        """A field that must be there."""
        found = self.options.get(name)
        if not isinstance(found, str) or not found:
            raise Unfit("source", f"{self.kind} needs {name}")
        return found


def opened(asked: Asked) -> Source:
    """Raises Unfit: not there, held, not allowed, or what it needs is not installed."""
    return _OPEN[asked.kind](asked)


class _Played:
    """The test scene."""

    predicted = False

    def __init__(self, asked: Asked) -> None:
        from homenode.video.scene import Scene

        self._scene = Scene(asked.width, asked.height, night=bool(asked.options.get("night")))
        self._period_ms = 1000 / asked.rate

    def __iter__(self) -> Iterator[Shot]:
        for _ in _paced(self._period_ms):
            yield self._scene.at(now_ms())

    def want_whole(self) -> None:
        """Pictures are whole."""


class _Demuxed:
    """What FFmpeg reads: files, V4L2, RTSP."""

    def __init__(
        self, asked: Asked, url: str, where: str, options: Mapping[str, str], form: str | None = None
    ) -> None:
        self._where, self._url, self._form, self._options = where, url, form, dict(options)
        self._paced_ms = 1000 / asked.rate if asked.kind == "file" else 0.0
        self._container = self._open()
        stream = self._container.streams.video[0]
        codec = stream.codec_context
        self._passing = asked.passing and codec.name == "h264" and not codec.has_b_frames
        self.predicted = codec.name not in ("mjpeg", "rawvideo")
        self._size = (asked.width, asked.height)

    def _open(self) -> InputContainer:
        try:
            container = av.open(
                self._url,
                format=self._form,
                container_options=self._options,  # `options` would tell the decoder, too, a size that is none
                timeout=(ANSWERS_WITHIN_S, ANSWERS_WITHIN_S),
            )
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise _told(error, self._where, "absent") from error
        if not container.streams.video:
            container.close()
            raise Unfit("absent", f"{self._where} has no pictures")
        return container

    def __iter__(self) -> Iterator[Shot]:
        pace = _paced(self._paced_ms)
        while True:
            for shot in self._once():
                if self._paced_ms:
                    next(pace)
                yield shot
            if not self._paced_ms:
                raise Unfit("unplugged", self._where)
            self._container.close()
            self._container = self._open()  # from its beginning

    def _once(self) -> Iterator[Shot]:
        stream = self._container.streams.video[0]
        whole = _whole(stream) if self._passing else None
        try:
            for packet in self._container.demux(stream):
                if whole is not None:
                    yield from whole.filter(packet)
                    continue
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    yield None
                    continue
                for frame in frames:
                    yield fitted(frame, *self._size)
        except (OSError, av.error.FFmpegError) as error:
            raise _told(error, self._where, "unplugged") from error

    def want_whole(self) -> None:
        """FFmpeg has no way to ask; `passing` decodes until the camera sends one."""


def _whole(stream: Any) -> Any:
    """Start codes, and what a decoder must know in front of each whole picture."""
    in_boxes = bytes(stream.codec_context.extradata or b"")[:1] == b"\x01"
    name = "h264_mp4toannexb" if in_boxes else "dump_extra=freq=keyframe"
    return av.BitStreamFilterContext(name, stream)


def fitted(frame: av.VideoFrame, width: int, height: int) -> Picture:
    """As large as was asked for, from black to white in video range: JPEG's is wider."""
    as_it_is = (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p")
    if not as_it_is or frame.color_range == ColorRange.JPEG:
        frame = frame.reformat(width, height, "yuv420p", dst_color_range=ColorRange.MPEG)
    return frame.to_ndarray().astype(np.uint8, copy=False)


def _file(asked: Asked) -> Source:
    path = asked.text("path")
    return _Demuxed(asked, f"file:{path}", path, {"protocol_whitelist": "file"})


def _v4l2(asked: Asked) -> Source:
    device = asked.text("device")
    usual = {"video_size": f"{asked.width}x{asked.height}", "framerate": str(asked.rate)}
    forms = (*(("h264",) if asked.passing else ()), "mjpeg", "yuyv422")
    for form in forms:
        try:
            return _Demuxed(asked, device, device, {**usual, "input_format": form}, "v4l2")
        except Unfit as error:
            if getattr(error.__cause__, "errno", None) != errno.EINVAL:  # it has this form
                raise
    return _Demuxed(asked, device, device, {}, "v4l2")  # whatever it has


def _rtsp(asked: Asked) -> Source:
    """By TCP: a lost packet would cost whole pictures, and a home's Wi-Fi loses many."""
    parts = urlsplit(asked.text("url"))
    if parts.scheme != "rtsp" or not parts.hostname or parts.username:
        raise Unfit("source", "url is rtsp://ADDRESS…, the name and password stand beside it")
    where, name = f"{parts.hostname}:{parts.port or 554}", asked.options.get("username")
    if name:
        secret = quote(str(asked.options.get("password", "")), safe="")
        parts = parts._replace(netloc=f"{quote(str(name), safe='')}:{secret}@{parts.netloc}")
    options = {
        "rtsp_transport": "tcp",
        "timeout": str(ANSWERS_WITHIN_S * 1_000_000),
        "protocol_whitelist": "rtsp,rtp,tcp",
        "analyzeduration": "0",  # with these three the first picture is there after 0.2 s, not 2.1
        "fpsprobesize": "0",
        "probesize": "32",
    }
    return _Demuxed(asked, urlunsplit(parts), where, options)


def _picamera2(asked: Asked) -> Source:
    from homenode.video.picamera import Picamera

    return Picamera(asked)


def _told(error: Exception, where: str, otherwise: str) -> Unfit:
    """Never FFmpeg's own text: it has the address in it, with name and password."""
    number = getattr(error, "errno", None)
    if number in _HELD:
        return Unfit("held", where)
    if number in _DENIED or isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return Unfit("denied", where)
    return Unfit(otherwise, where)


def _paced(period_ms: float) -> Iterator[None]:
    """One now, and one each period; what was missed is not made up for."""
    if not period_ms:
        yield from itertools.repeat(None)
    due = float(now_ms())
    while True:
        time.sleep(max(0.0, due - now_ms()) / 1000)
        yield
        due = max(due + period_ms, now_ms())


_OPEN = {"scene": _Played, "file": _file, "v4l2": _v4l2, "rtsp": _rtsp, "picamera2": _picamera2}
