"""One file of the journal on the disk: how it is named, made, read and judged.

Everything here blocks and raises OSError; `homenode.journal.store` decides what that means.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from homenode.journal.codec import (
    EDGE,
    HEAD_BYTES,
    MARK,
    SCHEMA,
    Checkpoint,
    Damage,
    Frame,
    Head,
    Scan,
    damage_of,
    head_bytes,
    likely_seeds,
    read_checkpoint,
    read_head,
    seed_of,
    tail_bytes,
)
from homenode.journal.staging import staged

SLICE_BYTES = 64 * 1024
"""Most that is written between two chances for a commit: 3 ms at the 20 MB/s of a class 10 card's writes."""

_NAME = re.compile(r"(\d{8})(?:-(\d{8}))?\.log")


def name_of(low: int, high: int) -> str:
    """``00000007.log``, or ``00000001-00000006.log`` after compaction."""
    return f"{low:08}.log" if low == high else f"{low:08}-{high:08}.log"


@dataclass(slots=True)
class Segment:
    """A file that the journal consists of.

    Attributes:
        path: Where it is.
        low, high: Segments it holds (from its name).
        first: All numbers in earlier files are lower than this.
        size: Bytes that it should have.
        epoch: As its head says, "" if both heads are damaged.
        point: Its checkpoint, if any.
        compact: Holds what retention has kept of older files.
        damage: What its two ends show; its records are judged by `read`.
        schema: As its head says.
    """

    path: Path
    low: int
    high: int
    first: int
    size: int
    epoch: str
    point: Checkpoint | None
    compact: bool = False
    damage: list[Damage] = field(default_factory=list)
    schema: int = SCHEMA


def find(folder: Path) -> list[Segment]:
    """The files of a journal, oldest first, after a look at their two ends.

    Files that a later compaction has replaced (the power went between the two steps) are left out.

    Raises:
        OSError: The folder can't be read.
        ValueError: A file is of a later schema.
    """
    ranges = []
    for entry in os.scandir(folder):
        match = _NAME.fullmatch(entry.name)
        if match:
            low = int(match[1])
            ranges.append((low, int(match[2] or low), entry.name))
    ranges.sort(key=lambda item: (item[0], -item[1]))
    found: list[Segment] = []
    for low, high, name in ranges:
        if found and high <= found[-1].high:
            continue
        try:
            found.append(_look(folder / name, low, high))
        except FileNotFoundError:
            return find(folder)  # a node compacts meanwhile: look again
    if found:
        found[0].first = found[0].first or 1
    for older, newer in pairwise(found):
        if not newer.first:
            newer.first = _last(older) + 1
    return found


def _last(segment: Segment) -> int:
    """The highest number in a file."""
    if segment.point is not None:
        return segment.point.last
    walk = Walk(segment, 0)
    for _ in walk:
        pass
    return max(walk.last, segment.first - 1)


def replaced(folder: Path, kept: list[Segment]) -> list[Path]:
    """Files whose records are all in a wider file of `kept`."""
    names = {segment.path.name for segment in kept}
    return [
        folder / entry.name
        for entry in os.scandir(folder)
        if _NAME.fullmatch(entry.name) and entry.name not in names
    ]


def _look(path: Path, low: int, high: int) -> Segment:
    with open(path, "rb") as file:
        front = file.read(HEAD_BYTES)
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - EDGE))
        tail = file.read(EDGE)
    head, copy = read_head(front), read_head(tail)
    best = head or copy
    damage = []
    if head is None and best is not None:
        damage.append(Damage(path.name, 0, HEAD_BYTES, 1, 0, "damaged head"))
    if copy is None and best is not None and length == best.size:
        damage.append(Damage(path.name, length - EDGE, HEAD_BYTES, 1, 0, "damaged copy of the head"))
    if best is None:
        return Segment(path, low, high, 0, length, "", None, False, damage)
    point = read_checkpoint(tail)
    return Segment(
        path, low, high, best.first, best.size, best.epoch, point, best.compact, damage, best.schema
    )


class Walk:
    """Reads a file's frames; `damage` is complete when the walk is over."""

    def __init__(self, segment: Segment, next_first: int) -> None:
        self._segment, self._next_first = segment, next_first
        self.damage: list[Damage] = []
        self.end, self.count, self.last = EDGE, 0, 0

    def __iter__(self) -> Iterator[Frame]:
        segment = self._segment
        data = segment.path.read_bytes()
        if segment.epoch:
            size, stop = segment.size, min(len(data), segment.size - EDGE)
            seeds: tuple[int, ...] = (seed_of(segment.epoch, segment.schema),)
        else:  # without its head its size is not known
            size, stop, seeds = len(data) + 1, len(data), likely_seeds(data)
        scan = Scan(data, EDGE, stop, seeds)
        cut_short = not self._next_first and segment.point is None
        yield from scan.tear(list(scan)) if cut_short and segment.schema > 1 else scan
        self.end, self.count, self.last = scan.end, scan.count, scan.last
        self.damage = segment.damage + damage_of(
            segment.path.name, len(data), size, scan, segment.point, segment.first, self._next_first
        )


def blank(path: Path, size: int) -> Iterator[int]:
    """Makes a file of zeros that are really on the disk, a slice at a time; yields the bytes done.

    Written and not only allocated: the first write to an allocated block has to be recorded by the file
    system, which costs a second flush and about 16 KB on ext4.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, size)
        zeros = bytes(SLICE_BYTES)
        for offset in range(0, size, SLICE_BYTES):
            write_all(file, zeros[: size - offset], offset)
            os.fdatasync(file)
            yield offset + SLICE_BYTES
        os.fsync(file)
    finally:
        os.close(file)


def is_blank(path: Path, size: int) -> bool:
    """Whether a file is as `blank` made it.

    A cut may leave what was written to the next file, but not yet its new name; read as the end of what is
    written over it later, such records would be told that nobody was ever promised.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return len(data) == size and not data.strip(b"\0")


def write_ends(file: int, head: Head, point: Checkpoint | None) -> None:
    """Both ends of a file; not yet synced."""
    write_all(file, head_bytes(head), 0)
    write_all(file, tail_bytes(head, point), head.size - EDGE)


def write_all(file: int, data: bytes, offset: int) -> None:
    """All of `data`, also where the kernel takes a part of it."""
    while data:
        done = os.pwrite(file, data, offset)
        data, offset = data[done:], offset + done


def sync_folder(folder: Path) -> None:
    """Names made, changed or removed in it survive a power cut from here on."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def records(folder: Path, since: int = 0, found: Callable[[Damage], None] | None = None) -> Iterator[Frame]:
    """All undamaged records of a journal with a number of at least `since`, as its files stand.

    Behind them come those that wait in memory for the next commit.

    Needs no lock: also while a node writes and compacts them.

    Args:
        folder: Where the files are.
        since: Lowest number wanted.
        found: Told of each damage met; None if that doesn't matter.
    """
    done, boundary, last = 0, 0, 0
    while True:
        segments = [segment for segment in find(folder) if segment.high > done]
        for index, segment in enumerate(segments):
            behind = segments[index + 1].first if index + 1 < len(segments) else 0
            again = boundary if segment.low <= done else 0  # compacted together with what was read before
            if not behind or behind > since or found:
                walk = Walk(segment, behind)
                try:
                    for item in walk:
                        number = item.number
                        if number > last and item.code != MARK:
                            last = number
                        if number >= since and item.code != MARK and number >= again:
                            if behind and number >= behind:
                                continue
                            yield item
                except FileNotFoundError:
                    break  # compacted meanwhile: look again
                if found:
                    for damage in walk.damage:
                        found(damage)
            done, boundary = segment.high, behind
        else:
            break
    if segments:
        newest = segments[-1]
        last = max(last, newest.first - 1)
        seeds = (seed_of(newest.epoch, newest.schema),) if newest.epoch else ()
        for item in staged(folder, seeds, last):
            if item.number >= since and item.code != MARK:
                yield item
