"""Whether each thing is off and shut, as far as is known (pure).

A thermostat pauses: a hob that draws nothing may be on. So what was on is known to be off only when it has
been quiet for `hold_ms`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from homenode.kinds import kind_of
from homenode.reading import Instant, Value

ABOVE: Mapping[str, float] = {"power": 10.0, "current": 0.2}
"""Above this an appliance is on, where no rule says it: a clock or a standby lamp draws less."""


class State(Enum):
    """What may be said of a thing. Only OFF is safe."""

    OFF = "off"
    ON = "on"
    UNKNOWN = "unknown"
    JUST = "just"  # quiet, but not for long enough to be sure


class Known(NamedTuple):
    """What the node knows of a point. `for_ms`: so long it has had this value without a break."""

    value: Value
    good: bool
    for_ms: int = 0


@dataclass(frozen=True, slots=True)
class Thing:
    """One tile.

    Attributes:
        symbol: Of `homenode.config.rows.SYMBOLS`.
        called: What it is by default, a key of the panel's words.
        name: As home.yaml says, "" if it doesn't.
        above: Point of power or current to what it draws at least when it is on.
    """

    points: tuple[str, ...]
    symbol: str
    called: str
    room: str
    name: str = ""
    above: Mapping[str, float] = field(default_factory=dict)
    hold_ms: int = 0


def state_of(thing: Thing, known: Mapping[str, Known]) -> State:
    """Whether it is off and shut. Whatever is not known to be good is never OFF."""
    states = [_state(thing, point, known.get(point)) for point in thing.points]
    for worst in (State.ON, State.UNKNOWN, State.JUST):
        if worst in states:
            return worst
    return State.OFF if states else State.UNKNOWN


def is_on(thing: Thing, point: str, value: Value) -> bool | None:
    """On, open, unlocked or wet; None if the value tells nothing."""
    kind = kind_of(point)
    if value is None or kind is None:
        return None
    if kind.name in ABOVE:
        above = thing.above.get(point, ABOVE[kind.name])
        return None if isinstance(value, bool) else abs(value) > above  # a clamp may sit the wrong way round
    if not isinstance(value, bool):
        return None
    return not value if kind.name == "lock" else value


class Quiet:
    """Since when points have been off, over changes of a value that mean nothing: 0.4 W, then 0.3 W."""

    GAP_MS = 5_000
    """So long nobody looked: what was in between isn't known."""

    def __init__(self) -> None:
        self._since: dict[str, Instant] = {}
        self._looked: Instant | None = None

    def look(self, things: Sequence[Thing], known: Mapping[str, Known], now: Instant) -> dict[str, Known]:
        """The same, with `for_ms` from when each was last on."""
        if self._looked is None or not 0 <= now - self._looked <= self.GAP_MS:
            self._since.clear()
        self._looked = now
        told = dict(known)
        for thing in things:
            for point in thing.points:
                one = known.get(point)
                if one is None or not one.good or is_on(thing, point, one.value) is not False:
                    self._since.pop(point, None)
                    continue
                since = min(self._since.get(point, now), now - one.for_ms)
                self._since[point] = since
                told[point] = one._replace(for_ms=now - since)
        return told


def _state(thing: Thing, point: str, known: Known | None) -> State:
    if known is None or not known.good:
        return State.UNKNOWN
    on = is_on(thing, point, known.value)
    if on is None:
        return State.UNKNOWN
    if on:
        return State.ON
    return State.JUST if known.for_ms < thing.hold_ms else State.OFF
