"""The table of point kinds: the one list that drivers, rules, panel, MQTT and documents share.

A point is named ``DEVICE.KIND``; a second point of a kind on one device is ``KIND_2``, ``KIND_3`` …
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Shape(Enum):
    """What a value of the kind is."""

    BOOLEAN = "boolean"
    MOMENTARY = "momentary"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of point.

    Attributes:
        name: The word used everywhere.
        shape: Boolean, momentary (true at an instant) or number.
        unit: SI-style unit of a number, None for booleans and dimensionless numbers.
        true_word, false_word: What True and False are called in rules and steps, "" if only true/false.
        low, high: Accepted range of a number, inclusive.
        at_once: Committed to the disk at once (True) or grouped (False).
        sv, en: What a resident or caregiver reads.
    """

    name: str
    shape: Shape
    unit: str | None
    true_word: str
    false_word: str
    low: float
    high: float
    at_once: bool
    sv: str
    en: str

    def called(self, language: str) -> str:
        """What a person reads."""
        return self.sv if language == "sv" else self.en


def _flag(name: str, true_word: str, false_word: str, sv: str, en: str, *, at_once: bool = True) -> Kind:
    return Kind(name, Shape.BOOLEAN, None, true_word, false_word, 0, 1, at_once, sv, en)


def _number(name: str, unit: str | None, low: float, high: float, sv: str, en: str) -> Kind:
    return Kind(name, Shape.NUMBER, unit, "", "", low, high, False, sv, en)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _flag("contact", "open", "closed", "öppen", "open"),
        _flag("motion", "", "", "rörelse", "motion", at_once=False),
        _flag("occupancy", "", "", "någon där", "occupied", at_once=False),
        _flag("water", "", "", "vatten", "water"),
        _flag("smoke", "", "", "rök", "smoke"),
        _flag("co", "", "", "kolmonoxid", "carbon monoxide"),
        _flag("gas", "", "", "gas", "gas"),
        _flag("heat", "", "", "hetta", "heat"),
        _flag("vibration", "", "", "vibration", "vibration", at_once=False),
        _flag("tamper", "", "", "sabotage", "tamper"),
        _flag("mains", "", "", "nätspänning", "mains power"),
        Kind("button", Shape.MOMENTARY, None, "", "", 0, 1, True, "knapp", "button"),
        _flag("lock", "locked", "unlocked", "lås", "lock"),
        _flag("switch", "on", "off", "brytare", "switch"),
        _flag("valve", "open", "closed", "ventil", "valve", at_once=False),
        _flag("siren", "on", "off", "siren", "siren", at_once=False),
        _flag("light", "on", "off", "ljus", "light", at_once=False),
        _number("battery", "%", 0, 100, "batteri", "battery"),
        _number("power", "W", -1e6, 1e6, "effekt", "power"),
        _number("energy", "kWh", -1e9, 1e9, "energi", "energy"),
        _number("current", "A", -1e4, 1e4, "ström", "current"),
        _number("voltage", "V", -1e4, 1e4, "spänning", "voltage"),
        _number("temperature", "°C", -100, 1000, "temperatur", "temperature"),
        _number("humidity", "%", 0, 100, "luftfuktighet", "humidity"),
        _number("illuminance", "lx", 0, 1e6, "belysning", "illuminance"),
        _number("flow_volume", "m³", 0, 1e9, "volym", "volume"),
        _number("link_quality", None, 0, 255, "signalkvalitet", "link quality"),
    )
}

_NUMBERED = re.compile(r"(?P<kind>[a-z][a-z_]*?)(?:_(?P<nth>[2-9]|[1-9][0-9]+))?")


@lru_cache(1024)
def kind_of(name: str) -> Kind | None:
    """The kind that a point's last part names: ``current_2`` and ``stove.current_2`` are ``current``."""
    match = _NUMBERED.fullmatch(name.rpartition(".")[2])
    return KINDS.get(match["kind"]) if match else None


def values_of(kind: Kind) -> str:
    """What may be a value of `kind`, in words."""
    if kind.shape is not Shape.NUMBER:
        return "true or false"
    return f"a number from {kind.low:g} to {kind.high:g} {kind.unit or ''}".rstrip()


def why_not(kind: Kind, value: object) -> str:
    """Why `value` can't be a value of `kind`, in words; "" if it can. None (device fault) always can."""
    if value is None:
        return ""
    if kind.shape is Shape.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{value!r} is not a number"
        if not kind.low <= value <= kind.high:
            return f"{value!r} is outside {kind.low:g} to {kind.high:g} {kind.unit or ''}".rstrip()
        return ""
    return "" if isinstance(value, bool) else f"{value!r} is neither true nor false"
