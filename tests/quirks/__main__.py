"""Rows for Tuya's and Xiaomi's devices out of zha-quirks: `python -m tests.quirks` (Python 3.13 and npm).

Each quirk is put over a device and asked with frames (`bench`, `probes`); what it makes of them becomes a
row of drivers/zigbee/rows_quirks.json: models, source, points. zha-quirks is installed for that into
.quirks/, and never where a node runs. What it doesn't know of Tuya's is read from zigbee2mqtt (`converters`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.quirks import converters

VERSION = "2.3.0"
REPOSITORY = Path(__file__).parents[2]
HOME = REPOSITORY / ".quirks"


def main() -> int:
    """Install zha-quirks and write the rows."""
    python = HOME / "bin/python"
    if not (HOME / f"has-{VERSION}").exists():
        base = os.environ.get("QUIRKS_PYTHON", "python3.13")
        subprocess.run([base, "-m", "venv", str(HOME)], check=True)
        wanted = [f"zha-quirks=={VERSION}", "pyyaml"]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True)
        (HOME / f"has-{VERSION}").touch()
    write = [str(python), "-m", "tests.quirks.write", VERSION]
    subprocess.run(write, cwd=REPOSITORY, check=True)
    converters.write(HOME)
    return 0


if __name__ == "__main__":
    sys.exit(main())
