"""A process that writes a journal and says what was acknowledged, until somebody kills it.

``python -m tests.system.journal_writer DIR``; each line on standard output is a number whose commit is done.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from homenode.journal import Journal, Limits

LIMITS = Limits(segment_bytes=32 * 1024, readings_bytes=128 * 1024)  # so that it compacts all the time


def record(number: int) -> dict[str, object]:
    """What stands under a number: anybody can check it."""
    return {"t": "tr", "n": number, "text": "x" * (number % 300)}


def main() -> None:
    """Until killed."""
    with Journal.open(Path(sys.argv[1]), limits=LIMITS) as journal:
        for number, found in journal.read():
            if found["t"] == "tr":
                assert found == record(number), f"record {number} is not what was written"
        print("ready", flush=True)
        while True:
            for _ in range(random.randrange(8)):
                journal.append({"t": "r", "p": "hall.motion", "v": True, "at": journal.last}, klass="reading")
            journal.mark("outbox", journal.last)
            number = journal.last + 1
            assert journal.append(record(number), klass="alert") == number
            journal.commit(number).result(60)
            print(number, flush=True)


if __name__ == "__main__":
    main()
