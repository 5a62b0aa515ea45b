"""What the journal does between commits, a slice of some milliseconds at a time.

Lay the next file ready, look through older files for damage, compact those whose readings may go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from homenode.journal.codec import Damage
from homenode.journal.retention import Limits, due, keeper
from homenode.journal.store import FULL, Store


class Housekeeping:
    """The chores that are waiting; for one thread at a time, which holds the files.

    Attributes:
        short: Why there is no next file: the room that is left belongs to alerts then. None if there is one.
        newest_at: ``at`` of the newest record, from which age is counted.
        newest_state: Number of the newest record of class state that is on the disk.
    """

    def __init__(self, store: Store, limits: Limits, found: Callable[[Damage], None]) -> None:
        self._store, self._limits, self._found = store, limits, found
        self.short: OSError | None = None
        self.newest_at, self.newest_state = store.newest_at, store.newest_state
        self._chores = [self._lay_spare(), store.check(found), self._make_room()]

    def __bool__(self) -> bool:
        return bool(self._chores)

    def file_opened(self) -> None:
        """A new file was begun: the one after it has to be laid ready, and older ones may have to go."""
        self._chores += (self._lay_spare(), self._make_room())

    def try_again(self) -> None:
        """See whether there is room for a next file by now."""
        if self.short and not self._chores:
            self._chores.append(self._lay_spare())

    def hurry(self) -> None:
        """When half of the open file is used, don't wait for a quiet moment to have the next one ready."""
        if self.short or self._store.room > self._limits.segment_bytes // 2 or self._store.has_spare:
            return
        try:
            for _ in self._store.prepare():
                pass
        except OSError as error:
            self.short = error

    def slice(self) -> None:
        """A few milliseconds of the first chore."""
        try:
            next(self._chores[0])
        except StopIteration:
            del self._chores[0]

    def stop(self) -> None:
        """Leave everything as it is; what was begun is begun anew next time."""
        for chore in self._chores:
            chore.close()
        self._chores = []

    def _lay_spare(self) -> Generator[None, None, None]:
        """On a full disk at the cost of the oldest readings."""
        while not self._store.has_spare:
            try:
                yield from self._store.prepare()
            except OSError as error:
                if error.errno in FULL and (yield from self._compact(urgent=True)):
                    continue
                self.short = error
                return
        self.short = None

    def _make_room(self) -> Generator[None, None, None]:
        yield from self._compact(urgent=False)

    def _compact(self, *, urgent: bool) -> Generator[None, None, bool]:
        """Let old readings go; whether any went."""
        sources = due(self._store.segments, self._limits, self.newest_at, urgent=urgent)
        if not sources:
            return False
        keep = keeper(self._limits, self.newest_at, self.newest_state)
        try:
            yield from self._store.compact(sources, keep, self._found)
        except OSError:
            return False  # nothing was changed; a disk that fails is told by the next commit
        return True
