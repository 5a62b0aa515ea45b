"""What an operator names: boxes, homes, files for what the office makes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from homenode.config.model import HOME_ID
from homenode.config.notes import nearest
from homenode.errors import Refused, SetupError
from homenode.office.decide import SERIAL


def can_be_written(path: Path) -> None:
    """Before anything is made: what goes into no file exists nowhere. Raises SetupError."""
    why = ""
    if not path.parent.is_dir():
        why = f"{path.parent} is no folder"
    elif path.is_dir():
        why = "it is a folder"
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        why = f"this user may not write into {path.parent}"
    if why:
        raise SetupError(f"it can't be written: {why}", where=str(path), do="name another file or folder")


def check(serial: str, home: str) -> None:
    """That they can be names of a box and a home. Raises Refused."""
    if not re.fullmatch(SERIAL, serial):
        raise Refused(f"{serial!r} is no serial number", do="4 to 64 letters, digits, . _ and -")
    if not re.fullmatch(HOME_ID, home):
        raise Refused(f"{home!r} is no home", do="1 to 40 of a-z, 0-9 and -, such as vaxjo-0412")


def which(name: str, names: Iterable[str], do: str = "homenode office list") -> str:
    """What to do about a name that isn't known: the nearest that is, or `do`."""
    near = nearest(name, names)
    return f"did you mean {near}? Else {do}" if near else do
