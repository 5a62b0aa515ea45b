"""``python -m tests.camera``: picamera2, libcamera, V4L2 and systemd, in a Debian machine in software."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from homenode.video.picture import Picture, planes
from homenode.video.scene import BITS, Scene
from homenode.video.sources import fitted
from tests import guest
from tests.camera.machine import HARDWARE, machine

WITHIN_S = 1800
SIZE = 640, 480
STEP_MS, STEPS = 200, 40
"""Of the scene, which comes back after 8 s."""
LIKE = 0.97
"""Correlation of what was filmed with what was before the camera."""
OFF, AS_JPEG = 1.5, 7.0
"""Levels of 255 on average. The second, where black is 0: libcamera's virtual camera plays JPEG as it is."""
BARS = 8
AS_STICKS_DO = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422


def main() -> int:
    """Exit status 0: all was as it should be."""
    if os.geteuid() != 0:
        sys.exit("camera: making the machine's disk needs root")
    made = machine().disk()
    with tempfile.TemporaryDirectory(prefix="camera-") as folder:
        out = Path(folder)
        out.chmod(0o755)  # what films there is another user
        _before_the_camera(out / "frames")
        try:
            guest.boot(made, out, WITHIN_S, *HARDWARE)
        except (subprocess.SubprocessError, KeyboardInterrupt) as error:
            print(f"camera: the machine did not end: {error}", file=sys.stderr)
        rows = [json.loads(line) for line in (out / "shown.jsonl").read_text().splitlines()]
        for row in rows:
            if row["well"] and (judge := JUDGES.get(row["film"])):
                _judged(row, out / f"{row['film']}.h264", judge)
        if not all(row["well"] for row in rows):
            print((out / "serial.log").read_text(errors="replace")[-20_000:])
    for row in rows:
        print(f"{'well' if row['well'] else 'NOT':4}  {row['show']:36} {row['saw']}")
    return 0 if rows and all(row["well"] for row in rows) else 1


def _before_the_camera(folder: Path) -> None:
    folder.mkdir()
    scene = Scene(*SIZE)
    for nth in range(STEPS):
        colours = cv2.cvtColor(scene.at(nth * STEP_MS), cv2.COLOR_YUV2BGR_I420)
        cv2.imwrite(str(folder / f"{nth}.jpg"), colours, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, AS_STICKS_DO])


def _judged(row: dict[str, object], film: Path, judge: Callable[[list[Picture]], str]) -> None:
    """By a decoder that knows nothing of how it came to be."""
    try:
        with av.open(str(film), format="h264") as container:
            pictures = [planes(fitted(frame, *SIZE))[0] for frame in container.decode(video=0)]
        assert len(pictures) >= 20, f"{len(pictures)} pictures only"
        row["saw"] = f"{len(pictures)} pictures, {judge(pictures)}; {row['saw']}"
    except (AssertionError, av.error.FFmpegError) as error:
        row["well"], row["saw"] = False, f"{error}; {row['saw']}"


def _scene(pictures: list[Picture], most_off: float) -> str:
    """Each is the one that its lowest rows say, and somebody walks."""
    scene, seen, worst, off = Scene(*SIZE), set(), 1.0, 0.0
    for picture in pictures:
        strip = picture[-8].reshape(BITS, -1).mean(axis=1) > 128
        at_ms = int("".join("1" if bit else "0" for bit in strip), 2)
        assert at_ms % STEP_MS == 0, "the strip can't be read"
        assert at_ms < STEPS * STEP_MS, "the strip can't be read"
        seen.add(at_ms)
        below_the_clock = planes(scene.at(at_ms))[0][60:]
        worst = min(worst, float(np.corrcoef(picture[60:].ravel(), below_the_clock.ravel())[0, 1]))
        off = max(off, float(np.abs(picture[60:].astype(int) - below_the_clock).mean()))
    assert worst >= LIKE, f"{worst:.3f} like the scene"
    assert off <= most_off, f"{off:.1f} levels off"
    assert len(seen) >= 10, f"{len(seen)} different"
    return f"{len(seen)} different, each at least {worst:.3f} like the scene and {off:.1f} levels off"


def _bars(pictures: list[Picture]) -> str:
    """Vivid's bars, from white to black, and its running clock."""
    for picture in pictures:
        levels = picture[300:].mean(axis=0).reshape(BARS, -1)[:, 20:60].mean(axis=1)
        assert (np.diff(levels) < -8).all(), f"bars are {levels.round()}"
    moved = sum(bool((one != other).any()) for one, other in pairwise(pictures))
    assert moved > len(pictures) / 2, f"{moved} changes"
    return f"bars from {levels[0]:.0f} to {levels[-1]:.0f}, {moved} changes"


JUDGES = {
    "csi": partial(_scene, most_off=AS_JPEG),
    "mjpeg": partial(_scene, most_off=OFF),
    "yuyv": partial(_scene, most_off=OFF),
    "vivid": _bars,
    "size": _bars,
}

if __name__ == "__main__":
    sys.exit(main())
