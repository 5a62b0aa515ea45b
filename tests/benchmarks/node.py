"""What a node costs without a radio: each recorded reading on its way out, and one that only reads pins.

``python -m tests.benchmarks.node [RECORDING …]``; by default the recordings that lie beside the repository.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path

from homenode.recordings import Recording
from tests.benchmarks.processes import Listener, cpu_s, memory_mb, settle
from tests.benchmarks.zigbee_stacks import Apartment
from tests.system.brokers import Mosquitto
from tests.system.nodes import NodeProcess

BESIDE = Path(__file__).parents[3] / "shared/data"
USUAL = ("homes/houseA.events.csv.gz", "homes/houseB.events.csv.gz", "power/stove*")
MOST = 60_000
"""Readings of a recording that are played at most: about a busy home's day."""
TOPICS = "hn1/bench/care/readings/#"


def _home(folder: Path, url: str, more: str, rules: str = "") -> Path:
    folder.mkdir()
    home = folder / "home.yaml"
    home.write_text(
        f"home: bench\ntimezone: UTC\nbroker: {{url: '{url}'}}\nclock: {{trust: always}}\n{more}{rules}"
        "share: {care: ['*.*']}\n"
    )
    return home


def played(folder: Path, url: str, file: Path) -> tuple[Path, int]:
    """A home that plays the beginning of a recording as fast as it goes, and how many lines that is."""
    lines = []
    for line in Recording(file):
        if len(lines) == MOST:
            break
        lines.append(line)
    days = max(1, (lines[-1].wall_ms - lines[0].wall_ms) // 86_400_000)
    end_ms = lines[0].wall_ms // 86_400_000 * 86_400_000 + days * 86_400_000
    begin = time.strftime("%Y-%m-%d", time.gmtime(lines[0].wall_ms / 1000))
    sensors = {line.source: line.value for line in lines if line.wall_ms < end_ms}
    devices = "".join(
        f"  s{nth}: {{via: tape, sensor: {json.dumps(source)}, "
        f"kind: {'contact' if isinstance(value, bool) else 'power'}, room: home}}\n"
        for nth, (source, value) in enumerate(sensors.items())
    )
    more = (
        f"radios: {{tape: {{driver: recording, file: {json.dumps(str(file))}, pace: fast, "
        f"from: '{begin}', for: {days} d}}}}\ndevices:\n{devices}"
    )
    return _home(folder, url, more), sum(line.wall_ms < end_ms for line in lines)


def live_path(folder: Path, broker: Mosquitto, file: Path) -> str:
    """Recording → rules → journal → broker → subscriber."""
    home, wanted = played(folder, broker.url, file)
    with Listener(broker.port, TOPICS) as listener:
        began = time.monotonic()  # noqa: TID251 - a benchmark is about real time
        with NodeProcess(home, folder / "data") as node:
            node.until("ready")
            before = cpu_s(node.process.pid)
            told = node.until("played ")
            said = re.search(r"played (\d+) readings", told)
            number = int(said[1]) if said else wanted
            until = time.monotonic() + 60  # noqa: TID251 - likewise
            while len(listener.came) < number and time.monotonic() < until:  # noqa: TID251 - likewise
                time.sleep(0.05)
            took_s = time.monotonic() - began  # noqa: TID251 - likewise
            used_s = cpu_s(node.process.pid) - before
            held_mb, _ = memory_mb(node.process.pid)
            node.stop()
    return (
        f"{file.name:28} {number:>8,} {len(listener.came):>8,} {number / took_s:>8,.0f} "
        f"{used_s / number * 1e6:>8.0f} {held_mb:>8.1f}"
    )


_PINS = """\
devices:
  front_door: {driver: gpio, pin: 17, kind: contact, room: hall}
  sink: {driver: gpio, pin: 27, kind: water, room: hall}
  hall_eye: {driver: gpio, pin: 22, kind: motion, room: hall}
"""
_RULES = """\
voice: {device: none}
rules:
  - {use: door_open_at_night, bind: {door: front_door.contact}}
  - {use: water_leak, bind: {water: [sink.water]}}
"""


def pins(folder: Path, broker: Mosquitto) -> str:
    """A node with three wired sensors, two rules and a broker."""
    apartment = Apartment(folder / "hardware")
    environment = {
        "GPIOZERO_PIN_FACTORY": "pigpio",
        "PIGPIO_ADDR": "127.0.0.1",
        "PIGPIO_PORT": str(apartment.gpio),
    }
    home = _home(folder / "pins", broker.url, _PINS, _RULES)
    starts = []
    for _ in range(3):
        with Listener(broker.port, TOPICS) as listener:
            began = time.monotonic_ns()
            with NodeProcess(home, folder / "pins/data", env=environment) as node:
                while not any(b'"live"' in payload for _, _, payload in listener.came):
                    time.sleep(0.005)
                starts.append((listener.came[0][0] - began) / 1e9)
                settle(node.process.pid, below=0.01)
                held_mb, _ = memory_mb(node.process.pid)
                node.stop()
    apartment.close()
    return f"pins only: start to first reading published {sorted(starts)[1]:.2f} s, PSS idle {held_mb:.1f} MB"


def main() -> None:
    """Print both tables."""
    files = [Path(name) for name in sys.argv[1:]]
    files = files or [found for usual in USUAL for found in sorted(BESIDE.glob(usual))[:1]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Mosquitto(folder / "broker", persistent=False) as broker:
            if files:
                print(f"{'recording':28} {'in':>8} {'out':>8} {'per s':>8} {'CPU µs':>8} {'PSS MB':>8}")
            else:
                print(f"no recordings in {BESIDE}")
            for nth, file in enumerate(files):
                print(live_path(folder / f"tape{nth}", broker, file), flush=True)
            print(pins(folder, broker))


if __name__ == "__main__":
    main()
