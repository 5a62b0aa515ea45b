"""What rules cost: stove-like ones, CPU per reading.

``python -m tests.benchmarks.rules``
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from tests.benchmarks.rules_kitchens import WAYS

ROUNDS = 3
NUMBERS = (10, 100, 1000)


def _ours(way: str, number: int) -> dict[str, Any]:
    events = 100_000 if way == "own" else 2_000_000 // max(number, 100)
    command = [sys.executable, "-m", "tests.benchmarks.rules_engine", way, str(number), str(events)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def main() -> None:
    """Print the table."""
    print(f"{'CPU, µs a reading':64}" + "".join(f"{number:>8,}" for number in NUMBERS) + " rules")
    for way, text in WAYS.items():
        said = [[_ours(way, number)["us"] for number in NUMBERS] for _ in range(ROUNDS)]
        medians = [statistics.median(column) for column in zip(*said, strict=True)]
        print(f"{text:64}" + "".join(f"{us:8.1f}" for us in medians), flush=True)


if __name__ == "__main__":
    main()
