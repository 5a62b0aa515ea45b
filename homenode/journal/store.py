"""The journal's files as one thing: what is open, what comes next, what is wrong.

Blocking and for one thread at a time; raises OSError. `homenode.journal.journal` adds the queue, the writer
thread and the patience with failing disks. Longer than other files, as all of it is about one state.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from zlib import crc32

from homenode.errors import StorageError
from homenode.journal.codec import (
    CODES,
    EDGE,
    FRAME_BYTES,
    MARK,
    SCHEMA,
    Checkpoint,
    Damage,
    Frame,
    Head,
    decode,
)
from homenode.journal.rewrite import rewrite
from homenode.journal.segment import (
    Segment,
    Walk,
    blank,
    find,
    is_blank,
    name_of,
    replaced,
    sync_folder,
    write_all,
    write_ends,
)
from homenode.journal.trouble import TAKES_NOTHING

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a disk without room says."""

STATE_MARK = "*"
"""The mark under which the number of the newest state is kept, so that a start needs not look for it."""

CHECKED_BYTES = 128 * 1024
"""Read between two chances for a commit: 6 ms at the 20 MB/s of an SD card."""

NUMBERS_SKIPPED = 1 << 20
"""After damage at the journal's end the next number is this much higher: more than one file can hold, so
that no number that somebody has seen is given a second time."""


class LaterJournal(StorageError):
    """A later homenode wrote it in a way that this one can't read."""


class Store:
    """The files in ``DIR/journal``.

    Args:
        folder: Where they are.
        segment_bytes: Size of a new one.
        schema: In which new ones are written. Older ones are read as they are and pass over to it when they
            are compacted, so that an upgrade is never a rewriting of everything at once.

    Attributes:
        segments: All files, oldest first; the last is written to.
        epoch: New when the journal is new, or could not be written when it was opened.
        epoch_before: That of what is there.
        next_number: Behind the highest that may ever have been given.
        marks: As last written.
        newest_state: Highest number of a record of class state.
        newest_at: ``at`` of the newest record, ms.
        top: Highest number in a file.
        damage: Found when it was opened.
        refused: Why nothing could be written when it was opened; then no file is open. None if it could.
    """

    def __init__(self, folder: Path, segment_bytes: int, schema: int = SCHEMA) -> None:
        self.folder, self._size, self.schema = folder, segment_bytes, schema
        self.segments: list[Segment] = []
        self.epoch_before = ""
        self.epoch, self.next_number, self.newest_state, self.newest_at = "", 1, 0, 0
        self.marks: dict[str, int] = {}
        self.damage: list[Damage] = []
        self.top = 0
        self.refused: OSError | None = None
        self._spare = folder / "spare"
        self._preparing: Generator[None, None, None] | None = None
        self._file = -1
        self._proven = True  # something in the open file is on the disk
        self._end = self._count = self._crc = self._last = 0
        self._sealing: list[tuple[int, Head, Checkpoint]] = []
        self._folder_changed = False

    # -- opening ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Find, judge and repair what is there, or begin a new journal.

        A disk that takes nothing is no reason not to read it: then `refused` says why, and the first `roll`
        that succeeds goes on behind what is there.

        Raises:
            OSError: It can't be read, or the folder is not for this user.
            StorageError: It was written by a later homenode.
        """
        with self._at_most_refused():
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.segments = find(self.folder) if self.folder.exists() else []
        except ValueError as error:
            raise LaterJournal(
                f"the journal was written by a later homenode: {error}",
                where=str(self.folder),
                do="install that version again, or name another data folder with --data",
            ) from error
        self.epoch_before = next((s.epoch for s in reversed(self.segments) if s.epoch), "")
        self.epoch = self.epoch_before or os.urandom(8).hex()
        with self._at_most_refused():
            self._tidy()
        if not self.segments:
            with self._at_most_refused():
                self.roll(1)
                self.sync()
            return
        for segment in self.segments:
            self.newest_at = max(self.newest_at, segment.point.newest_at if segment.point else 0)
        self._fill_holes()
        self._resume()

    @contextlib.contextmanager
    def _at_most_refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in TAKES_NOTHING:
                raise
            if self.refused is None:
                self.epoch = os.urandom(8).hex()  # what is counted from here on may never be written down
            self.refused = self.refused or error
            self.abandon()

    def _tidy(self) -> None:
        for path in [*self.folder.glob("*.tmp"), *replaced(self.folder, self.segments)]:
            path.unlink()
        if self._spare.exists() and not is_blank(self._spare, self._size):
            self._spare.unlink()

    def _fill_holes(self) -> None:
        expected, first = 1, 1
        whole: list[Segment] = []
        for segment in self.segments:
            if segment.low > expected:
                span = (expected, segment.low - 1)
                self.damage.append(
                    Damage(name_of(*span), 0, 0, first, max(segment.first, first) - 1, "file is missing")
                )
                with contextlib.suppress(OSError):  # no room for a stand-in: told again at the next start
                    whole.append(run(self._rewritten([], span, first, segment.first, lambda frame: True)))
            whole.append(segment)
            expected = segment.high + 1
            first = (segment.point.last if segment.point else segment.first) + 1
        self.segments = whole

    def _resume(self) -> None:
        """Read the newest file to its end and go on behind it, or in a new one if it is damaged."""
        newest = self.segments[-1]
        walk, states = Walk(newest, 0), CODES["state"]
        marks: dict[str, int] | None = None
        for item in walk:
            if item.code == MARK:
                marks = decode(item.payload)["m"]
            elif item.code == states:
                self.newest_state = max(self.newest_state, item.number)
            last_item = item
        if walk.count:
            at = decode(last_item.payload).get("at")
            self.newest_at = max(self.newest_at, at if isinstance(at, int) else 0)
        self.marks = marks if marks is not None else self._older_marks()
        self.newest_state = max(self.newest_state, self.marks.get(STATE_MARK, 0))
        self.marks[STATE_MARK] = (
            self.newest_state
        )  # for all marks to come: a newer state may never be written
        self.next_number = max(walk.last + 1, newest.first)
        self.top = self.next_number - 1
        damage = list(walk.damage)
        if newest.point is not None and newest.point.sealed:
            name, first = name_of(newest.high + 1, newest.high + 1), self.next_number
            damage.append(Damage(name, 0, 0, first, first + self._size // FRAME_BYTES, "file is missing"))
        if damage:
            self.damage += damage
            self.next_number += NUMBERS_SKIPPED
            if walk.damage:
                with contextlib.suppress(OSError):  # no room for a copy: left as it is, and told again
                    run(self.repair(newest, lambda damage: None))
            with self._at_most_refused():
                self.roll(self.next_number)
                self.sync()
            return
        with self._at_most_refused():
            self._file = os.open(newest.path, os.O_RDWR | os.O_CLOEXEC)
            self._end, self._count, self._last = walk.end, walk.count, walk.last
            data = os.pread(self._file, walk.end - EDGE, EDGE)
            self._crc = crc32(data)
            os.fdatasync(self._file)  # what a killed writer left in the page cache counts as read from now on
            self._upgrade(newest)

    def _upgrade(self, newest: Segment) -> None:
        """Go on in a file of the present schema; without room for one, in the old file as it is."""
        if newest.schema == self.schema:
            return
        try:
            self.roll()
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.schema = newest.schema
        else:
            self.sync()

    def _older_marks(self) -> dict[str, int]:
        """And the newest state: a file that was begun for no record has no marks that tell it."""
        for index in range(len(self.segments) - 2, -1, -1):
            newest: dict[str, int] | None = None
            for item in Walk(self.segments[index], self.segments[index + 1].first):
                if item.code == MARK:
                    newest = decode(item.payload)["m"]
                elif item.code == CODES["state"]:
                    self.newest_state = max(self.newest_state, item.number)
            if newest is not None:
                return newest
        return {}

    # -- writing ------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Bytes of frames that still fit in the file that is open; 0 if none is."""
        return self.segments[-1].size - EDGE - self._end if self._file >= 0 else 0

    @property
    def is_open(self) -> bool:
        """A file is open for writing; not so after `abandon`."""
        return self._file >= 0

    @property
    def has_spare(self) -> bool:
        """The next file lies ready, so that the next `roll` needs no room on the disk."""
        return self._spare.exists()

    def write(self, data: bytes, count: int, last: int) -> None:
        """Whole frames, into the page cache; they must fit."""
        write_all(self._file, data, self._end)
        self._end += len(data)
        self._count += count
        self._crc = crc32(data, self._crc)
        self._last = max(self._last, last)
        self.top = max(self.top, last)

    def roll(self, first: int = 0) -> None:
        """Go on in the next file; the one before is sealed by the next `sync`.

        Args:
            first: All numbers in earlier files that count are lower; 0: all there are.
        """
        if not self.has_spare:
            self.folder.mkdir(exist_ok=True)
            for _ in self.prepare():
                pass
        first = first or self.top + 1
        number = self.segments[-1].high + 1 if self.segments else 1
        head = Head(self._size, self.epoch, number, number, first, schema=self.schema)
        path = self.folder / name_of(number, number)
        file = os.open(self._spare, os.O_RDWR | os.O_CLOEXEC)
        try:
            write_ends(file, head, None)
            os.fdatasync(file)  # else a cut may leave the name without the head: any flush writes names down
            os.rename(self._spare, path)
        except OSError:
            os.close(file)
            raise
        self._folder_changed = True
        if self._file >= 0:
            older = self.segments[-1]
            older.point = self._checkpoint(sealed=True)
            self._sealing.append((self._file, self._head(older), older.point))
        self.segments.append(
            Segment(path, number, number, first, self._size, self.epoch, None, schema=self.schema)
        )
        self._file, self._proven = file, False
        self._end, self._count, self._crc, self._last = EDGE, 0, 0, first - 1

    def abandon(self) -> None:
        """Write no more to the open file: it failed, and what of it is on the disk is not known."""
        for file, _, _ in self._sealing:
            os.close(file)
        self._sealing = []
        if self._file >= 0:
            os.close(self._file)
            if not self._proven:  # nothing in it counts; left behind, it would be found damaged
                with contextlib.suppress(OSError):
                    self.segments[-1].path.unlink()
                    del self.segments[-1]
        self._file = -1

    def sync(self) -> None:
        """Everything written is on the disk when this returns."""
        full = list(self._sealing)
        for file, _, _ in full:  # first, so that no record is on the disk without those before it
            os.fdatasync(file)
        os.fdatasync(self._file)
        if self._folder_changed:
            self._folder_changed = False
            sync_folder(self.folder)
        for file, head, point in full:  # sealed only when its successor is safe
            write_ends(file, head, point)
            os.fdatasync(file)
            os.close(file)
            del self._sealing[0]
        self._proven = True

    def close(self) -> None:
        """Leave a checkpoint, so that a file that shrinks while nobody runs is noticed."""
        if self._file < 0:
            return
        try:
            newest = self.segments[-1]
            newest.point = self._checkpoint(sealed=False)
            write_ends(self._file, self._head(newest), newest.point)
            self.sync()
        finally:
            self.abandon()

    def _head(self, segment: Segment) -> Head:
        return Head(
            segment.size, segment.epoch, segment.low, segment.high, segment.first, schema=segment.schema
        )

    def _checkpoint(self, *, sealed: bool) -> Checkpoint:
        return Checkpoint(self._end, self._count, self._crc, self._last, self.newest_at, sealed)

    # -- in slices, between commits -----------------------------------------------------------------------

    def prepare(self) -> Iterator[None]:
        """Lay the next file ready; a second caller goes on where the first one is."""
        if self._preparing is None:
            self._preparing = self._prepare()
        return self._preparing

    def _prepare(self) -> Generator[None, None, None]:
        unfinished = self._spare.with_suffix(".tmp")
        try:
            for _ in blank(unfinished, self._size):
                yield
            os.rename(unfinished, self._spare)
            self._folder_changed = True
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        finally:
            self._preparing = None

    def check(self, found: Callable[[Damage], None]) -> Generator[None, None, None]:
        """Judge all older files against their checkpoints and repair what is damaged."""
        for segment in list(self.segments[:-1]):
            if segment not in self.segments:
                continue  # compacted meanwhile
            try:
                if (yield from self._is_damaged(segment)) and segment in self.segments:
                    yield from self.repair(segment, found)
            except OSError as error:
                if error.errno == errno.EIO:
                    what = "the disk can't read it"
                    last = self._first_behind(segment) - 1
                    found(Damage(segment.path.name, 0, segment.size, segment.first, last, what))

    def _is_damaged(self, segment: Segment) -> Generator[None, None, bool]:
        point = segment.point
        if segment.damage or point is None or segment.path.stat().st_size != segment.size:
            return True
        crc, offset, stop = 0, EDGE, segment.size - EDGE
        with open(segment.path, "rb") as file:
            while offset < stop:
                file.seek(offset)
                data = file.read(min(CHECKED_BYTES, (point.end if offset < point.end else stop) - offset))
                if not data:
                    return True
                if offset < point.end:
                    crc = crc32(data, crc)
                elif data.count(0) != len(data):
                    return True
                offset += len(data)
                yield
        return crc != point.crc

    def _first_behind(self, segment: Segment) -> int:
        """First number of the next file; 0 if there is none."""
        behind = self.segments.index(segment) + 1
        return self.segments[behind].first if behind < len(self.segments) else 0

    def repair(self, segment: Segment, found: Callable[[Damage], None]) -> Generator[None, None, Segment]:
        """Keep a file aside and write what is good of it anew, in its place."""
        result = yield from self._rewritten(
            [segment],
            (segment.low, segment.high),
            segment.first,
            self._first_behind(segment),
            lambda frame: True,
            found,
            compact=segment.compact,
        )
        if segment in self.segments:
            self.segments[self.segments.index(segment)] = result
        return result

    def compact(
        self, sources: list[Segment], keep: Callable[[Frame], bool], found: Callable[[Damage], None]
    ) -> Generator[None, None, None]:
        """Put one file with what is kept in the place of neighbours."""
        span = (sources[0].low, sources[-1].high)
        newer = self._first_behind(sources[-1])
        result = yield from self._rewritten(sources, span, sources[0].first, newer, keep, found, compact=True)
        self.segments = [s for s in self.segments if s not in sources]
        self.segments.append(result)
        self.segments.sort(key=lambda segment: segment.low)

    def _rewritten(
        self,
        sources: list[Segment],
        span: tuple[int, int],
        first: int,
        next_first: int,
        keep: Callable[[Frame], bool],
        found: Callable[[Damage], None] = lambda damage: None,
        *,
        compact: bool = False,
    ) -> Generator[None, None, Segment]:
        at = max((source.point.newest_at for source in sources if source.point), default=0)
        return (
            yield from rewrite(
                self.folder,
                sources,
                span=span,
                epoch=self.epoch,
                first=first,
                next_first=next_first,
                keep=keep,
                compact=compact,
                newest_at=at or (self.newest_at if sources else 0),
                schema=self.schema,
                found=found,
            )
        )


def run(slices: Generator[None, None, Segment]) -> Segment:
    """All slices at once."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            result: Segment = done.value
            return result
