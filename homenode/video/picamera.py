"""A camera on a Raspberry Pi's CSI connector, by picamera2, which comes with Raspberry Pi OS.

H.264 is made by hardware up to the Pi 4 and on the Zero 2 W; a Pi 5 does it in software, as our encoder does.
"""

from __future__ import annotations

import errno
import os
import queue
import traceback
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from homenode.video.encoder import Encoded
from homenode.video.picture import Picture
from homenode.video.rate import FIRST_BPS
from homenode.video.sources import fitted
from homenode.video.words import Unfit

if TYPE_CHECKING:
    from homenode.video.sources import Asked, Shot

_DARKEST_MS = 200
"""Longest exposure: five pictures a second are the least that shows how somebody moves."""
_HARDWARE = Path("/sys/class/video4linux/video11/name")
"""The one that picamera2's hardware encoder opens; on other machines it is a camera, or nothing."""
_READ = {"YUV420": "yuv420p", "NV12": "nv12"}
"""What a camera gives that is asked for YUV420: a Pi's that, others what they have. Names are FFmpeg's."""


class Picamera:
    """Raises Unfit: picamera2 is missing, or no camera is connected, or another program has it."""

    def __init__(self, asked: Asked) -> None:
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise Unfit(
                "missing", f"{error.name} (Raspberry Pi OS: apt install python3-picamera2)"
            ) from error
        number = int(asked.options.get("camera", 0))
        where = f"CSI camera {number}"
        if number >= len(Picamera2.global_camera_info()):
            raise Unfit("absent", where)
        try:
            self._camera = Picamera2(number)
        except RuntimeError as error:
            traceback.print_exception(error)  # picamera2 has one error for all
            raise Unfit("held" if _busy(error) else "absent", where) from error
        if "ColorFilterArrangement" not in self._camera.camera_properties:  # no sensor on a Pi's connector
            from picamera2.allocators import LibcameraAllocator

            self._camera.allocator = LibcameraAllocator(self._camera.camera)  # the usual one has one plane
        self._asked_size = asked.width, asked.height
        self._camera.configure(
            self._camera.create_video_configuration(
                main={"size": self._asked_size, "format": "YUV420"}, controls=self._for_darkness(asked.rate)
            )
        )
        given = self._camera.camera_configuration()["main"]
        if given["format"] not in _READ:
            raise Unfit("source", f"{where} gives {given['format']} only")
        self._size, self._form = given["size"], _READ[given["format"]]
        self._packets: queue.Queue[Encoded] | None = None
        self.predicted = False
        self._encoder: Any = None
        if asked.passing and _has_hardware():
            self._packets, self.predicted = queue.Queue(), True
            self._encode(asked, self._packets)
        self._camera.start()

    def _for_darkness(self, rate: int) -> dict[str, Any]:
        """Pictures as seldom as may be, and exposed long before gain is high, where a camera has that."""
        from libcamera import controls

        wanted = {
            "FrameDurationLimits": (1_000_000 // rate, _DARKEST_MS * 1000),
            "AeExposureMode": controls.AeExposureModeEnum.Long,
        }
        return {name: value for name, value in wanted.items() if name in self._camera.camera_controls}

    def _encode(self, asked: Asked, packets: queue.Queue[Encoded]) -> None:
        from picamera2.encoders import H264Encoder
        from picamera2.outputs import Output

        class Handed(Output):  # type: ignore[misc]  # imported without types
            def outputframe(self, frame: Any, keyframe: bool = True, *_: Any, **__: Any) -> None:
                packet: Encoded = av.Packet(bytes(frame))
                packet.is_keyframe = keyframe
                packets.put(packet)

        self._encoder = H264Encoder(
            bitrate=FIRST_BPS, repeat=True, iperiod=asked.rate * 2, framerate=Fraction(asked.rate)
        )
        self._camera.start_encoder(self._encoder, Handed())

    def __iter__(self) -> Iterator[Shot]:
        while True:
            yield self._packets.get() if self._packets is not None else self._picture()

    def _picture(self) -> Picture:
        """Without the bytes that pad a row."""
        width, height = self._size
        padded = self._camera.capture_array("main")
        picture = np.empty((height * 3 // 2, width), np.uint8)
        picture[:height] = padded[:height, :width]
        if self._form == "nv12":
            picture[height:] = padded[height:, :width]
        else:
            halves = padded[height:].reshape(2, height // 2, -1)[:, :, : width // 2]
            picture[height:] = halves.reshape(height // 2, width)
        return fitted(av.VideoFrame.from_ndarray(picture, self._form), *self._asked_size)

    def want_whole(self) -> None:
        """The hardware encoder makes the next one whole."""
        force = getattr(self._encoder, "force_key_frame", None)  # older ones have none
        if force is not None:
            force()


def _busy(error: BaseException | None) -> bool:
    """Somewhere below is what libcamera said of EBUSY."""
    return error is not None and (os.strerror(errno.EBUSY) in str(error) or _busy(error.__cause__))


def _has_hardware() -> bool:
    return _HARDWARE.exists() and "bcm2835-codec" in _HARDWARE.read_text()
