"""How late a deadline is carried out live: `homenode run`, idle and with 200 readings a second.

A door opens at s, as the node stamps what a tape says: ``door == open for 1 s`` is TRUE from exactly s + 1 s.
Measured is when the alert arrives at a subscriber: timer, rules, journal flushed to the disk, MQTT, broker.
Beside it, at the same time, the best that a program on this machine can do: `asyncio.sleep` until an instant.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.benchmarks.processes import Listener
from tests.system.brokers import Mosquitto
from tests.system.nodes import NodeProcess

DOORS = 20
WINDOW_MS = 1_000
CYCLE_MS = 3_000
"""Each door opens so often on average, for half as long: seven deadlines a second in all."""
SECONDS = 45
NOISE = 40
"""Sensors that make the load: meters and motion sensors in turn."""

_RULE = """\
rule: ajar
severity: warning
roles:
  door: {kind: contact}
when: door == open for 1 s
clear: door == closed
steps:
  - {after: 0 s, do: notify}
says: {en: "Ajar."}
"""


def _recording(path: Path, load_hz: int) -> None:
    """Doors that open at random, and meters that say `load_hz` values a second together."""
    rng = random.Random(1)
    lines: list[tuple[int, str, bool | float]] = []
    for door in range(DOORS):
        at_ms = rng.randrange(2_000, 2_000 + CYCLE_MS)
        while at_ms < SECONDS * 1000:
            lines.append((at_ms, f"d{door}", True))
            lines.append((at_ms + CYCLE_MS // 2, f"d{door}", False))
            at_ms += CYCLE_MS // 2 + rng.randrange(CYCLE_MS)
    for nth in range(load_hz * SECONDS):
        value = rng.random() < 0.5 if nth % 2 else float(rng.randrange(2000))
        lines.append((nth * 1000 // load_hz, f"m{nth % NOISE}", value))
    with path.open("w") as file:
        for at_ms, sensor, value in sorted(lines):
            at = f"2026-01-05T12:{at_ms // 60_000:02}:{at_ms % 60_000 / 1000:06.3f}Z"
            file.write(json.dumps({"at": at, "point": sensor, "value": value}) + "\n")


def _home(folder: Path, url: str, load_hz: int) -> Path:
    (folder / "rules").mkdir(parents=True)
    (folder / "rules/ajar.yaml").write_text(_RULE)
    _recording(folder / "tape.jsonl", load_hz)
    lines = [
        "home: bench",
        "timezone: UTC",
        f"broker: {{url: '{url}'}}",
        "clock: {trust: always}",
        "radios: {tape: {driver: recording, file: tape.jsonl}}",
        "share: {care: ['*.contact']}",
        "devices:",
    ]
    lines += [f"  d{nth}: {{via: tape, sensor: d{nth}, kind: contact, room: hall}}" for nth in range(DOORS)]
    for nth in range(NOISE):
        kind = "motion" if nth % 2 else "power"
        lines.append(f"  m{nth}: {{via: tape, sensor: m{nth}, kind: {kind}, room: hall}}")
    lines += ["rules:"]
    lines += [f"  - {{use: ajar, as: ajar_{nth}, bind: {{door: d{nth}.contact}}}}" for nth in range(DOORS)]
    for nth in range(0, NOISE, 2):  # the load has rules, too
        lines.append(
            f"  - {{use: stove_left_on, as: stove_{nth}, "
            f"bind: {{stove: m{nth}.power, presence: [m{nth + 1}.motion]}}}}"
        )
    home = folder / "home.yaml"
    home.write_text("\n".join(lines) + "\n")
    return home


def _unix_ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def lateness_ms(folder: Path, load_hz: int) -> tuple[list[float], list[float], int]:
    """Of every alert at the subscriber; of asyncio alone meanwhile; how many openings gave no alert."""
    with Mosquitto(folder / "broker", persistent=False) as broker:
        home = _home(folder / "home", broker.url, load_hz)
        with (
            Listener(broker.port, "hn1/bench/care/#") as listener,
            NodeProcess(home, folder / "data") as node,
        ):
            node.until("ready")
            timer = subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.rules_deadline", "timer", str(SECONDS - 5)],
                stdout=subprocess.PIPE,
                text=True,
            )
            floor: list[float] = json.loads(timer.communicate()[0])
            node.until("played ")
            time.sleep(1 + WINDOW_MS / 1000)
            wall_ms = (time.time_ns() - time.monotonic_ns()) / 1e6
            came = list(listener.came)
            node.stop()
    opened: dict[str, set[float]] = {}
    late: list[float] = []
    missing = 0
    for at_ns, topic, payload in came:
        body = json.loads(payload)
        if topic.endswith("/contact") and body["value"]:
            opened.setdefault(topic.split("/")[-2], set()).add(_unix_ms(body["at"]) + WINDOW_MS)
        elif topic.endswith("/alerts") and body["type"].endswith(".notified"):
            door = body["subject"].replace("ajar_", "d")
            due_ms = _unix_ms(body["data"]["at"] if "at" in body["data"] else body["time"])
            missing += due_ms not in opened.get(door, set())
            late.append(at_ns / 1e6 + wall_ms - due_ms)
    return late, floor, missing


async def _sleeper(until: float, rng: random.Random, late_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        due = loop.time() + rng.uniform(0.5, 1.5) * WINDOW_MS / 1000
        await asyncio.sleep(due - loop.time())
        late_ms.append((loop.time() - due) * 1000)


async def _timer(seconds: float) -> list[float]:
    rng, late_ms = random.Random(1), list[float]()
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as tasks:
        for _ in range(7):
            tasks.create_task(_sleeper(until, rng, late_ms))
    return late_ms


def _row(name: str, late_ms: list[float]) -> str:
    hundredths = statistics.quantiles(late_ms, n=100)
    return (
        f"{name:40}{len(late_ms):>8,}{statistics.median(late_ms):8.1f}{hundredths[94]:8.1f}"
        f"{hundredths[98]:8.1f}{max(late_ms):8.1f}"
    )


def deadline(folder: Path) -> None:
    """Print the table."""
    print(
        f"\n{'a deadline carried out too late, ms':40}{'number':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'worst':>8}"
    )
    for load_hz in (0, 200):
        late, floor, missing = lateness_ms(folder / f"load{load_hz}", load_hz)
        what = f"{load_hz} readings a second" if load_hz else "idle"
        print(_row(f"homenode, {what}", late))
        print(_row("  asyncio.sleep meanwhile", floor), flush=True)
        if missing:
            print(f"  {missing} alerts whose deadline is not an opening and {WINDOW_MS} ms")


if __name__ == "__main__":
    if sys.argv[1:2] == ["timer"]:
        print(json.dumps(asyncio.run(_timer(float(sys.argv[2])))))
    else:
        with tempfile.TemporaryDirectory() as name:
            deadline(Path(name))
