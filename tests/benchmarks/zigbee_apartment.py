"""The hardware of the Zigbee benchmark, a process of its own: a stick, twenty devices, three pins.

It takes orders on standard input and answers on standard output, a JSON line each:

    {"do": "join"}                                            every device joins, if the network is open
    {"do": "send", "what": "reports", "rate": 100, "count": 1000}    frames at that rate; rate 0: all at once
    {"do": "answered"}             default responses that reached devices since the last send
    {"do": "probe", "rate": 50}  …  {"do": "stop"}            reports at that rate until told to stop

`send` and `stop` answer with what was handed to the stick:
[device, value as on the wire, CLOCK_MONOTONIC ns].
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from homenode.gateway.clock import Clock
from homenode.sim.apartment import read_apartment
from homenode.sim.hardware import Hardware
from homenode.sim.zigbee.air import COORDINATOR, Aps
from homenode.sim.zigbee.device import VirtualDevice

MODELS = ["contact"] * 10 + ["plug"] * 5 + ["thermometer"] * 5
TIMES = "HOMENODE_BENCH_TIMES"
"""Environment: so many times those twenty devices."""
FIRST_IEEE = 0x00158D0000000100
FIRST_VALUE = 1000
"""No device had it before."""
_ZONE, _TEMPERATURE, _ELECTRICAL = 0x0500, 0x0402, 0x0B04
_DEFAULT_RESPONSE = b"\x0b"
_REPORT, _ZONE_STATUS = b"\x18%c\x0a", b"\x09%c\x00"
"""Headers as such devices send them: a report wants no default response, a zone's change does."""


def names() -> dict[str, tuple[str, int]]:
    """Name of each Zigbee device to its model and IEEE address."""
    models = MODELS * int(os.environ.get(TIMES, "1"))
    return {f"{model}_{nth}": (model, FIRST_IEEE + nth) for nth, model in enumerate(models)}


def ieee_text(ieee: int) -> str:
    """As home.yaml writes it."""
    return ":".join(f"{ieee:016x}"[at : at + 2] for at in range(0, 16, 2))


def apartment_yaml() -> str:
    """The same devices, and pins 17, 27 and 22."""
    devices = [
        f'  {name}: {{model: {model}, ieee: "{ieee_text(ieee)}", room: hall}}'
        for name, (model, ieee) in names().items()
    ]
    return "\n".join(
        [
            "timezone: Europe/Stockholm",
            "zigbee:",
            *devices,
            "gpio:",
            "  front_door: {pin: 17, kind: contact, room: hall}",
            "  sink: {pin: 27, kind: water, room: hall}",
            "  hall_eye: {pin: 22, kind: motion, room: hall}",
            "",
        ]
    )


class Sender:
    """Makes frames with values that tell which frame it was, and hands them to the stick."""

    def __init__(self, hardware: Hardware) -> None:
        self._devices = {thing.name: thing.device for thing in hardware.zigbee()}
        self._stick = hardware.stick
        self._sequences = {name: itertools.count(FIRST_VALUE) for name in self._devices}
        self.reports = itertools.cycle([n for n in self._devices if not n.startswith("contact")])
        self.zones = itertools.cycle([n for n in self._devices if n.startswith("contact")])
        self.sent: list[tuple[str, int, int]] = []
        self.answered = 0
        for device in self._devices.values():
            device.receive = self._count(device.receive)  # type: ignore[method-assign]  # only looks on

    def _count(self, receive: Callable[[Aps], None]) -> Callable[[Aps], None]:
        def count(frame: Aps) -> None:
            self.answered += frame.payload[0] & 3 == 0 and frame.payload[2:3] == _DEFAULT_RESPONSE
            receive(frame)

        return count

    def mixed(self) -> Iterator[str]:
        """Devices in turn, reports and zone events alike."""
        while True:
            yield next(self.zones)
            yield next(self.reports)

    def frame(self, name: str) -> tuple[str, int, VirtualDevice, int, int, bytes]:
        """The next one of a device: its name, value, and what `VirtualDevice.send` takes."""
        device, nth = self._devices[name], next(self._sequences[name])
        tsn = nth & 0xFF
        if name.startswith("contact"):
            value = 1 - nth % 2
            body = value.to_bytes(2, "little") + bytes(4)
            return name, value, device, 2, _ZONE, _ZONE_STATUS % tsn + body
        power = name.startswith("plug")
        value = nth % (20_000 if power else 5_000)
        attribute, cluster = (0x050B, _ELECTRICAL) if power else (0x0000, _TEMPERATURE)
        body = attribute.to_bytes(2, "little") + b"\x29" + value.to_bytes(2, "little")
        return name, value, device, 1, cluster, _REPORT % tsn + body

    def send(self, frame: tuple[str, int, VirtualDevice, int, int, bytes]) -> None:
        """Write it, if the network is up."""
        name, value, device, endpoint, cluster, data = frame
        now = time.monotonic_ns()
        if self._stick.network_up:
            device.send(COORDINATOR, endpoint, 1, cluster, data)
            self.sent.append((name, value, now))

    async def run(self, what: str, rate: float, count: int) -> None:
        """So many frames at that rate; rate 0: all at once."""
        devices = {"reports": self.reports, "zones": self.zones, "mixed": self.mixed()}[what]
        frames = [self.frame(name) for name in itertools.islice(devices, count)]
        gc.collect()
        gc.disable()
        start = time.monotonic()  # noqa: TID251 - a benchmark is about real time
        for nth, frame in enumerate(frames):
            if rate:
                wait_s = start + nth / rate - time.monotonic()  # noqa: TID251 - likewise
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
            self.send(frame)
        gc.enable()


async def main(folder: Path) -> None:
    """Until standard input ends."""
    apartment = folder / "apartment.yaml"
    apartment.write_text(apartment_yaml())
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    hardware = Hardware(
        read_apartment(apartment), Clock(), state=folder / "stick.json", pty=folder / "stick", gpio=0
    )
    probe: asyncio.Task[None] | None = None

    def answer(**said: Any) -> None:
        print(json.dumps(said), flush=True)

    async with hardware, asyncio.TaskGroup() as tasks:
        sender = Sender(hardware)
        answer(gpio=hardware.pigpio.port, port=str(folder / "stick"))
        while line := await orders.readline():
            order = json.loads(line)
            match order["do"]:
                case "join":
                    answer(
                        joined=[
                            thing.name
                            for thing in hardware.zigbee()
                            if thing.device.on_network or thing.device.join()
                        ]
                    )
                case "send":
                    sender.sent, sender.answered = [], 0
                    await sender.run(order["what"], order["rate"], order["count"])
                    answer(sent=sender.sent, queued_ns=time.monotonic_ns())
                case "answered":
                    answer(answered=sender.answered)
                case "probe":
                    sender.sent = []
                    probe = tasks.create_task(sender.run("reports", order["rate"], 100_000 // 10))
                case "stop" if probe is not None:
                    probe.cancel()
                    answer(sent=sender.sent)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
