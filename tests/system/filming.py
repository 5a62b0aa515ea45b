"""A capture process without a gateway, a viewer in an unmodified Chromium, and what may lie between them.

The browser runs in a network namespace: 127.0.0.1 is never an ICE candidate, and a browser without a default
route has none at all.
"""

from __future__ import annotations

import json
import os
import random
import re
import select
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest

from homenode.gateway.capture import leashed
from homenode.video.clocks import now_ms
from tests.chaos.net import Cable, why_not
from tests.system.flats import CHROMIUM, needs_chromium

PATIENCE_S = 30.0
FIRST_NICE = -10
FIRST = ("nice", "-n", str(FIRST_NICE))
"""Pictures are counted by the second: other tests at the same time may wait."""
needs_a_viewer = [
    needs_chromium,
    pytest.mark.skipif(
        bool(why_not()) or os.geteuid() != 0, reason=why_not() or "a network of one's own needs root"
    ),
]

_PAGE = "<video id=v autoplay muted playsinline></video><canvas id=c></canvas>"
_OFFER = """async (servers) => {
  window.pc?.close(); window.frames = [];
  const by = servers.length ? 'relay' : 'all';
  const pc = window.pc = new RTCPeerConnection({iceServers: servers, iceTransportPolicy: by});
  pc.addTransceiver('video', {direction: 'recvonly'});
  const video = document.querySelector('video'), canvas = document.querySelector('canvas');
  pc.ontrack = event => {
    video.srcObject = new MediaStream([event.track]);
    const shown = (_, about) => {
      if (window.pc != pc) return;
      const at = performance.timeOrigin + performance.now(), [wide, high] = [about.width, about.height];
      canvas.width = wide; canvas.height = high;
      const context = canvas.getContext('2d', {willReadFrequently: true});
      context.drawImage(video, 0, 0);
      const strip = context.getImageData(0, high - high / 60, wide, 1).data;
      let told = 0;
      for (let bit = 0; bit < 32; bit++)
        told = told * 2 + (strip[4 * Math.floor((bit + 0.5) * Math.floor(wide / 32))] > 128 ? 1 : 0);
      window.frames.push({at, wide, high, told});
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  };
  await pc.setLocalDescription(await pc.createOffer());
  if (servers.length) await new Promise(done => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState == 'complete' && done();
    setTimeout(done, 5000);
  });
  return pc.localDescription.sdp;
}"""
_STATS = "async () => [...(await pc.getStats()).values()].find(one => one.type == 'inbound-rtp')"
_GREY = """() => {
  const canvas = document.querySelector('canvas'), {width, height} = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  return [width, height, Array.from({length: data.length / 4}, (_, nth) => data[4 * nth])];
}"""


class Viewer:
    """A page that shows what it is sent."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.set_content(_PAGE)

    def offer(self, servers: list[Mapping[str, Any]] | None = None) -> str:
        """With `servers`, through these only."""
        return str(self.page.evaluate(_OFFER, servers or []))

    def take(self, answer: str) -> None:
        self.page.evaluate("sdp => pc.setRemoteDescription({type: 'answer', sdp})", answer)

    def frames(self) -> list[dict[str, float]]:
        """Shown so far: when (Unix time, ms), how large, and what the scene's strip says."""
        found: list[dict[str, float]] = self.page.evaluate("frames")
        return found

    def until_frames(self, count: int) -> list[dict[str, float]]:
        self.page.wait_for_function(f"frames.length >= {count}", timeout=PATIENCE_S * 1000, polling=20)
        return self.frames()

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(_STATS)
        return found

    def grey(self) -> Any:
        """The newest picture's red, which is its brightness where nothing is coloured; rows of columns."""
        import numpy as np

        wide, high, levels = self.page.evaluate(_GREY)
        return np.array(levels, np.uint8).reshape(high, wide)


class Cabled:
    """Chromium at the far end of a cable."""

    def __init__(self, folder: Path) -> None:
        self._cable, self._folder = Cable(7), folder

    @property
    def browser(self) -> Any:
        """Chromium."""
        return self._browser

    @property
    def within(self) -> list[str]:
        """Command that runs another one at the far end."""
        return self._cable.within

    @property
    def here(self) -> str:
        """Our end's address."""
        return self._cable.here

    def __enter__(self) -> Self:
        from playwright import sync_api

        self._cable.__enter__()
        self._cable._ip("-n", self._cable.name, "route", "add", "default", "via", self._cable.here)
        started = self._folder / "chromium"
        within = " ".join((*FIRST, *self._cable.within))
        started.write_text(f'#!/bin/sh\nexec {within} {CHROMIUM} "$@"\n')
        started.chmod(0o755)
        self._engine = sync_api.sync_playwright().start()
        self._browser = self._engine.chromium.launch(
            executable_path=started, args=["--no-sandbox", "--disable-renderer-priority-management"]
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._engine.stop()
        self._cable.__exit__()

    @contextmanager
    def viewer(self) -> Iterator[Viewer]:
        page = self._browser.new_page()
        yield Viewer(page)
        page.close()


class Filmed:
    """The process that films, spoken to as the gateway does."""

    def __init__(self, module: str = "homenode.video.capture") -> None:
        self._ours, theirs = socket.socketpair()
        fd = theirs.fileno()
        self.process = subprocess.Popen(
            [*FIRST, sys.executable, "-m", module, str(fd)],
            pass_fds=[fd],
            stderr=subprocess.PIPE,
        )
        theirs.close()
        self._leash = leashed(self._ours)
        self._lines = self._ours.makefile("rb")
        self._passed_over: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            assert self.process.stderr is not None
            self.complaints = self.process.stderr.read().decode()

    def start(self, sdp: str, source: Mapping[str, Any] | None = None, **more: Any) -> None:
        told = {
            "session": "s-1", "source": source or {"kind": "scene"}, "view": "clear", "masks": [],
            "enhance": False, "sdp": sdp, "ice": {}, "until_ms": now_ms() + 60_000,
            "timezone": "Europe/Stockholm",
        }  # fmt: skip
        self.say({"do": "start", **told, **more})

    def say(self, line: Mapping[str, Any]) -> None:
        self._ours.sendall(json.dumps(line).encode() + b"\n")

    def hear(self, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next line; {} if it is gone without a word."""
        self._ours.settimeout(within_s)
        return dict(json.loads(self._lines.readline() or b"{}"))

    def answer(self) -> str:
        """To the offer."""
        return str(self._next(lambda line: "sdp" in line, "an answer")["sdp"])

    def until(self, **wanted: Any) -> dict[str, Any]:
        """The next line that says so, or one that was passed over before."""
        return self._next(
            lambda line: all(line.get(name, "") == value for name, value in wanted.items()), f"{wanted}"
        )

    def _next(self, fits: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        for line in self._passed_over:
            if fits(line):
                self._passed_over.remove(line)
                return line
        while line := self.hear():
            if fits(line):
                return line
            self._passed_over.append(line)
        raise AssertionError(f"it ended without {what}: {self._passed_over}")

    def hang_up(self) -> None:
        """As a gateway that dies."""
        self._ours.close()
        self._lines.close()
        self._leash.close()

    def cpu_s(self) -> float:
        """What it has used."""
        used = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """PSS."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(text.split("Pss:")[1].split()[0]) / 1024

    def ports(self) -> list[str]:
        """What it listens on."""
        shown = subprocess.run(["ss", "-Hanup"], capture_output=True, text=True, check=True).stdout
        return [line for line in shown.splitlines() if f"pid={self.process.pid}," in line]


class PoorLink:
    """A UDP relay: so many kbit/s towards the viewer, a queue of half a second, and losses either way."""

    def __init__(self, address: str, kbit_s: float, lost: float) -> None:
        self._address, self._bytes_s, self._lost = address, kbit_s * 125, lost
        self._chance = random.Random(1)
        self._viewers, self._camera = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        for end in (self._viewers, self._camera):
            end.bind((address, 0))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._filming_at: tuple[str, int] | None = None

    def between(self, answer: str) -> str:
        """The answer as a viewer gets it who can reach the camera by this link only."""
        found = re.search(rf"a=candidate:(\S+) 1 udp (\d+) {re.escape(self._address)} (\d+) typ host", answer)
        assert found, answer
        self._filming_at = (self._address, int(found[3]))
        kept = [line for line in answer.splitlines() if not line.startswith("a=candidate:")]
        at = next(nth for nth, line in enumerate(kept) if line.startswith("a=end-of-candidates"))
        kept.insert(
            at, f"a=candidate:1 1 udp {found[2]} {self._address} {self._viewers.getsockname()[1]} typ host"
        )
        return "\r\n".join(kept) + "\r\n"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._viewers.close()
        self._camera.close()

    def _run(self) -> None:
        """Time as milliseconds with fractions would do; the loop turns each 2 ms at most."""
        import time

        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), FIRST_NICE)
        queued: deque[bytes] = deque()
        free_at, viewer, waiting = time.perf_counter(), None, 0
        while not self._stop.is_set():
            for end in select.select([self._viewers, self._camera], [], [], 0.002)[0]:
                packet, sender = end.recvfrom(2048)
                if end is self._viewers:
                    viewer = sender
                    if self._filming_at and self._chance.random() >= self._lost:
                        self._camera.sendto(packet, self._filming_at)
                elif waiting + len(packet) < self._bytes_s / 2:
                    queued.append(packet)
                    waiting += len(packet)
            now = time.perf_counter()
            free_at = max(free_at, now - 0.002)
            while queued and free_at <= now:
                packet = queued.popleft()
                waiting -= len(packet)
                free_at += len(packet) / self._bytes_s
                if viewer and self._chance.random() >= self._lost:
                    self._viewers.sendto(packet, viewer)
