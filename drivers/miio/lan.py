"""What lumi.gateway.v3 says of its sensors on the local network: JSON over UDP, in the open (pure).

Reports and signs of life go to a multicast group; a state can be asked for, and is then what the gateway
heard last, however long ago. Sources: the vendor's aqara/aiot-gateway-local-api (version 1 of its words), and
for what that leaves out the captures in Home Assistant's xiaomi_aqara/binary_sensor.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from homenode.reading import Value

GROUP, PORT = "224.0.0.50", 9898
LONGEST = 4096
"""Bytes of a message that are read; the longest documented one has 300."""
EMPTY_MV, FULL_MV = 2800, 3300
"""Below 2.8 V a cell is low (vendor); both as Home Assistant's xiaomi_aqara/entity.py."""

_OPEN = {"open": True, "close": False}
_ALARM = {"0": False, "1": True, "2": True}
"""1 alarm, 2 its test; what else there is are faults of the detector, so unknown."""
_LEAK = {"leak": True, "no_leak": False}
_PRESS = {"click": "button", "double_click": "button_2", "long_click_press": "button_3"}


class Sort(NamedTuple):
    """One model.

    Attributes:
        kind: What it senses; "" for one that only measures.
        word: Under which key it says that.
        means: What its words mean; one that isn't there means fault.
        cached: The gateway's last state says something: not of motion, which it makes up at a heartbeat.
    """

    kind: str
    word: str = "status"
    means: Mapping[str, bool] = {}
    numbers: tuple[str, ...] = ()
    cached: bool = True
    battery: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its points."""
        own = {"": (), "button": ("button", "button_2", "button_3")}.get(self.kind, (self.kind,))
        return (*own, *self.numbers, *(("battery",) if self.battery else ()))


_DOOR = Sort("contact", means=_OPEN)
_EYE = Sort("motion", means={"motion": True}, cached=False)
_WEATHER = Sort("", numbers=("temperature", "humidity"))
_KEY = Sort("button", cached=False)

SORTS: dict[str, Sort] = {
    "magnet": _DOOR,
    "sensor_magnet.aq2": _DOOR,
    "motion": _EYE,
    "sensor_motion.aq2": _EYE,
    "sensor_wleak.aq1": Sort("water", means=_LEAK),
    "smoke": Sort("smoke", "alarm", _ALARM),
    "natgas": Sort("gas", "alarm", _ALARM, battery=False),
    "sensor_ht": _WEATHER,
    "weather.v1": _WEATHER,
    "switch": _KEY,
    "sensor_switch.aq2": _KEY,
}
"""Model, as the gateway calls it there, to what it is."""


class Said(NamedTuple):
    """One message. `command`: report, heartbeat, read_ack …; `data`: what it is about."""

    command: str
    model: str
    sid: str
    data: Mapping[str, Any]


def read(raw: bytes) -> Said | None:
    """A message of a gateway; None if it is something else."""
    try:
        body = json.loads(raw[:LONGEST])
        data = json.loads(body["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    return Said(str(body.get("cmd")), str(body.get("model")), str(body.get("sid")).lower(), data)


def question(sid: str) -> bytes:
    """Asks the gateway for the state of one of its devices."""
    return json.dumps({"cmd": "read", "sid": sid}).encode()


def values(sort: Sort, said: Said) -> dict[str, Value]:
    """The points that a message tells of; None where the device says fault or something unknown."""
    found: dict[str, Value] = {}
    data = said.data
    if sort.kind == "button":
        if (press := _PRESS.get(str(data.get("status")))) and said.command == "report":
            found[press] = True
    elif sort.kind == "motion":
        # The state in its heartbeat is a former one (home-assistant#11631).
        if said.command == "report" and ("status" in data or "no_motion" in data):
            found["motion"] = sort.means.get(str(data.get("status")), False if "no_motion" in data else None)
    elif sort.kind and sort.word in data:
        found[sort.kind] = sort.means.get(str(data[sort.word]))
    for kind in sort.numbers:
        if kind in data:
            found[kind] = _hundredths(kind, data[kind])
    if sort.battery and "voltage" in data:
        found["battery"] = _percent(data["voltage"])
    return found


def _hundredths(kind: str, raw: object) -> float | None:
    """Hundredths; 100 °C and 0 % are what a sensor says that could not measure (vendor)."""
    number = _number(raw)
    if number is None or number == {"temperature": 10_000, "humidity": 0}[kind]:
        return None
    return number / 100


def _percent(raw: object) -> float | None:
    number = _number(raw)
    if number is None:
        return None
    return round(100 * min(1.0, max(0.0, (number - EMPTY_MV) / (FULL_MV - EMPTY_MV))), 1)


def _number(raw: object) -> float | None:
    """Numbers come as such or as text."""
    try:
        return None if isinstance(raw, bool) else float(raw)  # type: ignore[arg-type]  # what else raises
    except (TypeError, ValueError, OverflowError):
        return None
