"""``python -m tests.fuzz [rule home trace] [--seconds 600]``: a crash, a hang, or memory beyond 200 MB fails.

Each runs in a process of its own, guided by what of homenode an input reaches (atheris, which is libFuzzer).
What it found interesting is kept in `.fuzz/`, so that the next run goes on from there.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".fuzz"
MOST_MB, LONGEST_S, LONGEST_BYTES = 200, 10, 20_000


def main() -> int:
    """Exit status: how many found something."""
    from tests.fuzz.targets import TARGETS, WORDS, seeds

    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=600, help="each (default 600)")
    args = parser.parse_args()
    if unknown := set(args.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    failed = 0
    print(f"{'target':8} {'inputs':>10} {'edges':>7} {'most MB':>8}  result")
    for name in args.targets or TARGETS:
        kept = KEPT / name
        (kept / "corpus").mkdir(parents=True, exist_ok=True)
        (kept / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS.split()))
        for number, seed in enumerate(seeds(name)):
            (kept / "corpus" / f"seed-{number}").write_bytes(seed)
        done = subprocess.run(
            [
                sys.executable, "-m", "tests.fuzz.one", name, str(kept / "corpus"), f"-dict={kept / 'words'}",
                f"-max_total_time={args.seconds}", f"-rss_limit_mb={MOST_MB}", f"-timeout={LONGEST_S}",
                f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={kept}/", "-print_final_stats=1",
            ],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        (kept / "log").write_text(done.stderr)
        failed += done.returncode != 0
        inputs, memory = (_last(rf"stat::{key}:\s+(\d+)", done.stderr) for key in _STATS)
        edges = _last(r"cov: (\d+)", done.stderr)
        result = (
            "nothing found" if done.returncode == 0 else f"FAILED, see {(kept / 'log').relative_to(ROOT)}"
        )
        print(f"{name:8} {inputs:>10} {edges:>7} {memory:>8}  {result}", flush=True)
    return failed


_STATS = ("number_of_executed_units", "peak_rss_mb")


def _last(pattern: str, text: str) -> str:
    return (re.findall(pattern, text) or ["?"])[-1]


def _escaped(word: str) -> str:
    return "".join(
        f"\\x{byte:02x}" if byte in b'"\\' or not 32 <= byte < 127 else chr(byte) for byte in word.encode()
    )


if __name__ == "__main__":
    sys.exit(main())
