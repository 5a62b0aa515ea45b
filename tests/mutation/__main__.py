"""``python -m tests.mutation``: every fault in the core; ``--changed``: a sample of those in what changed.

Exit status 1 if too few of them are noticed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from tests.mutation.changed import base, changed_lines
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.reach import find_reach
from tests.mutation.running import core_paths, survivors

ROOT = Path(__file__).parents[2]
LEAST_SCORE = 0.84
"""Share of faults that must be noticed. Of a sample of 345 in the whole core 90 % were, of 250 in lines
of the engine that changed 95 %; about half of the others change nothing that anybody could see."""
MOST_CHANGED = 200
"""The same sample on every machine, known to about 2.5 percent. Measured: 0.6 s each on two idle cores,
1 s on two that others use too, beside who reaches what."""
CHANGED_S = 180.0
"""A slower machine judges what it can in this time, and says so; who reaches what is known before."""


def core() -> dict[str, Path]:
    """The pure core: the modules that import-linter keeps pure."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        contracts = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    return core_paths(ROOT, contracts[0]["source_modules"])


def main() -> int:
    """Runs the mutants; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="only these modules or packages (default: the whole core)")
    parser.add_argument(
        "--changed", action="store_true", help="only lines changed since the branch left main"
    )
    parser.add_argument("--since", metavar="COMMIT", help="only lines changed since this commit")
    parser.add_argument("--tests", default="tests/unit", metavar="FOLDER", help="only these tests")
    parser.add_argument("--most", type=int, metavar="N", help="a sample of at most N mutants")
    parser.add_argument("--seconds", type=float, metavar="S", help="start no mutant later than this")
    args = parser.parse_args()
    begun = time.monotonic()  # noqa: TID251 - a test tool's own stop-watch

    paths = {name: path for name, path in core().items() if _wanted(name, args.modules)}
    mutants = [m for name, path in paths.items() for m in mutants_of(name, path, path.read_text("utf-8"))]
    most, seconds = args.most, args.seconds
    if args.changed or args.since:
        since = args.since or base(paths.values())
        lines = changed_lines(since, ROOT)
        mutants = [m for m in mutants if lines.get(m.path, set()) & set(range(m.line, m.last_line + 1))]
        most, seconds = most or MOST_CHANGED, seconds or CHANGED_S
        print(f"{len(mutants)} mutants in the lines of the core changed since {since[:12]}")
    if not mutants:
        return 0
    mutants.sort(key=lambda mutant: mutant.order)
    mutants = mutants[:most] if most else mutants
    modules = {mutant.module: mutant.path for mutant in mutants}
    reach = find_reach(ROOT, modules.keys(), list(modules.values()), args.tests)
    if reach is None:
        print("the unit tests fail: nothing can be said of mutants", file=sys.stderr)
        return 1

    known = time.monotonic()  # noqa: TID251 - the same stop-watch
    killed, survived = Counter[str](), list[Mutant]()
    to_run = []
    for mutant in mutants:
        tests = reach.tests_for(mutant.module, mutant.path, mutant.line, mutant.last_line)
        if tests:
            to_run.append((mutant, tests))
        else:
            survived.append(mutant)
            print(f"reached by no unit test: {_shown(mutant)}")

    def in_time() -> bool:
        return seconds is None or time.monotonic() - known < seconds  # noqa: TID251 - as above

    unreached = len(survived)
    for mutant, passes in survivors(to_run, os.cpu_count() or 1, in_time):
        if passes:
            survived.append(mutant)
            print(f"not noticed: {_shown(mutant)}", flush=True)
        else:
            killed[mutant.module] += 1
    return _report(killed, survived, len(mutants), unreached, time.monotonic() - begun)  # noqa: TID251 - as above


def _report(killed: Counter[str], survived: list[Mutant], wanted: int, unreached: int, took_s: float) -> int:
    missed = Counter(mutant.module for mutant in survived)
    print(f"\n{'module':44}{'noticed':>8}{'of':>6}{'score':>7}")
    for module in sorted({*killed, *missed}):
        total = killed[module] + missed[module]
        print(f"{module:44}{killed[module]:8}{total:6}{killed[module] / total:7.0%}")
    total = killed.total() + missed.total()
    if not total:
        print("time was up before any mutant was judged", file=sys.stderr)
        return 1
    score = killed.total() / total
    print(f"{'all':44}{killed.total():8}{total:6}{score:7.0%}")
    print(f"{took_s:.0f} s; {unreached} in lines that no unit test reaches")
    if total < wanted:
        print(f"time was up: {wanted - total} of {wanted} were not begun; judged is what was")
    allowed = max(1, int((1 - LEAST_SCORE) * total))
    if missed.total() > allowed:
        limit = f"at most {allowed} may be ({LEAST_SCORE:.0%} must be noticed)"
        print(f"{missed.total()} of {total} not noticed; {limit}", file=sys.stderr)
        return 1
    return 0


def _shown(mutant: Mutant) -> str:
    return f"{mutant.path.relative_to(ROOT)}:{mutant.line}: {mutant.before} -> {mutant.after}"


def _wanted(name: str, modules: list[str]) -> bool:
    return not modules or any(name == module or name.startswith(f"{module}.") for module in modules)


if __name__ == "__main__":
    sys.exit(main())
