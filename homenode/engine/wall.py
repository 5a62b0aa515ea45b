"""What the clock on the wall of the home reads at an instant, and when it next reads a given time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from homenode.reading import Instant

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class WallClock:
    """The local wall clock.

    Attributes:
        timezone: IANA name, such as ``Europe/Stockholm``.
        offset_ms: Wall clock (UTC) minus instant; in replay 0.
        trusted: Whether it may be believed.
    """

    timezone: str
    offset_ms: int = 0
    trusted: bool = True

    def __post_init__(self) -> None:
        self._zone = ZoneInfo(self.timezone)

    def local(self, at: Instant) -> datetime:
        """Local date and time at an instant."""
        return (_EPOCH + timedelta(milliseconds=at + self.offset_ms)).astimezone(self._zone)

    def of_day_ms(self, at: Instant) -> int:
        """Milliseconds since midnight, as the clock reads."""
        local = self.local(at)
        whole_s = (local.hour * 60 + local.minute) * 60 + local.second
        return whole_s * 1000 + local.microsecond // 1000

    def _shift_ms(self, at: Instant) -> int:
        shift = self.local(at).utcoffset() or timedelta()
        return shift // timedelta(milliseconds=1)

    def next_reading(self, at: Instant, minutes: tuple[int, ...]) -> Instant:
        """The first instant after `at` at which the clock reads one of `minutes` of the day, or is moved.

        A move (daylight saving) is looked for hour by hour and then found to the millisecond.
        """
        now_ms = self.of_day_ms(at)
        due = at + min((minute * MINUTE_MS - now_ms - 1) % DAY_MS + 1 for minute in minutes)
        shift_ms = self._shift_ms(at)
        low = at
        while low < due:
            high = min(low + HOUR_MS, due)
            if self._shift_ms(high) != shift_ms:
                while high - low > 1:
                    middle = (low + high) // 2
                    if self._shift_ms(middle) == shift_ms:
                        low = middle
                    else:
                        high = middle
                return high
            low = high
        return due
