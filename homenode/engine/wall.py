"""What the clock on the wall of the home reads at an instant, and when it next reads a given time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from homenode.reading import Instant

DAY_MS = 86_400_000
HOUR_MS = 3_600_000  # no mutant: any step in which clocks are moved once does
MINUTE_MS = 60_000
DAY_MINUTES = DAY_MS // MINUTE_MS  # no mutant: any modulus of a day or more does

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

    def reads_between(self, at: Instant, start: int, end: int) -> bool:
        """Whether it reads in [start, end), minutes of the day, over midnight if end < start."""
        minute = self.of_day_ms(at) // MINUTE_MS
        return (minute - start) % DAY_MINUTES < (end - start) % DAY_MINUTES

    def turned(self, at: Instant, start: int, end: int) -> Instant:
        """Since when it reads in [start, end), or no longer does: the last such turn up to `at`."""
        look = at - 2 * DAY_MS  # no mutant: the longest day has 25 hours
        turned, inside = look, self.reads_between(look, start, end)
        while (look := self.next_reading(look, (start, end))) <= at:
            if self.reads_between(look, start, end) is not inside:
                turned, inside = look, not inside
        return turned

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
