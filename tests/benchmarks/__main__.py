"""All benchmarks one after the other, or those named: ``python -m tests.benchmarks [zigbee node …]``."""

from __future__ import annotations

import subprocess
import sys

ALL = (
    "zigbee", "node", "flat", "installing", "link", "journal", "rules", "homes", "video", "console", "panel",
    "fleet",
)  # fmt: skip


def main() -> int:
    """Exit status: how many failed."""
    failed = 0
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        failed += (
            subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
