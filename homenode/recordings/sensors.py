"""What a recording tells of its sensors besides their values: name, room, and what they seem to measure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sensor:
    """One source of a recording.

    Attributes:
        name: What its maker called it.
        kind: Point kind (``power``, ``current_2``) that it seems to measure; "" if that can't be told.
        room: "" if not told.
    """

    name: str
    kind: str = ""
    room: str = ""


EVENT_KINDS = {
    "door": "contact",
    "entrance_door": "contact",
    "cupboard_drawer": "contact",
    "fridge_freezer": "contact",
    "stove": "contact",
    "oven": "contact",
    "appliance": "contact",
    "water_use": "contact",
    "other": "contact",
    "motion": "motion",
    "pressure_mat": "occupancy",
    "light_switch": "light",
}
"""Column ``kind`` of home events. All but motion, mats and light switches are reed or tilt contacts there:
``water_use`` is a tap or a flush and no leak, ``appliance`` a lid or a door and no socket."""

EDGE_KINDS = {"ArgusD": "motion", "X10": "light"}
"""Column ``source`` of the edge list. ArgusMS is a raw level from 0 to 255 of no unit: no kind suits it."""

DOMAIN_KINDS = {"switch": "switch", "light": "light", "lock": "lock", "siren": "siren", "valve": "valve"}
"""Domain of a Home Assistant entity that is a kind by itself."""

FLAG_ENDINGS = {
    "motion": "motion",
    "occupancy": "occupancy",
    "presence": "occupancy",
    "contact": "contact",
    "door": "contact",
    "window": "contact",
    "opening": "contact",
    "water_leak": "water",
    "moisture": "water",
    "leak": "water",
    "smoke": "smoke",
    "carbon_monoxide": "co",
    "gas": "gas",
    "heat": "heat",
    "vibration": "vibration",
    "tamper": "tamper",
}
"""How the name of a ``binary_sensor`` ends. Not ``battery``: there *on* means low."""

NUMBER_ENDINGS = {
    "power": "power",
    "energy": "energy",
    "current": "current",
    "voltage": "voltage",
    "temperature": "temperature",
    "humidity": "humidity",
    "illuminance": "illuminance",
    "battery": "battery",
    "linkquality": "link_quality",
}
"""How the name of a ``sensor`` ends; in the units of homenode, which are Home Assistant's defaults."""


def of_entity(entity: str) -> Sensor:
    """A Home Assistant entity: ``binary_sensor.hall_door_contact`` is the contact of ``hall_door``."""
    domain, _, name = entity.partition(".")
    if domain in DOMAIN_KINDS:
        return Sensor(name, DOMAIN_KINDS[domain])
    endings = {"binary_sensor": FLAG_ENDINGS, "sensor": NUMBER_ENDINGS}.get(domain, {})
    for ending in sorted(endings, key=len, reverse=True):
        if name == ending or name.endswith(f"_{ending}"):
            return Sensor(name.removesuffix(ending).rstrip("_") or name, endings[ending])
    return Sensor(name)


def device_name(text: str) -> str:
    """A name that home.yaml takes: ``Hall-Bathroom dörr`` is ``hall_bathroom_dorr``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:64] or "sensor"
