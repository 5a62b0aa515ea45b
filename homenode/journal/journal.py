"""The journal: records appended in microseconds, durable when their commit says so.

One thread owns the disk. Whoever appends only fills a queue, so that neither a slow card nor a full disk can
hold up a rule; whoever must know that a record is safe waits for `Journal.commit`, together with all others
that wait at that moment (one flush for all).

Longer than other files, as what the callers do and what the thread does share one state and its two locks.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homenode.errors import StorageError
from homenode.journal.codec import (
    CODES,
    EDGE,
    FRAME_BYTES,
    MARK,
    SCHEMA,
    Class,
    Damage,
    decode,
    encode,
    frame,
    marks_payload,
    seed_of,
)
from homenode.journal.housekeeping import Housekeeping
from homenode.journal.pending import READING, Item, Pending
from homenode.journal.retention import Limits
from homenode.journal.segment import records
from homenode.journal.staging import Staging, staged
from homenode.journal.store import FULL, STATE_MARK, Store
from homenode.journal.trouble import explained

PATIENCE_S = 0.05
"""How long who must not wait for the disk waits for the thread, which hands something to the kernel."""

BREATH_S = 0.002
"""Between two slices of housekeeping: leaves the processor and the card to those who are in a hurry."""

SLICES_A_TICK = 256
"""Slices of housekeeping, 2 to 4 ms each with the breath, that count as one `Pace.write_s`."""

_STATE = CODES["state"]
MAX_AT = 1 << 62
"""Ms; what lies beyond is no time, and does not fit in a checkpoint."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how much may wait.

    Attributes:
        write_s: Until a record is in the kernel's hands and survives the end of the process.
        sync_s: Until a record that nobody commits is on the disk (design: at most 30 s; the rest is
            for a slow flush).
        mark_s: Until a mark is appended when nothing else is.
        retry_s: Between two tries while the disk takes nothing.
        group_bytes: Of records, after which neither is waited for.
    """

    write_s: float = 1.0
    sync_s: float = 28.0
    mark_s: float = 10.0
    retry_s: float = 5.0
    group_bytes: int = 128 * 1024


class Journal:
    """The append-only record in ``folder/journal``. All methods may be called from any thread.

    Attributes:
        epoch: 16 hexadecimal digits, new when the journal is new, or could not be written when it was opened.
        epoch_before: That of what was there.
        schema: In which new files are written.
    """

    def __init__(
        self,
        store: Store,
        limits: Limits,
        pace: Pace,
        on_trouble: Callable[[StorageError | None], None],
        on_damage: Callable[[Damage], None],
    ) -> None:
        self.epoch, self.epoch_before = store.epoch, store.epoch_before or store.epoch
        self.schema = store.schema
        self._seed = seed_of(store.epoch, store.schema)
        self._store, self._limits, self._pace = store, limits, pace
        self._on_trouble, self._on_damage = on_trouble, on_damage
        self._damage = list(store.damage)
        # With _io: the files, and what was written to them and not yet synced (written again if that fails).
        self._io = threading.Lock()
        self._patient = True  # the last `flush` got it
        self._chores = Housekeeping(store, limits, self._damaged)
        self._unsafe: list[Item] = []
        self._syncing = False
        self._unsafe_bytes = 0
        # With _lock, which is taken after _io and never held during a call of the disk:
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._queue = Pending(limits.memory_bytes)
        self._next = store.next_number
        self._safe = self._next - 1  # all up to here are on the disk, but readings held back by a full one
        self._marks, self._marks_new = dict(store.marks), False
        self._newest_at, self._newest_state = store.newest_at, store.newest_state
        self._waiting: list[tuple[int, Future[int]]] = []
        self._served: list[tuple[int, Future[int]]] = []  # of these, those the thread is busy with
        self._trouble: StorageError | None = None
        self._staging: Staging | None = None
        self._dozing = self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        on_trouble: Callable[[StorageError | None], None] = lambda error: None,
        on_damage: Callable[[Damage], None] = lambda damage: None,
        limits: Limits | None = None,
        pace: Pace | None = None,
        schema: int = SCHEMA,
    ) -> Journal:
        """Open or begin the journal in ``folder/journal`` and start its thread.

        Missing files and damage in the newest are found now (`damage`); older files are read through by the
        thread right after, and what is damaged there is told to `on_damage` and added to `damage`.

        On a full or read-only disk what is there is read, `on_trouble` is told, and records wait in memory
        until the disk takes them (decision 7).

        Args:
            folder: The node's data folder; held by a `FolderLock`, as two journals in it would destroy it.
            on_trouble: Called by the thread with what is wrong when the disk stops taking records, and with
                None when it takes them again; once each.
            on_damage: Called by the thread for each damage found after opening.
            limits: How much is kept.
            pace: How long records wait.
            schema: Of new files: an older one as long as an update may be taken back.

        Raises:
            StorageError: It can't be read, is not this user's, or a later homenode wrote it.
        """
        limits, pace = limits or Limits(), pace or Pace()
        store = Store(folder / "journal", limits.segment_bytes, schema)
        try:
            store.open()
        except OSError as error:
            store.abandon()
            raise explained(error, store.folder) from error
        journal = cls(store, limits, pace, on_trouble, on_damage)
        if store.refused is not None:
            journal._tell(store.refused)
        journal._take_over()
        journal._thread.start()
        return journal

    def _take_over(self) -> None:
        """What a killed process had not yet committed is appended again; it keeps its numbers if it can."""
        for item in staged(self._store.folder, (self._seed,), self._store.top):
            record = decode(item.payload)
            if item.code == MARK:
                self._marks |= record["m"]
            else:
                self._take(item.code, item.payload, record.get("at"))
        with contextlib.suppress(OSError):
            self._staging = Staging(self._store.folder)
        if self._queue:
            self._stage()
            self.commit()

    # -- what the node calls ------------------------------------------------------------------------------

    def append(self, record: dict[str, Any], *, klass: Class) -> int:
        """Take a record; returns its number. Never waits for the disk.

        Without a `commit` it is with the kernel within `Pace.write_s` and on the disk within `Pace.sync_s`.

        Args:
            record: Anything JSON; ``at`` (ms), if there, is what retention goes by.
            klass: ``alert`` (outlives the rest, survives longest in need; outbox messages too), ``reading``
                (first to go), ``system`` (modes, starts, commands), ``state`` (only the newest is kept),
                ``part`` (goes with the state before it).

        Raises:
            TypeError, ValueError: The record is not JSON or larger than a file.
        """
        payload, code = encode(record, self._store.schema), CODES[klass]
        if len(payload) > self._limits.segment_bytes - 2 * EDGE - 4096:
            raise ValueError(f"a record of {len(payload)} bytes doesn't fit in a file of the journal")
        return self._take(code, payload, record.get("at"))

    def _take(self, code: int, payload: bytes, at: object) -> int:
        with self._lock:
            number = self._next
            self._next = number + 1
            self._queue.add(Item(number, code, frame(number, code, payload, self._seed)))
            if at.__class__ is int and self._newest_at < at < MAX_AT:
                self._newest_at = at
            if code == _STATE:
                self._newest_state = number
                self._marks_new = True
            if self._dozing or self._queue.size > self._pace.group_bytes:
                self._dozing = False
                self._wake.notify()
        return number

    def commit(self, upto: int | None = None) -> Future[int]:
        """A future that is done when record `upto` (default: the last) and all before it are on the disk.

        It fails with StorageError if the disk doesn't take it now; the record is then kept in memory and
        written when the disk takes it again. While a disk is full, readings may wait behind later alerts.
        """
        done: Future[int] = Future()
        with self._lock:
            wanted = self._next - 1 if upto is None else min(upto, self._next - 1)
            safe, stopping = wanted <= self._safe and not self._trouble, self._stopping
            if not safe and not stopping:
                self._waiting.append((wanted, done))
                self._dozing = False
                self._wake.notify()
        if safe:
            done.set_result(wanted)
        elif stopping:
            done.set_exception(StorageError("the journal is closed"))
        return done

    def flush(self) -> None:
        """Give everything appended to the kernel, so that the end of the process loses nothing of it.

        Never waits for the disk. Without memory to stage it in, it goes to the file; where that is full or a
        new one must be begun, `commit` does it. The thread may be writing just now; that is waited for,
        unless it took too long the last time.
        """
        if self._stage():
            return
        self._patient = self._io.acquire(timeout=PATIENCE_S if self._patient else 0)
        if not self._patient:
            return
        try:
            if self._store.is_open and self._queue.size <= self._store.room:
                self._write_queue(hurry=False)
        except OSError:
            with self._lock:  # the thread meets the same error, and tells
                self._wake.notify()
        finally:
            self._io.release()

    def read(self, since: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """Records with a number of at least `since`, in order; readings that a full disk held back are late.

        Also while records are appended: gives those that were appended before the call.
        """
        with self._io, contextlib.suppress(OSError):  # then it is still in the queue
            if self._staging is None:
                self._write_queue()
        with self._lock:
            held = {item.number: item.data for item in self._queue.items() if item.number >= since}
            upto = self._next
        for found in records(self._store.folder, since) if self._store.folder.exists() else ():
            if found.number < upto and found.number not in held:
                yield found.number, decode(found.payload)
        for number, data in held.items():
            yield number, decode(data[FRAME_BYTES:])

    def mark(self, name: str, upto: int) -> None:
        """Remember lazily how far something has come, such as the broker's acknowledgements.

        Kept with the next commit or within `Pace.mark_s`; a power cut may take back the last of it.
        """
        with self._lock:
            if self._marks.get(name) == upto:
                return
            self._marks[name] = upto
            self._marks_new = True
            if self._dozing:
                self._dozing = False
                self._wake.notify()

    def marks(self) -> dict[str, int]:
        """Where each mark stands."""
        with self._lock:
            return {name: upto for name, upto in self._marks.items() if name != STATE_MARK}

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What was found damaged since opening."""
        with self._lock:
            return tuple(self._damage)

    @property
    def last(self) -> int:
        """Number of the last record appended; 0 in a new journal."""
        with self._lock:
            return self._next - 1

    @property
    def dropped(self) -> int:
        """Records lost since opening because the disk took nothing for too long."""
        with self._lock:
            return self._queue.dropped

    @property
    def newest_state(self) -> int:
        """Number of the newest record of class ``state``, where a start begins to read; 0: there is none."""
        with self._lock:
            return self._newest_state

    @property
    def trouble(self) -> StorageError | None:
        """What is wrong with the disk now, None if nothing."""
        with self._lock:
            return self._trouble

    def close(self) -> None:
        """Write and sync everything, leave a checkpoint, stop the thread; repeated calls do nothing."""
        with self._lock:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Whatever happens, nobody waits for an answer that never comes."""
        try:
            self._work()
        finally:
            with self._lock:
                gone, self._stopping = not self._stopping, True
                waiting, self._waiting = self._served + self._waiting, []
                if gone:
                    self._trouble = StorageError("the journal's thread has failed", do="restart the node")
                trouble = self._trouble
            for _, future in waiting:
                if not future.done():
                    future.set_exception(trouble or StorageError("the journal is closed"))
            if gone:
                self._on_trouble(trouble)

    def _work(self) -> None:
        pace = self._pace
        ticks = slices = 0  # of pace.write_s since the last sync; of housekeeping
        while True:
            with self._lock:
                slept, full = False, self._group_is_full()
                if not (self._waiting or self._stopping or full):
                    work = self._queue or self._unsafe or self._marks_new or self._trouble
                    self._dozing = not work and not self._chores
                    pause = BREATH_S if self._chores else pace.write_s if work else None
                    slept = not self._wake.wait(pause)
                    self._dozing = False
                    full = self._group_is_full()
                waiting = self._served = self._waiting
                self._waiting, stopping = [], self._stopping
            if slept and self._chores:
                with self._io:
                    self._chores.slice()
                if self._chores.short:
                    self._tell(self._chores.short)
                slices += 1
                slept = not slices % SLICES_A_TICK
            ticks += slept
            patience_s = pace.retry_s if self._trouble else pace.sync_s
            if waiting or stopping or full or ticks * pace.write_s >= patience_s:
                ticks = 0
                self._chores.try_again()
                self._commit(waiting)
            elif slept:
                self._tick(with_marks=ticks * pace.write_s >= pace.mark_s)
            if stopping:
                self._end()
                return

    def _group_is_full(self) -> bool:
        """Enough has come together to be synced; not while the disk takes nothing."""
        return not self._trouble and self._queue.size + self._unsafe_bytes > self._pace.group_bytes

    def _stage(self, *, anew: bool = False, with_marks: bool = False) -> bool:
        """Put what waits where the end of the process doesn't reach; False if there is no such place."""
        staging = self._staging
        if staging is None:
            return False
        with self._lock:
            if anew:
                staging.clear(self._marks)
            items, marks = self._queue.after(staging.upto), None
            if with_marks and staging.wants(self._marks):
                items, marks = [*items, self._marks_item([])], self._marks
            try:
                staging.add(items, marks)
            except OSError:  # that memory is full
                self._staging = None
                return False
        return True

    def _tick(self, *, with_marks: bool) -> None:
        if self._stage(with_marks=with_marks):
            return
        error: OSError | None = None
        with self._io:
            try:
                self._write_queue(with_marks=with_marks or bool(self._queue))
            except OSError as failed:
                error = failed
        if error:
            self._tell(error)

    def _commit(self, waiting: list[tuple[int, Future[int]]]) -> None:
        """Everything appended to the disk, then the answers."""
        error = self._attempt()
        if error is not None and error.errno not in FULL:
            error = self._attempt()  # once more, in a fresh file
        self._tell(error or self._chores.short)
        if not waiting:
            return
        with self._lock:
            trouble = self._trouble
            held = {item.number for item in self._queue.items()} | self._queue.given_up if trouble else set()
            self._queue.given_up.clear()
        for wanted, future in waiting:
            if future.set_running_or_notify_cancel():
                if trouble and wanted in held:
                    future.set_exception(trouble)
                else:
                    future.set_result(wanted)

    def _attempt(self) -> OSError | None:
        """Write and sync once; what failed is in the queue again."""
        failed: OSError | None = None
        with self._io:
            try:
                self._write_queue(with_marks=True)
            except OSError as error:
                failed = error
                if error.errno not in FULL:
                    self._take_back([])
                    return failed
            unsafe, self._unsafe, self._unsafe_bytes = self._unsafe, [], 0
            self._syncing = bool(unsafe)
        if not unsafe:
            return failed
        try:
            self._store.sync()
            self._syncing = False
        except OSError as error:
            with self._io:
                self._take_back(unsafe)
            return error
        with self._lock:
            self._safe = max(self._safe, *(item.number for item in unsafe if item.code != MARK), 0)
        self._stage(anew=True)
        self._chores.newest_state = max(
            self._chores.newest_state, *(item.number for item in unsafe if item.code == _STATE), 0
        )
        return failed

    def _take_back(self, unsafe: list[Item]) -> None:
        """What an open file may have lost goes to the head of the queue, and the file is left alone."""
        self._store.abandon()
        self._syncing = False
        items, self._unsafe, self._unsafe_bytes = unsafe + self._unsafe, [], 0
        with self._lock:
            self._queue.put_back(items)
            self._marks_new = bool(self._marks)
        self._stage(anew=True)

    def _write_queue(self, *, with_marks: bool = False, hurry: bool = True) -> None:
        """Hand the queue to the kernel; what it doesn't take stays queued. Holds _io."""
        with self._lock:
            batch = self._queue.take()
            if with_marks and self._marks_new:
                self._marks_new = False
                batch.insert(0, self._marks_item(batch))
            self._store.newest_at = self._chores.newest_at = self._newest_at
        held: list[Item] = []
        if hurry:
            self._chores.hurry()
        if self._chores.short:
            held = [item for item in batch if item.code == READING]
            batch = [item for item in batch if item.code != READING]
        try:
            while batch:
                self._write_some(batch)
        finally:
            if held or batch:
                with self._lock:
                    self._queue.put_back(held + batch)

    def _write_some(self, batch: list[Item]) -> None:
        """Write what fits in the open file and take it off `batch`; if nothing fits, open the next file."""
        room, size, count, last = self._store.room, 0, 0, 0
        for number, code, data in batch:
            if size + len(data) > room:
                break
            size, count, last = size + len(data), count + 1, max(last, number - (code == MARK))
        if count:
            frames = [item.data for item in batch[:count]]
            if not self._unsafe and not self._syncing:
                number, code, first = batch[0]
                frames[0] = frame(number, code, first[FRAME_BYTES:], self._seed, opens=True)
            self._store.write(b"".join(frames), count, last)
            self._unsafe += batch[:count]
            self._unsafe_bytes += size
            del batch[:count]
            return
        again = [item.number for item in batch if item.code != MARK and item.number > self._safe]
        self._store.roll(0 if self._store.is_open or not again else min(again))
        if batch[0].code != MARK:  # every file begins with all marks: a start reads no other for them
            batch.insert(0, self._marks_item(batch))
        self._chores.file_opened()

    def _marks_item(self, batch: list[Item]) -> Item:
        """All marks as a frame for the head of `batch`; a state that is itself in the batch is left out."""
        number = batch[0].number if batch else self._next
        if self._newest_state < number:
            self._marks[STATE_MARK] = self._newest_state
        payload = marks_payload(self._marks, self.epoch)
        return Item(number, MARK, frame(number, MARK, payload, self._seed))

    def _tell(self, error: OSError | None) -> None:
        """Trouble and its end, once each."""
        with self._lock:
            before = self._trouble
            after = None if error is None else before or explained(error, self._store.folder)
            self._trouble = after
        if (before is None) != (after is None):
            self._on_trouble(after)

    def _damaged(self, damage: Damage) -> None:
        with self._lock:
            self._damage.append(damage)
        self._on_damage(damage)

    def _end(self) -> None:
        with self._io:
            self._chores.stop()
            error: OSError | None = None
            try:
                self._store.close()
            except OSError as failed:
                error = failed
            if self._staging is not None:
                self._staging.close(keep=bool(error or self._queue or self._unsafe))
        if error:
            self._tell(error)
