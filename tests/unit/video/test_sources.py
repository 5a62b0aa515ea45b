"""What comes of a camera that doesn't give what it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("av", reason="the extra video is not installed")

import av

from homenode.video.picture import Picture, planes
from homenode.video.sources import Asked, opened

GIVEN = 640, 360
ASKED = 500, 400
BLACK, WHITE = 16, 235


def _wedge(width: int) -> NDArray[Any]:
    return np.linspace(BLACK, WHITE, width)


def _raw(stream: Any) -> av.VideoFrame:
    """What a cheap stick sends."""
    stream.pix_fmt = "yuyv422"
    wedge = np.full((*reversed(GIVEN), 2), 128, np.uint8)
    wedge[:, :, 0] = _wedge(GIVEN[0])
    return av.VideoFrame.from_ndarray(wedge, "yuyv422")


def _jpeg(stream: Any) -> av.VideoFrame:
    """What most send: black is 0 there, and white 255."""
    stream.pix_fmt, stream.options = "yuvj422p", {"qmax": "2"}
    wedge = np.zeros((*reversed(GIVEN), 3), np.uint8)
    wedge[:] = np.linspace(0, 255, GIVEN[0])[:, None]
    return av.VideoFrame.from_ndarray(wedge, "rgb24").reformat(format="yuvj422p")


def _filmed(path: Path, codec: str, monkeypatch: pytest.MonkeyPatch, asked: tuple[int, int]) -> Picture:
    """By a camera that answers with the size it has, as FFmpeg does for V4L2, whatever it is asked for."""

    def answered(device: str, **asked: Any) -> Any:
        return really(str(path), **{**asked, "format": "nut"})

    with av.open(str(path), "w", format="nut") as container:
        stream = container.add_stream(codec, rate=15)
        stream.width, stream.height = GIVEN
        frame = _raw(stream) if codec == "rawvideo" else _jpeg(stream)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    really = av.open
    monkeypatch.setattr(av, "open", answered)
    source = {"kind": "v4l2", "device": "/dev/video0", "width": asked[0], "height": asked[1]}
    picture = next(iter(opened(Asked.of(source, passing=True))))
    assert isinstance(picture, np.ndarray)
    return planes(picture)[0]


@pytest.mark.parametrize("codec", ["rawvideo", "mjpeg"])
@pytest.mark.parametrize("asked", [ASKED, GIVEN])
def test_a_usb_camera_of_another_size_or_range_is_scaled_and_not_torn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, asked: tuple[int, int]
) -> None:
    luma = _filmed(tmp_path / "film", codec, monkeypatch, asked)
    assert luma.shape == (asked[1], asked[0])
    assert np.abs(luma - _wedge(asked[0])).max() < 3
