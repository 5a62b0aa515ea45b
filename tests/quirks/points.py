"""What an attribute that a quirk set is as one of our points: kind, and value in its unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from drivers.zigbee.meanings import lux
from tests.quirks.bench import Update, Watched

ZONE_KINDS = {
    0x000D: "motion", 0x0015: "contact", 0x0016: "contact", 0x0028: "smoke", 0x002A: "water",
    0x002B: "co", 0x002D: "vibration",
}  # fmt: skip
GAS_FILES = ("tuya/tuya_gas.py",)
"""Their zones say carbon monoxide, or a warning device; what they sense is gas (class TuyaIasGas)."""
OUTPUT_OF_FILE = {
    "tuya/tuya_valve.py": "valve",
    "tuya/tuya_siren.py": "siren",
    "tuya/ts0601_switch.py": "switch",
    "tuya/ts0001_switch.py": "switch",
    "tuya/ts0601_power.py": "switch",
    "tuya/ts0601_din_power.py": "switch",
}
"""What on/off of a data point moves; of other files (doors, covers, valves of radiators) it is no output."""
BINARY = {
    "carbon_monoxide": "co", "gas": "gas", "moisture": "water", "smoke": "smoke", "motion": "motion",
    "occupancy": "motion", "presence": "motion", "vibration": "vibration", "door": "contact",
    "window": "contact", "opening": "contact", "tamper": "tamper", "heat": "heat",
}  # fmt: skip
SENSORS = {
    "temperature": "temperature", "humidity": "humidity", "illuminance": "illuminance", "battery": "battery",
    "power": "power", "energy": "energy", "current": "current", "voltage": "voltage",
}  # fmt: skip
UNITS = {
    "temperature": {"°C": 1.0}, "humidity": {"%": 1.0}, "illuminance": {"lx": 1.0}, "battery": {"%": 1.0},
    "power": {"W": 1.0, "kW": 1000.0}, "energy": {"kWh": 1.0, "Wh": 0.001},
    "current": {"A": 1.0, "mA": 0.001}, "voltage": {"V": 1.0, "mV": 0.001},
}  # fmt: skip
BOOLEANS = frozenset({*ZONE_KINDS.values(), *BINARY.values(), "switch", "valve", "siren", "light", "gas"})
_PHASES = {0x050B: ("power", 0x0604), 0x090B: ("power", 0x0604), 0x0A0B: ("power", 0x0604),
           0x0508: ("current", 0x0602), 0x0908: ("current", 0x0602), 0x0A08: ("current", 0x0602),
           0x0505: ("voltage", 0x0600)}  # fmt: skip


class Told(NamedTuple):
    """One value of a point; `order` sorts the points of a kind, `whole` is what can only be told by name."""

    order: tuple[int, int, int]
    kind: str
    value: float | bool


def told(watched: Watched, file: str, metadata: dict[str, Any], update: Update) -> Told | None:
    """The point of an update, or None if it is none."""
    try:
        found = _standard(watched, file, update) or _entity(watched, metadata, update)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if found is None:
        return None
    return Told((update.endpoint, update.cluster, update.attribute), *found)


def _standard(watched: Watched, file: str, update: Update) -> tuple[str, float | bool] | None:
    endpoint, cluster, attribute, value = update
    if value is None:
        return None
    if (cluster, attribute) == (0x0500, 2):
        if file in GAS_FILES:
            return "gas", bool(int(value) & 3)
        kind = ZONE_KINDS.get(int(watched.constant(endpoint, cluster, 1) or 0))
        return (kind, bool(int(value) & 3)) if kind else None
    if (cluster, attribute) == (0x0006, 0):
        output = OUTPUT_OF_FILE.get(file)
        return (output, bool(value)) if output else None
    if (cluster, attribute) == (0x0406, 0):
        return "motion", bool(int(value) & 1)
    if (cluster, attribute) == (0x0400, 0):
        return "illuminance", float(lux(int(value)) or 0)
    plain = {
        (0x0001, 0x21): ("battery", 2.0),
        (0x0402, 0): ("temperature", 100.0),
        (0x0405, 0): ("humidity", 100.0),
        (0x0201, 0): ("temperature", 100.0),
    }.get((cluster, attribute))
    if plain:
        return plain[0], float(value) / plain[1]
    if cluster == 0x0B04 and attribute in _PHASES:
        kind, scale = _PHASES[attribute]
        return kind, float(value) * _scale(watched, endpoint, cluster, scale, scale + 1)
    if (cluster, attribute) in ((0x0702, 0), (0x0702, 0x0400)):
        unit = watched.constant(endpoint, cluster, 0x0300) or 0
        scaled = float(value) * _scale(watched, endpoint, cluster, 0x0301, 0x0302)
        if attribute:
            return ("power", scaled * 1000) if int(unit) == 0 else None
        return {0: ("energy", scaled), 1: ("flow_volume", scaled), 7: ("flow_volume", scaled / 1000)}.get(
            int(unit)
        )
    return None


def _scale(watched: Watched, endpoint: int, cluster: int, multiplier: int, divisor: int) -> float:
    by = [watched.constant(endpoint, cluster, attribute) or 1 for attribute in (multiplier, divisor)]
    return float(by[0]) / float(by[1])


def _entity(watched: Watched, metadata: dict[str, Any], update: Update) -> tuple[str, float | bool] | None:
    """A sensor that the quirk describes by a device class and a unit."""
    cluster = watched.cluster(update.endpoint, update.cluster)
    definition = getattr(cluster, "attributes", {}).get(update.attribute)
    entity = metadata.get(definition.name) if definition is not None else None
    if entity is None:
        return None
    device_class = getattr(entity, "device_class", None)
    of_class = str(getattr(device_class, "value", device_class) or "")
    convert = getattr(entity, "attribute_converter", None)
    value = convert(update.value) if convert else update.value
    if type(entity).__name__ == "BinarySensorMetadata":
        kind = BINARY.get(of_class)
        return (kind, bool(value)) if kind else None
    if type(entity).__name__ == "SwitchMetadata":
        return ("siren", bool(value)) if entity.attribute_name == "siren_on" else None
    kind = SENSORS.get(of_class)
    unit = str(getattr(entity.unit, "value", entity.unit) or "")
    if kind is None or unit not in UNITS[kind]:
        return None
    return kind, float(value) * (entity.multiplier or 1) / (entity.divisor or 1) * UNITS[kind][unit]


def entities(entry: Any) -> dict[str, Any]:
    """Sensors that a quirk describes, by the name of their attribute."""
    definition = getattr(entry.zha_device_factory, "quirk_definition", None)
    rows: Iterator[Any] = iter(getattr(definition, "entity_metadata", ()))
    wanted = ("BinarySensorMetadata", "ZCLSensorMetadata", "SwitchMetadata")
    return {row.attribute_name: row for row in rows if type(row).__name__ in wanted and row.attribute_name}
