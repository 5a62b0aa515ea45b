"""What a parameter or a constant may be: ``50 W``, ``20 min``, ``22:00``, ``3``, ``open``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from homenode.config import durations
from homenode.kinds import KINDS, Kind, Shape

UNITS = {kind.unit for kind in KINDS.values() if kind.unit}
"""Units of point kinds."""

NUMBER = r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?"
"""More digits than a double holds are a slip of the hand."""

_QUANTITY = re.compile(rf"({NUMBER})\s*(\S*)")
_ALMOST = re.compile(r"(-?[0-9]{1,15}(?:[.,][0-9]{1,15})?)\s*([^\W\d_]{0,10}|°\w?|%)")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with the unit written after it, "" if none."""

    number: int | float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A duration."""

    ms: int


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """What the wall clock reads, in minutes since midnight."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Word:
    """``true``, ``open``, …"""

    text: str


Value = Quantity | Span | TimeOfDay | Word

SORTS = {Quantity: "a number", Span: "a duration", TimeOfDay: "a time HH:MM", Word: "a word"}
"""How a person calls each sort of value."""


def shown(value: Value) -> str:
    """As a person writes it."""
    match value:
        case Quantity(amount, unit):
            return f"{amount} {unit}".rstrip()
        case Span(ms):
            return durations.words(ms)
        case TimeOfDay(minutes):
            return f"{minutes // 60:02}:{minutes % 60:02}"
    return value.text


def written(text: str, value: Value, default: Value) -> str:
    """`value`, given as `text` in place of `default`, whose unit a number without one has."""
    if isinstance(value, Quantity) and isinstance(default, Quantity) and not value.unit:
        return f"{text} {default.unit}".rstrip()
    return text


def number(text: str) -> int | float:
    """A number token."""
    return float(text) if "." in text else int(text)


def time_of_day(text: str) -> TimeOfDay | None:
    """``HH:MM``, None if it isn't."""
    match = _TIME.fullmatch(text)
    return TimeOfDay(int(match[1]) * 60 + int(match[2])) if match else None


def parse_value(text: str) -> Value:
    """The value of a parameter.

    Raises:
        ValueError: Says what is accepted.
    """
    text = text.strip()
    if time := time_of_day(text):
        return time
    if (match := _QUANTITY.fullmatch(text)) and match[2] not in durations.UNITS_MS:
        if match[2] and match[2] not in UNITS:
            if any(character.isdigit() for character in match[2]):
                return Span(durations.milliseconds(text))
            raise ValueError(f"a unit: {', '.join(sorted(UNITS))}, s, min, h or d")
        return Quantity(number(match[1]), match[2])
    if _WORD.fullmatch(text):
        return Word(text)
    return Span(durations.milliseconds(text))


def wanted(error: ValueError, sort: type[Value]) -> str:
    """What is accepted where `sort` is wanted and `parse_value` raised `error`."""
    if sort is TimeOfDay:
        return "a time from 00:00 to 23:59"
    if sort is Span and str(error).startswith("a unit: "):
        return "a unit of time: s, min, h or d"
    return str(error)


def meant_time(text: str) -> str:
    """The time that ``6:00`` or ``22.30`` probably means, "" if none."""
    match = re.fullmatch(r"([0-9]{1,2})[:.]([0-9]{2})", text.strip())
    likely = f"{match[1]:0>2}:{match[2]}" if match else ""
    return likely if time_of_day(likely) else ""


def meant(text: str) -> str:
    """The value that ``20 minuter`` or ``1,5 W`` probably means, "" if none."""
    likely = durations.meant(text)
    if likely:
        return likely
    match = _ALMOST.fullmatch(text.strip())
    unit = next((one for one in ("", *UNITS) if match and one.lower() == match[2].lower()), None)
    if match is None or unit is None:
        return ""
    likely = f"{match[1].replace(',', '.')} {unit}".rstrip()
    return "" if likely == text.strip() else likely


def truth(word: str, kind: Kind) -> bool | None:
    """What a word says of a point of `kind`; None if it doesn't suit it."""
    if kind.shape is Shape.NUMBER:
        return None
    if word in ("true", "false"):
        return word == "true"
    if word and word == kind.true_word:
        return True
    return False if word and word == kind.false_word else None


def truth_words(kinds: Sequence[Kind]) -> list[str]:
    """The words that `truth` understands for all of `kinds`."""
    words = ["true", "false"]
    if len({(kind.true_word, kind.false_word) for kind in kinds}) == 1 and kinds[0].true_word:
        words += [kinds[0].true_word, kinds[0].false_word]
    return words


def alike(value: Value, default: Value) -> bool:
    """Whether `value` may stand for `default`: of the same sort, with its unit or none."""
    if isinstance(value, Quantity) and isinstance(default, Quantity):
        return value.unit in ("", default.unit)
    return type(value) is type(default)


def out_of_range(value: Value, low: Value | None, high: Value | None, low_text: str, high_text: str) -> str:
    """The range that `value` misses, in words; "" if it lies within."""
    amount = _amount(value)
    too_low = low is not None and amount < _amount(low)
    too_high = high is not None and amount > _amount(high)
    if not too_low and not too_high:
        return ""
    parts = [
        f"at least {low_text}" if low is not None else "",
        f"at most {high_text}" if high is not None else "",
    ]
    return " and ".join(part for part in parts if part)


def _amount(value: Value) -> float:
    match value:
        case Quantity(number):
            return number
        case Span(ms):
            return ms
        case Word():
            return 0
        case _:
            return value.minutes
