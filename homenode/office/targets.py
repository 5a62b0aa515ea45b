"""Files that an operator names for what the office makes."""

from __future__ import annotations

import os
from pathlib import Path

from homenode.errors import SetupError


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
