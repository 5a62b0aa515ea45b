"""What comes of a camera that doesn't give what it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra video is not installed")

import av

from homenode.video.picture import planes
from homenode.video.sources import Asked, opened

GIVEN = 640, 360
ASKED = 500, 400


def _raw(path: Path) -> None:
    """A grey wedge from left to right, in the form that a cheap stick sends."""
    width, height = GIVEN
    wedge = np.zeros((height, width, 2), np.uint8)
    wedge[:, :, 0], wedge[:, :, 1] = np.linspace(16, 235, width), 128
    with av.open(str(path), "w", format="nut") as container:
        stream = container.add_stream("rawvideo", rate=15)
        stream.width, stream.height, stream.pix_fmt = *GIVEN, "yuyv422"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(wedge, "yuyv422")))


def test_a_usb_camera_that_answers_with_another_size_is_scaled_and_not_torn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(device: str, **asked: Any) -> Any:
        """As FFmpeg does for V4L2: the size that the driver took, whatever was asked for."""
        return really(str(tmp_path / "film"), **{**asked, "format": "nut"})

    _raw(tmp_path / "film")
    really = av.open
    monkeypatch.setattr(av, "open", answered)
    width, height = ASKED
    asked = Asked.of(
        {"kind": "v4l2", "device": "/dev/video0", "width": width, "height": height}, passing=True
    )
    picture = next(iter(opened(asked)))
    assert isinstance(picture, np.ndarray)
    luma = planes(picture)[0]
    assert luma.shape == (height, width)
    assert np.abs(luma - np.linspace(16, 235, width)).max() < 3
