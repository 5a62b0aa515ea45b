"""Durations as people write them: ``15 min``, ``1 h 30 min``, ``0.05 s``; a whole number of milliseconds."""

from __future__ import annotations

import re
from decimal import Decimal

UNITS_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST_MS = 36_525 * UNITS_MS["d"]
"""A hundred years: beyond it is a slip of the hand, and no sum of instants overflows anywhere."""

PATTERN = r"\s*(?:[0-9]{1,15}(?:\.[0-9]{1,15})?\s*(?:min|s|h|d)\s*)+"
_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(min|s|h|d)\s*")
_WHOLE = re.compile(PATTERN)
_ALMOST = re.compile(r"([0-9]{1,15}(?:[.,][0-9]{1,15})?)\s*([^\W\d_]{1,10}\.?)")
_MEANT = re.compile(
    r"(?:(?P<s>s|se[ck]\w*)|(?P<min>m|min\w*)|(?P<h>t|h|hrs?|hour\w*|tim\w*)|(?P<d>d|day\w*|dag\w*|dygn\w*))\.?",
    re.IGNORECASE,
)
"""Units of time as they are written out in Swedish and English."""
SHOWN = "a duration such as 20 min, 1 h 30 min or 0.5 s"


def milliseconds(text: str) -> int:
    """`text` in whole milliseconds.

    Raises:
        ValueError: Not a duration, finer than a millisecond or longer than a hundred years; says which.
    """
    if len(text) > 200 or not text.isascii() or not _WHOLE.fullmatch(text):
        raise ValueError(SHOWN)
    total = sum((Decimal(number) * UNITS_MS[unit] for number, unit in _PART.findall(text)), Decimal(0))
    if total != total.to_integral_value():
        raise ValueError("a whole number of milliseconds")
    if total > LONGEST_MS:
        raise ValueError("at most a hundred years (36525 d)")
    return int(total)


def unit_meant(word: str) -> str:
    """The unit that ``minutes``, ``tim`` or ``dygn`` probably means, "" if none."""
    match = _MEANT.fullmatch(word)
    return str(match.lastgroup) if match else ""


def meant(text: str) -> str:
    """The duration that ``20 minuter`` or ``1,5 h`` probably means, "" if none."""
    match = _ALMOST.fullmatch(text.strip())
    unit = unit_meant(match[2]) if match else ""
    likely = f"{match[1].replace(',', '.')} {unit}" if match and unit else ""
    return "" if likely == text.strip() else likely


def words(span_ms: int) -> str:
    """`span_ms` in the fewest parts, such as ``1 h 30 min``; what `milliseconds` reads back."""
    parts = []
    rest = span_ms
    for unit in ("d", "h", "min"):
        count, rest = divmod(rest, UNITS_MS[unit])
        if count:
            parts.append(f"{count} {unit}")
    if rest or not parts:
        parts.append(f"{Decimal(rest) / 1000:f} s")
    return " ".join(parts)
