"""What a raw attribute value says as a value of a point (pure). None in, None out: the device says fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from drivers.zigbee.zcl import AttributeValue
from homenode.reading import Value

Meaning = Callable[[AttributeValue], Value]


class NotOfItsType(ValueError):
    """A value of a type that the attribute can't have, such as a string for a temperature."""


def _number(raw: AttributeValue) -> int | float:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return raw
    raise NotOfItsType(f"{raw!r} for a number")


def scaled(multiplier: int, divisor: int) -> Meaning:
    """Raw times `multiplier` by `divisor`; one rounding only, so that 2157 by 100 is 21.57."""

    def meaning(raw: AttributeValue) -> Value:
        return None if raw is None else _number(raw) * multiplier / divisor

    return meaning


def looked_up(table: Mapping[int, Value]) -> Meaning:
    """By a table; what is not in it means fault, never the harmless one."""

    def meaning(raw: AttributeValue) -> Value:
        return None if raw is None else table.get(int(_number(_plain(raw))))

    return meaning


def volts(empty_mv: int, full_mv: int) -> Meaning:
    """A battery's percentage by its voltage in mV, linear between these."""

    def meaning(raw: AttributeValue) -> Value:
        if raw is None:
            return None
        part = (_number(raw) - empty_mv) / (full_mv - empty_mv)
        return round(100 * min(1.0, max(0.0, part)), 1)

    return meaning


def wrapped(divisor: int) -> Meaning:
    """A number of 16 bits in a field of 32: above 0x2000 it is negative (zha-quirks tuya/tuya_sensor.py)."""

    def meaning(raw: AttributeValue) -> Value:
        if raw is None:
            return None
        number = _number(raw)
        return (number - 0xFFFF if number > 0x2000 else number) / divisor

    return meaning


def short(divisor: int) -> Meaning:
    """The low 16 bits of a longer number, signed; something else is in the upper ones."""

    def meaning(raw: AttributeValue) -> Value:
        return None if raw is None else (((int(_number(raw)) + 0x8000) & 0xFFFF) - 0x8000) / divisor

    return meaning


def flag(raw: AttributeValue) -> Value:
    """On/off and other booleans."""
    return None if raw is None else _truth(raw)


def bit0(raw: AttributeValue) -> Value:
    """Occupancy: bit 0 of the bitmap (4.8.2.2.1)."""
    return None if raw is None else bool(int(_number(raw)) & 1)


def lux(raw: AttributeValue) -> Value:
    """Measured value 10,000 log10(lx) + 1; 0 is too dark to measure (4.2.2.2.1.1)."""
    if raw is None:
        return None
    measured = _number(raw)
    if not 0 <= measured < 0xFFFF:
        raise NotOfItsType(f"{raw!r} for an illuminance")
    return 0.0 if measured == 0 else round(10 ** ((measured - 1) / 10_000), 1)


def half(raw: AttributeValue) -> Value:
    """Battery remaining in half percent (3.3.2.2.3.1); above 200 it is no percentage."""
    if raw is None:
        return None
    halves = _number(raw)
    return halves / 2 if halves <= 200 else None


def locked(raw: AttributeValue) -> Value:
    """Lock state (7.3.2.2.1): 1 locked, 2 unlocked; 0, not fully locked, is not locked."""
    return None if raw is None else {0: False, 1: True, 2: False}.get(int(_number(raw)))


def door(raw: AttributeValue) -> Value:
    """Door state (7.3.2.2.4): 0 open, 1 closed, 3 forced open; jammed or in error it says fault."""
    return None if raw is None else {0: True, 1: False, 3: True}.get(int(_number(raw)))


def always(raw: AttributeValue) -> Value:
    """An attribute whose every report is an event: a press, a movement, whatever its value."""
    return True


def released(raw: AttributeValue) -> Value:
    """A key that reports 0 when it goes down and 1 when it comes up."""
    return None if raw is None else not _truth(raw)


def _plain(raw: AttributeValue) -> AttributeValue:
    return int(raw) if isinstance(raw, bool) else raw


def _truth(raw: AttributeValue) -> bool:
    return raw if isinstance(raw, bool) else bool(_number(raw))


MEANINGS: dict[str, Meaning] = {
    "flag": flag,
    "bit0": bit0,
    "lux": lux,
    "half": half,
    "whole": scaled(1, 1),
    "hundredth": scaled(1, 100),
    "locked": locked,
    "door": door,
    "always": always,
    "released": released,
}
"""By the names used in `standard` and rows.yaml; "scaled" and "kilo" are made with their scale."""

_BY: dict[str, Callable[[int], Meaning]] = {
    "by": lambda number: scaled(1, number),
    "times": lambda number: scaled(number, 1),
    "wrapped by": wrapped,
    "short by": short,
}
_MADE = (*(f"{how} NUMBER" for how in _BY), "volts EMPTY FULL", "map RAW:yes|no|NUMBER …")
MEANINGS_TOLD = ", ".join((*MEANINGS, *_MADE))
"""All of them, for whoever misspelt one."""
_SCALED = re.compile(rf"({'|'.join(_BY)}) ([1-9][0-9]*)")
_VOLTS = re.compile(r"volts ([0-9]{4}) ([0-9]{4})")
_MAP = re.compile(r"map( [0-9]+:(yes|no|[0-9]+))+")
_WORDS: dict[str, Value] = {"yes": True, "no": False}


def meaning_of(name: str) -> Meaning | None:
    """The meaning that a row names, or None."""
    if match := _SCALED.fullmatch(name):
        return _BY[match[1]](int(match[2]))
    if match := _VOLTS.fullmatch(name):
        return volts(int(match[1]), int(match[2])) if int(match[1]) < int(match[2]) else None
    if _MAP.fullmatch(name):
        pairs = (pair.split(":") for pair in name.split()[1:])
        return looked_up({int(raw): _WORDS[to] if to in _WORDS else float(to) for raw, to in pairs})
    return MEANINGS.get(name)
