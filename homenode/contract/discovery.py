"""Home Assistant's MQTT discovery of what is shared: so that it shows a node's points without being told.

It reads the contract's own readings. What can't be believed is *unknown* there, or *unavailable* when the
node is away or the point silent for too long; it is never off, and never 0.
"""

from __future__ import annotations

import json
from typing import Any

from homenode.contract import shapes, topics
from homenode.kinds import KINDS, Kind, Shape, kind_of

NAME = "homeassistant"
"""Of this export in home.yaml."""

_CLASSES = {
    "contact": "opening", "motion": "motion", "occupancy": "occupancy", "water": "moisture", "smoke": "smoke",
    "co": "carbon_monoxide", "gas": "gas", "heat": "heat", "vibration": "vibration", "tamper": "tamper",
    "mains": "power", "button": "button", "lock": "lock", "valve": "opening", "battery": "battery",
    "power": "power", "energy": "energy", "current": "current", "voltage": "voltage",
    "temperature": "temperature", "humidity": "humidity", "illuminance": "illuminance",
    "flow_volume": "water",
}  # fmt: skip
"""Kind to the device class of Home Assistant; switch, siren, light and link_quality have none that fits."""

COMPONENTS = {Shape.NUMBER: "sensor", Shape.BOOLEAN: "binary_sensor", Shape.MOMENTARY: "event"}
_COUNTERS = ("energy", "flow_volume")
_OF_THE_DEVICE = ("battery", "link_quality", "tamper")

_GOOD = "value_json.quality == 'good'"
_NUMBER = f"{{{{ value_json.value if {_GOOD} else None }}}}"
_TRUE = f"{{{{ ('ON' if value_json.value else 'OFF') if {_GOOD} else 'None' }}}}"
_FALSE = f"{{{{ ('OFF' if value_json.value else 'ON') if {_GOOD} else 'None' }}}}"
_PRESSED = f"{{{{ {{'event_type': 'press'}} | to_json if {_GOOD} and value_json.value else '' }}}}"
_ONLINE = "{{ 'online' if value_json.online else 'offline' }}"


def topic(prefix: str, party: str, home: str, point: str) -> str:
    """``PREFIX/care/sensor/vaxjo-0412/stove_power/config``; Home Assistant's own prefix is PREFIX/care."""
    device, _, name = point.rpartition(".")
    kind = kind_of(point)
    component = COMPONENTS[kind.shape] if kind else "sensor"
    return f"{prefix}/{party}/{component}/{home}/{device}_{name}/config"


def payload(
    home: str,
    party: str,
    point: str,
    *,
    language: str,
    room: str,
    model: str,
    stale_after_s: int,
    version: str,
) -> bytes:
    """How Home Assistant is to show a point.

    Args:
        home: Id of the home.
        party: Whose readings it shows.
        point: Of a kind of the table.
        language: Of its name.
        room: Of its device.
        model: ``MANUFACTURER/MODEL`` of its device, or "".
        stale_after_s: Unavailable if it is silent for longer; 0 for never.
        version: Of homenode.
    """
    device, _, name = point.rpartition(".")
    kind = kind_of(point)
    assert kind is not None
    nth = name.removeprefix(kind.name).replace("_", " ")
    manufacturer, _, thing = model.partition("/")
    known = {"manufacturer": manufacturer, "model": thing} if thing else {}
    body: dict[str, Any] = {
        "name": kind.called(language) + nth,
        "unique_id": f"homenode_{home}_{device}_{name}",
        "state_topic": topics.reading(home, party, point),
        "qos": 1,
        "availability_topic": topics.link(home),
        "availability_template": _ONLINE,
        "device": {
            "identifiers": [f"homenode_{home}_{device}"],
            "name": device,
            "suggested_area": room,
            **known,
        },
        "origin": {"name": "homenode", "sw_version": version},
        **_shown(kind),
    }
    if stale_after_s and kind.shape is not Shape.MOMENTARY:
        body["expire_after"] = stale_after_s
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _shown(kind: Kind) -> dict[str, Any]:
    """What of it hangs on the kind alone."""
    shown: dict[str, Any] = {}
    if kind.name in _CLASSES:
        shown["device_class"] = _CLASSES[kind.name]
    if kind.name in _OF_THE_DEVICE:
        shown["entity_category"] = "diagnostic"
    if kind.shape is Shape.MOMENTARY:
        return shown | {"event_types": ["press"], "value_template": _PRESSED}
    if kind.shape is Shape.BOOLEAN:
        return shown | {"value_template": _FALSE if kind.name == "lock" else _TRUE}  # its "on" is unlocked
    if kind.unit:
        shown["unit_of_measurement"] = kind.unit
    shown["state_class"] = "total_increasing" if kind.name in _COUNTERS else "measurement"
    return shown | {"value_template": _NUMBER}


def schema() -> shapes.Schema:
    """JSON Schema of the payload on the topics of `topic`."""
    text = {"type": "string", "minLength": 1}
    device = shapes.mapping(
        {"identifiers": {**shapes.several(text, 1), "maxItems": 1}, "name": text, "suggested_area": text},
        {"manufacturer": text, "model": text},
    )
    always: dict[str, shapes.Schema] = {
        "name": text,
        "unique_id": text,
        "state_topic": {"type": "string", "pattern": f"^{topics.VERSION}/[^/]+/[a-z]+/readings/[^/]+/[^/]+$"},
        "availability_topic": {"type": "string", "pattern": f"^{topics.VERSION}/[^/]+/link$"},
        "device": device,
        "origin": shapes.mapping({"name": shapes.exactly("homenode"), "sw_version": text}),
        "qos": shapes.exactly(1),
        "availability_template": shapes.exactly(_ONLINE),
    }
    expires: dict[str, shapes.Schema] = {"expire_after": {"type": "integer", "minimum": 1}}
    return shapes.either(
        shapes.mapping({**always, **_values(Shape.NUMBER)}, {**_extras(Shape.NUMBER), **expires}),
        shapes.mapping({**always, **_values(Shape.BOOLEAN)}, {**_extras(Shape.BOOLEAN), **expires}),
        shapes.mapping({**always, **_values(Shape.MOMENTARY), **_extras(Shape.MOMENTARY)}),
    )


def _values(shape: Shape) -> dict[str, shapes.Schema]:
    """What a point of this shape always has."""
    if shape is Shape.MOMENTARY:
        return {"event_types": {"const": ["press"]}, "value_template": shapes.exactly(_PRESSED)}
    if shape is Shape.BOOLEAN:
        return {"value_template": shapes.one_of([_TRUE, _FALSE])}
    counts = shapes.one_of(["total_increasing", "measurement"])
    return {"state_class": counts, "value_template": shapes.exactly(_NUMBER)}


def _extras(shape: Shape) -> dict[str, shapes.Schema]:
    """What some of this shape have."""
    found: dict[str, list[str]] = {}
    for kind in KINDS.values():
        if kind.shape is shape:
            for name in ("device_class", "entity_category", "unit_of_measurement"):
                if name in (shown := _shown(kind)):
                    found.setdefault(name, []).append(shown[name])
    return {name: shapes.one_of(sorted(set(words))) for name, words in found.items()}
