"""Where drivers keep their files: in the data folder, or in memory while its disk takes nothing.

A radio that can't write its database doesn't start, and a home whose disk is worn out must not lose its smoke
alarms over that.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path

log = logging.getLogger("homenode.folders")

ROOM_BYTES = 256 * 1024
"""What a driver's files may need to grow by: zigpy's database takes about 200 KB for 30 devices."""
MEMORY = Path("/dev/shm")


class Folders:
    """The folders of a node's drivers.

    Args:
        data: The node's data folder.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self.away: set[str] = set()
        """Names of the drivers whose files are in memory."""

    def of(self, name: str) -> Path:
        """The folder for a driver that is about to start; exists, and can be written if anything can."""
        folder, refuge = self._data / name, self._refuge(name)
        refused = _refusal(folder)
        if refused is None:
            if refuge.is_dir() and _is_ours(refuge):
                self._bring_back(refuge, folder)
            self.away.discard(name)
            return folder
        self.away.add(name)
        if not (refuge.is_dir() and _is_ours(refuge)):
            shutil.rmtree(refuge, ignore_errors=True)
            refuge.mkdir(mode=0o700, parents=True)
            with contextlib.suppress(OSError):  # what can't be read is not there
                shutil.copytree(folder, refuge, dirs_exist_ok=True)
        log.warning("files in memory", extra={"driver": name, "why": refused.strerror, "folder": str(refuge)})
        return refuge

    def can_go_home(self) -> bool:
        """Whether the disk takes the files of those who are away."""
        return bool(self.away) and all(_refusal(self._data / name) is None for name in self.away)

    def _refuge(self, name: str) -> Path:
        key = hashlib.sha256(os.fsencode(self._data.resolve())).hexdigest()[:16]
        root = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        return root / f"homenode-{os.getuid()}-{key}-{name}"

    @staticmethod
    def _bring_back(refuge: Path, folder: Path) -> None:
        try:
            shutil.copytree(refuge, folder, dirs_exist_ok=True)
        except OSError as error:
            log.error("files not brought back", extra={"from": str(refuge), "why": str(error)})
        else:
            shutil.rmtree(refuge, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Nobody else made it, so nobody else chose what is in it."""
    found = folder.lstat()
    return found.st_uid == os.getuid() and not folder.is_symlink()


def _refusal(folder: Path) -> OSError | None:
    """Why nothing can be written there; None if it can."""
    probe = folder / "probe.tmp"
    try:
        folder.mkdir(exist_ok=True)
        with probe.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
    except OSError as error:
        return error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return None
