"""``python -m tests.chaos.mass cuts|kills [--times 200] [--seed 1] [--journal]``: the same death, many times.

A node lives for a moment, in which alerts are raised and resolved, and dies: by a power cut amid a write or
flush of its disk or between two, or by kill -9. A third of the deaths come amid its start, each start writes
the journal in the present schema or the one before, and its files are small, so that compaction and upgrade
are always near. Then it is counted. `--journal`: no node, but a process that does nothing but commit; what it
had said to be committed must be there.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.chaos import disk, net
from tests.chaos.disk import Disk
from tests.chaos.house import House, writing
from tests.chaos.rig import Rig
from tests.system.test_journal_crash import Writer, lost

START_OPERATIONS, OPERATIONS = 60, 40
"""Writes and flushes of the device: of a start, and of a second or two with alerts."""
PAUSE_S = (0.1, 1.5)
STORM_PER_S = 5000


def die(house: House, how: str, seen: Counter[str]) -> None:
    """Once, and live again."""
    dice = house.dice
    within_s, most = dice.uniform(0, 0.8), START_OPERATIONS
    if dice.random() < 0.67:
        house.until_watched()
        within_s, most = dice.uniform(0, 2.5), OPERATIONS
        house.world.storm("meter_of_ours", STORM_PER_S, dice.uniform(0, 0.7))  # fills a file, so: compaction
    else:
        seen["amid the start"] += 1
    if how == "kills":
        house.wait(within_s)
        house.kill()
        seen.update(traces(house.disk.at / "data", house.busy))
    else:
        if dice.random() < 0.25:
            house.wait(within_s)
            house.cut(None)
        else:
            seen["amid a write or flush"] += 1
            house.cut(dice.randrange(most))
        house.power()
        seen["with writes in the drive's cache"] += bool(house.cached)
        seen.update(traces(house.disk.at / "data", house.busy))
    house.start()


def traces(data: Path, busy: set[str]) -> Iterator[str]:
    """In which moment the journal was left."""
    if "spare.tmp" in busy:
        yield "amid the making of the next file"
    if busy - {"spare.tmp"}:
        yield "amid a compaction or repair"
    files = (data / "journal").glob("*.log")
    schemas = {int.from_bytes(path.read_bytes()[8:10], "little") for path in files}
    if len(schemas - {0}) > 1:
        yield "with files of both schemas"


def nodes(folder: Path, how: str, times: int, seed: str) -> str:
    """Summary; AssertionError says what is wrong."""
    seen: Counter[str] = Counter()
    with Rig(folder, seed, pause_s=PAUSE_S) as rig:
        (house,) = rig.houses
        try:
            for nth in range(1, times + 1):
                die(house, how, seen)
                if not nth % 20:
                    rig.recovered(f"after {nth}")
                    house.say(f"{nth} {how}")
            rig.rest()
            wrong = rig.wrong()
        finally:
            rig.keep_logs()
        told = f"{times} {how} of a node: {_listed(seen)}\n{rig.summary()}"
    assert not wrong, "\n".join([*wrong, told])
    return f"{told}: 0 lost, 0 doubled"


def journals(folder: Path, how: str, times: int, seed: str) -> str:
    """Likewise, without a node."""
    dice = random.Random(seed)
    acknowledged: set[int] = set()
    seen: Counter[str] = Counter()
    plug = Disk(folder)
    for nth in range(1, times + 1):
        with plug:
            writer, busy = Writer(plug.at), set[str]()
            if how == "kills":
                writer.run(dice.randrange(1, 60))
                busy |= writing(writer.process.pid)
                writer.kill()
            else:
                plug.cut_after(dice.randrange(400))
                ender = threading.Thread(target=_cut, args=(plug, writer, dice.random(), seen, busy))
                ender.start()
                writer.ended()
                ender.join()
                plug.on()
            seen.update(traces(plug.at, busy))
            acknowledged |= set(writer.acknowledged)
            missing = lost(plug.at, acknowledged)
            assert not missing, f"death {nth}: {sorted(missing)[:9]} of {len(acknowledged)} are lost"
    return f"{times} {how} of a journal: {_listed(seen)}\n{len(acknowledged)} commits acknowledged: 0 lost"


def _cut(plug: Disk, writer: Writer, seed: float, seen: Counter[str], busy: set[str]) -> None:
    plug.dark.wait(10)
    plug.cut()
    busy |= writing(writer.process.pid)
    writer.process.kill()
    seen["with writes in the drive's cache"] += bool(plug.gone(seed, plug.at))


def _listed(seen: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in seen.most_common())


def main() -> int:
    """Exit status 0: nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="tests.chaos.mass", description=__doc__)
    parser.add_argument("how", choices=("cuts", "kills"))
    parser.add_argument("--times", type=int, default=200, help="(default 200)")
    parser.add_argument("--seed", default="1", help="what happens when (default 1)")
    parser.add_argument("--journal", action="store_true", help="without a node")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is cleaned up
    if why := disk.why_not() or net.why_not():
        sys.exit(f"chaos: {why}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    began = time.perf_counter()
    try:
        print((journals if args.journal else nodes)(folder / "run", args.how, args.times, args.seed))
    except AssertionError as error:
        print(f"seed {args.seed}, {folder}: {error}")
        return 1
    finally:
        print(f"{time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
