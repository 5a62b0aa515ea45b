"""What an alert shows of the home, and how little of it the landlord gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from homenode.contract.alert import PRESENCE
from homenode.contract.times import Zone
from homenode.kinds import kind_of
from homenode.reading import Instant, Quality, Value


class Evidence(NamedTuple):
    """A point that the rule's `when` or `clear` reads, as it was at the transition.

    Attributes:
        value: None unless the quality is good.
        at: When it was last heard; None if never.
        since: From when on it has had this value without a break; of a button its last press; None if the
            value isn't known.
        stuck: A presence that has been true for so long that the rule counts it as absent.
    """

    point: str
    value: Value
    quality: Quality
    at: Instant | None
    since: Instant | None = None
    stuck: bool = False

    @classmethod
    def of(cls, row: Sequence[Any]) -> Evidence:
        """What `stored` gave; the first version lacked the last two."""
        point, value, quality, at, *more = row
        return cls(point, value, Quality(quality), at, *more)


def stored(evidence: Iterable[Evidence]) -> list[list[Any]]:
    """As JSON types."""
    return [[one.point, one.value, one.quality.value, one.at, one.since, one.stuck] for one in evidence]


def told_to(party: str, point: str) -> bool:
    """Whether a party may learn the value of a point, its quality and its times."""
    kind = kind_of(point)
    return party != "property" or (kind is not None and kind.name not in PRESENCE)


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
    for one in map(Evidence.of, evidence):
        kind = kind_of(one.point)
        entry: dict[str, Any] = {"point": one.point, "unit": kind.unit if kind else None}
        if party == "property":
            entry["room"] = rooms.get(one.point.rpartition(".")[0], "")
        if told_to(party, one.point):
            good = one.quality is Quality.GOOD
            entry["value"] = one.value if good else None
            entry["quality"] = one.quality.value
            if one.at is not None:
                entry["at"] = zone.text(one.at + offset_ms)
            if good and one.since is not None:
                entry["since"] = zone.text(one.since + offset_ms)
            if one.stuck:
                entry["stuck"] = True
        entries.append(entry)
    return entries
