"""Video: how soon, how late and at what cost a picture is shown, beside aiortc encoding the same scene.

Real Chromium in a network namespace; ``python -m tests.benchmarks.video [ROUNDS]``. Needs root. What the node
itself adds, and what it costs its rules, is in `video_node`; what is seen in the dark in `video_dark`.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from math import nan
from pathlib import Path
from typing import Any

import av
import numpy as np

from homenode.video.clocks import now_ms
from homenode.video.darkness import Enhancement
from homenode.video.scene import Scene
from homenode.video.views import Masks, Silhouette
from tests.benchmarks.video_node import node_rows
from tests.system.filming import Cabled, Filmed, Viewer

WATCHED_S = 8
LOOKS: dict[str, dict[str, Any]] = {
    "clear": {},
    "dark, enhanced and masked": {
        "source": {"kind": "scene", "night": True},
        "enhance": True,
        "masks": [[[0, 0], [0.2, 0], [0, 0.3]]],
    },
    "dark, silhouette": {"source": {"kind": "scene", "night": True}, "enhance": True, "view": "silhouette"},
}
PASSED = "clear, a camera's own H.264 passed on"


OURS, AIORTCS = "homenode.video.capture", "tests.benchmarks.video_aiortc"


def _wall_ms() -> float:
    """As the browser counts."""
    return time.time_ns() / 1e6


def _clip(path: Path) -> dict[str, Any]:
    """Half a minute as a network camera encodes it."""
    scene = Scene(640, 480)
    with av.open(path, "w") as made:
        stream = made.add_stream("libx264", rate=15, options={"tune": "zerolatency", "g": "30"})
        stream.width, stream.height, stream.bit_rate = 640, 480, 400_000
        for nth in range(450):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(scene.at(nth * 66), format="yuv420p")))
        made.mux(stream.encode())
    return {"source": {"kind": "file", "path": str(path)}}


def _wait_ms(viewer: Viewer, filmed: Filmed, offer: str, begun_ms: float, looks: dict[str, Any]) -> float:
    """For the first picture."""
    filmed.start(offer, **looks)
    viewer.take(filmed.answer())
    return viewer.until_frames(1)[0]["at"] - begun_ms


def _measure(cabled: Cabled, module: str, looks: dict[str, Any]) -> dict[str, float]:
    with cabled.viewer() as viewer:
        offer, begun_ms = viewer.offer(), _wall_ms()
        with Filmed(module=module) as filmed:
            first_ms = again_ms = _wait_ms(viewer, filmed, offer, begun_ms, looks)
            if module == OURS:  # the other one has no such thing
                offer, begun_ms = viewer.offer(), _wall_ms()
                again_ms = _wait_ms(viewer, filmed, offer, begun_ms, looks)
            started_s = filmed.cpu_s()
            time.sleep(
                3
            )  # the encoder finds its rate, a camera's own is passed on from its next whole picture
            used_s, begun_s, seen = filmed.cpu_s(), time.perf_counter(), len(viewer.frames())
            time.sleep(WATCHED_S)
            passed_s = time.perf_counter() - begun_s
            cpu = (filmed.cpu_s() - used_s) / passed_s
            frames = viewer.frames()[seen:]
            offset_ms = _wall_ms() - now_ms()
            late = [frame["at"] - offset_ms - frame["told"] for frame in frames]
            memory_mb = filmed.memory_mb()
    return {
        "first": first_ms,
        "again": again_ms,
        "late": statistics.median(late)
        if "path" not in looks.get("source", {}) and "view" not in looks
        else nan,
        "started": started_s,
        "cpu": 100 * cpu,
        "pictures": len(frames) / passed_s,
        "memory": memory_mb,
    }


def _steps() -> str:
    """CPU of what is done to a picture before it is encoded, on one thread."""
    scene = Scene(640, 480, night=True)
    film = [scene.at(nth * 66) for nth in range(60)]
    masks, enhancement, silhouette = (
        Masks([[(0, 0), (0.2, 0), (0, 0.3)]], 640, 480),
        Enhancement(),
        Silhouette(),
    )
    took: dict[str, list[float]] = {"mask": [], "enhance": [], "silhouette": []}
    for nth, picture in enumerate(film):
        for name, step in (("mask", masks), ("enhance", enhancement.of), ("silhouette", silhouette)):
            begun = time.thread_time()
            picture = step(picture, nth * 66)
            took[name].append((time.thread_time() - begun) * 1000)
    each = {name: float(np.median(all_ms)) for name, all_ms in took.items()}
    return (
        ", ".join(f"{name} {ms:.2f} ms" for name, ms in each.items())
        + f"; together {sum(each.values()):.2f} ms"
    )


def main() -> int:
    """Medians of all rounds, which take turns."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"640x480 at 15/s, {rounds} rounds; load {_load()}; a picture's steps: {_steps()}\n")
    print(
        "| | first picture, ms | again, ms | late, p50 ms | CPU until then, s | CPU, % of a core "
        "| pictures/s | PSS, MB | load |\n|---|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as name, Cabled(Path(name)) as cabled:
        folder = Path(name)
        all_looks = LOOKS | {PASSED: _clip(folder / "clip.mp4")}
        runs = [(f"homenode, {what}", OURS, looks) for what, looks in all_looks.items()]
        runs.append(("aiortc encoding H.264 by itself, clear", AIORTCS, {}))
        _measure(cabled, OURS, {})  # Chromium's own first one
        found: dict[str, list[dict[str, float]]] = {what: [] for what, _, _ in runs}
        for _ in range(rounds):
            for what, module, looks in runs:
                found[what].append(_measure(cabled, module, looks))
        for what, measured in found.items():
            medians = [f"{statistics.median(one[key] for one in measured):.4g}" for key in measured[0]]
            print(f"| {what} | {' | '.join(medians)} | {_load()} |", flush=True)
        node_rows(folder, cabled, rounds)
    return 0


def _load() -> str:
    """Of the machine: times are as long as it is busy, CPU is not."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
