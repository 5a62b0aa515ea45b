"""`homenode fleet` with 1,000 homes: how soon the table, what it takes, beside mosquitto_sub as the floor.

``python -m tests.benchmarks.fleet [HOMES [SECONDS]]``
"""

from __future__ import annotations

import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.processes import cpu_s, memory_mb
from tests.system.brokers import Mosquitto
from tests.system.fleet_homes import Homes
from tests.unit.contract_examples import FIGURES

ROUNDS = 5
HOMENODE = (sys.executable, "-m", "homenode.cli", "fleet")


def timed(command: Sequence[str]) -> tuple[float, float, float, int]:
    """Wall and CPU seconds, the most memory in MB, and bytes of output.

    Not ru_maxrss, in which the memory of this process counts from before the exec.
    """
    begun, told, most = time.perf_counter(), 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 1 << 14):
            told += len(chunk)
            most = max(most, high_water_kb(process.pid))
        most = max(most, high_water_kb(process.pid))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, most * 1024 / 1e6, told


def high_water_kb(pid: int) -> int:
    """The most that was resident since its program began (VmHWM); 0 if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def listed(port: int, homes: int) -> None:
    """The table of all that the broker keeps."""
    where = ("--broker", f"mqtt://127.0.0.1:{port}")
    sub = ("mosquitto_sub", "-p", str(port), "-t", "hn1/+/link", "-t", "hn1/+/operator/status", "-v")
    commands = {
        "mosquitto_sub, prints all of it": (*sub, "-C", str(2 * homes)),
        "a Python that imports paho": (sys.executable, "-c", "import paho.mqtt.client, asyncio; print()"),
        "fleet list": (*HOMENODE, "list", *where),
        "fleet list --filter 'silent>0 and version<1.2'": (*HOMENODE, "list", "--filter",
                                                           "silent>0 and version<1.2", *where),
        "fleet list --json": (*HOMENODE, "list", "--json", *where),
    }  # fmt: skip
    rounds: dict[str, list[tuple[float, float, float, int]]] = {what: [] for what in commands}
    for _ in range(ROUNDS):
        for what, command in commands.items():
            rounds[what].append(timed(command))
    print(f"| {homes} homes, median of {ROUNDS} | s | CPU s | MB at most | kB printed |")
    print("|---|---|---|---|---|")
    for what, found in rounds.items():
        wall, cpu, most, size = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"| {what} | {wall:.2f} | {cpu:.2f} | {most:.0f} | {size / 1000:.0f} |", flush=True)


class Terminal:
    """A terminal of 50 lines that counts what it is sent."""

    def __init__(self, command: Sequence[str]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs)
        os.close(theirs)
        self.sent, self.shown = 0, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                told = os.read(self._ours, 1 << 16)
            except OSError:
                return
            self.sent += len(told)
            if b"homes, " in told:
                self.shown.set()

    def quit(self) -> None:
        os.write(self._ours, b"q")
        self.process.wait(20)


def watched(port: int, homes: Homes, seconds: int) -> None:
    """The live table while homes beat each minute, and while 100 of them a second say something new."""
    names = list(homes.states)
    rows = []
    terminal = Terminal((*HOMENODE, "watch", "--broker", f"mqtt://127.0.0.1:{port}"))
    assert terminal.shown.wait(60)
    for what, each_s, news in (
        ("idle: heartbeats", len(names) / 60, False),
        ("100 changes a second", 100.0, True),
    ):
        cpu, sent, begun, told = cpu_s(terminal.process.pid), terminal.sent, time.perf_counter(), 0
        while (now := time.perf_counter()) - begun < seconds:
            name = names[told % len(names)]
            if news:
                figures = {**FIGURES, "state": "good", "silent": told % 3, "disk_free_pct": told % 20 * 5}
                homes.say(name, health=figures)
            else:
                homes.link(name)
            told += 1
            time.sleep(max(0.0, begun + told / each_s - now))
        spent = time.perf_counter() - begun
        rows.append((what, told / spent, (cpu_s(terminal.process.pid) - cpu) / spent * 100,
                     memory_mb(terminal.process.pid)[0], (terminal.sent - sent) / spent / 1000))  # fmt: skip
    terminal.quit()
    print("\n| fleet watch, 50 lines | messages/s | CPU % | PSS MB | kB/s to the terminal |")
    print("|---|---|---|---|---|")
    for what, rate, cpu, most, written in rows:
        print(f"| {what} | {rate:.0f} | {cpu:.1f} | {most:.0f} | {written:.1f} |")


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    names = [f"home-{nth:05d}" for nth in range(count)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        Homes(broker.port, *names) as homes,
    ):
        for nth, name in enumerate(names):
            homes.say(name, health={**FIGURES, "state": "good", "silent": int(nth % 100 == 0)})
        listed(broker.port, count)
        watched(broker.port, homes, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
