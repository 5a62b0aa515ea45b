"""What durability costs: the journal beside SQLite (WAL, FULL), on the same disk, in the same run.

``python -m tests.benchmarks.journal [SECONDS]``. For SECONDS (300) it also lives at the pace of a busy home
(54,000 readings and 20 alerts a day) and says what that comes to in a day, on ext4 as the data folder is to
be mounted and as it comes. As root it makes file systems in files and counts what really reaches the device;
otherwise it measures times only.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from homenode.journal import Journal
from homenode.journal.codec import encode

EVENTS = 2000
READINGS = 20_000
MOUNT = "noatime,commit=300"
"""As homenode/journal/README.md recommends."""
READINGS_A_DAY, ALERTS_A_DAY, ALERT_BYTES = 54_000, 20, 4400
GROUP = 20  # readings a flush: what 0.6 a second (54,000 a day) come to in 30 s
TEXT = "The stove has been on for twenty minutes without anybody in the kitchen. " * 2


def event(nth: int) -> dict[str, Any]:
    """225 bytes, the size that the peers in the README were measured with."""
    return {
        "t": "tr",
        "rule": "stove_left_on",
        "alert": nth,
        "event": "raised",
        "at": nth,
        "text": TEXT[:130],
    }


def reading(nth: int) -> dict[str, Any]:
    """A plug's power."""
    return {"t": "r", "p": "stove.power", "v": 1400 + nth % 50, "at": 1_767_589_923_250 + nth}


class Disk:
    """Where it is written, and what reached the device since the last question."""

    def __init__(self, folder: Path, device: str) -> None:
        self.folder, self._device = folder, device
        self._before = (0, 0)

    def now(self) -> tuple[int, int]:
        """Bytes and flushes since the device is there."""
        if not self._device:
            return 0, 0
        fields = Path(f"/sys/block/{self._device}/stat").read_text(encoding="ascii").split()
        return int(fields[6]) * 512, int(fields[15])

    def begin(self) -> None:
        """Count from here."""
        os.sync()
        self._before = self.now()

    def each(self, count: int) -> str:
        """Bytes and flushes for each of `count`."""
        if not self._device:
            return "       -        -"
        written, flushed = (now - before for now, before in zip(self.now(), self._before, strict=True))
        return f"{written / count:8,.0f} {flushed / count:8.2f}"


@contextlib.contextmanager
def a_disk(options: str = MOUNT) -> Iterator[Disk]:
    """An ext4 file system of our own if that is possible, else a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        image, mount = Path(name, "disk.img"), Path(name, "mnt")
        mount.mkdir()
        with image.open("wb") as file:
            file.truncate(256 << 20)

        def done(*command: str) -> str | None:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            return ran.stdout.strip() if ran.returncode == 0 else None

        device = None
        if (
            os.geteuid() == 0
            and done("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0", str(image))
            is not None
        ):
            device = done("losetup", "--find", "--show", str(image))
        if device and done("mount", "-o", options, device, str(mount)) is not None:
            try:
                yield Disk(mount, Path(device).name)
            finally:
                done("umount", "-l", str(mount))
                done("losetup", "-d", device)
        else:
            print("no loop device here: times only", file=sys.stderr)
            yield Disk(mount, "")


def timed(count: int, one: Callable[[int], None]) -> tuple[float, float, float]:
    """p50 and p99 in ms, CPU in µs each."""
    took = []
    cpu = time.process_time()
    for nth in range(count):
        start = time.perf_counter()
        one(nth)
        took.append(time.perf_counter() - start)
    cpu = time.process_time() - cpu
    quantiles = statistics.quantiles(took, n=100)
    return statistics.median(took) * 1e3, quantiles[98] * 1e3, cpu / count * 1e6


def row(name: str, disk: Disk, count: int, one: Callable[[int], None], *, group: int = 1) -> None:
    """Measure and print a line; `one` writes `group` records."""
    disk.begin()
    p50, p99, cpu = timed(count // group, one)
    print(f"{name:44}{disk.each(count)} {p50:8.3f} {p99:8.3f} {cpu / group:8.1f}")


def busy_home(options: str, seconds: float, say: Callable[[str], None]) -> None:
    """Live for a while at the pace of a busy home: here the file system's own writes show too."""
    with a_disk(options) as disk, Journal.open(disk.folder / "ours") as journal:
        journal.commit().result()
        time.sleep(8)  # the file system's own commit after the start: 5 s; the next file is laid ready
        disk.begin()
        before, start = disk.now(), time.perf_counter()
        nth = 0
        while (passed := time.perf_counter() - start) < seconds:
            journal.append(reading(nth), klass="reading")
            nth += 1
            time.sleep(86_400 / READINGS_A_DAY)
        if before == (0, 0):
            return
        watched = (disk.now()[0] - before[0]) / passed * 86_400
        # What is too rare to be seen here is added by its size: alerts, and files laid ready as zeros.
        blank = READINGS_A_DAY * len(encode(reading(0)))
        day_mb = (watched + ALERTS_A_DAY * ALERT_BYTES + blank) / 1e6
        say(f"a busy home, ext4 {options + ':':22}{day_mb:6.1f} MB a day (must 30, stretch 10)")


def main() -> None:
    """Print the table."""
    seconds, said = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0, list[str]()
    homes = [
        threading.Thread(target=busy_home, args=(options, seconds, said.append))
        for options in (MOUNT, "noatime")
    ]
    for home in homes:
        home.start()
    table()
    for home in homes:
        home.join()
    for line in said:
        print(line)


def table() -> None:
    """What each record costs."""
    with a_disk() as disk:
        print(f"{'each record':44}{'bytes':>8} {'flushes':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8}")
        with Journal.open(disk.folder / "ours") as journal:

            def durable(nth: int) -> None:
                journal.append(event(nth), klass="alert")
                journal.commit().result()

            def grouped(nth: int, group: int = GROUP) -> None:
                for inner in range(group):
                    journal.append(reading(nth * group + inner), klass="reading")
                journal.commit().result()

            for nth in range(200):
                durable(nth)
            row("journal: an alert (must 6,000 B, 1 flush)", disk, EVENTS, durable)
            row(f"journal: readings, {GROUP} a flush (must 350)", disk, READINGS, grouped, group=GROUP)
            row("journal: readings, 100 a flush", disk, READINGS, lambda nth: grouped(nth, 100), group=100)
            row(
                "journal: append alone",
                disk,
                5000,
                lambda nth: _none(journal.append(reading(nth), klass="reading")),
            )
        for page in (4096, 512):
            base = sqlite3.connect(disk.folder / f"peer{page}.db", isolation_level=None)
            base.execute(f"PRAGMA page_size={page}")
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=FULL")
            base.execute("CREATE TABLE log(number INTEGER PRIMARY KEY, at INTEGER, text TEXT)")

            def insert(nth: int, base: sqlite3.Connection = base) -> None:
                base.execute("INSERT INTO log(at, text) VALUES (?, ?)", (nth, json.dumps(event(nth))))

            def together(nth: int, base: sqlite3.Connection = base) -> None:
                base.execute("BEGIN")
                for inner in range(GROUP):
                    text = json.dumps(reading(nth * GROUP + inner))
                    base.execute("INSERT INTO log(at, text) VALUES (?, ?)", (nth, text))
                base.execute("COMMIT")

            for nth in range(200):
                insert(nth)
            row(f"SQLite WAL FULL, page {page}: an alert", disk, EVENTS, insert)
            row(f"SQLite WAL FULL, page {page}: {GROUP} a flush", disk, READINGS, together, group=GROUP)
            base.close()
        start = time.perf_counter()
        journal = Journal.open(disk.folder / "ours")
        opened = time.perf_counter() - start
        count = sum(1 for _ in journal.read())
        whole = time.perf_counter() - start - opened
        journal.close()
        print(f"open again: {opened * 1e3:.1f} ms; read {count:,} records: {whole / count * 1e6:.1f} µs each")


def _none(_: object) -> None:
    """Drop a result."""


if __name__ == "__main__":
    main()
