"""`python -m deploy.image`: the card's image, with what it took."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from deploy.image import card, root
from deploy.image.tools import REPOSITORY, tools


def main() -> int:
    """Makes everything in ``dist/``."""
    parser = argparse.ArgumentParser(prog="make image", description=__doc__)
    parser.add_argument("--deb", type=Path, action="append", default=[], help="our package, for arm64")
    given = parser.parse_args()
    epoch = int(subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=REPOSITORY))
    started = perf_counter()

    def told(what: str) -> None:
        print(f"{perf_counter() - started:6.0f} s  {what}", flush=True)

    made = tools()
    told("tools")
    folder = root.build(made, given.deb, epoch)
    told("root")
    file_system = card.slot(made, epoch)
    told("slot")
    fat = card.boot(made, folder, epoch)
    image = card.card(made, fat, file_system)
    told(f"card {card.digest(image)}")
    made.run("zstd", "-q", "-f", "-T0", "-12", image.name)
    told(f"compressed: {(image.parent / (image.name + '.zst')).stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
