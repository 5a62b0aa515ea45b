"""``python -m tests.oracle [--traces 2000] [--seed 1]``: a difference is made small, shown, and fails."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections import Counter

from tests.oracle.case import Both, Case, Refused
from tests.oracle.draw import Draw
from tests.oracle.life import Line, TooManyModes


def main() -> int:
    """Exit status: how many recordings differed."""
    parser = argparse.ArgumentParser(prog="tests.oracle", description=__doc__)
    parser.add_argument("--traces", type=int, default=2000, help="how many (default 2000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the next has the next (default 1)")
    parser.add_argument("--most", type=int, default=1, help="stop after so many differences (default 1)")
    args = parser.parse_args()
    seen: Counter[str] = Counter()
    failed = 0
    with Both() as both:
        for seed in range(args.seed, args.seed + args.traces):
            case = compared(both, seed, seen)
            if case is not None:
                failed += 1
                print(f"--- seed {seed}\n{shown(both, case)}", flush=True)
                if failed == args.most:
                    break
    for what, number in sorted(seen.items()):
        print(f"{number:>9}  {what}")
    return failed


def compared(both: Both, seed: int, seen: Counter[str]) -> Case | None:
    """A case in which the two differ, as small as it becomes."""
    draw = Draw(seed)
    case = draw.case()
    try:
        for _ in range(2):
            case = draw.more(case, both.meant(case, Counter()))
        meant, said = both.compare(case, seen)
    except TooManyModes:
        seen["left out: more than 60 modes an hour"] += 1
        return None
    except Refused as refused:
        raise AssertionError(f"seed {seed}: refused\n{refused}\n{case}") from None
    seen.update(["recordings"])
    seen["lines that both told"] += len(said)
    for line in map(json.loads, case.lines):
        del line["at"]
        if "point" in line:
            line = {"value": "number" if type(line["value"]) in (int, float) else line["value"]}
        seen.update(f"line: {what} {value}" for what, value in line.items() if what != "ack")
        seen["line: ack"] += "ack" in line
    seen.update(f"told: {line['event']} {line.get('do', '')}".strip() for line in meant)
    return smallest(both, case) if meant != said else None


def smallest(both: Both, case: Case) -> Case:
    """Whatever can be left out so that they still differ is."""
    for smaller in case.smaller():
        try:
            meant, said = both.compare(smaller, Counter())
        except (Refused, TooManyModes, IndexError):
            continue
        if meant != said:
            return smallest(both, smaller)
    return case


def shown(both: Both, case: Case) -> str:
    meant, said = both.compare(case, Counter())
    return f"{case}\n# oracle -, homenode +\n" + "\n".join(
        difflib.unified_diff(_texts(meant), _texts(said), lineterm="", n=100)
    )


def _texts(lines: list[Line]) -> list[str]:
    keys = ("at", "rule", "alert", "event", "step", "do", "because")
    return [json.dumps({key: line[key] for key in keys if key in line}) for line in lines]


if __name__ == "__main__":
    sys.exit(main())
