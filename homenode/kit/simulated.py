"""Devices to try a driver on; its ``…_simulated.py`` derives a class from one of these."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from homenode.config.load import load_home
from homenode.config.model import Device
from homenode.demo.broker import EmbeddedBroker
from homenode.errors import FileMistakes, SetupError
from homenode.kit.bench import Bench, Hardware
from homenode.kit.listener import Broken
from homenode.sim.gpio.adc import Converters
from homenode.sim.gpio.board import Board
from homenode.sim.gpio.daemon import PigpioDaemon
from homenode.sim.zigbee.serial_line import Pty

ESTABLISHED = "01"
"""In the kernel's table of connections."""

FLOOD = 2_000
"""Messages of a flood."""
NOISE_B = 3_000


class Simulated(Bench):
    """A bench and its hardware in one, for the devices of a piece of home.yaml.

    Attributes:
        home: ``radios:`` and ``devices:``, in which words of `places` are replaced.
        files: What stands beside home.yaml, such as a token.
        places: Such as PORT, by what it is here.
        folder: Where home.yaml is, and what the device needs.
    """

    home: ClassVar[str]
    files: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        for name in _declared(type(self)):
            if not hasattr(self, name):
                where = f"class {type(self).__name__}"
                raise SetupError(f"has no {name} =", where=where, do="write it there")
        self.places: dict[str, str] = {}
        self._nth, self._one_reads = 0, threading.Lock()
        self._own_folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.folder = Path(self._own_folder.name)
        for name, text in self.files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def sends(self, nth: int) -> bytes:
        """What the device sends as its reading number `nth`; each another."""
        do = "def sends(self, nth): return the bytes of its reading number nth"
        raise SetupError("has no sends()", where=f"class {type(self).__name__}", do=do)

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
        file = self.folder / "home.yaml"
        try:
            with self._one_reads:  # the driver's thread asks, too
                file.write_text(f"home: bench\ntimezone: UTC\n{self.text()}\n", encoding="utf-8")
                return load_home(file, drivers={self.driver.name: self.driver}, files=False)
        except FileMistakes as error:
            said = "; ".join(f"{m.field}: found {m.found}; {m.accepted}" for m in error.mistakes)
            do = "mend home=, or check= and kinds= of its DriverType"
            raise Broken(f"home= of its simulated device is refused: {said}", do) from error

    @asynccontextmanager
    async def hardware(self) -> AsyncIterator[Hardware]:
        """Plugged in, and out again at the end."""
        environment = dict(os.environ)
        await self.plug()
        try:
            yield self
        finally:
            await self.unplug()
            os.environ.clear()
            os.environ.update(environment)

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


def _declared(cls: type) -> Iterator[str]:
    """What a class and those that it is derived from say that it has."""
    for one in cls.__mro__:
        yield from (name for name, what in inspect.get_annotations(one).items() if "ClassVar" in str(what))


class SerialDevice(Simulated):
    """On a serial port, which is PORT in `home`."""

    def __init__(self) -> None:
        super().__init__()
        self.places["PORT"] = str(self.folder / "tty")
        self._pty = Pty(self.folder / "tty", self.asked)

    def asked(self, data: bytes) -> None:
        """What the driver sent; a device that is asked answers with `write`."""

    def write(self, data: bytes) -> None:
        self._pty.write(data)

    def released(self) -> bool:
        return not self._pty.opened

    async def plug(self) -> None:
        self._pty.open()

    async def unplug(self) -> None:
        self._pty.close()


class NetworkDevice(Simulated):
    """On the local network, listening on TCP port PORT."""

    def __init__(self) -> None:
        super().__init__()
        self.places["PORT"] = "4001"
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    def asked(self, data: bytes) -> None:
        """What the driver sent; a device that is asked answers with `write`."""

    def write(self, data: bytes) -> None:
        for writer in self._writers:
            writer.write(data)

    def released(self) -> bool:
        return connections_to(int(self.places["PORT"])) == 0

    async def plug(self) -> None:
        port = int(self.places["PORT"]) if self._server is not None else 0
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", port)
        self.places["PORT"] = str(self._server.sockets[0].getsockname()[1])

    async def unplug(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def hang_up(self) -> None:
        """On who is connected, when all is sent."""
        for writer in self._writers:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while data := await reader.read(4096):
                self.asked(data)
        except OSError:
            pass  # it hung up
        finally:
            self._writers.remove(writer)
            writer.close()


class MqttDevice(Simulated):
    """A device that publishes under `topic` at a broker, which is BROKER in `home`."""

    topic: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.places["BROKER"] = "mqtt://127.0.0.1"
        self._broker = EmbeddedBroker()
        self._device: Any = None

    def write(self, data: bytes) -> None:
        self._device.publish(self.topic, data, qos=0)

    def released(self) -> bool:
        return connections_to(self._broker.port) <= 1  # the device's own

    async def plug(self) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        await self._broker.start()
        self.places["BROKER"] = self._broker.url
        self._device = Client(CallbackAPIVersion.VERSION2)
        await asyncio.to_thread(self._device.connect, "127.0.0.1", self._broker.port)
        self._device.loop_start()

    async def unplug(self) -> None:
        self._device.disconnect()
        await asyncio.to_thread(self._device.loop_stop)
        await self._broker.stop()


class PinDevice(Simulated):
    """A part on a pin of a board, whose pigpio daemon gpiozero talks to.

    Attributes:
        converters: What else is on the board, with what hangs on its channels.
    """

    pin: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        loop = asyncio.get_running_loop
        self.board = Board(lambda seconds, call: loop().call_later(seconds, call).cancel)
        self.converters = Converters(lambda: loop().time())
        self._daemon = PigpioDaemon(self.board, self.converters)

    def high(self, nth: int) -> bool | None:
        """The level it drives at its change number `nth`; None: it lets go, and the pull decides."""
        return nth % 2 == 1

    def change(self) -> None:
        self._nth += 1
        self.board.drive(self.pin, self.high(self._nth))

    def garbage(self) -> None:
        """Pulses too short to be meant."""
        self.board.drive(self.pin, self.high(self._nth + 1), [1, 1] * 50)

    def released(self) -> bool:
        return not self._daemon.clients

    async def plug(self) -> None:
        await self._daemon.start(self._daemon.port)
        pigpio = {"GPIOZERO_PIN_FACTORY": "pigpio", "PIGPIO_ADDR": "127.0.0.1"}
        os.environ.update(pigpio, PIGPIO_PORT=str(self._daemon.port))

    async def unplug(self) -> None:
        await self._daemon.stop()


def connections_to(port: int) -> int:
    """How many this machine has to that port."""
    rows = _sockets("tcp")
    return sum(row[3] == ESTABLISHED and int(row[2].partition(":")[2], 16) == port for row in rows)


def listens_on_udp(port: int) -> bool:
    """Whether a program of this machine does."""
    return any(int(row[1].partition(":")[2], 16) == port for row in _sockets("udp"))


def _sockets(protocol: str) -> list[list[str]]:
    """The kernel's table of them: own address, that of the other and state are 1, 2 and 3 (proc(5))."""
    return [line.split() for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]]
