"""From pairs of raw value and what a quirk makes of it to the meaning that a row names."""

from __future__ import annotations

import math
from collections.abc import Mapping

from drivers.zigbee.meanings import meaning_of

RAW = (0, 1, 2, 3, 4, 5, 7, 10, 50, 100, 200, 1000, 3000, 0x2000, 65520)
"""What is tried; 65520 is a small negative number for devices that put 16 bits into a field of 32."""
ENUM_MOST = 7
_CLOSE = 1e-6


def fit_flags(pairs: Mapping[int, bool], *, hazard: bool = True) -> str | None:
    """A meaning for a boolean; what a quirk only calls no alarm by an `else` stays out of its table."""
    low = {raw: told for raw, told in pairs.items() if raw <= ENUM_MOST}
    true = [raw for raw, told in low.items() if told]
    false = [raw for raw, told in low.items() if not told and (raw <= 1 or not hazard)]
    if not false and len(true) == len(low) > 1:
        return "always"
    if not true:
        return None
    if len(pairs) > ENUM_MOST and all(told == bool(raw & 1) for raw, told in pairs.items()):
        return "bit0"
    if false == [0] and true[:1] == [1] and (len(low) == 2 or len(true) == len(low) - 1):
        return "flag"
    if not false:
        return None
    words = {raw: "yes" for raw in true} | dict.fromkeys(false, "no")
    return "map " + " ".join(f"{raw}:{word}" for raw, word in sorted(words.items()))


def fit_numbers(pairs: Mapping[int, float], *, steps: bool = False) -> str | None:
    """A meaning for a number, tried on every pair; with `steps` also a table of a few of them."""
    names = ["whole", *(f"{how} {n}" for how in ("by", "times") for n in (2, 5, 10, 50, 100, 1000, 10000))]
    names += [f"{how} by {n}" for how in ("wrapped", "short") for n in (1, 10, 100)]
    names += ["lux"]
    names += ["volts 2820 3100", "volts 2475 3000", "volts 2850 3200", "volts 2600 3000"]
    inside = {raw: told for raw, told in pairs.items() if not math.isnan(told)}
    if len(inside) >= 4:
        for name in names:
            if _fits(name, inside):
                return name
    if steps and 2 <= len(inside) <= 4 and max(inside) <= 4:
        return "map " + " ".join(f"{raw}:{round(told)}" for raw, told in sorted(inside.items()))
    return None


def _fits(name: str, pairs: Mapping[int, float]) -> bool:
    meaning = meaning_of(name)
    assert meaning is not None
    for raw, told in pairs.items():
        said = meaning(raw)
        if not isinstance(said, int | float) or abs(said - told) > max(_CLOSE, abs(told) * 3e-4, _step(name)):
            return False
    return True


def _step(name: str) -> float:
    """Quirks give a battery in half percents."""
    return 0.26 if name.startswith("volts") else 0.0
