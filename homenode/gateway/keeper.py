"""Switches the lights of a look off when the gateway is killed: a process that waits for that and no more.

It has what it needs loaded, holds no pin, and is gone with the look. Only wired lights: for a radio's the
network has to be brought up, which the gateway's restart does as soon.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from homenode.config.model import Device
from homenode.config.registry import driver_types
from homenode.driver import Joined
from homenode.errors import HomenodeError
from homenode.gateway.clock import Clock
from homenode.gateway.roster import Post
from homenode.reading import Instant, Value

log = logging.getLogger("homenode.looks")

AGAIN_S, TRIES = 0.02, 250
"""A kernel that is still letting go of the gateway's pins, or the gateway's own start: five seconds."""
_DARK = b"dark"


class Keeper:
    """The process, from the gateway's side; use `start`."""

    def __init__(self, process: Process, line: socket.socket) -> None:
        self._process, self._line = process, line

    @classmethod
    async def start(cls, posts: Iterable[Post], lights: Sequence[str]) -> Self | None:
        """Keep these points of what runs; None if nothing of them is wired. Raises OSError."""
        names = {point.partition(".")[0] for point in lights}
        kept = [
            (post.name, post.options, devices)
            for post in posts
            if post.type.wired and (devices := tuple(one for one in post.devices if one.name in names))
        ]
        if not kept:
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            # the viewer waits for what films, which starts at the same time
            command = (
                "nice",
                "-n",
                "5",
                sys.executable,
                "-m",
                "homenode.gateway.keeper",
                str(theirs.fileno()),
            )
            process = await asyncio.create_subprocess_exec(
                *command, pass_fds=(theirs.fileno(),), start_new_session=True, stdin=DEVNULL
            )
        told = pickle.dumps((kept, tuple(lights)))
        ours.sendall(len(told).to_bytes(4) + told)
        return cls(process, ours)

    def dark(self) -> None:
        """They are off: it may go, which nobody waits for."""
        with suppress(OSError):
            self._line.sendall(_DARK)
        self._line.close()


class _NoGateway:
    """What a driver says, it says to nobody."""

    def __init__(self, data: Path) -> None:
        self.data, self._clock = data, Clock()

    def now(self) -> Instant:
        return self._clock.now()

    def wall_to_instant(self, wall_ms: int) -> Instant:
        return wall_ms

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None: ...
    def noticed(self, address: str, kind: str, value: Value) -> None: ...
    def alive(self, device: str) -> None: ...
    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None: ...
    def back(self, source: str) -> None: ...
    def joined(self, device: Joined) -> None: ...

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return None

    def waiting(self) -> int:
        return 0


async def _off(post: Post, points: Iterable[str]) -> None:
    """Until all of them are, or for long enough."""
    left = [point.partition(".") for point in points]
    with TemporaryDirectory() as folder:
        driver = post.open(_NoGateway(Path(folder)))
        running = asyncio.ensure_future(driver.run())
        for _ in range(TRIES):
            if running.done():  # the pins were not to be had yet
                running.exception()
                driver = post.open(_NoGateway(Path(folder)))
                running = asyncio.ensure_future(driver.run())
            with suppress(HomenodeError):
                while left:
                    name, _, kind = left[-1]
                    await driver.switch(name, kind, False)
                    left.pop()
            if not left:
                break
            await asyncio.sleep(AGAIN_S)
        running.cancel()
        with suppress(asyncio.CancelledError, HomenodeError):
            await running


def _told(line: socket.socket, count: int) -> bytes:
    """So many bytes; fewer if there come no more."""
    found = b""
    while len(found) < count and (more := line.recv(count - len(found))):
        found += more
    return found


def main() -> None:
    """Waits; what stops the gateway in order tells it before."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    line = socket.socket(fileno=int(sys.argv[1]))
    told = _told(line, int.from_bytes(_told(line, 4)))
    kept: list[tuple[str, dict[str, Any], tuple[Device, ...]]]
    kept, lights = pickle.loads(told)
    types = driver_types()
    posts = [Post(name, types[devices[0].driver], options, devices) for name, options, devices in kept]
    if _told(line, len(_DARK)) != _DARK:
        for post in posts:
            names = {device.name for device in post.devices}
            asyncio.run(_off(post, [one for one in lights if one.partition(".")[0] in names]))


if __name__ == "__main__":
    main()
