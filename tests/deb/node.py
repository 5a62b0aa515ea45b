"""The flat and the home of `make deb-test`: a Zigbee stick on a USB socket, two things on pins, a broker."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLAT = """\
timezone: Europe/Stockholm
pairing: open
zigbee:
  floor: {model: water, ieee: "00:15:8d:00:02:aa:bb:05", room: bathroom}
gpio:
  sink: {pin: 27, kind: water, room: kitchen}
"""
HOME = """\
home: plain-1
timezone: Europe/Stockholm
broker: {url: "mqtt://127.0.0.1:1883"}
voice: {device: default}
radios:
  zigbee: {driver: zigbee, port: PORT, adapter: ezsp}
devices:
  floor: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:05", room: bathroom}
  sink:  {driver: gpio, pin: 27, kind: water, room: kitchen}
rules:
  - {use: water_leak, as: leak_at_sink, bind: {water: [sink.water]}}
  - {use: water_leak, as: leak_on_floor, bind: {water: [floor.water]}}
"""
PINS = "[Service]\nEnvironment=GPIOZERO_PIN_FACTORY=pigpio PIGPIO_ADDR=127.0.0.1 PIGPIO_PORT=8888\n"
DATA = Path("/var/lib/homenode")


def run(command: str, within_s: float = 300) -> str:
    """What it says. Raises AssertionError: it failed."""
    done = subprocess.run(
        command,
        shell=True,
        text=True,
        timeout=within_s,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}"
    return done.stdout.strip()


def until(holds: Callable[[], Any], within_s: float, what: str) -> float:
    """Seconds until it held. Raises AssertionError: it did not."""
    began = time.perf_counter()
    while not holds():
        assert time.perf_counter() - began < within_s, f"not within {within_s} s: {what}"
        time.sleep(0.2)
    return time.perf_counter() - began


RELAY = """\
import asyncio, sys
async def pumped(source, sink):
    while data := await source.read(4096):
        sink.write(data)
    sink.close()
async def relayed(reader, writer):
    try:
        other_reader, other = await asyncio.open_connection("127.0.0.1", 7599)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pumped(reader, other), pumped(other_reader, writer), return_exceptions=True)
async def main():
    server = await asyncio.start_server(relayed, "10.0.2.15", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""
"""From QEMU to the flat's stick, which listens to this machine alone."""


def flat(port: int) -> list[subprocess.Popen[bytes]]:
    """Powers it, by the package's own program; its stick is at this port for QEMU."""
    folder = Path("/run/flat")
    folder.mkdir(exist_ok=True)
    (folder / "flat.yaml").write_text(FLAT)
    run = ["/usr/bin/homenode", "sim", "run", folder / "flat.yaml", "--tcp", "7599", "--gpio", "8888"]
    return [
        subprocess.Popen(run, stdout=subprocess.DEVNULL),
        subprocess.Popen(["python3", "-c", RELAY, str(port)]),
    ]


def does(words: str) -> None:
    """Tells the flat something."""
    run(f"/usr/bin/homenode sim do {words}")


def status() -> dict[str, Any]:
    """What the node says of itself; {} while it doesn't."""
    asked = "runuser -u homenode -- homenode status --json --data /var/lib/homenode"
    done = subprocess.run(asked, shell=True, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {}


class Receiver:
    """What care hears, by Debian's own client."""

    def __init__(self) -> None:
        self._file = Path("/run/heard")
        with self._file.open("wb") as file:
            self._process = subprocess.Popen(
                ["mosquitto_sub", "-q", "1", "-t", "hn1/plain-1/+/alerts"], stdout=file
            )

    def heard(self) -> list[dict[str, Any]]:
        """All messages, whole ones."""
        return [
            json.loads(line)
            for line in self._file.read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]

    def alert_of(self, point: str) -> bool:
        """Whether an alert came for which this point is a reason."""
        return any(
            said["point"] == point and said["value"] is True
            for message in self.heard()
            for said in message["data"].get("evidence", [])
        )

    def end(self) -> None:
        """No more."""
        self._process.terminate()
        self._process.wait()
