"""A simulated stick with virtual devices, and a gateway that writes down what a driver tells it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.zigbee import DRIVER
from drivers.zigbee.radio import ZigbeeRadio
from homenode.config.model import Device
from homenode.driver import Joined
from homenode.errors import HomenodeError
from homenode.reading import Instant, Value
from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model
from homenode.sim.zigbee.device_spec import DeviceSpec

NEW_STICK = 0x60A423FFFE123456
"""Address of one that takes the place of another."""


@dataclass
class Heard:
    """A gateway, as a driver sees it; tests wait for what it is told."""

    data: Path
    readings: list[tuple[str, str, Value]] = field(default_factory=list)
    known: dict[str, Joined] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    living: list[str] = field(default_factory=list)
    strange: list[tuple[str, str, Value]] = field(default_factory=list)
    past: dict[tuple[str, str], tuple[Value, Instant]] = field(default_factory=dict)
    ahead_ms: int = 0

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    def now(self) -> Instant:
        return int(asyncio.get_running_loop().time() * 1000) + self.ahead_ms

    def wall_to_instant(self, wall_ms: int) -> Instant:
        return wall_ms

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        self.readings.append((device, kind, value))
        self._changed.set()

    def alive(self, device: str) -> None:
        self.living.append(device)
        self._changed.set()

    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None:
        self.faults[source] = why
        self._changed.set()

    def noticed(self, address: str, kind: str, value: Value) -> None:
        self.strange.append((address, kind, value))
        self._changed.set()

    def back(self, source: str) -> None:
        self.faults.pop(source, None)
        self._changed.set()

    def joined(self, device: Joined) -> None:
        self.known[device.address] = device
        self._changed.set()

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return self.past.get((device, kind))

    def waiting(self) -> int:
        return 0

    async def until(self, told: Callable[[], Any], within_s: float = 15.0) -> None:
        """Wait until what was told is so."""
        async with asyncio.timeout(within_s):
            while not told():
                self._changed.clear()
                await self._changed.wait()

    def values(self, device: str, kind: str) -> list[Value]:
        return [value for name, what, value in self.readings if (name, what) == (device, kind)]

    async def reading(self, device: str, kind: str, value: Value, within_s: float = 15.0) -> None:
        """Wait for a reading from now on or before."""
        await self.until(lambda: (device, kind, value) in self.readings, within_s)


def named(*, insisted: Collection[str] = (), **ieees: str) -> list[Device]:
    """Devices of a home.yaml, by name and address; `insisted` ones are used though seldom heard."""
    return [
        Device(
            name,
            "zigbee",
            "hall",
            via="stick",
            options={"ieee": ieee, **({"unsupervised": "accepted"} if name in insisted else {})},
        )
        for name, ieee in ieees.items()
    ]


def opened(port: str, devices: Sequence[Device], host: Heard, **options: Any) -> ZigbeeRadio:
    """A radio as the gateway opens it."""
    radio = DRIVER.open("stick", {"port": port, **options}, devices, host)
    assert isinstance(radio, ZigbeeRadio)
    return radio


async def up_or_over(radio: ZigbeeRadio, running: asyncio.Task[None]) -> None:
    """Wait until its network runs; raises what ended it before."""
    up = asyncio.ensure_future(radio.up.wait())
    await asyncio.wait((up, running), return_when=asyncio.FIRST_COMPLETED)
    up.cancel()
    if running.done():
        await running


@contextlib.asynccontextmanager
async def radio_on(
    port: str, devices: Sequence[Device], host: Heard, **options: Any
) -> AsyncIterator[ZigbeeRadio]:
    """A running radio, with its network up."""
    radio = opened(port, devices, host, **options)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(radio.run())
        try:
            async with asyncio.timeout(30):
                await up_or_over(radio, running)
            yield radio
        finally:
            running.cancel()


@contextlib.asynccontextmanager
async def stick_at(folder: Path, version: int = 13, **how: Any) -> AsyncIterator[Coordinator]:
    """A simulated stick behind a PTY."""
    async with Coordinator(folder / "stick.json", version=version, pty=folder / "tty", **how) as coordinator:
        yield coordinator


def address(number: int) -> str:
    """An IEEE address as home.yaml writes it."""
    return ":".join(f"{number:016x}"[at : at + 2] for at in range(0, 16, 2))


class Interviewed:
    """A stick with devices, and a radio that can be stopped and started.

    Attributes:
        stick: The simulated coordinator.
        host: What the radio told.
        radio: The running radio.
        insisted: Devices with ``unsupervised: accepted``.
    """

    def __init__(self, folder: Path, stick: Coordinator) -> None:
        self.stick = stick
        data = folder / "data"
        data.mkdir(exist_ok=True)
        self.host = Heard(data)
        self._port = str(folder / "tty")
        self._devices: dict[str, VirtualDevice] = {}
        self._in_home: dict[str, str] = {}
        self.insisted: Collection[str] = ()
        self._running: asyncio.Task[None] | None = None
        self.radio: ZigbeeRadio

    def __getitem__(self, name: str) -> VirtualDevice:
        return self._devices[name]

    def ieee(self, name: str) -> str:
        return address(self._devices[name].ieee)

    def add(self, model_name: str, *, name: str = "", in_home: bool = True) -> VirtualDevice:
        """A device of the catalogue, not yet joined."""
        return self.add_spec(model(model_name), name or model_name, in_home=in_home)

    def add_spec(self, spec: DeviceSpec, name: str, *, in_home: bool = True) -> VirtualDevice:
        """A device of any model, not yet joined."""
        device = VirtualDevice(spec, 0x00158D0000000100 + len(self._devices), self.stick)
        self._devices[name] = device
        if in_home:
            self._in_home[name] = address(device.ieee)
        return device

    async def start(self, **options: Any) -> None:
        """Start the radio; raises what ends it."""
        self.radio = opened(self._port, named(insisted=self.insisted, **self._in_home), self.host, **options)
        self._running = asyncio.ensure_future(self.radio.run())
        await up_or_over(self.radio, self._running)

    async def stop(self) -> None:
        """Stop it, whatever state it is in."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError, HomenodeError):
                await self._running

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def ended(self) -> None:
        """Wait for what ends the radio."""
        assert self._running is not None
        async with asyncio.timeout(30):
            await self._running

    async def interviews_done(self) -> None:
        """Wait until every device is interviewed and set up."""
        wanted = [address(device.ieee) for device in self._devices.values()]
        devices = self.radio._devices
        assert devices is not None
        await self.host.until(lambda: all(devices.is_complete(ieee) for ieee in wanted), 90)


@contextlib.asynccontextmanager
async def interviewed(
    folder: Path, models: Sequence[str], version: int = 13, *, insisted: Collection[str] = (), **how: Any
) -> AsyncIterator[Interviewed]:
    """A home whose devices have joined and are set up."""
    async with stick_at(folder, version, **how) as stick:
        home = Interviewed(folder, stick)
        home.insisted = insisted
        for name in models:
            home.add(name)
        await home.start(channel=15)
        try:
            await home.radio.pair(250)
            for name in models:
                assert home[name].join()
            await home.interviews_done()
            yield home
        finally:
            await home.stop()
