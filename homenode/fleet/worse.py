"""In what a home is worse than it was before (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from homenode.fleet.board import Home
from homenode.fleet.fields import BY_NAME

COUNTS = ("radios_down", "silent", "blind")


def is_online(home: Home, now: int) -> bool:
    """Heard at the broker within the last heartbeats."""
    return BY_NAME["online"].of(home, now) is True


def mark(home: Home) -> str:
    """Tells one word of a node's updater from the next."""
    return "/".join(str(home.update.get(name, "")) for name in ("version", "state", "at"))


def picture(home: Home) -> dict[str, Any]:
    """How a home is, for `worse`."""
    figures = {name: home.figures.get(name) for name in ("silent", "blind")}
    return {"radios_down": home.radios_down, **figures}


def worse(home: Home, before: Mapping[str, Any], now: int) -> str:
    """In words; "" if in nothing. What was known and isn't any more is worse."""
    if not is_online(home, now):
        return "offline"
    after = picture(home)
    found: Iterable[str] = (
        f"{name.replace('_', ' ')} {before[name]} → {'unknown' if after[name] is None else after[name]}"
        for name in COUNTS
        if before.get(name) is not None and (after[name] is None or after[name] > before[name])
    )
    return ", ".join(found)
