"""One process per data folder: a second node on the same data would tear its journal apart."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from homenode.errors import SetupError, StorageError
from homenode.journal.trouble import TAKES_NOTHING


class FolderLock:
    """Holds a folder until `release`, the end of a ``with``, or the end of the process, however it ends."""

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> FolderLock:
        """Take ``folder/lock``; the folder is made if need be.

        Raises:
            SetupError: Another process holds it.
            StorageError: It can't be made or written.
        """
        try:
            file = _opened(folder)
        except OSError as error:
            file_in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
            why = "a file of that name is in the way" if file_in_the_way else error.strerror
            raise StorageError(
                f"the data folder can't be used: {why}",
                where=str(folder),
                do=("move it away" if file_in_the_way else "make it writable for the user that runs homenode")
                + ", or name another with --data",
            ) from error
        holder = ""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            with contextlib.suppress(OSError):  # the folder itself holds no name
                holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            os.close(file)
            by = f"process {holder}" if holder.isdigit() else "another process"
            raise SetupError(
                f"{by} is already running on this data",
                where=str(folder),
                do=f"stop it ({f'kill {holder}' if holder.isdigit() else 'homenode status shows it'})"
                " or name another folder with --data",
            ) from error
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only unnamed
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        return cls(file)

    def release(self) -> None:
        """Let go; repeated calls do nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


def _opened(folder: Path) -> int:
    """What is locked: the file, or on a disk that takes no new file the folder itself. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in TAKES_NOTHING:
            raise
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
