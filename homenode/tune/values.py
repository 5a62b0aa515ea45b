"""Which values of a parameter are tried: round ones over its range, and the one in force."""

from __future__ import annotations

from collections.abc import Sequence

from homenode.config import durations
from homenode.language.rule_file import Setting
from homenode.language.values import Quantity, Span, TimeOfDay, Value, Word, parse_value

_S, _MIN, _H, _D = (durations.UNITS_MS[unit] for unit in ("s", "min", "h", "d"))
ROUND_MS = (
    *(number * _S for number in (0, 1, 2, 3, 5, 10, 15, 20, 30, 45)),
    *(number * _MIN for number in (1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50)),
    *(number * _H for number in (1, 2, 3, 4, 6, 8, 12, 16)),
    *(number * _D for number in (1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90, 180, 365)),
)
"""Durations that people say."""
ROUND = (1, 1.5, 2, 3, 5, 7)
"""Times a power of ten: numbers that people say."""
AROUND = 4
"""A parameter without a range is tried from a quarter to four times the value in force."""
DAY_MINUTES = 1440


def tried(setting: Setting, now: str, most: int) -> list[str]:
    """Values from the lowest to the highest, the one in force among them.

    Args:
        setting: The parameter.
        now: Its value in force, as text.
        most: How many at most.

    Raises:
        ValueError: Its values can't be thought of; they must be given.
    """
    present = parse_value(now)
    match present:
        case Span(ms):
            low, high = _ends(setting, ms / AROUND, ms * AROUND)
            numbers = [round(low), *(ms for ms in ROUND_MS if low < ms < high), round(high)]
            return [durations.words(int(ms)) for ms in _thinned(numbers, ms, most)]
        case Quantity(number, unit):
            low, high = _ends(setting, number / AROUND, number * AROUND)
            whole = all(isinstance(n, int) for n in (number, *_given(setting)))
            return [
                f"{n:.15g} {unit}".strip() for n in _thinned(_round(low, high, whole, most), number, most)
            ]
        case TimeOfDay(minutes):
            low, high = _ends(setting, minutes - 60 * (most // 2), minutes + 60 * (most // 2))
            hours = [m for m in range(int(low), int(high) + 1) if m % 60 == 0]
            times = _thinned([int(low), *hours, int(high)], minutes, most)
            return [f"{int(m) // 60 % 24:02d}:{int(m) % 60:02d}" for m in times]
        case Word():
            raise ValueError("values given by --set")


def same(one: str, other: str) -> bool:
    """Whether two texts are one value."""
    return parse_value(one) == parse_value(other)


def _amount(value: Value) -> float:
    match value:
        case Span(ms):
            return ms
        case Quantity(number):
            return number
        case TimeOfDay(minutes):
            return minutes
        case Word():
            return 0


def _given(setting: Setting) -> list[float]:
    return [_amount(value) for value in (setting.low, setting.high) if value is not None]


def _ends(setting: Setting, low: float, high: float) -> tuple[float, float]:
    low = low if setting.low is None else _amount(setting.low)
    high = high if setting.high is None else _amount(setting.high)
    return min(low, high), max(low, high)


def _round(low: float, high: float, whole: bool, most: int) -> list[float]:
    """Round numbers from `low` to `high`: by powers of ten, or evenly where the range has zero in it."""
    if whole and high - low < most:
        return list(range(int(low), int(high) + 1))
    if low > 0 and high / low > AROUND:
        steps = [factor * 10.0**power for power in range(-6, 10) for factor in ROUND]
        inner = [number for number in steps if low < number < high]
    else:
        inner = [low + (high - low) * part / (most - 1) for part in range(1, most - 1)]
        inner = [float(f"{number:.2g}") for number in inner]
    numbers = [low, *(number for number in inner if low < number < high), high]
    return sorted({int(number) for number in numbers}) if whole else numbers


def _thinned(numbers: Sequence[float], present: float, most: int) -> list[float]:
    """At most so many of them, both ends and the present one for sure."""
    wanted = sorted({*numbers})
    room = most if present in (wanted[0], wanted[-1]) else most - 1
    if len(wanted) > room:
        last = len(wanted) - 1
        wanted = [wanted[round(index * last / (room - 1))] for index in range(room)]
    return sorted({*wanted, present})
