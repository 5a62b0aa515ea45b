"""What rules cost, beside others in the same run.

``python -m tests.benchmarks.rules [speed memory month deadline]``; without words, all four.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.benchmarks.rules_deadline import deadline
from tests.benchmarks.rules_kitchens import WAYS
from tests.benchmarks.rules_month import month
from tests.benchmarks.rules_peers import Program, programs

PARTS = ("speed", "memory", "month", "deadline")
ROUNDS = 3
NUMBERS = (10, 100, 1000)
READINGS = (60_000, 60_000, 60_000)
"""Of each number of rules where each has its own sensors."""
READINGS_ONE_PAIR = (10_000, 2_000, 400)
"""Where every reading is for every rule: as many as the slowest can do in ten seconds."""


def speed(them: list[Program]) -> None:
    """CPU of a reading: medians of alternating rounds, each in a process of its own."""
    print(f"\n{'CPU of a reading, µs':24}" + "".join(f"{number:>10,}" for number in NUMBERS) + " rules")
    for way, text in WAYS.items():
        print(text)
        took: dict[tuple[str, int], list[float]] = defaultdict(list)
        raised: dict[int, set[float]] = defaultdict(set)
        for _ in range(ROUNDS):
            for number, events in zip(NUMBERS, READINGS if way == "own" else READINGS_ONE_PAIR, strict=True):
                for program in them:
                    said = program.measure(way, number, events)
                    took[program.name, number].append(said["us"])
                    if "raised" in said:
                        raised[number].add(said["raised"])
        for program in them:
            medians = [statistics.median(took[program.name, number]) for number in NUMBERS]
            print(f"  {program.name:22}" + "".join(f"{us:10,.1f}" for us in medians), flush=True)
        for number, found in raised.items():
            if len(found) > 1:
                print(f"  with {number} rules they don't agree on the alarms: {sorted(found)}")


def memory(them: list[Program]) -> None:
    """Resident memory with 1,000 rules less that without: medians."""
    print(f"\n{'memory of 1,000 rules':24}{'resident MB':>12}{'traced MB':>12}")
    for program in them:
        without, with_them = (
            [program.measure("own", number, 0)["resident_mb"] for _ in range(ROUNDS)] for number in (0, 1000)
        )
        more_mb = statistics.median(with_them) - statistics.median(without)
        traced = [program.measure("own", number, 0, trace=True).get("traced_mb") for number in (0, 1000)]
        of_python = f"{traced[1] - traced[0]:12.1f}" if traced[0] and traced[1] else f"{'-':>12}"
        print(f"  {program.name:22}{more_mb:12.1f}{of_python}", flush=True)


def main() -> None:
    """Print the tables."""
    parts = sys.argv[1:] or PARTS
    if unknown := set(parts) - set(PARTS):
        sys.exit(f"{' '.join(unknown)}: one or more of {', '.join(PARTS)}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    them = programs() if {"speed", "memory"} & set(parts) else []
    with tempfile.TemporaryDirectory() as name:
        if "speed" in parts:
            speed(them)
        if "memory" in parts:
            memory(them)
        if "month" in parts:
            month(Path(name))
        if "deadline" in parts:
            deadline(Path(name))


if __name__ == "__main__":
    main()
