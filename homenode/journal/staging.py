"""Records on their way to the disk, in memory that outlives the process.

Handing each second's readings to the kernel would save them from the end of the process, but costs the card:
every write to a file changes its time stamp, which ext4 writes down (12 KB) 5 s later, and the block goes
twice. So what waits for the next commit lies in a file in memory until then. The power takes it along, as it
would have anyway.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from homenode.journal.codec import MARK, Frame, Scan
from homenode.journal.pending import Item

MEMORY = Path("/dev/shm")


def path_of(folder: Path) -> Path:
    """Where that is, for the journal in this folder and this user."""
    key = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return MEMORY / f"homenode-{os.getuid()}-{key}-journal"


def staged(folder: Path, seeds: tuple[int, ...], last: int) -> Iterator[Frame]:
    """The records that lie there and follow on record `last` of the files without a hole, and marks."""
    try:
        data = _ours(path_of(folder), os.O_RDONLY)
    except OSError:
        return
    with os.fdopen(data, "rb") as file:
        content = file.read()
    for frame in Scan(content, 0, len(content), seeds):
        if frame.number == last + 1:
            last += frame.code != MARK
            yield frame


def _ours(path: Path, flags: int) -> int:
    """Open it if nobody else made it: its folder is everybody's."""
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    found = os.fstat(file)
    if found.st_uid != os.getuid() or not stat.S_ISREG(found.st_mode):
        os.close(file)
        raise PermissionError(f"{path} is not ours")
    return file


class Staging:
    """One journal's; whoever uses it holds the journal's lock.

    Args:
        folder: Of the journal.

    Attributes:
        upto: All that waits up to this record lies there.

    Raises:
        OSError: There is no such memory here; then the journal writes to its file instead.
    """

    def __init__(self, folder: Path) -> None:
        self._path = path_of(folder)
        if not os.path.ismount(MEMORY):
            raise FileNotFoundError(MEMORY)
        self._file = _ours(self._path, os.O_RDWR | os.O_CREAT)
        self._end = self.upto = 0
        self._marks: Mapping[str, int] = {}

    def wants(self, marks: Mapping[str, int]) -> bool:
        """Whether these marks are other than those that lie there."""
        return marks != self._marks

    def add(self, items: Sequence[Item], marks: Mapping[str, int] | None = None) -> None:
        """What came behind `upto`; `marks`, if the last item is these. Raises OSError."""
        if not items:
            return
        data, first = b"".join([item.data for item in items]), not self._end
        os.pwrite(self._file, data, self._end)
        self._end += len(data)
        if first:  # only now, so that at no moment what waited before is gone
            os.ftruncate(self._file, self._end)
        self.upto = max(self.upto, *(item.number - (item.code == MARK) for item in items))
        self._marks = self._marks if marks is None else dict(marks)

    def clear(self, marks: Mapping[str, int]) -> None:
        """All of it is on the disk, with these marks, or what waits is to be added anew."""
        self.upto, self._marks = 0, dict(marks)
        if self._end:
            self._end = 0
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)

    def close(self, *, keep: bool) -> None:
        """The end; `keep` what waits, as the disk did not take it."""
        os.close(self._file)
        if not keep:
            self._path.unlink(missing_ok=True)
