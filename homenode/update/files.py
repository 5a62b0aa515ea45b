"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.journal.segment import sync_folder

LARGEST_B = 1 << 20
"""Of a file that another user writes (order.json): this process has little memory."""


def write(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Put it in its place by one rename. Raises OSError; then what was there before is."""
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(file, "wb") as stream:
        os.fchmod(file, mode)
        stream.write(data)
        stream.flush()
        os.fsync(file)
    new.replace(path)
    sync_folder(path.parent)


RESERVE_B = 65_536


def reserve(path: Path) -> None:
    """Keep room; blocks that hold nothing but zeros are blocks. Raises OSError."""
    if not path.exists():
        write(path, bytes(RESERVE_B))


def write_json(path: Path, record: Mapping[str, Any], mode: int = 0o640) -> None:
    """As `write`."""
    write(path, json.dumps(record, ensure_ascii=False).encode() + b"\n", mode)


def read_file(path: Path, most_b: int) -> bytes:
    """So much at most of a file that another user may have put there.

    Raises:
        FileNotFoundError: No file is there, but nothing, a link, or a pipe at which one would wait.
        OSError: It can't be read.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return os.read(number, most_b)
    finally:
        os.close(number)


def read_json(path: Path) -> dict[str, Any] | None:
    """What `write_json` wrote; None if nothing such is there, or it is too large. Raises other OSErrors."""
    try:
        found = json.loads(read_file(path, LARGEST_B))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def remove(path: Path) -> None:
    """It is gone, also after a power cut. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)
