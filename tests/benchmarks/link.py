"""The link beside bare paho and bare sockets, against the same mosquitto, in the same run.

``python -m tests.benchmarks.link``
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from homenode import records
from homenode.config.model import Broker
from homenode.contract import topics
from homenode.contract.times import Zone
from homenode.delivery import Sharing
from homenode.journal import Journal
from homenode.link import Link
from homenode.message import Class, Message
from homenode.outbox import Acknowledged, Limits, Numbered, Outbox
from homenode.reading import Reading
from tests.benchmarks.journal import a_disk
from tests.system.brokers import Mosquitto

BACKLOG = 54_000  # readings of a busy home's day
ALERTS = 300
STEADY, SECONDS = 200, 4  # one at a time: so many a second, so long
PAYLOAD = b'{"text":"%s"}' % (b"x" * 214)  # 225 B, the size the peers were measured with
ZONE = Zone("Europe/Stockholm")
now_s, cpu_s = time.perf_counter, time.process_time


def paho_drain(port: int, number: int) -> tuple[float, float]:
    """paho as it comes, 100 in flight: messages a second, µs CPU each."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bare")
    done, gone = threading.Event(), 0

    def on_publish(*_: object) -> None:
        nonlocal gone
        gone += 1
        if gone == number:
            done.set()

    client.max_inflight_messages_set(100)
    client.on_publish = on_publish
    client.connect("127.0.0.1", port)
    client.loop_start()
    start, cpu = now_s(), cpu_s()
    for _ in range(number):
        client.publish("bare", PAYLOAD, 1)
    done.wait()
    took = now_s() - start, cpu_s() - cpu
    client.disconnect()
    client.loop_stop()
    return number / took[0], took[1] / number * 1e6


def paho_alerts(port: int, number: int) -> list[float]:
    """paho as it comes, one at a time: ms from publish to PUBACK."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bare")
    client.connect("127.0.0.1", port)
    client.loop_start()
    took = []
    for _ in range(number):
        start = now_s()
        client.publish("bare", PAYLOAD, 1).wait_for_publish()
        took.append((now_s() - start) * 1e3)
    client.disconnect()
    client.loop_stop()
    return took


class Bench:
    """A link and what it acknowledged."""

    def __init__(self, url: str, limits: Limits) -> None:
        self.outbox = Outbox("bench", limits)
        self.gone, self.wanted = 0, -1
        self.done = asyncio.Event()
        self.online = asyncio.Event()
        self.link = Link(
            Broker((url,)),
            "h1",
            self.outbox,
            zone=ZONE,
            wall=lambda: 1_767_610_800_000,
            on_command=lambda *_: None,
            on_state=lambda state: self.online.set() if state.online else self.online.clear(),
            on_acknowledged=self._acknowledged,
            write_numbers=self._write,
        )

    def _acknowledged(self, _: Acknowledged) -> None:
        self.gone += 1
        if self.gone == self.wanted:
            self.done.set()

    def _write(self, numbers: list[Numbered]) -> None:
        self.outbox.written(numbers)
        self.link.wake()

    def want(self, number: int) -> None:
        """`done` is set after so many more acknowledgements."""
        self.gone, self.wanted = 0, number
        self.done.clear()


async def link_drain(port: int, number: int) -> tuple[float, float, float, float]:
    """A day's backlog: readings a second, µs CPU each from the journal's reading to PUBACK, MB at most."""
    bench = Bench(f"mqtt://127.0.0.1:{port}", Limits())
    sharing = Sharing("h1", ZONE, {"care": ["*.*"]})
    readings = [
        Reading(f"d{nth % 20}.power", nth * 0.5, 1_767_600_000_000 + nth * 1600) for nth in range(number)
    ]

    def messages(first: int, last: int) -> list[Message]:
        return [
            one
            for nth in range(first, last + 1)
            for one in sharing.messages(readings[nth - 1], 0, record=nth)
        ]

    gc.collect()
    tracemalloc.start()
    for nth in range(1, number + 1):
        for message in sharing.messages(readings[nth - 1], 0, record=nth):
            bench.outbox.add(message)
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    bench.want(number)
    task = asyncio.ensure_future(bench.link.run())
    await bench.online.wait()
    before = most = resident_mb()
    start, cpu = now_s(), cpu_s()
    while not bench.done.is_set():
        wanted = bench.outbox.wants()
        if wanted:
            through = min(wanted[1], wanted[0] + 999)
            bench.outbox.refill(messages(wanted[0], through), through)
            bench.link.wake()
            most = max(most, resident_mb())
        await asyncio.sleep(0)
    took = now_s() - start, cpu_s() - cpu
    await _end(task)
    return number / took[0], took[1] / number * 1e6, peak_mb, most - before


def resident_mb() -> float:
    """Memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def link_alerts(port: int, number: int) -> list[float]:
    """Alerts one at a time: ms from `add` to PUBACK, with a disk that costs nothing."""
    bench = Bench(f"mqtt://127.0.0.1:{port}", Limits())
    task = asyncio.ensure_future(bench.link.run())
    await bench.online.wait()
    took = []
    for nth in range(number):
        bench.want(1)
        start = now_s()
        bench.outbox.add(Message(f"a{nth}", "care", topics.alerts("h1", "care"), PAYLOAD, Class.ALERT, 0))
        bench.link.wake()
        await bench.done.wait()
        took.append((now_s() - start) * 1e3)
    await _end(task)
    return took


class Durable:
    """A bench whose places of alerts go to a real journal, as a node's do."""

    def __init__(self, url: str, folder: Path) -> None:
        self.bench = Bench(url, Limits())
        self.bench.link._write_numbers = self._write
        self.journal = Journal.open(folder)
        self._loop = asyncio.get_running_loop()

    def alert(self, nth: int) -> None:
        """One more."""
        message = Message(f"a{nth}", "care", topics.alerts("h1", "care"), PAYLOAD, Class.ALERT, nth)
        self.journal.append(records.of_message(message), klass="alert")
        self.bench.outbox.add(message)
        self._write(self.bench.outbox.number())

    def _write(self, numbers: list[Numbered]) -> None:
        for number in numbers:
            self.journal.append(records.of_number(number, 0), klass="alert")
        done = self.journal.commit()
        done.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._written, numbers))

    def _written(self, numbers: list[Numbered]) -> None:
        self.bench.outbox.written(numbers)
        self.bench.link.wake()


async def durable_alerts(port: int, folder: Path, number: int) -> tuple[list[float], list[float]]:
    """In turn: ms of a flush of one block by itself, and ms from an alert to its PUBACK, with its flush."""
    durable = Durable(f"mqtt://127.0.0.1:{port}", folder)
    bench, task = durable.bench, asyncio.ensure_future(durable.bench.link.run())
    await bench.online.wait()
    flushes, alerts = [], []
    with (folder / "bare").open("wb", buffering=0) as file:
        file.write(bytes(4096 * (number + 1)))
        os.fsync(file.fileno())
        for nth in range(number):
            start = now_s()
            os.pwrite(file.fileno(), b"x" * 4096, 4096 * nth)
            os.fdatasync(file.fileno())
            flushes.append((now_s() - start) * 1e3)
            bench.want(1)
            start = now_s()
            durable.alert(nth)
            await bench.done.wait()
            alerts.append((now_s() - start) * 1e3)
    await _end(task)
    durable.journal.close()
    return flushes, alerts


def paho_steady(port: int) -> float:
    """paho as it comes, one at a time: µs CPU each."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bare")
    client.connect("127.0.0.1", port)
    client.loop_start()
    start, cpu = now_s(), cpu_s()
    for nth in range(STEADY * SECONDS):
        info = client.publish("bare", PAYLOAD, 1)
        time.sleep(max(0.0, start + (nth + 1) / STEADY - now_s()))
    info.wait_for_publish()
    used = cpu_s() - cpu
    client.disconnect()
    client.loop_stop()
    return used / (STEADY * SECONDS) * 1e6


def waiting() -> float:
    """What the waiting alone costs a thread at that rate: µs CPU each."""
    start, cpu = now_s(), cpu_s()
    for nth in range(STEADY * SECONDS):
        time.sleep(max(0.0, start + (nth + 1) / STEADY - now_s()))
    return (cpu_s() - cpu) / (STEADY * SECONDS) * 1e6


async def link_readings(port: int) -> float:
    """Readings one by one as they are heard: µs CPU each."""
    bench = Bench(f"mqtt://127.0.0.1:{port}", Limits())
    sharing = Sharing("h1", ZONE, {"care": ["*.*"]})
    task = asyncio.ensure_future(bench.link.run())
    await bench.online.wait()
    number = STEADY * SECONDS
    bench.want(number)
    start, cpu = now_s(), cpu_s()
    for nth in range(number):
        reading = Reading(f"d{nth % 20}.power", nth * 0.5, 1_767_600_000_000 + nth)
        for message in sharing.messages(reading, 0, stale_after_ms=3_600_000, record=nth + 1):
            bench.outbox.add(message)
        bench.link.wake()
        await asyncio.sleep(max(0.0, start + (nth + 1) / STEADY - now_s()))
    await bench.done.wait()
    used = cpu_s() - cpu
    await _end(task)
    return used / number * 1e6


async def idle_loop() -> float:
    """What the event loop's own wake-ups cost at that rate: µs CPU each."""
    number, start, cpu = STEADY * SECONDS, now_s(), cpu_s()
    for nth in range(number):
        await asyncio.sleep(max(0.0, start + (nth + 1) / STEADY - now_s()))
    return (cpu_s() - cpu) / number * 1e6


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder), persistent=False) as broker:
        listener = mqtt.Client(CallbackAPIVersion.VERSION2, "listener")  # else all is for nobody
        listener.connect("127.0.0.1", broker.port)
        listener.subscribe("#", 0)
        listener.loop_start()
        bare, bare_us = paho_drain(broker.port, BACKLOG)
        ours, ours_us, peak_mb, rss_mb = asyncio.run(link_drain(broker.port, BACKLOG))
        bare_ms, ours_ms = paho_alerts(broker.port, ALERTS), asyncio.run(link_alerts(broker.port, ALERTS))
        with a_disk() as disk:
            flush_ms, durable_ms = asyncio.run(durable_alerts(broker.port, disk.folder, ALERTS))
        paho_us = paho_steady(broker.port) - waiting()
        link_us = asyncio.run(link_readings(broker.port)) - asyncio.run(idle_loop())
        listener.loop_stop()
    print(f"a day's backlog of {BACKLOG:,}: paho {bare:,.0f}/s, {bare_us:.0f} µs CPU each;", end=" ")
    print(f"link {ours:,.0f}/s, {ours_us:.0f} µs")
    print(f"  {ours / bare:.0%} of paho (must 60, stretch 80);", end=" ")
    print(f"it takes {peak_mb:.1f} MB while it waits, {rss_mb:.1f} more while it drains (must 10)")
    for name, took in (
        ("paho, publish to PUBACK", bare_ms),
        ("link, alert to PUBACK without a disk", ours_ms),
        ("a flush of 4 KB alone", flush_ms),
        ("alert to PUBACK, journal and link", durable_ms),
    ):
        p50, p99 = statistics.median(took), percentile(took, 0.99)
        print(f"{name:40} p50 {p50:6.2f} ms  p99 {p99:6.2f} ms")
    more = [percentile(durable_ms, share) - percentile(flush_ms, share) for share in (0.5, 0.99)]
    print(f"  over one flush: p50 {more[0]:.2f} ms, p99 {more[1]:.2f} ms (must 2, stretch 1)")
    print(
        f"one at a time, {STEADY}/s, CPU over the waiting: paho {paho_us:.0f} µs, link {link_us:.0f} µs",
        end="",
    )
    print(" (from the reading, with payload and outbox)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
