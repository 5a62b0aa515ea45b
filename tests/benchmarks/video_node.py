"""A look through the real node, asked for over MQTT; what two cost its rules, what cameras cost at rest."""

from __future__ import annotations

import re
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from homenode.video.clocks import now_ms
from tests.benchmarks.processes import memory_mb, settle
from tests.benchmarks.rules_deadline import lateness_ms
from tests.system.filming import Cabled, Filmed
from tests.system.looks import Flat, flat

CAPTURE = f"{sys.executable} -m homenode.video.capture"
_HEAVY = ("av", "aiortc", "cv2", "numpy")


def node_rows(folder: Path, cabled: Cabled, rounds: int) -> None:
    """Print what is measured with a node."""
    (folder / "flat").mkdir()
    with flat(folder / "flat") as made:
        first, again = zip(*(_looked_ms(made, cabled) for _ in range(rounds)), strict=True)
        print(
            "\nthrough the node, broker to browser, silhouette in the dark: request on MQTT → first picture "
            f"{statistics.median(first):.0f} ms ({min(first):.0f} to {max(first):.0f}); same viewer again "
            f"{statistics.median(again):.0f} ms ({min(again):.0f} to {max(again):.0f})",
            flush=True,
        )
        without, with_cameras, loaded = zip(*(_at_rest(made) for _ in range(rounds)), strict=True)
        more = [b - a for a, b in zip(without, with_cameras, strict=True)]
        print(
            f"the node's PSS: {statistics.median(without):.1f} MB; with a camera and no session "
            f"{statistics.median(more):+.2f} MB ({min(more):+.2f} to {max(more):+.2f}); loaded of "
            f"{', '.join(_HEAVY)}: {sorted(set().union(*loaded)) or 'nothing'}",
            flush=True,
        )
    print("\na rule's deadline carried out too late, ms: p50, p95, worst")
    for looks in (0, 2):
        late = _late(folder / f"looks{looks}", cabled, looks)
        print(f"  {looks} sessions beside it: {late[0]:.1f}, {late[1]:.1f}, {late[2]:.1f}", flush=True)


def _looked_ms(home: Flat, cabled: Cabled) -> tuple[float, float]:
    """Until the first picture, and until that of the same viewer who comes again."""
    home.describe()
    described = home.folder / "home.yaml"
    described.write_text(described.read_text().replace('"file:good"', "scene"))
    with home.run(capture=CAPTURE), cabled.viewer() as viewer:
        waited = []
        asked = {"camera": "bed", "view": "silhouette", "reason": "round"}
        for _ in range(2):
            offer = viewer.offer()
            begun_ms = time.time_ns() / 1e6
            answer = home.asked(**asked, sdp=offer)
            assert answer["ok"], answer
            viewer.take(answer["result"]["sdp"])
            waited.append(viewer.until_frames(1)[0]["at"] - begun_ms)
            asked = {"session": answer["result"]["session"]}
        home.asked(**asked, end=True)
    return waited[0], waited[1]


def _at_rest(home: Flat) -> tuple[float, float, set[str]]:
    """PSS without and with a camera, MB; and which heavy libraries are mapped then (aiortc maps av)."""
    held, mapped = [], ""
    for cameras in (False, True):
        home.describe()
        described = home.folder / "home.yaml"
        if not cameras:
            described.write_text(described.read_text().partition("cameras:")[0])
        with home.run() as node:
            settle(node.process.pid)
            held.append(memory_mb(node.process.pid)[0])
            mapped = Path(f"/proc/{node.process.pid}/maps").read_text()
    return held[0], held[1], {name for name in _HEAVY if re.search(rf"site-packages/{name}[./]", mapped)}


def _late(folder: Path, cabled: Cabled, looks: int) -> tuple[float, float, float]:
    """While so many films are shown, Chromium's own work with them included."""
    with ExitStack() as stack:
        for nth in range(looks):
            viewer, filmed = stack.enter_context(cabled.viewer()), stack.enter_context(Filmed())
            night = {"kind": "scene", "night": True}
            view = ("silhouette", "clear")[nth % 2]
            filmed.start(viewer.offer(), night, view=view, enhance=True, until_ms=now_ms() + 300_000)
            viewer.take(filmed.answer())
            viewer.until_frames(3)
        late, _, _ = lateness_ms(folder, 0)
    return statistics.median(late), statistics.quantiles(late, n=20)[18], max(late)
