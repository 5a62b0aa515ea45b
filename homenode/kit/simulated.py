"""Devices to try a driver on; its ``…_simulated.py`` derives a class from one of these."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from homenode.config.load import load_home
from homenode.config.model import Device
from homenode.errors import FileMistakes
from homenode.kit.bench import Bench, Hardware
from homenode.kit.listener import Broken
from homenode.sim.zigbee.serial_line import Pty

FLOOD = 2_000
"""Messages of a flood."""
NOISE_B = 3_000


class Simulated(Bench):
    """A bench and its hardware in one, for the devices of a piece of home.yaml.

    Attributes:
        home: ``radios:`` and ``devices:``, in which words of `places` are replaced.
        places: Such as PORT, by what it is here.
    """

    home: ClassVar[str]

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self._nth = 0

    def sends(self, nth: int) -> bytes:
        """What the device sends as its reading number `nth`; each another."""
        raise NotImplementedError

    def text(self) -> str:
        """`home` as it is here."""
        text = self.home
        for word, place in self.places.items():
            text = text.replace(word, place)
        return text

    @property
    def devices(self) -> Sequence[Device]:  # type: ignore[override]  # where they are is known only now
        """Those of `home`."""
        return tuple(self._read().devices.values())

    @property
    def options(self) -> Mapping[str, Any]:  # type: ignore[override]  # likewise
        """Of the first radio of `home`."""
        return next((radio.options for radio in self._read().radios.values()), {})

    def _read(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "home.yaml"
            file.write_text(f"home: bench\ntimezone: UTC\n{self.text()}\n", encoding="utf-8")
            try:
                return load_home(file, drivers={self.driver.name: self.driver}, files=False)
            except FileMistakes as error:
                said = "; ".join(f"{m.field}: found {m.found}; {m.accepted}" for m in error.mistakes)
                raise Broken(f"home = of its simulated device is refused: {said}") from error

    @asynccontextmanager
    async def hardware(self) -> AsyncIterator[Hardware]:
        """Plugged in, and out again at the end."""
        with tempfile.TemporaryDirectory() as folder:
            self.prepare(Path(folder))
            await self.plug()
            try:
                yield self
            finally:
                await self.unplug()

    def prepare(self, folder: Path) -> None:
        """Say where it is (`places`)."""

    def write(self, data: bytes) -> None:
        """To the driver; lost if nobody listens."""
        raise NotImplementedError

    def change(self) -> None:
        self._nth += 1
        self.write(self.sends(self._nth))

    def garbage(self) -> None:
        """Noise, half a message, the end of one, and something without an end."""
        whole = self.sends(self._nth + 1)
        half = len(whole) // 2
        noise = random.Random(self._nth).randbytes(NOISE_B)
        for piece in (noise, whole[:half], whole[half:], b"\xff" * 20_000, b"\r\n\r\n", whole[half:]):
            self.write(piece)

    def flood(self) -> None:
        for _ in range(FLOOD):
            self.change()

    def released(self) -> bool:
        raise NotImplementedError

    async def unplug(self) -> None:
        raise NotImplementedError

    async def plug(self) -> None:
        raise NotImplementedError


class SerialDevice(Simulated):
    """On a serial port, which is PORT in `home`."""

    def __init__(self) -> None:
        super().__init__()
        self.places["PORT"] = "/dev/ttyUSB0"
        self._pty: Pty | None = None

    def asked(self, data: bytes) -> None:
        """What the driver sent; a device that is asked answers with `write`."""

    def prepare(self, folder: Path) -> None:
        self.places["PORT"] = str(folder / "tty")
        self._pty = Pty(folder / "tty", self.asked)

    def write(self, data: bytes) -> None:
        assert self._pty is not None
        self._pty.write(data)

    def released(self) -> bool:
        return self._pty is None or not self._pty.opened

    async def plug(self) -> None:
        assert self._pty is not None
        self._pty.open()

    async def unplug(self) -> None:
        assert self._pty is not None
        self._pty.close()
