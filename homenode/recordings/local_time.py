"""Local time stamps without an offset, line after line, as instants; the hour that comes twice too."""

from __future__ import annotations

from datetime import datetime, tzinfo

BACK_MS = 60_000
"""A stamp further back than this in the hour that comes twice is of its second time; less is disorder."""


class LocalTime:
    """The wall clock of one recording.

    Args:
        zone: Where it hung.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last_ms: int | None = None

    def wall_ms(self, at: datetime) -> int:
        """Milliseconds since 1970 of a stamp of the next line; one that carries an offset is as it says."""
        if at.tzinfo is not None:
            return _ms(at)
        wall_ms = _ms(at.replace(tzinfo=self._zone))
        if self._last_ms is not None and wall_ms < self._last_ms - BACK_MS:
            second_ms = _ms(at.replace(tzinfo=self._zone, fold=1))
            if second_ms > wall_ms and second_ms >= self._last_ms - BACK_MS:
                wall_ms = second_ms
        self._last_ms = wall_ms
        return wall_ms

    def iso(self, text: str) -> int:
        """As `wall_ms`, of ``2008-02-25 00:20:14``. Raises ValueError."""
        if len(text) < len("2008-02-25 00:20:14"):
            raise ValueError(f"{text!r} is not a time such as 2008-02-25 00:20:14")
        return self.wall_ms(datetime.fromisoformat(text))

    def day_first(self, text: str) -> int:
        """As `wall_ms`, of ``17/12/2011 00:00:02``. Raises ValueError."""
        return self.wall_ms(datetime.strptime(text, "%d/%m/%Y %H:%M:%S"))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
