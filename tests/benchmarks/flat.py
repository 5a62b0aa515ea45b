"""A whole flat: 40 Zigbee devices joined one after the other, five pins, a meter; then idle, then busy.

``python -m tests.benchmarks.flat``. Beside it in the same run: a Python that has only imported zigpy and
bellows, which is what any node on them has to hold.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.benchmarks.processes import cpu_s, memory_mb, settle
from tests.system.brokers import Mosquitto
from tests.system.nodes import NodeProcess
from tests.system.test_sim_run import Apartment, apartment

MODELS = (
    "contact", "contact_aqara", "motion", "motion_hue", "water", "water_aqara", "smoke", "smoke_tuya", "co",
    "gas", "heat", "plug", "plug_innr", "thermometer", "button", "help_button", "vibration", "siren",
    "bed_mat", "lamp",
)  # fmt: skip
EACH = 2
PINS = (("front_door", 17, "contact"), ("sink", 27, "water"), ("hall_eye", 22, "motion"),
        ("alarm", 23, "smoke"), ("power", 24, "mains"))  # fmt: skip
IDLE_S, BUSY_S, RATE = 60.0, 20.0, 200.0
JOIN_S = 600.0
PEER = "import asyncio, zigpy.application, bellows.zigbee.application, time; time.sleep(60)"


def names() -> dict[str, str]:
    """Name to model and address."""
    return {f"{model}_{nth}": model for model in MODELS for nth in range(EACH)}


def ieee(nth: int) -> str:
    """Of the nth device."""
    return f"00:15:8d:00:07:00:00:{nth:02x}"


def apartment_yaml() -> str:
    """The hardware."""
    lines = ["timezone: Europe/Stockholm", "pairing: asked", "zigbee:"]
    for nth, (name, model) in enumerate(names().items()):
        lines.append(f'  {name}: {{model: {model}, ieee: "{ieee(nth)}", room: hall}}')
    lines.append("gpio:")
    lines += [f"  {name}: {{pin: {pin}, kind: {kind}, room: hall}}" for name, pin, kind in PINS]
    lines += ["p1:", "  meter: {port: p1, room: hall, l1: [fridge, television], l2: [hob]}"]
    return "\n".join(lines) + "\n"


def home_yaml(broker: Mosquitto, stick: Path) -> str:
    """The home."""
    zigbee = [
        f'  {name}: {{via: zigbee, ieee: "{ieee(nth)}", room: hall}}' for nth, name in enumerate(names())
    ]
    wired = [f"  {name}: {{driver: gpio, pin: {pin}, kind: {kind}, room: hall}}" for name, pin, kind in PINS]
    return "\n".join([
        "home: bench", "timezone: Europe/Stockholm", "clock: {trust: always}", "voice: {device: none}",
        f"broker: {{url: '{broker.url}'}}",
        f"radios:\n  zigbee: {{driver: zigbee, port: {stick}, adapter: ezsp}}",
        f"  p1: {{driver: p1, port: {stick.with_name('p1')}}}",
        "devices:", *zigbee, *wired, "  meter: {via: p1, room: hall}",
        "rules:",
        "  - use: cooker_left_on",
        "    bind: {current: [meter.current, meter.current_2, meter.current_3], presence: [hall_eye.motion]}",
        "  - {use: stove_left_on, bind: {stove: plug_0.power, presence: [hall_eye.motion]}}",
        "  - {use: door_open_at_night, bind: {door: front_door.contact}}",
        "  - {use: water_leak, bind: {water: [sink.water, water_0.water]}}",
        "share: {care: ['*.*']}", "",
    ])  # fmt: skip


def join_all(node: NodeProcess, sim: Apartment) -> float:
    """Seconds until all are interviewed, each joining when the one before is known."""
    began = time.monotonic()  # noqa: TID251 - a benchmark is about real time
    for name in names():
        assert node.ask("pair", "--for", "4min").returncode == 0, node.log
        sim.do(f"join {name}")
        while not any(f"interviewed device={name} " in line for line in node.lines):
            assert time.monotonic() - began < JOIN_S, f"{name}\n{node.log}"  # noqa: TID251 - likewise
            time.sleep(0.02)
    return time.monotonic() - began  # noqa: TID251 - likewise


def lags(data: Path, seconds: float) -> list[float]:
    """What a trivial question at the node's socket takes, in ms: at least what its event loop is late."""
    took = []
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(data / "node.sock"))
        stream = link.makefile("rwb")
        until = time.monotonic() + seconds  # noqa: TID251 - likewise
        while time.monotonic() < until:  # noqa: TID251 - likewise
            began = time.perf_counter()
            stream.write(b'{"do": "nothing"}\n')  # refused in a line
            stream.flush()
            assert stream.readline()
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.01)
    return sorted(took)


def busy(sim: Apartment, seconds: float) -> int:
    """Doors and thermometers at `RATE`; how many that were."""
    doors = [name for name in names() if name.startswith("contact")]
    heats = [name for name in names() if name.startswith("thermometer")]
    told, began = 0, time.monotonic()  # noqa: TID251 - likewise
    with sim.lines({"do": "help"}) as lines:
        next(lines)
    with socket.create_connection(("127.0.0.1", sim.places["control"])) as link:
        stream = link.makefile("rwb")
        while (spent := time.monotonic() - began) < seconds:  # noqa: TID251 - likewise
            while told < spent * RATE:
                if told % 2:
                    words = f"{'open' if told // 8 % 2 else 'close'} {doors[told // 2 % len(doors)]}"
                else:
                    words = f"measure {heats[told // 2 % len(heats)]} temperature {15 + told % 100 / 10}"
                stream.write(json.dumps({"do": words}).encode() + b"\n")
                stream.flush()
                answer = json.loads(stream.readline())
                assert answer["ok"], answer
                told += 1
            time.sleep(0.001)
    return told


def import_s() -> float:
    """What importing the gateway takes, with no driver; the best of five."""
    code = "import time; t = time.perf_counter(); import homenode.gateway.run; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name) / "broker", persistent=False) as broker:
        folder = Path(name)
        stick = folder / "stick"
        with apartment(folder, "--pty", str(stick), "--gpio", "0", text=apartment_yaml()) as sim:
            environment = {
                "GPIOZERO_PIN_FACTORY": "pigpio", "PIGPIO_ADDR": "127.0.0.1",
                "PIGPIO_PORT": str(sim.places["gpio"]),
            }  # fmt: skip
            home = folder / "home.yaml"
            home.write_text(home_yaml(broker, stick))
            with NodeProcess(home, folder / "data", env=environment) as node:
                node.until("network up")
                joined_s = join_all(node, sim)
                node.stop()
            with NodeProcess(home, folder / "data", env=environment) as node:
                node.until("network up")
                pid = node.process.pid
                settle(pid, below=0.01)
                before = cpu_s(pid)
                time.sleep(IDLE_S)
                idle = (cpu_s(pid) - before) / IDLE_S
                pss_mb, _ = memory_mb(pid)
                still = lags(folder / "data", 5)
                told: list[int] = []
                events = threading.Thread(target=lambda: told.append(busy(sim, BUSY_S)))
                events.start()
                late = lags(folder / "data", BUSY_S)
                events.join()
                node.stop()
        peer = subprocess.Popen([sys.executable, "-c", PEER])
        time.sleep(5)
        peer_mb, _ = memory_mb(peer.pid)
        peer.kill()
        peer.wait()
    rows = (
        ("interviews of 40, one after the other", f"{joined_s:.0f} s", "≤ 180 s"),
        ("PSS idle with zigbee, gpio and p1", f"{pss_mb:.1f} MB", "≤ 90 MB, stretch 65"),
        ("  zigpy and bellows imported, no more", f"{peer_mb:.1f} MB", ""),
        ("CPU idle", f"{idle:.2%}", "≤ 1 %"),
        (f"late at {told[0] / BUSY_S:.0f} events/s, p50 / p99", _late(late), "p99 ≤ 10 ms"),
        ("late idle, p50 / p99", _late(still), ""),
        ("import of the gateway, no driver", f"{import_s():.2f} s", "≤ 0.25 s"),
    )  # fmt: skip
    for what, found, must in rows:
        print(f"{what:44} {found:>18}   {must}")


def _late(took: list[float]) -> str:
    return f"{took[len(took) // 2]:.1f} / {took[len(took) * 99 // 100]:.1f} ms"


if __name__ == "__main__":
    main()
