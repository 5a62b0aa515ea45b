"""homenode beside zigbee2mqtt, on the same simulated stick and broker, in the same run.

``python -m tests.benchmarks.zigbee [--rounds N] [--times N] [--drain COUNT] [--only homenode|zigbee2mqtt]``

Each has a stick of its own with twenty devices (`--times 5`: a hundred), all interviewed in an earlier life
of the process. Then they run in turn, never both at once, `rounds` times; the table shows the median of the
rounds. A frame is stamped right before it is handed to the stick's framing, a message when a subscriber of
its own process has it (CLOCK_MONOTONIC); the two are matched by the value, which no other frame of the
device carries (contacts: by the order of their changes). CPU is that of the process under test less what it
takes idle.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import Listener, cpu_s, memory_mb, settle
from tests.benchmarks.zigbee_apartment import TIMES
from tests.benchmarks.zigbee_stacks import Apartment, Homenode, Peer, Stack
from tests.system.brokers import Mosquitto
from tests.system.peers import install

RATES = ((1, 15), (10, 150), (100, 1000), (200, 2000))
"""Events a second, and how many."""
CPU_EVENTS, CPU_RATE = 1000, 100
IDLE_S = 5.0
QUIET_S = 4.0
"""What has not come after so long without any message is lost."""


@dataclass
class Round:
    """What one stack did in one round.

    Attributes:
        latency_ms: Rate to what each event took.
        lost: Events that never came, of all that were sent in the round.
    """

    start_s: float = 0.0
    pss_mb: float = 0.0
    rss_mb: float = 0.0
    pss_after_mb: float = 0.0
    idle: float = 0.0
    latency_ms: dict[int, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    drain_rate: float = 0.0
    drained: tuple[int, int] = (0, 0)
    lost: int = 0


def match(
    stack: Stack, sent: Iterable[Sequence[Any]], came: Iterable[tuple[int, str, bytes]]
) -> list[tuple[int, int]]:
    """(sent, came) in ns of each event that came, in the order it came."""
    waiting: dict[str, deque[tuple[int, int]]] = defaultdict(deque)
    for name, value, at in sent:
        waiting[name].append((value, at))
    found = []
    for at, topic, payload in came:
        said = stack.read(topic, payload)
        if said is None or not waiting[said[0]]:
            continue
        name, value = said
        queue = waiting[name]
        if not name.startswith("contact"):
            while queue and queue[0][0] != value and any(one == value for one, _ in queue):
                queue.popleft()
        if queue and queue[0][0] == value and queue[0][1] < at:
            found.append((queue.popleft()[1], at))
    return found


def run(
    stack: Stack, listener: Listener, what: str, rate: float, count: int
) -> tuple[list[tuple[int, int]], int, int]:
    """Send; (events as `match` gives them, how many were sent, when the last was handed over)."""
    listener.clear()
    told = stack.apartment.ask("send", what=what, rate=rate, count=count)
    sent = told["sent"]
    seen, quiet_at = -1, 0.0
    while True:
        if len(listener.came) != seen:
            seen, quiet_at = len(listener.came), time.monotonic() + QUIET_S  # noqa: TID251 - real time
            if seen >= len(sent):
                found = match(stack, sent, list(listener.came))
                if len(found) == len(sent):
                    return found, len(sent), told["queued_ns"]
        elif time.monotonic() > quiet_at:  # noqa: TID251 - likewise
            return match(stack, sent, list(listener.came)), len(sent), told["queued_ns"]
        time.sleep(0.2)


def start(stack: Stack, listener: Listener) -> float:
    """Seconds from the start of the process to the first event at the subscriber."""
    listener.clear()
    stack.apartment.order("probe", rate=50)
    began = time.monotonic_ns()
    stack.start()
    stack.ready()
    time.sleep(1)  # more than a first event takes from here
    sent = stack.apartment.ask("stop")["sent"]
    found = match(stack, sent, list(listener.came))
    assert found, f"{stack.name} published nothing after its start"
    return (found[0][1] - began) / 1e9


def one_round(stack: Stack, listener: Listener, drain: int) -> Round:
    """Start, measure, stop."""
    done = Round()
    done.start_s = start(stack, listener)
    try:
        settle(stack.pid, below=0.02, within_s=20)
        done.pss_mb, done.rss_mb = memory_mb(stack.pid)
        before = cpu_s(stack.pid)
        time.sleep(IDLE_S)
        done.idle = (cpu_s(stack.pid) - before) / IDLE_S
        run(stack, listener, "mixed", CPU_RATE, 400)  # what is compiled or looked up once, is by now
        for rate, count in RATES:
            found, sent, _ = run(stack, listener, "mixed", rate, count)
            done.latency_ms[rate] = [(came - at) / 1e6 for at, came in found]
            done.lost += sent - len(found)
        for what in ("reports", "zones"):
            before, began = cpu_s(stack.pid), time.monotonic()  # noqa: TID251 - real time
            found, sent, _ = run(stack, listener, what, CPU_RATE, CPU_EVENTS)
            took = time.monotonic() - began  # noqa: TID251 - likewise
            done.cpu_s[what] = (cpu_s(stack.pid) - before - done.idle * took) * 1000 / CPU_EVENTS
            done.lost += sent - len(found)
        found, sent, queued = run(stack, listener, "mixed", 0, drain)
        done.drained = sent, len(found)
        if found:
            done.drain_rate = len(found) / ((found[-1][1] - queued) / 1e9)
        settle(stack.pid, below=0.02, within_s=20)
        done.pss_after_mb, _ = memory_mb(stack.pid)
    finally:
        stack.stop()
    return done


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    if not values:
        return math.nan
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True)
class Row:
    """A line of the table; `must` and `stretch` are for homenode, as text and as a test of (ours, peer's)."""

    what: str
    of: Callable[[Round], float]
    form: str
    must: str
    stretch: str
    good: Callable[[float, float], tuple[bool, bool]]


def _rows() -> list[Row]:
    rows = []
    for rate, _ in RATES:
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            rows.append(
                Row(
                    f"frame to message, {rate}/s, {name}, ms",
                    lambda r, rate=rate, share=share: percentile(r.latency_ms[rate], share),  # type: ignore[misc]  # defaults bind the loop's values
                    ".2f",
                    "<= 1x",
                    "<= 0.7x",
                    lambda ours, peer: (ours <= peer, ours <= 0.7 * peer),
                )
            )
    for what, name in (("reports", "attribute reports"), ("zones", "zone events")):
        rows.append(
            Row(
                f"CPU s per 1,000 {name}",
                lambda r, what=what: r.cpu_s[what],  # type: ignore[misc]  # likewise
                ".2f",
                "<= 1x",
                "<= 0.6x",
                lambda ours, peer: (ours <= peer, ours <= 0.6 * peer),
            )
        )
    rows += [
        Row("sustained, nothing lost, events/s", lambda r: r.drain_rate, ",.0f", ">= 1,000", ">= 1x",
            lambda ours, peer: (ours >= 1000, ours >= peer)),
        Row("PSS idle, MB", lambda r: r.pss_mb, ".1f", "<= 70", "<= 50",
            lambda ours, peer: (ours <= 70, ours <= 50)),
        Row("RSS idle, MB", lambda r: r.rss_mb, ".1f", "", "", lambda ours, peer: (True, True)),
        Row("PSS after the load, MB", lambda r: r.pss_after_mb, ".1f", "", "",
            lambda ours, peer: (True, True)),
        Row("CPU idle, %", lambda r: r.idle * 100, ".2f", "", "", lambda ours, peer: (True, True)),
        Row("start to first event published, s", lambda r: r.start_s, ".2f", "<= 1x", "<= 1",
            lambda ours, peer: (ours <= peer, ours <= 1)),
    ]  # fmt: skip
    return rows


def show(results: dict[str, list[Round]]) -> None:
    """The table."""
    print(f"\n{'':36} {'homenode':>10} {'zigbee2mqtt':>12} {'ratio':>7} {'must':>9} {'stretch':>9}")
    for row in _rows():
        values = {
            name: statistics.median(row.of(one) for one in rounds)
            for name, rounds in results.items()
            if rounds
        }
        ours, peer = values.get("homenode", math.nan), values.get("zigbee2mqtt", math.nan)
        must, stretch = row.good(ours, peer)
        ratio = ours / peer if peer else math.nan
        met = "" if not row.must else "stretch" if stretch else "must" if must else "MISSED"
        print(
            f"{row.what:36} {ours:>10{row.form}} {peer:>12{row.form}} {ratio:>6.2f}x "
            f"{row.must:>9} {row.stretch:>9}  {met}"
        )
    for name, rounds in results.items():
        drained = " ".join(f"{came}/{sent}" for sent, came in (one.drained for one in rounds))
        lost = sum(one.lost for one in rounds)
        print(f"{name}: lost {lost} at the rates; of what was drained came {drained}")


def machine() -> str:
    """Where this was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} processors, Python {platform.python_version()}, load {load:.1f} before"


def main() -> int:
    """Print the table. Nothing passes or fails by time; 1 only if homenode lost an event."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--drain", type=int, default=10_000)
    parser.add_argument("--only", choices=("homenode", "zigbee2mqtt"))
    parser.add_argument("--times", type=int, default=1, help="so many times twenty devices")
    args = parser.parse_args()
    os.environ[TIMES] = str(args.times)
    if args.only != "homenode":
        install()
    print(machine(), flush=True)
    kinds = [kind for kind in (Homenode, Peer) if args.only in (None, kind.name)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Mosquitto(folder / "broker", persistent=False) as broker:
            stacks: list[Stack] = []
            for kind in kinds:
                (folder / kind.name).mkdir()
                apartment = Apartment(folder / kind.name / "hardware")
                stacks.append(kind(folder / kind.name, apartment, broker))
            try:
                for stack in stacks:
                    stack.pair()
                    print(f"{stack.name}: network formed, {20 * args.times} devices interviewed", flush=True)
                results: dict[str, list[Round]] = {kind.name: [] for kind in kinds}
                for nth in range(args.rounds):
                    for stack in stacks if nth % 2 == 0 else reversed(stacks):
                        with Listener(broker.port, stack.topics) as listener:
                            results[stack.name].append(one_round(stack, listener, args.drain))
                        print(f"round {nth + 1}: {stack.name} done", flush=True)
            finally:
                for stack in stacks:
                    stack.apartment.close()
    show(results)
    lost = [one.lost or one.drained[0] - one.drained[1] for one in results.get("homenode", [])]
    return 1 if any(lost) else 0


if __name__ == "__main__":
    sys.exit(main())
