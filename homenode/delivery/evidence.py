"""What an alert shows of the home, and how little of it the landlord gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from homenode.contract.times import Zone
from homenode.kinds import kind_of
from homenode.reading import Instant, Quality, Value

PRESENCE = frozenset({"motion", "occupancy", "contact", "lock"})
"""Kinds that tell who was home when; property never gets their value, quality or time."""


class Evidence(NamedTuple):
    """A point that the rule's `when` or `clear` reads, as it was at the transition.

    Attributes:
        value: None unless the quality is good.
        at: When it was last heard; None if never.
    """

    point: str
    value: Value
    quality: Quality
    at: Instant | None


def stored(evidence: Iterable[Evidence]) -> list[list[Any]]:
    """As JSON types."""
    return [[item.point, item.value, item.quality.value, item.at] for item in evidence]


def shown(
    evidence: Sequence[Sequence[Any]], party: str, zone: Zone, offset_ms: int, rooms: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What one party sees of it.

    Args:
        evidence: As `stored`.
        party: Property gets device, room and kind, and no values of `PRESENCE` kinds.
        zone: For the times.
        offset_ms: Wall time minus instant.
        rooms: Device to room.
    """
    entries: list[dict[str, Any]] = []
    for point, value, quality, at in evidence:
        kind = kind_of(point)
        entry: dict[str, Any] = {"point": point, "unit": kind.unit if kind else None}
        if party == "property":
            entry["room"] = rooms.get(point.rpartition(".")[0], "")
        if party != "property" or (kind is not None and kind.name not in PRESENCE):
            entry["value"] = value if quality == Quality.GOOD.value else None
            entry["quality"] = quality
            if at is not None:
                entry["at"] = zone.text(at + offset_ms)
        entries.append(entry)
    return entries
