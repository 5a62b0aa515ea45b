"""What a disk says when it does not take a record, in words."""

from __future__ import annotations

import errno
from pathlib import Path

from homenode.errors import StorageError

TAKES_NOTHING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""What a full, read-only or failing disk says; anything else (no permission) a person has set up wrongly."""


def explained(error: OSError, folder: Path) -> StorageError:
    """The same in words, with what to do."""
    why, do = {
        errno.ENOSPC: ("the disk is full", "make room on it; readings are kept in memory until then"),
        errno.EDQUOT: ("the disk quota is used up", "make room; readings are kept in memory until then"),
        errno.EROFS: (
            "the disk is read-only",
            "a worn SD card turns so by itself: copy the data folder, then replace the card",
        ),
        errno.EIO: ("the disk fails", "copy the data folder while it can be read, then replace the card"),
        errno.EACCES: ("no permission to write", "make the folder belong to the user that runs homenode"),
        errno.ENOTDIR: (
            "a file is where the folder should be",
            "remove it or name another folder with --data",
        ),
    }.get(error.errno or 0, (error.strerror or str(error), "check the disk"))
    return StorageError(f"the journal can't be written: {why}", where=str(folder), do=do)
