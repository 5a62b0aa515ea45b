"""What films, played: it speaks the lines of `homenode/video/README.md`, holds a port, and needs no camera.

The camera's source says how it behaves: ``file:WORD`` (its last part). ``good``; ``dies`` after its first
picture; ``frozen`` after it; ``refuses`` the offer; ``deaf`` to everything but SIGKILL; ``silent``: never
answers; ``once`` does, and then no more; ``garbage``.
With the argument ``unleashed`` the gateway's end of it doesn't kill it.
It notes who it is in the folder ``captures`` beside that file, with its port.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from homenode.video.leash import hold_on_to


def now_ms() -> int:
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)


class StandIn:
    def __init__(self, fd: int, *, leashed: bool) -> None:
        self.gateway = socket.socket(fileno=fd)
        if leashed:
            hold_on_to(self.gateway)
        else:
            self.gateway.recv(1)
        self.port = socket.socket(type=socket.SOCK_DGRAM)
        self.until_ms = now_ms() + 10_000
        self.mood, self.live_at, self.rest = "good", 0, b""

    def say(self, **words: Any) -> None:
        self.gateway.sendall(json.dumps(words).encode() + b"\n")

    def begin(self, said: dict[str, Any]) -> None:
        path = Path(said["source"].get("path", "good"))
        self.mood, self.until_ms = path.name, said["until_ms"]
        if self.mood == "refuses":
            self.say(error="codec", text={"sv": "ingen H.264", "en": "no H.264"})
            sys.exit()
        self.port.bind(("127.0.0.1", 0))
        noted = path.parent / "captures"
        noted.mkdir(exist_ok=True)
        half = noted / f"{os.getpid()}.new"
        half.write_text(json.dumps({**said, "port": self.port.getsockname()[1]}))
        half.replace(half.with_suffix(".json"))
        if self.mood == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.mood == "garbage":
            self.gateway.sendall(b"\xff{[\n")
        elif self.mood != "silent":
            self.say(sdp=f"answer to {said['sdp']}")
            self.live_at = now_ms() + 50

    def run(self) -> None:
        while True:
            ready, _, _ = select.select([self.gateway], [], [], 0.02)
            if self.live_at and now_ms() >= self.live_at:
                self.live_at = 0
                self.say(did="live")
                if self.mood == "frozen":
                    self.say(warn="frozen", text={"sv": "fryst", "en": "frozen"})
                if self.mood == "dies":
                    os.kill(os.getpid(), signal.SIGKILL)
            if now_ms() > self.until_ms and self.mood != "deaf":
                self.say(did="ended", why="until", text={"sv": "slut", "en": "over"})
                return
            if not ready:
                continue
            came = self.gateway.recv(65536)
            if not came and self.mood != "deaf":
                return
            if not came:
                time.sleep(0.1)
            *lines, self.rest = (self.rest + came).split(b"\n")
            for line in lines:
                self.hear(json.loads(line))

    def hear(self, said: dict[str, Any]) -> None:
        match said["do"]:
            case "start" if self.mood != "once":
                self.begin(said)
            case "renew":
                self.until_ms = said["until_ms"]
            case "end" if self.mood != "deaf":
                self.say(did="ended", why="end", text={"sv": "slut", "en": "over"})
                sys.exit()


if __name__ == "__main__":
    StandIn(int(sys.argv[1]), leashed="unleashed" not in sys.argv).run()
