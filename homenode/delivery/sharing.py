"""Which readings leave the home, and to whom: only those that ``share`` names, and never to the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from homenode.config.model import NEVER, PARTIES
from homenode.contract import reading as reading_contract
from homenode.contract import topics
from homenode.contract.times import Zone
from homenode.message import Class, Message
from homenode.reading import How, Quality, Reading

_MAY_RECEIVE = tuple(party for party in PARTIES if party != "operator")


def names(share: Mapping[str, Sequence[str]], party: str, point: str) -> bool:
    """Whether `share` lets the party have the point's readings."""
    return party in _MAY_RECEIVE and any(fnmatchcase(point, pattern) for pattern in share.get(party, ()))


class _Shared(NamedTuple):
    unit: str
    targets: tuple[tuple[str, str], ...]


class Sharing:
    """Makes the messages of readings. The hot path: one call for every reading heard.

    Args:
        home: Id of the home.
        zone: Its time zone.
        share: Party to patterns of points, such as ``*.battery``.
    """

    def __init__(self, home: str, zone: Zone, share: Mapping[str, Sequence[str]]) -> None:
        self._home, self._zone = home, zone
        self._share = share
        self._known: dict[str, _Shared] = {}

    def _of(self, point: str) -> _Shared:
        known = self._known.get(point)
        if known is None:
            targets = tuple(
                (party, topics.reading(self._home, party, point))
                for party in _MAY_RECEIVE
                if names(self._share, party, point)
            )
            known = self._known[point] = _Shared(reading_contract.unit_json(point), targets)
        return known

    def messages(
        self,
        reading: Reading,
        offset_ms: int,
        *,
        quality: Quality = Quality.GOOD,
        stale_after_ms: int = NEVER,
        record: int = 0,
    ) -> Sequence[Message]:
        """One message for each party that the point is shared with; none for most points.

        Args:
            reading: As heard; or value None with `quality` for a point that went stale or unknown.
            offset_ms: Wall time minus instant.
            quality: Of the point from now on.
            stale_after_ms: Of its device; NEVER.
            record: Journal record in which the reading stands; 0 if it doesn't.
        """
        point, value, at, how = reading
        unit, targets = self._known.get(point) or self._of(point)
        if not targets:
            return ()
        if value is None and quality is Quality.GOOD:
            quality = Quality.UNKNOWN
        payload = reading_contract.payload(
            self._zone, value, unit, at + offset_ms, stale_after_ms, quality, how
        )
        retain = how is not How.HISTORICAL
        return [
            Message("", party, topic, payload, Class.READING, at, "", retain, record, point)
            for party, topic in targets
        ]
