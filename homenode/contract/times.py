"""Times as they are written in messages: RFC 3339 with milliseconds and the offset of the home's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_KEPT = 256
"""Minutes whose text is remembered; readings and their `valid_until` fall into a handful."""


class Zone:
    """The home's time zone.

    Args:
        name: IANA name, such as ``Europe/Stockholm``.
    """

    def __init__(self, name: str) -> None:
        self._zone = ZoneInfo(name)
        self._minutes: dict[int, tuple[str, str]] = {}

    def text(self, wall_ms: int) -> str:
        """``2026-01-05T06:12:03.250+01:00`` for a wall time in ms since 1970."""
        minute, rest_ms = divmod(wall_ms, 60_000)
        known = self._minutes.get(minute)
        if known is None:
            known = self._minute(minute)
        second, ms = divmod(rest_ms, 1000)
        return f"{known[0]}{second:02d}.{ms:03d}{known[1]}"

    def _minute(self, minute: int) -> tuple[str, str]:
        local = (_EPOCH + timedelta(minutes=minute)).astimezone(self._zone)
        offset_s = int((local.utcoffset() or timedelta()).total_seconds())
        sign, (hours, rest_s) = "-" if offset_s < 0 else "+", divmod(abs(offset_s), 3600)
        if len(self._minutes) >= _MINUTES_KEPT:
            self._minutes.clear()
        known = (f"{local:%Y-%m-%dT%H:%M}:", f"{sign}{hours:02d}:{rest_s // 60:02d}")
        self._minutes[minute] = known
        return known


def wall_ms(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 time; finer parts are cut.

    Raises:
        ValueError: Not such a time, or without an offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or "T" not in text.upper():
        raise ValueError(f"{text!r} is not a time like 2026-01-05T06:12:03.250+01:00")
    return (at - _EPOCH) // timedelta(milliseconds=1)
