"""How often what a device says all the time is worth a reading: fields, and the judgement (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from homenode.config.fields import Field
from homenode.reading import Instant, Value

CHANGES = {"voltage": 2.0, "energy": 0.01}
"""V and kWh that are worth a reading; W and A are fields, and of another kind any change is."""


def pace_fields(at_most_ms: int, at_least_ms: int, power_w: float, current_a: float) -> tuple[Field, ...]:
    """For a driver's ``device_fields``, with its defaults."""
    return (
        Field(
            "at_most_every",
            "duration",
            "A number isn't told again sooner than this.",
            default=at_most_ms,
            low=0,
            high=600_000,
            shown="5 s",
        ),
        Field(
            "at_least_every",
            "duration",
            "A point is told this often though it doesn't change, while the device says it.",
            default=at_least_ms,
            low=1_000,
            high=1_800_000,
            shown="5 min",
        ),
        Field("power_change", "number", "W that are worth a reading.", default=power_w, low=0, high=10_000),
        Field("current_change", "number", "A that are worth a reading.", default=current_a, low=0, high=100),
    )


class Pace:
    """Of one device."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._at_most_ms, self._at_least_ms = options["at_most_every"], options["at_least_every"]
        self._changes = {**CHANGES, **{kind: options[f"{kind}_change"] for kind in ("power", "current")}}
        self._told: dict[str, tuple[Value, Instant]] = {}
        self._early: dict[str, Value] = {}

    def told(self, kind: str) -> tuple[Value, Instant] | None:
        """What was told of it last, and when."""
        return self._told.get(kind)

    def offer(self, kind: str, value: Value, now: Instant) -> bool:
        """Whether to tell it now. A number that comes too soon is kept until it is `due`."""
        self._early.pop(kind, None)
        last = self._told.get(kind)
        if last is not None and now - last[1] < self._at_least_ms:
            if not self._moved(kind, value, last[0]):
                return False
            if _is_number(value) and _is_number(last[0]) and now - last[1] < self._at_most_ms:
                self._early[kind] = value
                return False
        self._told[kind] = value, now
        return True

    def due(self, now: Instant) -> Iterator[tuple[str, Value]]:
        """What was kept and may be told now."""
        for kind, value in tuple(self._early.items()):
            if now - self._told[kind][1] >= self._at_most_ms and self.offer(kind, value, now):
                yield kind, value

    def due_at(self) -> Instant | None:
        """When the first of those may be."""
        return min((self._told[kind][1] + self._at_most_ms for kind in self._early), default=None)

    def forget(self) -> None:
        """Nothing was told, and nothing waits."""
        self._told.clear()
        self._early.clear()

    def _moved(self, kind: str, value: Value, last: Value) -> bool:
        if not (_is_number(value) and _is_number(last)):
            return value is not last
        moved = abs(float(value or 0) - float(last or 0))
        return moved > 0 and moved >= self._changes.get(kind.partition("_")[0], 0) - 1e-9


def _is_number(value: Value) -> bool:
    return value is not None and not isinstance(value, bool)
