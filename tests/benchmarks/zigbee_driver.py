"""What the Zigbee driver costs: CPU per 1,000 frames on the short and on zigpy's general path, memory, start.

``python -m tests.benchmarks.zigbee_driver [EZSP VERSION]`` prints one JSON object. The stick is a process of
its own; only the driver's CPU counts.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from drivers.zigbee import DRIVER
from homenode.config.model import Device
from homenode.driver import Driver
from tests.system.zigbee_bed import Heard, address, up_or_over

FRAMES, RATE = 2000, 200
FIRST = 0x00158D0000000100
DEVICES = 10


async def stick(folder: Path, version: int) -> None:
    """The other process: a stick with plugs and door sensors, told what to do on standard input."""
    from homenode.sim.zigbee.coordinator import Coordinator
    from homenode.sim.zigbee.device import VirtualDevice
    from homenode.sim.zigbee.device_catalogue import model

    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with Coordinator(folder / "stick.json", version=version, pty=folder / "tty") as coordinator:
        models = ("contact", "plug")
        devices = [VirtualDevice(model(models[i % 2]), FIRST + i, coordinator) for i in range(DEVICES)]
        print("ready", flush=True)
        while order := (await orders.readline()).decode().strip():
            if order == "join":
                for device in devices:
                    device.join()
            start = loop.time()
            for number in range(FRAMES if order in ("report", "zone") else 0):
                device = devices[number % (DEVICES // 2) * 2 + (order == "report")]
                if order == "report":
                    device.measure("power", 100.0 + number, at_once=True)
                else:
                    device.trip(number // (DEVICES // 2) % 2 == 0)
                await asyncio.sleep(max(0.0, start + (number + 1) / RATE - loop.time()))
            print("done", flush=True)


async def order(process: Process, what: str) -> None:
    """Have the stick do something, and wait until it is done."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{what}\n".encode())
    await process.stdout.readline()


async def measured(host: Heard, process: Process, what: str, kind: str) -> float:
    """CPU seconds per 1,000 frames."""
    host.readings.clear()
    before = process_time()
    await order(process, what)
    await host.until(lambda: sum(told == kind for _, told, _ in host.readings) >= FRAMES, 30)
    return (process_time() - before) / FRAMES * 1000


def pss_mb() -> float:
    """Proportional set size of this process."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def bench(version: int) -> dict[str, Any]:
    """One run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        host = Heard(folder / "data")
        command = (sys.executable, "-m", __spec__.name, str(version), name)
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        devices = [
            Device(f"d{i}", "zigbee", "hall", via="stick", options={"ieee": address(FIRST + i)})
            for i in range(DEVICES)
        ]

        async def start(**options: Any) -> tuple[Any, asyncio.Task[None]]:
            radio: Driver = DRIVER.open("stick", {"port": str(folder / "tty"), **options}, devices, host)
            running = asyncio.ensure_future(radio.run())
            await up_or_over(radio, running)  # type: ignore[arg-type] # a ZigbeeRadio, behind its contract
            return radio, running

        async def stop(running: asyncio.Task[None]) -> None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        radio, running = await start(channel=15)
        await radio.pair(200)
        await order(process, "join")
        complete = radio._devices.is_complete
        await host.until(lambda: all(complete(device.options["ieee"]) for device in devices), 120)
        await stop(running)
        before = perf_counter()
        radio, running = await start()
        result = {"ezsp": version, "start_s": perf_counter() - before}
        for what, kind in (("report", "power"), ("zone", "contact")):
            result[f"{what}s_cpu_s_per_1000"] = await measured(host, process, what, kind)
        result["pss_mb"] = pss_mb()
        del radio._app._ezsp.frame_received  # bellows' own handler again
        for what, kind in (("report", "power"), ("zone", "contact")):
            result[f"{what}s_general_path_cpu_s_per_1000"] = await measured(host, process, what, kind)
        await stop(running)
        process.kill()
        await process.wait()
        return result


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 13
    if len(sys.argv) > 2:
        asyncio.run(stick(Path(sys.argv[2]), wanted))
    else:
        print(json.dumps({name: round(value, 4) for name, value in asyncio.run(bench(wanted)).items()}))
