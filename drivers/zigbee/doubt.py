"""Whether a device can be the model that it says it is: a row makes no door of a plug (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.zigbee.notes import Note
from drivers.zigbee.standard import ACTORS, LAMPS, ZONES, Cluster

if TYPE_CHECKING:
    from drivers.zigbee.plan import Facts, Signature
    from drivers.zigbee.rows import Row

ZONES_OF: dict[str, frozenset[int]] = {
    "contact": frozenset({0x0015, 0x0016}),
    "smoke": frozenset({0x0028}),
    "heat": frozenset({0x0028}),
    "water": frozenset({0x002A}),
    "co": frozenset({0x002B}),
    "gas": frozenset({0x0028, 0x002B}),
    "lock": frozenset(),
}
"""Kinds that somebody's safety hangs on, and the zone types that such a device may say (rows.yaml has the
detectors of gas that say CO or fire, and of heat that say fire)."""


def doubt(signature: Signature, facts: Facts, row: Row) -> Note | None:
    """Why the row can't be this device's; None if nothing speaks against it."""
    by_point = [(kind, place) for place, (kind, _) in row.points.items() if kind in ZONES_OF]
    claimed = {*(kind for kind, _ in by_point), *(kind for kind, _ in row.zone if kind in ZONES_OF)}
    for number, endpoint in sorted(signature.endpoints.items()):
        zone_type = facts.value(number, Cluster.IAS_ZONE, 1)
        for kind in sorted(claimed):
            if zone_type is not None and ZONES.get(zone_type) and zone_type not in ZONES_OF[kind]:
                return Note("doubt_zone", (kind,))
            if Cluster.OCCUPANCY in endpoint.inputs:
                return Note("doubt_motion", (kind,))
        switches = endpoint.device_type in ACTORS | LAMPS.get(endpoint.profile, frozenset())
        for kind, place in by_point:
            if place.cluster == Cluster.ON_OFF and switches and not signature.sleepy:
                return Note("doubt_switches", (kind,))
    return None
