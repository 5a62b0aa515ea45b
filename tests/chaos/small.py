"""`homenode` with a journal of small files, which compacts all the time: `python -m tests.chaos.small`"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from homenode.cli import main
from homenode.gateway import run
from homenode.journal import Journal, Limits

LIMITS = Limits(segment_bytes=128 * 1024, readings_bytes=256 * 1024)


class Small(Journal):
    @classmethod
    def open(cls, folder: Path, **how: Any) -> Journal:
        """With our limits, in the schema of now or before."""
        small = {"limits": LIMITS, "schema": int(os.environ["JOURNAL_SCHEMA"])}
        return super().open(folder, **how | small)


if __name__ == "__main__":
    run.Journal = Small  # type: ignore[misc]  # home.yaml has no such setting
    sys.exit(main())
