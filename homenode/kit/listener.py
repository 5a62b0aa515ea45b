"""A `Host` that keeps what a driver says, for tests of drivers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from homenode.driver import Driver, Joined
from homenode.errors import DriverLost
from homenode.gateway.clock import Clock
from homenode.reading import Instant, Value

PATIENCE_S = 10.0


class Broken(AssertionError):
    """A driver doesn't do what every driver must: what, and what to do about it."""

    def __init__(self, what: str, do: str = "") -> None:
        self.what, self.do = what, do
        super().__init__(f"{what} ({do})" if do else what)


class Said(NamedTuple):
    device: str
    kind: str
    value: Value
    at: Instant | None


class Listener:
    """Keeps what is said; `until` waits for it so long, in the loop that it was made in."""

    def __init__(self, data: Path, clock: Clock | None = None, patience_s: float = PATIENCE_S) -> None:
        self.data, self._patience_s = data, patience_s
        self.said: list[Said] = []
        self.devices: list[Joined] = []
        self.troubles: dict[str, str] = {}
        self.blamed: dict[str, tuple[str, ...]] = {}
        self.strange: list[tuple[str, str, Value]] = []
        self.backlog = 0
        self.clock = clock or Clock()
        self.threads: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def _tell(self) -> None:
        self.threads.add(threading.current_thread().name)
        with suppress(RuntimeError):  # the loop is closed: the test is over
            self._loop.call_soon_threadsafe(self._news.set)

    def now(self) -> Instant:
        return self.clock.now()

    def wall_to_instant(self, wall_ms: int) -> Instant:
        return wall_ms - self.clock.wall_offset_ms()

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        self.said.append(Said(device, kind, value, at))
        self._tell()

    def alive(self, device: str) -> None:
        self._tell()

    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None:
        self.troubles[source], self.blamed[source] = why, tuple(devices)
        self._tell()

    def noticed(self, address: str, kind: str, value: Value) -> None:
        self.strange.append((address, kind, value))

    def back(self, source: str) -> None:
        self.troubles.pop(source, None)
        self._tell()

    def joined(self, device: Joined) -> None:
        self.devices.append(device)
        self._tell()

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return None

    def waiting(self) -> int:
        return self.backlog

    async def until(self, true: Callable[[Listener], object], what: str) -> None:
        """Wait until `true(self)`. Raises Broken, saying that `what` didn't come."""
        try:
            async with asyncio.timeout(self._patience_s):
                while not true(self):
                    self._news.clear()
                    with suppress(TimeoutError):  # a driver that ends says nothing
                        await asyncio.wait_for(self._news.wait(), 0.1)
        except TimeoutError:
            heard = ", ".join(f"{s.device}.{s.kind} {s.value}" for s in self.said[-5:]) or "nothing"
            lost = "".join(f"; lost: {why}" for why in self.troubles.values())
            within = f"within {self._patience_s:.0f} s"
            raise Broken(f"{what} did not come {within}; heard {heard}{lost}") from None

    def last(self, device: str, kind: str) -> Value:
        """The newest value of a point; fails where there is none."""
        return next(said.value for said in reversed(self.said) if said[:2] == (device, kind))


@asynccontextmanager
async def running(driver: Driver) -> AsyncIterator[asyncio.Task[None]]:
    """The driver, running in this loop; cancelled and awaited at the end."""
    task = asyncio.ensure_future(driver.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, DriverLost):
            await task
