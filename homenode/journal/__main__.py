"""``python -m homenode.journal verify|show|export DIR``: the journal of a node, without the node."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from homenode.errors import HomenodeError
from homenode.journal import report

COMMANDS = {"verify": report.verify, "show": report.show, "export": report.export}


def command(what: str, data: Path, out: TextIO, err: TextIO) -> int:
    """What `homenode journal` does.

    Args:
        what: A key of `COMMANDS`.
        data: The node's data folder.
        out, err: Where the answer and what is wrong go.

    Returns:
        Exit status: 0; 1 if the journal is damaged; 2 if it can't be read at all.
    """
    try:
        return COMMANDS[what](data, out, err)
    except HomenodeError as error:
        print(error, file=err)
        return 2
    except BrokenPipeError:  # ``| head`` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def main() -> int:
    """The command line."""
    if len(sys.argv) != 3 or sys.argv[1] not in COMMANDS:
        print(f"usage: python -m homenode.journal {'|'.join(COMMANDS)} DIR", file=sys.stderr)
        return 2
    return command(sys.argv[1], Path(sys.argv[2]), sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
