"""What a home shares of its points, judged as its own panel judges it: unknown is never off and shut (pure).

The home's rules and the names of its things stay in the home: a thing is known by the name of its device, and
what counts as on is what counts where no rule says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from homenode.config.model import Device, Shown
from homenode.contract.times import wall_ms
from homenode.kinds import kind_of
from homenode.panel.chosen import things_of
from homenode.panel.picture import tile
from homenode.panel.things import Known, Thing, is_on, state_of
from homenode.reading import Value

MOST_POINTS = 200
"""Of a home; others are passed over."""


class Heard(NamedTuple):
    """The newest reading of a point; `off` since when it has been off without a break, None if it isn't."""

    value: Value
    at: int
    until: int | None
    off: int | None


class Guessed(NamedTuple):
    """A home as far as it can be known here."""

    devices: Mapping[str, Device]
    panel: Mapping[str, Shown]


@dataclass(slots=True)
class Shared:
    """Of one home. It isn't kept: the broker has it for whoever comes."""

    points: dict[str, Heard] = field(default_factory=dict)

    def came(self, point: str, body: Mapping[str, Any] | None) -> None:
        """A reading; None: it can't be read, or is no longer shared."""
        if body is not None and body.get("how") == "historical":
            return
        before = self.points.get(point)
        heard = None if body is None else _heard(point, body, before)
        if heard is None:
            self.points.pop(point, None)
        elif (before is None or heard.at >= before.at) and (before or len(self.points) < MOST_POINTS):
            self.points[point] = heard

    def tiles(self, now: int, language: str) -> list[dict[str, str]]:
        """As on the panel, a row for each thing; empty if nothing is shared that can be off or shut."""
        names = dict.fromkeys(point.partition(".")[0] for point in self.points)
        home = Guessed({name: Device(name, "", "") for name in names}, {})
        known = {
            point: Known(one.value, _good(one, now), 0 if one.off is None else now - one.off)
            for point, one in self.points.items()
        }
        return [tile(one, state_of(one, known), language) for one in things_of(home, (), self.points)]


def _heard(point: str, body: Mapping[str, Any], before: Heard | None) -> Heard | None:
    try:
        at = wall_ms(body["at"])
        until = None if body["valid_until"] is None else wall_ms(body["valid_until"])
    except (KeyError, TypeError, ValueError):
        return None
    value = body.get("value")
    if kind_of(point) is None or not isinstance(value, bool | int | float | None):
        return None
    value = value if body.get("quality") == "good" else None
    if is_on(Thing((point,), "", "", ""), point, value) is not False:
        return Heard(value, at, until, None)
    unbroken = before is not None and before.off is not None and _good(before, at)
    return Heard(value, at, until, before.off if before is not None and unbroken else at)


def _good(one: Heard, now: int) -> bool:
    return one.value is not None and (one.until is None or now < one.until)
