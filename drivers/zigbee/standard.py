"""What the standard says an attribute, an alarm bit or a command is: the generic mapping, as tables.

A device that does otherwise gets a row in ``rows.yaml``. What the standard leaves open stays out: nothing
here guesses a device into a door, a smoke alarm or a lock. Clauses are of ZCL revision 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Cluster(IntEnum):
    """Cluster identifiers."""

    BASIC = 0x0000
    POWER_CONFIGURATION = 0x0001
    SCENES = 0x0005
    ON_OFF = 0x0006
    LEVEL = 0x0008
    MULTISTATE_INPUT = 0x0012
    POLL_CONTROL = 0x0020
    DOOR_LOCK = 0x0101
    WINDOW_COVERING = 0x0102
    THERMOSTAT = 0x0201
    ILLUMINANCE = 0x0400
    TEMPERATURE = 0x0402
    HUMIDITY = 0x0405
    OCCUPANCY = 0x0406
    IAS_ZONE = 0x0500
    IAS_ACE = 0x0501
    IAS_WD = 0x0502
    METERING = 0x0702
    ELECTRICAL = 0x0B04


HOME_AUTOMATION = 0x0104
PROFILES = frozenset({HOME_AUTOMATION, 0xC05E})
"""Home Automation and Light Link; endpoints and frames of other profiles are a maker's own business."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How a device is asked to report (2.5.7).

    Attributes:
        low_s, high_s: Shortest and longest time between reports.
        change: Smallest change worth a report, in the unit of the kind; 0 for booleans.
    """

    low_s: int
    high_s: int
    change: float = 0.0


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that is a point.

    Attributes:
        kind: Kind of the point (`homenode.kinds`).
        meaning: Name of the function in `meanings` that makes the point's value of it.
        clause: Of the standard.
        reporting: None if it isn't reportable.
        scale: Attributes of the same cluster that hold multiplier and divisor.
        only: Name of the condition in `plan` under which it counts.
        optional: Counts only if the device answered a read of it.
    """

    cluster: int
    attribute: int
    kind: str
    meaning: str
    clause: str
    reporting: Reporting | None = None
    scale: tuple[int, int] | None = None
    only: str = ""
    optional: bool = False


_AT_ONCE = Reporting(0, 1800)
"""State of mains devices: within half of the hour after which power, switch and light count as stale."""
_SEEN = Reporting(0, 3600)
_BATTERY = Reporting(3600, 10800, 1.0)
_SLOW = Reporting(30, 3600, 0.2)
_MOIST = Reporting(30, 3600, 1.0)
_LIGHT = Reporting(10, 3600, 0.0)
_POWER = Reporting(2, 900, 2.0)
_CURRENT = Reporting(10, 900, 0.05)


def _metering(
    attribute: int, kind: str, meaning: str, clause: str, reporting: Reporting, only: str
) -> Attribute:
    scale = (0x0301, 0x0302)
    return Attribute(
        Cluster.METERING, attribute, kind, meaning, clause, reporting, scale, only, meaning == "kilo"
    )


def _electrical(attribute: int, kind: str, clause: str, reporting: Reporting, scale: int) -> Attribute:
    scales = (scale, scale + 1)
    return Attribute(Cluster.ELECTRICAL, attribute, kind, "scaled", clause, reporting, scales, optional=True)


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(Cluster.POWER_CONFIGURATION, 0x0021, "battery", "half", "3.3.2.2.3.1", _BATTERY),
    Attribute(Cluster.ON_OFF, 0x0000, "light", "flag", "3.8.2.2.1", _AT_ONCE, only="lamp"),
    Attribute(Cluster.ON_OFF, 0x0000, "switch", "flag", "3.8.2.2.1", _AT_ONCE, only="switch"),
    Attribute(Cluster.DOOR_LOCK, 0x0000, "lock", "locked", "7.3.2.2.1", _SEEN, only="door lock"),
    Attribute(Cluster.DOOR_LOCK, 0x0003, "contact", "door", "7.3.2.2.4", _SEEN, None, "door lock", True),
    Attribute(Cluster.THERMOSTAT, 0x0000, "temperature", "hundredth", "6.3.2.2.1.1", _SLOW),
    Attribute(Cluster.ILLUMINANCE, 0x0000, "illuminance", "lux", "4.2.2.2.1.1", _LIGHT),
    Attribute(Cluster.TEMPERATURE, 0x0000, "temperature", "hundredth", "4.4.2.2.1.1", _SLOW),
    Attribute(Cluster.HUMIDITY, 0x0000, "humidity", "hundredth", "4.7.2.2.1.1", _MOIST),
    Attribute(Cluster.OCCUPANCY, 0x0000, "motion", "bit0", "4.8.2.2.1", _SEEN, only="not by touch"),
    Attribute(Cluster.OCCUPANCY, 0x0000, "occupancy", "bit0", "4.8.2.2.1", _SEEN, only="by touch"),
    _metering(0x0000, "energy", "scaled", "10.4.2.2.1", Reporting(60, 1800, 0.01), "kWh"),
    _metering(0x0000, "flow_volume", "scaled", "10.4.2.2.1", Reporting(60, 3600, 0.001), "m³"),
    _metering(0x0400, "power", "kilo", "10.4.2.2.5.1", _POWER, "power by metering"),
    _electrical(0x050B, "power", "4.9.2.2.5", _POWER, 0x0604),
    _electrical(0x090B, "power", "4.9.2.2.8", _POWER, 0x0604),
    _electrical(0x0A0B, "power", "4.9.2.2.9", _POWER, 0x0604),
    _electrical(0x0508, "current", "4.9.2.2.5", _CURRENT, 0x0602),
    _electrical(0x0908, "current", "4.9.2.2.8", _CURRENT, 0x0602),
    _electrical(0x0A08, "current", "4.9.2.2.9", _CURRENT, 0x0602),
    _electrical(0x0505, "voltage", "4.9.2.2.5", Reporting(60, 900, 3.0), 0x0600),
)
"""Order is the order of the numbers KIND, KIND_2, … on one endpoint."""

FACTS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (Cluster.IAS_ZONE, (0x0001,)),
    (Cluster.OCCUPANCY, (0x0001,)),
    (Cluster.METERING, (0x0300, 0x0301, 0x0302)),
    (Cluster.ELECTRICAL, (0x0600, 0x0601, 0x0602, 0x0603, 0x0604, 0x0605)),
)
"""What never changes and is read once, at the interview: zone type, sensor type, units, scales."""

ALARM_1, ALARM_2, TAMPER, BATTERY_LOW, TROUBLE, TEST = 0x0001, 0x0002, 0x0004, 0x0008, 0x0040, 0x0100
"""Bits of the zone status (8.2.2.2.1.3). Supervision, restore, mains and test (4, 5, 7, 8) are no alarm."""
FILLED = 0x00F0
"""All of bits 4 to 7: firmware that fills the bits it doesn't use, not trouble (seen on real devices)."""

ZONES: dict[int, tuple[tuple[str, int], ...]] = {
    0x000D: (("motion", ALARM_1 | ALARM_2),),
    0x0015: (("contact", ALARM_1), ("contact_2", ALARM_2)),
    0x0016: (("contact", ALARM_1 | ALARM_2),),
    0x0028: (("smoke", ALARM_1),),
    0x002A: (("water", ALARM_1),),
    0x002B: (("co", ALARM_1),),
    0x002C: (("button", ALARM_1 | ALARM_2),),
    0x002D: (("vibration", ALARM_1 | ALARM_2),),
    0x010F: (("button", ALARM_1), ("button_2", ALARM_2)),
    0x0115: (("button", ALARM_1), ("button_2", ALARM_2)),
    0x021D: (),
}
"""Zone type (8.2.2.2.1.2) to what its alarm bits mean. A smoke, CO or gas detector's alarm 2 is its test
or a hint (cooking), not the alarm. A keypad's keys are heard by its commands (IAS ACE), only its tamper
switch here. Types not here, such as glass break, stay out until a row says so."""

DETECTORS = frozenset(ZONES) - {0x002C, 0x010F, 0x0115, 0x021D}
"""Zone types that sense something; what else such a device sends (a door sensor switching a lamp, the lock
cluster of a vibration sensor) is no point of its own."""

LATER = frozenset({"contact_2"})
"""Points that exist only once their bit was seen set: most contact sensors have no second portal."""

LAMPS = {
    0x0104: frozenset({0x0100, 0x0101, 0x0102, 0x010C, 0x010D, 0x0200, 0x0210, 0x0220}),
    0xC05E: frozenset({0x0000, 0x0100, 0x0200, 0x0210, 0x0220}),
}
"""Device types that are a lamp, by profile (Home Automation, Light Link)."""

REMOTES = frozenset(
    {0x0000, 0x0001, 0x0004, 0x0005, 0x0006, 0x0103, 0x0104, 0x0105, 0x0203, 0x0401}
    | {0x0800, 0x0810, 0x0820, 0x0830}
)
"""Device types whose commands are somebody's finger: switches, remotes, keypads; sensors are not."""

SENSORS = frozenset({0x000C, 0x0106, 0x0107, 0x0302, 0x0303, 0x0305, 0x0306, 0x0402})
"""Device types that only sense: what else they report as a state of theirs is nobody's finger."""

ACTORS = frozenset({0x0002, 0x0003, 0x0009, 0x0051, 0x010A})
"""Device types that switch something: outputs, outlets, plugs. The on/off server of a sleeping device of any
other type is its key's, its contact's or its own mode's."""

LOCKS = frozenset({0x000A, 0x000B})


SIREN_S = 180
"""A siren that is not switched off ends by itself; EN 50131-4 has 90 s to 15 min."""


@dataclass(frozen=True, slots=True)
class Press:
    """A command that is a press.

    Attributes:
        way: Which way of pressing, 1 the plain one; ways of a device are numbered KIND, KIND_2, … in order.
        first_byte: The payload begins with it; None if that doesn't matter.
    """

    cluster: int
    command: int
    way: int
    clause: str
    first_byte: int | None = None


PRESSES: tuple[Press, ...] = (
    Press(Cluster.ON_OFF, 0x01, 1, "3.8.2.3.2"),
    Press(Cluster.ON_OFF, 0x02, 1, "3.8.2.3.3"),
    Press(Cluster.ON_OFF, 0x00, 2, "3.8.2.3.1"),
    Press(Cluster.ON_OFF, 0x40, 2, "3.8.2.3.4"),
    Press(Cluster.LEVEL, 0x01, 3, "3.10.2.4.2", 0),
    Press(Cluster.LEVEL, 0x02, 3, "3.10.2.4.3", 0),
    Press(Cluster.LEVEL, 0x05, 3, "3.10.2.4.5", 0),
    Press(Cluster.LEVEL, 0x06, 3, "3.10.2.4.5", 0),
    Press(Cluster.LEVEL, 0x01, 4, "3.10.2.4.2", 1),
    Press(Cluster.LEVEL, 0x02, 4, "3.10.2.4.3", 1),
    Press(Cluster.LEVEL, 0x05, 4, "3.10.2.4.5", 1),
    Press(Cluster.LEVEL, 0x06, 4, "3.10.2.4.5", 1),
    Press(Cluster.SCENES, 0x05, 5, "3.7.2.4.7"),
    Press(Cluster.WINDOW_COVERING, 0x00, 1, "7.4.2.2.1"),
    Press(Cluster.WINDOW_COVERING, 0x01, 2, "7.4.2.2.2"),
    Press(Cluster.WINDOW_COVERING, 0x02, 3, "7.4.2.2.3"),
    Press(Cluster.IAS_ACE, 0x02, 1, "8.3.2.3.3"),
    Press(Cluster.IAS_ACE, 0x04, 1, "8.3.2.3.5"),
    Press(Cluster.IAS_ACE, 0x03, 2, "8.3.2.3.4"),
)
"""Keypad: emergency and panic are the plain press, fire another way."""

MULTISTATE_VALUE = 0x0055
MULTISTATE_WAYS = {1: 1, 2: 2, 0: 3, 3: 4}
"""Present value of a button's multistate input: single, double, held, triple (dumps of lumi.remote.* and
3RSB22BZ); 255 is the release and no press, anything else another way."""
MULTISTATE_RELEASE = 255
