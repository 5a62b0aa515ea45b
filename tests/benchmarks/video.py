"""Video: how soon, how late and at what cost a picture is shown, beside aiortc encoding the same scene.

Real Chromium in a network namespace; ``python -m tests.benchmarks.video [ROUNDS]``. Needs root.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from homenode.video.clocks import now_ms
from homenode.video.darkness import Enhancement
from homenode.video.scene import Scene
from homenode.video.views import Masks, Silhouette
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


OURS, AIORTCS = "homenode.video.capture", "tests.benchmarks.video_aiortc"


def _wall_ms() -> float:
    """As the browser counts."""
    return time.time_ns() / 1e6


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
        "late": statistics.median(late) if looks.get("view", "clear") == "clear" else float("nan"),
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
    for picture in film:
        for name, step in (("mask", masks), ("enhance", enhancement.of), ("silhouette", silhouette)):
            begun = time.thread_time()
            picture = step(picture)
            took[name].append((time.thread_time() - begun) * 1000)
    each = {name: float(np.median(all_ms)) for name, all_ms in took.items()}
    return (
        ", ".join(f"{name} {ms:.2f} ms" for name, ms in each.items())
        + f"; together {sum(each.values()):.2f} ms"
    )


def main() -> int:
    """Medians of all rounds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs = [(f"homenode, {name}", OURS, looks) for name, looks in LOOKS.items()]
    runs.append(("aiortc encoding H.264 by itself, clear", AIORTCS, {}))
    print(f"640x480 at 15/s, {rounds} rounds; a picture's steps: {_steps()}\n")
    print("| | first picture, ms | again, ms | late, p50 ms | CPU, % of a core | pictures/s | PSS, MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, Cabled(Path(folder)) as cabled:
        for name, module, looks in runs:
            found = [_measure(cabled, module, looks) for _ in range(rounds)]
            medians = [f"{statistics.median(one[key] for one in found):.4g}" for key in found[0]]
            print(f"| {name} | {' | '.join(medians)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
