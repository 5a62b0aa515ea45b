"""`python -m tests.zigbee_dumps`: the table. `--stack`: each joined and driven on the real stack (minutes).

`--folder DIR`: other dumps in the format of zigpy/zha, without their expectations.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.unit.zigbee.devices_at_hand import DUMPS, plan_of, spec_of
from tests.zigbee_dumps import stack
from tests.zigbee_dumps.table import Line, expectations, line, summary


def main() -> int:
    """Print it; 1 if a device is not what it ought to be."""
    arguments = argparse.ArgumentParser(prog="python -m tests.zigbee_dumps")
    arguments.add_argument("--stack", action="store_true", help="join, interview and drive each of them")
    arguments.add_argument("--folder", type=Path, default=DUMPS / "json", help="where the dumps are")
    arguments.add_argument("--only", default="", help="part of a dump's file name")
    asked = arguments.parse_args()
    files = [file for file in sorted(asked.folder.glob("*.json")) if asked.only.lower() in file.name]
    if asked.stack:
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(stack.drive_all(Path(folder), files, tell=print))
        return 0 if all(one.sound for one in found) else 1
    expected, lines = expectations(), list[Line]()
    for file in files:
        model = "{0.manufacturer}/{0.model}".format(spec_of(file))
        lines.append(line(model, plan_of(file).kinds, expected.get(model)))
        print(lines[-1])
    print(summary(lines))
    return 0 if all(one.right for one in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
