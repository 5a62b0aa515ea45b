"""``python -m tests.image [SHOW …] [--cuts N] [--seed N]``: the image in QEMU, around it a real broker and
office."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from deploy.image.tools import CACHE, Tools
from tests.image import shows
from tests.image.show import Given, Result


def main() -> int:
    """Exit status 0: all was as it should be."""
    parser = argparse.ArgumentParser(prog="make image-test", description=__doc__)
    parser.add_argument("show", nargs="*", choices=[*shows.SHOWS, []], help="these alone")
    parser.add_argument("--cuts", type=int, default=6, metavar="N", help="power cuts in each phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--minutes", type=float, default=60, help="of the figures: how long writing is counted"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave it")
    given = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("image-test: the tools that made the image are in a root of their own, which needs root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("image-test: ended"))  # and with it what it started
    made = Tools(CACHE / "tools")
    image = made.work / "homenode.img"
    if not image.exists():
        sys.exit(f"image-test: there is no image in {CACHE}; make image")
    well = True
    for name in given.show or shows.SHOWS:
        with tempfile.TemporaryDirectory(prefix="image-test-") as temporary:
            folder = (given.keep or Path(temporary)) / name
            about = Given(made, image, folder, given.cuts, given.seed, given.minutes)
            for result in _told(shows.SHOWS[name](about)):
                well &= result.well
                print(f"{'well' if result.well else 'NOT':4}  {result.show:44} {result.saw}", flush=True)
    return 0 if well else 1


def _told(results: Iterator[Result]) -> Iterator[Result]:
    """What a show shows, and that it broke off, if it did."""
    started = perf_counter()
    try:
        yield from results
    except (AssertionError, LookupError, OSError, ValueError, subprocess.SubprocessError):
        yield Result("broke off", False, f"after {perf_counter() - started:.0f} s\n{traceback.format_exc()}")


if __name__ == "__main__":
    sys.exit(main())
