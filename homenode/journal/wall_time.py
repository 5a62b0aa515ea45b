"""Wall time of what stands in a journal, for people and for replay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from homenode.journal.codec import CODES, decode
from homenode.journal.segment import records

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SYSTEM = CODES["system"]


class WallTime:
    """Wall time of the node's instants: in each run of the node what its clock said last, trusted if it was.

    The last and not the one of the moment: a node boots in 1970 and learns the time later, and durations
    within a run must not change by that.

    Args:
        folder: Where the files of the journal are.
    """

    def __init__(self, folder: Path) -> None:
        self._runs: list[tuple[int, int]] = [(0, 0)]  # first number of the run, offset in ms
        self._known = self._trusted = False
        said: dict[str, Any] | None = None  # the clock of a start is written before its down and up
        for found in records(folder):
            if found.code != _SYSTEM:
                continue
            record = decode(found.payload)
            kind = record.get("t")
            if kind == "up":
                self._runs.append((found.number, self._runs[-1][1]))
                self._trusted = False
            if said is not None and kind != "down":
                self._told(said)
                said = None
            if kind == "clock":
                said = record
        if said is not None:
            self._told(said)
        self._at = 0

    def _told(self, clock: dict[str, Any]) -> None:
        """What the clock of the newest run said, unless it knew better before."""
        if self._trusted and not clock.get("trusted"):
            return
        self._trusted = bool(clock.get("trusted"))
        if self._trusted and not self._known:  # nothing known before: as good for the runs until here
            self._known = True
            self._runs = [(number, clock["offset_ms"]) for number, _ in self._runs]
        self._runs[-1] = (self._runs[-1][0], clock["offset_ms"])

    def wall_ms(self, number: int, at: int) -> int:
        """For records in the order of the journal."""
        return at + self.offset_ms(number)

    def offset_ms(self, number: int) -> int:
        """What to add to an instant; for records in the order of the journal."""
        while self._at + 1 < len(self._runs) and self._runs[self._at + 1][0] <= number:
            self._at += 1
        return self._runs[self._at][1]

    def text(self, number: int, at: int) -> str:
        """RFC 3339, UTC, with milliseconds."""
        return text_of(self.wall_ms(number, at))


def text_of(wall_ms: int) -> str:
    """RFC 3339, UTC, with milliseconds."""
    return (_EPOCH + timedelta(milliseconds=wall_ms)).isoformat(timespec="milliseconds")
