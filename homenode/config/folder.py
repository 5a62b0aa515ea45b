"""The folder with drivers of one's own: which files in it are drivers, and who may write there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

ASIDE = ("_", "test_")
"""How the names of files begin that are no drivers."""
SIMULATED = "_simulated"
"""How that of a driver's simulated device ends."""


def files(folder: Path) -> list[Path]:
    """Those of the drivers in it. May raise OSError."""
    found = [
        Path(entry.path)
        for entry in os.scandir(folder)
        if entry.name.endswith(".py") and not entry.name.startswith(ASIDE)
    ]
    return sorted(file for file in found if not file.stem.endswith(SIMULATED))


def unsafe(folder: Path) -> str:
    """Who else may change what the node would run from there, in words; "" if nobody. May raise OSError.

    As sshd asks of its keys: the folder, what is in it and the folders above belong to root or to who runs
    the node, and nobody else may write to them.
    """
    folder = Path(os.path.realpath(folder))
    for path in (folder, *_inside(folder), *folder.parents):
        info = path.stat()
        shown = path.relative_to(folder.parent) if path.is_relative_to(folder) else path
        if info.st_uid not in (0, os.geteuid()):
            return f"{shown} belongs to user {info.st_uid}, who could put there what this node runs"
        shared = path != folder and path in folder.parents and info.st_mode & stat.S_ISVTX
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not shared:
            return f"others may write to {shown}; chmod go-w it"
    return ""


def _inside(folder: Path) -> Iterator[Path]:
    cache = folder / "__pycache__"
    yield from files(folder)
    yield from folder.glob("*.yaml")
    if cache.is_dir():
        yield cache
