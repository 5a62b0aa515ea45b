"""How long and how much the journal keeps; pure decisions about what may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from homenode.journal.codec import CODES, MARK, Frame, decode
from homenode.journal.segment import Segment

DAY_MS = 86_400_000

BATCH = 8
"""Files compacted at once at most: a small compact file is written again with the next batch, so that fewer,
larger batches wear less."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a journal may take.

    Attributes:
        segment_bytes: Size of a file: 1 MiB is some 14,000 readings, and read in well under 0.1 s.
        readings_bytes: Of files that still hold readings; the oldest are compacted beyond this. 54,000
            readings a day (a busy home) are 4 MB, so 64 MiB are two weeks of it, or months of a usual home.
        age_ms: Per class, how long it is kept at least when there is room. Alerts: two years.
        memory_bytes: Of records that wait for a disk that is full or failing.
    """

    segment_bytes: int = 1 << 20
    readings_bytes: int = 64 << 20
    age_ms: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType(
            {"reading": 30 * DAY_MS, "system": 365 * DAY_MS, "alert": 730 * DAY_MS}
        )
    )
    memory_bytes: int = 4 << 20


def due(
    segments: Sequence[Segment], limits: Limits, newest_at: int, *, urgent: bool = False
) -> list[Segment]:
    """Neighbouring files to be compacted into one now, oldest first; empty if none need be.

    Args:
        segments: All files, oldest first.
        limits: What to keep.
        newest_at: ``at`` of the newest record, from which age is counted.
        urgent: The disk is full: the oldest file with readings goes in any case.
    """
    plain = [s for s in segments[:-1] if not s.compact]
    if not plain:
        return []
    oldest_kept = newest_at - limits.age_ms["reading"]
    excess = sum(s.size for s in plain) + segments[-1].size - limits.readings_bytes
    ripe: list[Segment] = []
    for segment in plain[:BATCH]:
        old = segment.point is not None and 0 < segment.point.newest_at < oldest_kept
        if not (old or excess > 0 or (urgent and not ripe)):
            break
        excess -= segment.size
        ripe.append(segment)
    if not ripe:
        return []
    index = segments.index(ripe[0])
    ahead = segments[index - 1] if index else None
    if ahead is not None and ahead.size < limits.segment_bytes // 2:
        ripe.insert(0, ahead)
    return ripe


def keeper(limits: Limits, newest_at: int, newest_state: int) -> Callable[[Frame], bool]:
    """What of a compacted file is kept: alerts and system records until they are old, the newest state.

    And the readings since that state: a start judges them again, and would otherwise take what they ended for
    what goes on still.
    """
    least_at = {
        CODES[name]: newest_at - age for name, age in limits.age_ms.items() if CODES[name] != CODES["reading"]
    }

    def keep(frame: Frame) -> bool:
        if frame.code == MARK:
            return False
        if frame.code == CODES["reading"]:
            return 0 < newest_state < frame.number
        if frame.code in (CODES["state"], CODES["part"]):
            return frame.number >= newest_state
        at = decode(frame.payload).get("at")
        return not isinstance(at, int) or at >= least_at.get(frame.code, at)

    return keep
