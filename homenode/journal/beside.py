"""What a version that is being replaced would need again, kept beside: ``DIR/before``.

Made by the old version when the new one is about to start for the first time, used by it if it comes back and
can't read what the new one has written, and removed when the new one has proved good. Files of the journal
that are sealed never change, so these are linked, and cost the card nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from homenode.journal.segment import find, sync_folder

BEFORE, NEW = "before", "before.new"
"""The second while it is made: a cut leaves it."""
_LARGEST_B = 8 << 20
"""Of a file that is copied: drivers' are far smaller, and there is one open file of the journal (1 MiB)."""
_TRIES = 5
_NOT_KEPT = ("journal", "update", "enrol", "lock")


def keep_beside(data: Path) -> None:
    """Keep journal, good configuration and drivers' files as they are now, in place of what was kept before.

    The journal may be open; what is committed is kept.

    Raises:
        OSError: Then what was kept before is gone or stands as it was.
        ValueError: A later version wrote the journal.
    """
    new = data / NEW
    try:
        _keep(data, new)
    except BaseException:  # a full disk gets its room back
        shutil.rmtree(new, ignore_errors=True)
        raise
    _remove(data / BEFORE)
    new.rename(data / BEFORE)
    sync_folder(data)


def _keep(data: Path, new: Path) -> None:
    for tries_left in reversed(range(_TRIES)):
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        try:
            _journal(data / "journal", new / "journal")
            break
        except FileNotFoundError:  # it was compacted meanwhile
            if not tries_left:
                raise
    for entry in sorted(data.iterdir()):
        if not entry.name.startswith((*_NOT_KEPT, BEFORE)):
            _copied(entry, new / entry.name)
    sync_folder(new)


def _journal(journal: Path, kept: Path) -> None:
    kept.mkdir(mode=0o700)
    segments = find(journal)
    for segment in segments[:-1]:
        os.link(segment.path, kept / segment.path.name)
    for segment in segments[-1:]:
        _copied(segment.path, kept / segment.path.name)
    sync_folder(kept)


def _copied(source: Path, target: Path) -> None:
    """A file, or a folder with its files; neither links nor sockets."""
    if source.is_symlink():
        return
    if source.is_dir():
        target.mkdir(mode=0o700)
        for entry in sorted(source.iterdir()):
            _copied(entry, target / entry.name)
        sync_folder(target)
    elif source.is_file() and source.stat().st_size <= _LARGEST_B:
        with open(source, "rb") as old, open(target, "xb") as new:
            shutil.copyfileobj(old, new)
            new.flush()
            os.fsync(new.fileno())


def take_back(data: Path) -> bool:
    """Put the journal that was kept in the place of the one that is no more there; whether there was one.

    Raises:
        OSError: It can't be moved.
    """
    if not (data / BEFORE / "journal").is_dir():
        return False
    (data / BEFORE / "journal").rename(data / "journal")
    sync_folder(data)
    return True


def forget(data: Path) -> None:
    """Nothing is kept beside any more. Raises OSError."""
    for name in (NEW, BEFORE):
        _remove(data / name)


def forget_journal(data: Path) -> None:
    """The journal is not, but all else. Raises OSError."""
    for folder in (data / NEW, data / BEFORE / "journal"):
        _remove(folder)


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
        sync_folder(folder.parent)
