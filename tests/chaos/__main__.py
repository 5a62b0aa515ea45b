"""``python -m tests.chaos [--minutes 30] [--seed N] [--homes 2]``: everything fails, nothing may be lost."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos import disk, net
from tests.chaos.rig import run


def main() -> int:
    """Exit status 0: nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="of faults (default 30)")
    parser.add_argument("--seed", default=secrets.token_hex(3), help="what fails when (default: a new one)")
    parser.add_argument("--homes", type=int, default=2, help="on one broker (default 2)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is cleaned up
    if why := disk.why_not() or net.why_not():
        sys.exit(f"chaos: {why}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        print(run(folder / "run", args.seed, args.minutes * 60, homes=args.homes))
    except AssertionError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
