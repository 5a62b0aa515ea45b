"""The process of one driver: ``python -m homenode.apart.child FD``, started by `homenode.apart.parent`.

Over the socket FD comes first how to make the driver (a pickle, from the gateway), then lines of JSON; what
the driver says goes back as such lines. When the socket ends, so does the process, even if the driver hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import os
import pickle
import queue
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from homenode import dropped
from homenode.driver import Driver, Joined
from homenode.errors import HomenodeError, acted_on
from homenode.reading import Instant, Value

STOP_S = 0.9
"""The driver gets so long to release what it holds."""
MOST_UNSENT = 40_000
"""What is said beyond is lost: only a runaway gets here."""


class RemoteHost:
    """The gateway, as the driver sees it here."""

    def __init__(self, start: dict[str, Any], said: queue.SimpleQueue[bytes | None]) -> None:
        self.data: Path = start["data"]
        self._offset_ms: int = start["offset_ms"]
        self._known: dict[tuple[str, str], tuple[Value, Instant]] = start["known"]
        self._said = said

    def say(self, *words: object) -> None:
        """From any thread."""
        if self._said.qsize() < MOST_UNSENT:
            self._said.put(json.dumps(words, default=repr).encode() + b"\n")

    def now(self) -> Instant:
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) + self._offset_ms

    def wall_to_instant(self, wall_ms: int) -> Instant:
        return wall_ms - (time.time_ns() // 1_000_000 - self.now())

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        self._known[device, kind] = value, self.now() if at is None else at
        self.say("heard", device, kind, value, at)

    def noticed(self, address: str, kind: str, value: Value) -> None:
        self.say("noticed", address, kind, value)

    def alive(self, device: str) -> None:
        self.say("alive", device)

    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None:
        self.say("lost", source, why, list(devices), battery)

    def back(self, source: str) -> None:
        self.say("back", source)

    def joined(self, device: Joined) -> None:
        self.say("joined", asdict(device))

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return self._known.get((device, kind))

    def waiting(self) -> int:
        return self._said.qsize()


class _Child:
    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._lines = link.makefile("rb")
        self._said: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        (size,) = struct.unpack("<I", self._lines.read(4))
        start = pickle.loads(self._lines.read(size))
        sys.path[:], dropped.__path__[:] = start["path"], start["dropped"]
        host = RemoteHost(start, self._said)
        writes = threading.Thread(target=self._write, daemon=True)
        writes.start()
        try:
            module, _, name = start["made_by"].partition(":")
            driver = getattr(importlib.import_module(module), name)(*start["open"], host)
            loop, main = asyncio.get_running_loop(), asyncio.current_task()
            assert main is not None
            threading.Thread(target=self._read, args=(loop, main, driver, host), daemon=True).start()
            await driver.run()
            host.say("ended")
        except asyncio.CancelledError:
            pass
        except Exception as raised:
            logging.getLogger(__name__).debug("driver raised", exc_info=True)
            host.say("ended", *_told(raised))
        finally:
            self._said.put(None)
            writes.join(STOP_S)

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # the gateway is gone; `_read` sees to it
            while (line := self._said.get()) is not None:
                self._link.sendall(line)

    def _read(
        self, loop: asyncio.AbstractEventLoop, main: asyncio.Task[None], driver: Driver, host: RemoteHost
    ) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # the gateway is gone, or the loop is closed
            for line in self._lines:
                loop.call_soon_threadsafe(self._do, driver, host, json.loads(line))
            loop.call_soon_threadsafe(main.cancel)
        time.sleep(STOP_S)
        os._exit(1)  # a driver that hangs must not hold its port

    def _do(self, driver: Driver, host: RemoteHost, words: list[Any]) -> None:
        what, *args = words
        if what == "here":
            host.say("here")
            return
        task = asyncio.ensure_future(self._answer(driver, host, what, *args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, driver: Driver, host: RemoteHost, what: str, number: int, *args: Any) -> None:
        try:
            await (driver.switch(*args) if what == "switch" else driver.pair(*args))
        except Exception as raised:  # noqa: BLE001 - told to who asked
            host.say("answer", number, *_told(raised))
        else:
            host.say("answer", number)


def _told(raised: BaseException) -> list[str]:
    error = acted_on(raised)
    if isinstance(error, HomenodeError):
        name = next((c.__name__ for c in type(error).__mro__ if c.__name__ in _NAMES), "HomenodeError")
        return [name, error.what, error.where, error.do]
    return [type(error).__name__, str(error), "", ""]


_NAMES = ("DriverLost", "SetupError", "Refused")


def main() -> int:
    """Exit status 0: ended in order."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(_Child(socket.socket(fileno=int(sys.argv[1]))).live())
    return 0


if __name__ == "__main__":
    sys.exit(main())
