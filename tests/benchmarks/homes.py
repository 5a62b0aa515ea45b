"""10,000 simulated homes and one group of receivers, over mosquitto and over NATS with three servers.

``python -m tests.benchmarks.homes [HOMES [SECONDS [ALERTS_A_SECOND [STORM]]]]``
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.processes import cpu_s
from tests.system.brokers import Mosquitto
from tests.system.receivers import Listener, Nats

now_ns = time.monotonic_ns


class Reader:
    """Reads what a receiver prints, and notes when each alert came."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.came = process, list[tuple[int, bytes]]()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.came.append((now_ns(), line))


def receivers(folder: Path, words: Sequence[str], number: int) -> list[Reader]:
    """That many of a group, listening."""
    made = []
    for nth in range(number):
        listener = Listener(folder, *words, "--json", name=f"receiver-{nth}")
        made.append(Reader(listener.start(stdout=subprocess.PIPE).process))
    return made


def measure(
    name: str,
    ports: Sequence[int],
    group: list[Reader],
    brokers: dict[str, int],
    plan: list[int],
    subscribes: bool,
) -> None:
    """Run the homes and print the table's rows."""
    seconds = plan[1]
    words = [*map(str, plan), str(int(subscribes)), *map(str, ports)]
    begun = now_ns()
    homes = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.homes_senders", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert homes.stdin is not None
    assert homes.stdout is not None
    assert homes.stdout.readline() == "ready\n"
    online_s = (now_ns() - begun) / 1e9
    pids = {**brokers, **{f"receiver {n}": r.process.pid for n, r in enumerate(group)}, "homes": homes.pid}
    before = {what: cpu_s(pid) for what, pid in pids.items()}
    homes.stdin.write("go\n")
    homes.stdin.flush()
    storm_ns = int(homes.stdout.readline().split()[1])
    cpu = {what: (cpu_s(pid) - before[what]) / seconds for what, pid in pids.items()}
    told = json.loads(homes.stdout.readline())
    sent: dict[str, list[int]] = told["sent"]
    came: dict[str, list[int]] = {}
    deadline = now_ns() + 60_000_000_000
    seen = [0] * len(group)
    while came.keys() < sent.keys() and now_ns() < deadline:
        time.sleep(0.5)
        for nth, reader in enumerate(group):
            new = reader.came[seen[nth] :]
            seen[nth] += len(new)
            for at, line in new:
                event = json.loads(line)
                if event["id"] in sent:
                    came.setdefault(event["id"], []).append(at)
    homes.stdin.write("end\n")
    homes.stdin.close()
    homes.wait()
    lost, doubled = len(sent.keys() - came.keys()), sum(len(times) > 1 for times in came.values())
    print(f"\n{name}: {plan[0]} homes online in {online_s:.0f} s, {told['lost']} connections lost")
    print(f"  {len(sent)} alerts, {lost} lost, {doubled} doubled")
    for what, wanted in (("steady", range(storm_ns)), ("storm", range(storm_ns, now_ns()))):
        keys = [key for key, times in sent.items() if times[0] in wanted]
        handed = [(min(came[key]) - sent[key][0]) / 1e6 for key in keys if key in came]
        acknowledged = [(sent[key][1] - sent[key][0]) / 1e6 for key in keys]
        for kind, times in (("handed over", handed), ("acknowledged", acknowledged)):
            if len(times) > 1:
                cut = statistics.quantiles(times, n=100)
                print(
                    f"  {what:6} {kind:12} p50 {cut[49]:8.1f}  p99 {cut[98]:8.1f}  worst {max(times):8.1f} ms"
                )
    print("  CPU, steady: " + ", ".join(f"{what} {share:.1%}" for what, share in cpu.items()))


def main() -> int:
    """Both brokers, one after the other."""
    given = [int(word) for word in sys.argv[1:5]]
    plan = given + [10_000, 120, 50, 1_000][len(given) :]
    homes, seconds, rate, storm = plan
    print(
        f"{homes} homes, a heartbeat each 60 s, {rate} alerts a second for {seconds} s, then {storm} at once"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto(folder / "mosquitto"))
        group = receivers(folder, ["--broker", broker.url, "--data", str(folder / "data")], 1)
        stack.callback(lambda: [reader.process.kill() for reader in group])
        measure("mosquitto", [broker.port], group, {"mosquitto": broker.pid}, plan, subscribes=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nats = stack.enter_context(Nats(folder / "nats", 3))
        members = receivers(folder, nats.words(), 2)
        stack.callback(lambda: [reader.process.kill() for reader in members])
        measure("NATS", nats.mqtt, members, nats.pids, plan, subscribes=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
