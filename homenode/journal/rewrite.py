"""Files written anew from older ones: repair after damage, and compaction when readings are old enough to go.

Done beside the old files and put in their place by one rename, in slices, so that a commit never waits long.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from zlib import crc32

from homenode.journal.codec import (
    EDGE,
    SCHEMA,
    Checkpoint,
    Damage,
    Frame,
    Head,
    decode,
    encode,
    frame,
    seed_of,
)
from homenode.journal.segment import SLICE_BYTES, Segment, Walk, name_of, sync_folder, write_all, write_ends

FRAMES_A_SLICE = 200
"""Frames looked at between two chances for a commit: 0.3 ms on a desktop, some 3 ms on a Pi Zero 2 W."""


def rewrite(
    folder: Path,
    sources: Sequence[Segment],
    *,
    span: tuple[int, int],
    epoch: str,
    first: int,
    next_first: int,
    keep: Callable[[Frame], bool],
    compact: bool,
    newest_at: int,
    found: Callable[[Damage], None],
    schema: int = SCHEMA,
) -> Generator[None, None, Segment]:
    """Put one file in the place of `sources`, sealed if one follows; damaged ones are copied aside first.

    Args:
        folder: Where the journal is.
        sources: Neighbours, oldest first; none to fill a place where files are missing.
        span: Lowest and highest segment it stands for.
        epoch: Of the journal.
        first: Lowest number that may be in it.
        next_first: First number of the file behind `sources`; 0 if there is none.
        keep: Whether a record is to be kept.
        compact: Whether the result counts as compacted.
        newest_at: For its checkpoint.
        found: Told of each damage met on the way.
        schema: Of the result.

    Raises:
        OSError: Then everything is as it was before.
    """
    path = folder / name_of(*span)
    temporary = path.with_suffix(".tmp")
    file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        end, count, crc, last, seed = EDGE, 0, 0, max(0, first - 1), seed_of(epoch, schema)
        pending: list[bytes] = []
        pending_bytes = looked = 0
        for index, source in enumerate(sources):
            behind = sources[index + 1].first if index + 1 < len(sources) else next_first
            walk = Walk(source, behind)
            for item in walk:
                looked += 1
                if not looked % FRAMES_A_SLICE:
                    yield
                if (behind and item.number >= behind) or not keep(item):
                    continue
                payload = item.payload if schema > 1 else encode(decode(item.payload), schema)
                data = frame(item.number, item.code, payload, seed)
                pending.append(data)
                pending_bytes += len(data)
                count, last = count + 1, max(last, item.number)
                if pending_bytes >= SLICE_BYTES:
                    data = b"".join(pending)
                    write_all(file, data, end)
                    os.fdatasync(file)
                    end, crc, pending, pending_bytes = end + len(data), crc32(data, crc), [], 0
                    yield
            for damage in walk.damage:
                found(damage)
            if walk.damage:
                keep_aside(folder, source.path)
        data = b"".join(pending)
        write_all(file, data, end)
        end, crc = end + len(data), crc32(data, crc)
        head = Head(end + EDGE, epoch, *span, first, compact, schema)
        point = Checkpoint(end, count, crc, last, newest_at, bool(next_first))
        write_ends(file, head, point)
        os.fsync(file)
        yield
        os.rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
    sync_folder(folder)
    for source in sources:
        if source.path != path:
            source.path.unlink(missing_ok=True)
    return Segment(path, *span, first, head.size, epoch, point, compact, schema=schema)


def keep_aside(folder: Path, path: Path) -> None:
    """Copy a damaged file to ``damaged/``, under a name of its own, for whoever wants to look into it."""
    aside = folder / "damaged"
    aside.mkdir(exist_ok=True)
    copy = aside / path.name
    nth = 1
    while copy.exists():
        nth += 1
        copy = aside / f"{path.name}.{nth}"
    shutil.copyfile(path, copy)
    file = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    sync_folder(aside)
