"""What every driver must do. A driver's test inherits `DriverContract` and says how to play its hardware.

    class TestGpio(DriverContract):
        driver = DRIVER
        devices = (Device("front_door", "gpio", "hall", options={"pin": 17, …}, kinds=("contact",)),)

        @asynccontextmanager
        async def hardware(self): ...   # yields a Hardware

The hardware is real or simulated, never a stand-in for our own code.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Joined
from homenode.errors import DriverLost, Refused
from homenode.gateway.clock import Clock
from homenode.kinds import kind_of, why_not
from homenode.reading import Instant, Value

PATIENCE_S = 10.0
"""How long a test waits for an event before it fails; the machine may be busy."""


class Said(NamedTuple):
    device: str
    kind: str
    value: Value
    at: Instant | None


class Listener:
    """A `Host` that keeps what a driver says; `until` waits for it."""

    def __init__(self, data: Path, clock: Clock | None = None) -> None:
        self.data = data
        self.said: list[Said] = []
        self.devices: list[Joined] = []
        self.troubles: dict[str, str] = {}
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
        self.troubles[source] = why
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
        """Wait until `true(self)`, or fail saying that `what` didn't come."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not true(self):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"{what} did not come; heard {self.said[-10:]}, troubles {self.troubles}")

    def last(self, device: str, kind: str) -> Value:
        """The newest value of a point; fails where there is none."""
        return next(said.value for said in reversed(self.said) if said[:2] == (device, kind))


class Hardware(Protocol):
    """What a driver's test plays its hardware with."""

    def change(self) -> None:
        """Something happens that the driver must tell as a reading."""
        ...

    def released(self) -> bool:
        """Whether nobody holds the port, the pins or the file any more."""
        ...

    async def unplug(self) -> None:
        """The hardware is gone."""
        ...

    async def plug(self) -> None:
        """It is there again, at the same place."""
        ...


@asynccontextmanager
async def running(driver: Driver | _Again) -> AsyncIterator[asyncio.Task[None]]:
    """The driver, running; cancelled and awaited at the end."""
    task = asyncio.ensure_future(driver.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, DriverLost):
            await task


class _Again:
    """Opens a driver again while its hardware is gone, as the supervisor does."""

    def __init__(self, make: Callable[[], Driver]) -> None:
        self._make = make

    async def run(self) -> None:
        while True:
            with suppress(DriverLost):
                await self._make().run()
            await asyncio.sleep(0.05)


class DriverContract:
    """Tests that each driver inherits."""

    driver: DriverType
    devices: Sequence[Device]
    options: Mapping[str, Any] = {}
    heavy: Sequence[str] = ()
    """Modules that reading home.yaml must not import."""
    can_be_unplugged = True

    def hardware(self) -> AbstractAsyncContextManager[Hardware]:
        """The hardware, present and working."""
        raise NotImplementedError

    def open(self, host: Listener) -> Driver:
        return self.driver.open("under_test", self.options, self.devices, host)

    def heard_all(self, host: Listener) -> bool:
        """Whether each declared point has been told."""
        points = {(device.name, kind) for device in self.devices for kind in device.kinds or ()}
        return points <= {(said.device, said.kind) for said in host.said}

    def test_reading_the_file_imports_nothing_heavy(self) -> None:
        module = self.driver.open.__module__
        code = f"import sys, {module}; print(sorted(sys.modules.keys() & set({list(self.heavy)!r})))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_it_says_what_it_is_blind_to(self) -> None:
        assert self.driver.blind_to.endswith(".")

    def test_each_field_says_what_it_is(self) -> None:
        fields = (*self.driver.radio_fields, *self.driver.device_fields)
        assert all(field.help for field in fields)
        assert len({field.name for field in self.driver.device_fields}) == len(self.driver.device_fields)

    def test_each_point_is_told_with_a_value_of_its_kind(self, tmp_path: Path) -> None:
        async def play() -> None:
            host = Listener(tmp_path)
            async with self.hardware() as hardware, running(self.open(host)):
                hardware.change()
                await host.until(self.heard_all, "a reading of each point")
            for said in host.said:
                kind = kind_of(said.kind)
                assert kind is not None
                assert not why_not(kind, said.value)

        asyncio.run(play())

    def test_cancelling_releases_everything(self, tmp_path: Path) -> None:
        async def play() -> None:
            host = Listener(tmp_path)
            async with self.hardware() as hardware:
                for _ in range(2):  # the second time shows that the first let go
                    host.said.clear()
                    async with running(self.open(host)) as task:
                        hardware.change()
                        await host.until(lambda host: host.said, "a reading")
                        task.cancel()
                        async with asyncio.timeout(1.5):  # the supervisor gives it no longer
                            with suppress(asyncio.CancelledError):
                                await task
                    async with asyncio.timeout(PATIENCE_S):
                        while not hardware.released():  # noqa: ASYNC110 - seen from outside, it tells nobody
                            await asyncio.sleep(0.01)

        asyncio.run(play())

    def test_it_never_blocks_its_loop(self, tmp_path: Path) -> None:
        async def play() -> None:
            host = Listener(tmp_path)
            async with self.hardware() as hardware, running(self.open(host)):
                hardware.change()
                loop = asyncio.get_running_loop()
                longest_s = 0.0
                for _ in range(50):
                    before = loop.time()
                    await asyncio.sleep(0.02)
                    longest_s = max(longest_s, loop.time() - before - 0.02)
            assert longest_s < 2.0

        asyncio.run(play())

    def test_switching_what_is_no_output_is_refused(self, tmp_path: Path) -> None:
        async def play() -> None:
            async with self.hardware():
                with pytest.raises(Refused):
                    await self.open(Listener(tmp_path)).switch("nobody", "switch", True)

        asyncio.run(play())

    def test_it_survives_being_unplugged(self, tmp_path: Path) -> None:
        if not self.can_be_unplugged:
            pytest.skip(f"{self.driver.name} has nothing to unplug")

        async def play() -> None:
            host = Listener(tmp_path)
            async with self.hardware() as hardware:
                async with running(self.open(host)) as task:
                    await host.until(self.heard_all, "a reading of each point")
                    await hardware.unplug()
                    with pytest.raises(DriverLost) as lost:
                        async with asyncio.timeout(PATIENCE_S):
                            await task
                    assert lost.value.what
                with pytest.raises(DriverLost):  # still gone
                    async with asyncio.timeout(PATIENCE_S):
                        await self.open(host).run()
                await hardware.plug()
                host.said.clear()
                async with running(_Again(lambda: self.open(host))):
                    hardware.change()
                    await host.until(self.heard_all, "a reading after plugging in again")

        asyncio.run(play())
