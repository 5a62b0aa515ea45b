"""The Zigbee driver does what every driver must do."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.zigbee import DRIVER
from homenode.config.model import Device
from homenode.driver import Driver
from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from tests.system.driver_contract import DriverContract, Listener
from tests.system.zigbee_bed import address, interviewed

IEEE = 0x00158D0000000100


class _Stick:
    """A network with a door sensor."""

    def __init__(self, stick: Coordinator, door: VirtualDevice, port: Path) -> None:
        self._stick, self._door, self._port = stick, door, port
        self._open = False

    def change(self) -> None:
        self._open = not self._open
        self._door.trip(self._open)

    def released(self) -> bool:
        try:
            port = os.open(self._port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(port)
        return True

    def garbage(self) -> None:
        """Noise, half a frame, and frames with a flipped bit."""
        self._stick.faults.noise(random.Random(6).randbytes(2_000) + b"~\x1a\xc1\x02~~" + b"\x00" * 300)
        self._stick.faults.corrupt(20, to_stick=False)

    def flood(self) -> None:
        for _ in range(1_000):
            self.change()

    async def unplug(self) -> None:
        self._stick.faults.unplug()

    async def plug(self) -> None:
        await self._stick.faults.plug_in()


class TestZigbee(DriverContract):
    driver = DRIVER
    devices = (
        Device("contact", "zigbee", "hall", via="z", options={"ieee": address(IEEE)}, kinds=("contact",)),
    )
    options: Mapping[str, Any] = {"port": "/dev/ttyUSB0"}
    heavy = ("zigpy", "bellows", "yaml", "aiohttp", "sqlite3")

    def open(self, host: Listener) -> Driver:
        """The radio was paired before; its files are there."""
        for file in self._before.iterdir():
            shutil.copy(file, host.data / file.name.replace("stick", "under_test", 1))
        return super().open(host)

    @asynccontextmanager
    async def hardware(self) -> AsyncIterator[_Stick]:
        with tempfile.TemporaryDirectory() as folder:
            async with asyncio.timeout(60), interviewed(Path(folder), ["contact"]) as home:
                await home.stop()
                port, self._before = Path(folder) / "tty", home.host.data
                self.options = {"port": str(port)}
                yield _Stick(home.stick, home["contact"], port)
