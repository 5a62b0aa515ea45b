"""The journal's format as pure functions: bytes to records and damage, records to bytes. No I/O.

See README.md beside this file for the layout. What makes it recover by itself: the two bytes that start a
frame occur in no UTF-8 text, so no payload can be taken for a frame; every frame carries its own number and
checksum, so each is judged alone; what describes the file stands at both of its ends.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from zlib import crc32

SCHEMA = 2
"""Version of the format; a file with a higher one is left alone, one with a lower one is read.

In schema 2 the checksums of frames begin at a number drawn from the epoch, in schema 1 at 0: what a card
brings back of a journal that was erased (another tenancy) is never taken for a record of this one. And
readings are arrays there.
"""

Class = Literal["alert", "reading", "system", "state", "mark", "part"]
CODES: dict[str, int] = {"alert": 1, "reading": 2, "system": 3, "state": 4, "mark": 5, "part": 6}
MARK = CODES["mark"]
NAMES: dict[int, str] = {code: name for name, code in CODES.items()}

EDGE = 512
"""Bytes kept at both ends of a file for what describes it: a sector of its own, so that a commit that is
torn by a power cut can't take it along."""

START = b"\xff\xf6"  # neither byte may occur in UTF-8 (RFC 3629, section 1)
_FRAME = struct.Struct("<2sIII")  # START, CRC-32 of all that follows, packed, low 32 bits of the number
_CHECKED = struct.Struct(
    "<II"
)  # packed: class 4 bits, high 8 bits of the number, length of the payload 20 bits
_CHECKED_FROM = _FRAME.size - _CHECKED.size
FRAME_BYTES = _FRAME.size
LARGEST = (1 << 20) - 1

_MAGIC = b"homenode"
_HEAD = struct.Struct("<8sHHI8sIIQ")  # … schema, flags, size, epoch, segments from, to, first number
_COMPACT = 1  # in flags
_CLOSED = b"checkpnt"
_POINT = struct.Struct("<8sIIIQq")  # magic, end, count, CRC-32 of the frames, last number, newest `at`
_SEALED = 1 << 31  # in frames: no frame will follow

_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


class Frame(NamedTuple):
    """One undamaged record in a file. `payload` is its JSON text in UTF-8.

    A mark is no record of its own: its `number` is that of the record that follows it. `opens`: everything
    before it was on the disk when it was written.
    """

    offset: int
    number: int
    code: int
    payload: bytes
    opens: bool = False


class Gap(NamedTuple):
    """Bytes that are no record, and the numbers of the records beside them (0: none)."""

    offset: int
    length: int
    before: int
    after: int


class Head(NamedTuple):
    """What a file says of itself.

    Attributes:
        size: Bytes of the whole file.
        epoch: 16 hexadecimal digits, drawn when the journal was new.
        low, high: Segments whose records it holds; more than one after compaction.
        first: All numbers in earlier files are lower; a higher one there was written again here.
        compact: Holds what retention has kept, not all that was written.
        schema: Of the file.
    """

    size: int
    epoch: str
    low: int
    high: int
    first: int
    compact: bool = False
    schema: int = SCHEMA


class Checkpoint(NamedTuple):
    """What was true when the file was closed or sealed, and stays true as nothing is ever changed.

    Attributes:
        end: Offset behind the last frame.
        frames: How many up to there.
        crc: CRC-32 of all bytes from EDGE to `end`.
        last: Highest number.
        newest_at: Highest ``at`` of a record, in ms; 0 if none had one.
        sealed: Nothing follows in this file; a next one exists.
    """

    end: int
    frames: int
    crc: int
    last: int
    newest_at: int
    sealed: bool


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in the journal that is not as it was written.

    Attributes:
        file: Name of the file.
        offset, length: Where in it, in bytes; 0, 0 for a file that is gone.
        first, last: Numbers of the records that are lost at most; none if `last` < `first`.
        what: In plain words.
        torn: At the very end of the newest file: what was being written when the power went. Nothing that
            was acknowledged need be missing.
    """

    file: str
    offset: int
    length: int
    first: int
    last: int
    what: str
    torn: bool = False

    def __str__(self) -> str:
        if self.last < self.first:
            lost = "no record lost"
        elif self.first == self.last:
            lost = f"record {self.first} lost"
        else:
            lost = f"at most records {self.first} to {self.last} lost"
        place = f"{self.file} at {self.offset}, {self.length} bytes" if self.length else self.file
        return f"{place}: {self.what}; {lost}"


def encode(record: Mapping[str, Any], schema: int = SCHEMA) -> bytes:
    """A record's payload: a JSON object; of a reading, which is most of a journal, an array of its fields.

    Raises:
        TypeError, ValueError: It holds something that JSON doesn't have, or is larger than 1 MiB.
    """
    if tuple(record) == _READING and record["t"] == "r" and schema > 1:
        payload = _encode([record["p"], record["v"], record["at"]]).encode()
    else:
        payload = _encode(record).encode()
    if len(payload) > LARGEST:
        raise ValueError(f"a record of {len(payload)} bytes; at most {LARGEST}")
    return payload


def decode(payload: bytes) -> dict[str, Any]:
    """The record of a frame whose checksum was right."""
    record = json.loads(payload)
    if record.__class__ is list:
        return {"t": "r", **dict(zip(_READING[1:], record, strict=False))}
    found: dict[str, Any] = record
    return found


def seed_of(epoch: str, schema: int = SCHEMA) -> int:
    """What the checksums of frames begin with in a journal of this epoch."""
    return crc32(bytes.fromhex(epoch)) if schema > 1 else 0


_OPENS = 8
"""In the class of a frame. Schema 1 has none."""


def frame(number: int, code: int, payload: bytes, seed: int, *, opens: bool = False) -> bytes:
    """A whole frame; `seed` by `seed_of`, `opens` as in `Frame`."""
    packed = (code | opens * _OPENS) << 28 | number >> 32 << 20 | len(payload)
    checked = _CHECKED.pack(packed, number & 0xFFFFFFFF) + payload
    return START + crc32(checked, seed).to_bytes(4, "little") + checked


def marks_payload(marks: Mapping[str, int], epoch: str) -> bytes:
    """What a mark says: all marks, and the epoch once more, for a file whose two heads are damaged."""
    return encode({"t": "marks", "m": marks, "e": epoch})


_READING = ("t", "p", "v", "at")
"""The fields of a live reading, in the order in which `homenode.records` writes them."""

_EPOCH_SAID = re.compile(rb'"e":"([0-9a-f]{16})"}')


def likely_seeds(data: bytes) -> tuple[int, ...]:
    """For a file without a head: the seeds that its frames may have; a checksum tells which."""
    said = {match[1].decode() for match in _EPOCH_SAID.finditer(data)}
    return 0, *(seed_of(epoch) for epoch in sorted(said))


class Scan:
    """Walks over the frames in ``data[start:stop]``, past damage; afterwards tells what it met.

    `seeds`: with which of them a frame's checksum may begin.

    Attributes:
        gaps: Bytes that are neither frames nor the zeros behind the last one.
        count: Frames met.
        end: Offset behind the last frame.
        last: Highest number of a record met, 0 if none.
    """

    def __init__(self, data: bytes, start: int, stop: int, seeds: tuple[int, ...]) -> None:
        self._data, self._start, self._stop, self._seeds = data, start, stop, seeds
        self._view = memoryview(data)
        self.gaps: list[Gap] = []
        self.count, self.end, self.last = 0, start, 0

    def __iter__(self) -> Iterator[Frame]:
        data, stop, offset, before = self._data, self._stop, self._start, 0
        while offset < stop:
            found = self._at(offset)
            if found is None:
                found = self._search(offset + 1)
                if found is None and data.count(0, offset, stop) == stop - offset:
                    return
                after = found.offset if found else offset + len(data[offset:stop].rstrip(b"\0"))
                self.gaps.append(Gap(offset, after - offset, before, found.number if found else 0))
                if found is None:
                    return
            self.count += 1
            before = found.number - (found.code == MARK)
            if before > self.last:
                self.last = before
            offset = self.end = found.offset + FRAME_BYTES + len(found.payload)
            yield found

    def tear(self, frames: list[Frame]) -> list[Frame]:
        """Of all frames of a file that the power may have cut short, those that count.

        What was not flushed a drive writes in any order. So the frames behind a gap count only if a flush
        came between; else they go with what is missing, and nothing of them was ever acknowledged.
        """
        opened = max((one.offset for one in frames if one.opens), default=-1)
        for index, gap in enumerate(self.gaps):
            if gap.after and gap.offset > opened:
                end = max(self.end, self.gaps[-1].offset + self.gaps[-1].length)
                self.gaps[index:] = [Gap(gap.offset, end - gap.offset, gap.before, 0)]
                frames = [one for one in frames if one.offset < gap.offset]
                self.count, self.last = len(frames), gap.before
                self.end = (
                    frames[-1].offset + FRAME_BYTES + len(frames[-1].payload) if frames else self._start
                )
                break
        return frames

    def _at(self, offset: int) -> Frame | None:
        """The frame that begins exactly here, or None."""
        begin = offset + FRAME_BYTES
        if begin > self._stop:
            return None
        start, check, packed, low = _FRAME.unpack_from(self._data, offset)
        end = begin + (packed & LARGEST)
        if start != START or end > self._stop:
            return None
        checked = self._view[offset + _CHECKED_FROM : end]
        if not any(crc32(checked, seed) == check for seed in self._seeds):
            return None
        number = (packed >> 20 & 0xFF) << 32 | low
        code = packed >> 28
        return Frame(offset, number, code & ~_OPENS, self._data[begin:end], code >= _OPENS)

    def _search(self, offset: int) -> Frame | None:
        """The next whole frame from here on, or None."""
        while (offset := self._data.find(START, offset, self._stop)) >= 0:
            if found := self._at(offset):
                return found
            offset += 1
        return None


def head_bytes(head: Head) -> bytes:
    """What stands at both ends of a file."""
    packed = _HEAD.pack(
        _MAGIC,
        head.schema,
        _COMPACT if head.compact else 0,
        head.size,
        bytes.fromhex(head.epoch),
        head.low,
        head.high,
        head.first,
    )
    return packed + crc32(packed).to_bytes(4, "little")


HEAD_BYTES = _HEAD.size + 4


def read_head(data: bytes) -> Head | None:
    """The head in the first bytes of `data`; None if it is damaged or not ours.

    Raises:
        ValueError: It is whole and of a later schema than this program knows.
    """
    packed = data[: _HEAD.size]
    if len(data) < HEAD_BYTES or crc32(packed) != int.from_bytes(data[_HEAD.size : HEAD_BYTES], "little"):
        return None
    magic, schema, flags, size, epoch, low, high, first = _HEAD.unpack(packed)
    if magic != _MAGIC:
        return None
    if schema > SCHEMA:
        raise ValueError(f"schema {schema}, this homenode knows up to {SCHEMA}")
    return Head(size, epoch.hex(), low, high, first, bool(flags & _COMPACT), schema)


def tail_bytes(head: Head, point: Checkpoint | None) -> bytes:
    """The last EDGE bytes of a file: its head again and the checkpoint."""
    tail = head_bytes(head)
    if point is not None:
        count = point.frames | (_SEALED if point.sealed else 0)
        packed = _POINT.pack(_CLOSED, point.end, count, point.crc, point.last, point.newest_at)
        tail += packed + crc32(packed).to_bytes(4, "little")
    return tail.ljust(EDGE, b"\0")


def read_checkpoint(tail: bytes) -> Checkpoint | None:
    """The checkpoint in the last EDGE bytes of a file; None if there is none or it is damaged."""
    packed = tail[HEAD_BYTES : HEAD_BYTES + _POINT.size]
    check = tail[HEAD_BYTES + _POINT.size : HEAD_BYTES + _POINT.size + 4]
    if len(packed) < _POINT.size or crc32(packed) != int.from_bytes(check, "little"):
        return None
    magic, end, count, crc, last, newest_at = _POINT.unpack(packed)
    if magic != _CLOSED:
        return None
    return Checkpoint(end, count & ~_SEALED, crc, last, newest_at, bool(count & _SEALED))


def damage_of(
    name: str, length: int, size: int, scan: Scan, point: Checkpoint | None, first: int, next_first: int
) -> list[Damage]:
    """What a finished scan of a file says is wrong with it.

    Args:
        name: The file's name.
        length: Bytes it has.
        size: Bytes it should have.
        scan: Of all its bytes, walked to the end.
        point: Its checkpoint, if it has one.
        first: Lowest number that may be in it.
        next_first: First number of the next file; 0 if this is the newest.
    """
    found = []
    open_end = False
    for gap in scan.gaps:
        low = (gap.before or first - 1) + 1
        high, torn = gap.after - 1, False
        if not gap.after:
            open_end = True
            if point is not None and point.sealed and gap.offset >= point.end:
                high = low - 1  # the room behind the last record, where nothing was
            elif next_first:
                high = next_first - 1
            elif point is not None and gap.offset < point.end:
                high = point.last
            else:
                high, torn = low, length >= size
        what = "cut short while it was written" if torn else "damaged bytes"
        found.append(Damage(name, gap.offset, gap.length, low, high, what, torn))
    low = (scan.last or first - 1) + 1
    if point is not None and scan.end < point.end and not open_end:
        found.append(Damage(name, scan.end, point.end - scan.end, low, point.last, "records blanked out"))
    elif length < size:
        high = low - 1 if open_end else next_first - 1 if next_first else low
        found.append(Damage(name, length, size - length, low, high, "end of the file is missing"))
    return found
