"""The table of radio faults: `python -m tests.radio [WORD]` plays those whose name has the word in it."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from drivers.zigbee import usb
from tests.radio.faults import FAULTS, MOST_S, play_all


def main() -> int:
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        usb.SYSFS = Path(folder) / "sys"
        chosen = [fault for fault in FAULTS if " ".join(sys.argv[1:]) in fault.name]
        table = asyncio.run(play_all(chosen, Path(folder)))
    print(f"{'FAULT':46}  {'BACK':>6}  {'POWER':5}  SAID")
    for told in table:
        mark = "" if told.right else "  WRONG"
        why = told.why.partition(": ")[2].partition(" (")[0]
        print(f"{told.fault.name:46}  {told.seconds:5.1f}s  {told.cycles:5}  {why}{mark}")
    print(f"{sum(told.right for told in table)} of {len(table)} as they should be, within {MOST_S:.0f} s")
    return 0 if all(told.right for told in table) else 1


if __name__ == "__main__":
    sys.exit(main())
