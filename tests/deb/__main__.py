"""``python -m tests.deb``: `make deb-test`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.debian.build import main as build
from tests.deb import machine
from tests.system.brokers import free_port

WITHIN_S = 2400


def main() -> int:
    """Exit status 0: all was as it should be."""
    made = machine.GUEST.disk()
    with tempfile.TemporaryDirectory(prefix="deb-") as folder:
        out = Path(folder)
        out.chmod(0o755)
        build(["amd64", "--out", str(out)])
        try:
            machine.boot(made, out, [free_port(), free_port()], WITHIN_S)
        except (subprocess.SubprocessError, KeyboardInterrupt) as error:
            print(f"deb: the machine did not end: {error}", file=sys.stderr)
        shown = out / "shown.jsonl"
        rows = [json.loads(line) for line in shown.read_text().splitlines()] if shown.exists() else []
        well = bool(rows) and rows[-1]["show"] == "apt purge" and all(row["well"] for row in rows)
        shutil.copy(out / "serial.log", machine.GUEST.folder / "last-run.log")
    for row in rows:
        print(f"{'well' if row['well'] else 'NOT':4}  {row['show']:34} {row['saw']}")
    if not well:
        print(f"what it said: {machine.GUEST.folder / 'last-run.log'}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
