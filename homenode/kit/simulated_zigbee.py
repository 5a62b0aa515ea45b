"""A Zigbee device to try a row on, behind a simulated stick, with the unmodified radio stack before it."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from homenode.driver import Driver
from homenode.errors import SetupError
from homenode.kinds import kind_of
from homenode.kit.bench import Hardware
from homenode.kit.listener import Broken, Listener
from homenode.kit.simulated import Simulated
from homenode.kit.stage import Stage
from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import read_model
from homenode.sim.zigbee.device_spec import DeviceSpec

IEEE = 0x00158D0000000100
PAIRED_S = 60.0
FLOOD = 1_000


class ZigbeeDevice(Simulated):
    """A device as `model` describes it; in `home` its stick is at PORT and its address IEEE.

    Attributes:
        model: Its file, beside this module or anywhere (homenode/sim/zigbee/README.md).
        kinds: The points that it must become.
    """

    model: ClassVar[str] = "device.yaml"
    kinds: ClassVar[tuple[str, ...]]
    heavy: Sequence[str] = ("zigpy", "bellows")
    patience_s = 30.0  # one that spoke without end is called calm 10 s after

    def __init__(self) -> None:
        super().__init__()
        wrong = [self.kinds] if isinstance(self.kinds, str) else [it for it in self.kinds if not kind_of(it)]
        if wrong:
            raise SetupError(
                f"kinds= has {wrong[0]!r}",
                where=f"class {type(self).__name__}",
                do='words of homenode/kinds.py, such as kinds = ("water",)',
            )
        address = ":".join(f"{IEEE:016x}"[at : at + 2] for at in range(0, 16, 2))
        self.places.update(PORT="/dev/ttyUSB0", IEEE=address)
        self._paired: Path
        self.stick: Coordinator
        self.device: VirtualDevice

    @classmethod
    def described(cls) -> DeviceSpec:
        """As its file says. Raises SetupError."""
        module = sys.modules[cls.__module__].__file__
        assert module is not None
        return read_model(Path(module).parent / cls.model)

    def open(self, host: Listener) -> Driver:
        """The radio was paired before; its files are there."""
        for file in self._paired.iterdir():
            shutil.copy(file, host.data / file.name)
        return super().open(host)

    def heard_all(self, host: Listener) -> bool:
        return set(self.kinds) <= {said.kind for said in list(host.said)}

    @asynccontextmanager
    async def hardware(self) -> AsyncIterator[Hardware]:
        model = self.described()
        with tempfile.TemporaryDirectory() as at:
            folder = Path(at)
            self.places["PORT"] = str(folder / "tty")
            async with Coordinator(folder / "stick.json", pty=folder / "tty") as self.stick:
                self.device = VirtualDevice(model, IEEE, self.stick)
                self._paired = folder / "paired"
                self._paired.mkdir()
                await self._pair()
                yield self

    async def _pair(self) -> None:
        """As an installer does; the driver is told what joined."""
        host = Listener(self._paired)
        async with Stage(lambda: Simulated.open(self, host)) as stage:
            await host.until(
                lambda _: stage.raised or (self.stick.network_up and stage.driver), "the network"
            )
            stage.whole()
            await stage.ask(lambda driver: driver.pair(PAIRED_S))
            assert self.device.join()
            wanted = set(self.kinds)
            try:
                await host.until(
                    lambda host: any(wanted <= set(told.kinds) for told in host.devices), "the interview"
                )
            except Broken as error:
                told = ", ".join(host.devices[-1].kinds if host.devices else ()) or "nothing"
                do = f"let its row make it {', '.join(self.kinds)}"
                raise Broken(f"was paired as {told}", do) from error

    def change(self) -> None:
        self._nth += 1
        self.does(self._nth)

    def does(self, nth: int) -> None:
        """What the device does as its change number `nth`."""
        self.device.trip(nth % 2 == 1)

    def garbage(self) -> None:
        """Noise on the wire, half a frame, and frames with a flipped bit."""
        noise = random.Random(self._nth).randbytes(2_000)
        self.stick.faults.noise(noise + b"~\x1a\xc1\x02~~" + bytes(300))
        self.stick.faults.corrupt(20, to_stick=False)

    def flood(self) -> None:
        for _ in range(FLOOD):
            self.change()

    def released(self) -> bool:
        try:
            port = os.open(self.places["PORT"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(port)
        return True

    async def unplug(self) -> None:
        self.stick.faults.unplug()

    async def plug(self) -> None:
        await self.stick.faults.plug_in()
