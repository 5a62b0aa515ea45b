"""From what a device says of itself to what its frames mean: signature, facts and row to a plan (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from drivers.zigbee import tuya
from drivers.zigbee.doubt import doubt
from drivers.zigbee.meanings import MEANINGS, Meaning, always, scaled
from drivers.zigbee.notes import Note
from drivers.zigbee.rows import NO_ROW, Place, Row
from drivers.zigbee.standard import (
    ACTORS,
    ATTRIBUTES,
    DETECTORS,
    LAMPS,
    LATER,
    LOCKS,
    MULTISTATE_WAYS,
    PRESSES,
    REMOTES,
    SENSORS,
    SIREN_S,
    ZONES,
    Attribute,
    Cluster,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint's simple descriptor: profile, device type, server and client clusters."""

    profile: int
    device_type: int
    inputs: frozenset[int]
    outputs: frozenset[int]


@dataclass(frozen=True, slots=True)
class Signature:
    """What the interview of a device finds out.

    Attributes:
        sleepy: Its receiver is off when idle: it answers only after it has spoken.
    """

    manufacturer: str
    model: str
    sleepy: bool
    endpoints: Mapping[int, Endpoint]


@dataclass(slots=True)
class Facts:
    """What was read of a device once, and is kept over restarts.

    Attributes:
        values: Of attributes that never change: zone type, scales, sensor type.
        absent: Attributes the device said it doesn't have.
        seen: Kinds that exist only since something of them was seen (a second portal).
        notes: What could not be set up.
        constant: What never changes was read: zone types, units and scales.
        complete: Everything was asked and answered, or refused.
        left: It has left the network, as far as is known, and was not heard since.
        heard_s: The longest silence that it has agreed to; None if it agreed to none.
    """

    values: dict[Place, int] = field(default_factory=dict)
    absent: set[Place] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    constant: bool = False
    complete: bool = False
    left: bool = False
    heard_s: int | None = None

    def value(self, endpoint: int, cluster: int, attribute: int) -> int | None:
        """What was read, or None."""
        return self.values.get(Place(endpoint, cluster, attribute))

    def owed(self, places: Iterable[Place]) -> bool:
        """Whether one of these was neither answered for nor said to be absent."""
        return any(place not in self.values and place not in self.absent for place in places)


@dataclass(frozen=True, slots=True)
class Sense:
    """An attribute that is a point; `raw_per_unit` is for the change that is worth a report."""

    kind: str
    meaning: Meaning
    attribute: Attribute | None = None
    raw_per_unit: float = 1.0

    @property
    def event(self) -> bool:
        """Whether only a report of it means something; asked for, it tells what was."""
        return self.meaning is always or self.kind.startswith("button")

    @property
    def optional(self) -> bool:
        """Whether the device may list its cluster and not have it."""
        return self.attribute is not None and self.attribute.optional


@dataclass(frozen=True, slots=True)
class Zone:
    """What the alarm bits of an IAS zone of this device mean; `later` ones are points once they were set."""

    bits: tuple[tuple[str, int], ...]
    later: tuple[tuple[str, int], ...]
    tamper: str
    momentary: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What the frames of one device mean.

    Attributes:
        kinds: Its points, in the order of their numbers.
        senses: Attributes that are points.
        zones: IAS zones by endpoint.
        presses: (endpoint, cluster, command, first byte of the payload or None) to button kind.
        multistate: (endpoint, present value) to button kind.
        outputs: Kinds that can be switched, and where; a Tuya data point is the place's attribute.
        left_out: Kinds that mean nothing as the device owes their scale or zone type.
        battery_by_bit: No percentage: a low battery is told only by the zone's bit.
        clears_ms: Points whose end the device doesn't tell, and how long each lasts.
        doubt: Why its row isn't used; None if it is.
    """

    kinds: tuple[str, ...] = ()
    senses: Mapping[Place, Sense] = field(default_factory=dict)
    zones: Mapping[int, Zone] = field(default_factory=dict)
    presses: Mapping[tuple[int, int, int, int | None], str] = field(default_factory=dict)
    multistate: Mapping[tuple[int, int], str] = field(default_factory=dict)
    outputs: Mapping[str, Place] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    battery_by_bit: bool = False
    clears_ms: Mapping[str, int] = field(default_factory=dict)
    doubt: Note | None = None

    def notes(self, row: Row) -> list[Note]:
        """What an installer should know."""
        if self.doubt:
            return [self.doubt]
        found = [Note("row", row.note)] if row.note else []
        if self.kinds and not row.note and not set(self.kinds) - {"battery", "tamper", "link_quality"}:
            found.append(Note("no_row"))
        if self.left_out:
            found.append(Note("left_out", (", ".join(self.left_out),)))
        return found


def _detects(signature: Signature, facts: Facts) -> bool:
    return any(
        facts.value(number, Cluster.IAS_ZONE, 1) in DETECTORS for number in signature.endpoints
    ) or any(Cluster.OCCUPANCY in endpoint.inputs for endpoint in signature.endpoints.values())


_ENERGY_UNITS, _VOLUME_UNITS = frozenset({None, 0x00, 0x80}), frozenset({0x01, 0x81})
"""Unit of measure, binary and BCD (10.4.2.2.4.1); a meter that doesn't say counts kWh."""
_TOUCH = 3
"""Occupancy sensor type physical contact (4.8.2.2.2): a mat in a bed or on a chair."""

Condition = Callable[[Signature, Facts, int, Endpoint], bool]


def _lamp(signature: Signature, facts: Facts, number: int, endpoint: Endpoint) -> bool:
    return endpoint.device_type in LAMPS.get(endpoint.profile, frozenset())


def _switch(signature: Signature, facts: Facts, number: int, endpoint: Endpoint) -> bool:
    acts = not signature.sleepy or endpoint.device_type in ACTORS
    return acts and not _lamp(signature, facts, number, endpoint)


def _touch(signature: Signature, facts: Facts, number: int, endpoint: Endpoint) -> bool:
    return facts.value(number, Cluster.OCCUPANCY, 1) == _TOUCH


CONDITIONS: dict[str, Condition] = {
    "": lambda *_: True,
    "lamp": _lamp,
    "switch": _switch,
    "by touch": _touch,
    "not by touch": lambda *found: not _touch(*found),
    "door lock": lambda signature, facts, number, endpoint: (
        endpoint.device_type in LOCKS and not _detects(signature, facts)
    ),
    "kWh": lambda signature, facts, number, endpoint: (
        facts.value(number, Cluster.METERING, 0x0300) in _ENERGY_UNITS
    ),
    "m³": lambda signature, facts, number, endpoint: (
        facts.value(number, Cluster.METERING, 0x0300) in _VOLUME_UNITS
    ),
    "power by metering": lambda signature, facts, number, endpoint: (
        facts.value(number, Cluster.METERING, 0x0300) in _ENERGY_UNITS
        and (
            Cluster.ELECTRICAL not in endpoint.inputs
            or Place(number, Cluster.ELECTRICAL, 0x050B) in facts.absent
        )
    ),
}


class _Numbers:
    """Names the points: the second of a kind gets its number; names that a row gives are taken as given."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def take(self, name: str) -> str:
        self._used.add(name)
        return name

    def next(self, kind: str) -> str:
        name, number = kind, 2
        while name in self._used:
            name, number = f"{kind}_{number}", number + 1
        return self.take(name)


def candidates(signature: Signature, facts: Facts, row: Row = NO_ROW) -> Iterator[tuple[Place, Attribute]]:
    """The standard's attributes that may be points of this device, whether it answered for them or not."""
    for number, endpoint in sorted(signature.endpoints.items()):
        for attribute in ATTRIBUTES:
            place = Place(number, attribute.cluster, attribute.attribute)
            if (
                attribute.cluster in endpoint.inputs
                and attribute.kind not in row.without
                and place not in row.points
                and CONDITIONS[attribute.only](signature, facts, number, endpoint)
            ):
                yield place, attribute


def _scale_of(place: Place, attribute: Attribute) -> Iterator[Place]:
    """Where the device says what a value of this attribute means."""
    for fact in attribute.scale or ():
        yield place._replace(attribute=fact)
    if attribute.scale and place.cluster == Cluster.METERING:
        yield place._replace(attribute=0x0300)


def _sense(attribute: Attribute, kind: str, place: Place, facts: Facts, row: Row) -> Sense:
    if attribute.scale is None:
        meaning = row.meanings.get(attribute.kind) or MEANINGS[attribute.meaning]
        return Sense(kind, meaning, attribute, 100.0 if attribute.meaning == "hundredth" else 2.0)
    multiplier = facts.value(place.endpoint, place.cluster, attribute.scale[0]) or 1
    divisor = facts.value(place.endpoint, place.cluster, attribute.scale[1]) or 1
    if attribute.kind in row.scale:
        multiplier, divisor = row.scale[attribute.kind]
    elif attribute.meaning == "kilo":
        multiplier *= 1000
    return Sense(kind, scaled(multiplier, divisor), attribute, divisor / multiplier)


def _zones(
    signature: Signature, facts: Facts, row: Row, numbers: _Numbers, senses: Mapping[Place, Sense]
) -> dict[int, Zone]:
    """What the alarm bits mean; a zone and an occupancy cluster of one endpoint that say the same are one."""
    zones: dict[int, Zone] = {}
    here = [number for number, endpoint in sorted(signature.endpoints.items()) if _zoned(endpoint)]
    if row.zone and not here:  # the device tells a zone's status and doesn't list the cluster
        here = sorted(signature.endpoints)[:1]
    for number in here:
        zone_type = facts.value(number, Cluster.IAS_ZONE, 1)
        bits = row.zone or ZONES.get(-1 if zone_type is None else zone_type, ())
        same = {sense.kind for place, sense in senses.items() if place.endpoint == number}
        named, later = [], []
        for kind, mask in bits:
            plain = kind.partition("_")[0]
            if plain in row.without:
                continue
            if kind in LATER and not row.zone and kind not in facts.seen:
                later += [(kind, mask)] if len(here) == 1 else []
            else:
                named.append((kind if row.zone or kind in same else numbers.next(plain), mask))
        momentary = any(kind.startswith("button") for kind, _ in bits)
        known = bool(row.zone) or zone_type in ZONES
        tamper = numbers.next("tamper") if known and "tamper" not in row.without else ""
        zones[number] = Zone(tuple(named), tuple(later), tamper, momentary)
    return zones


def _zoned(endpoint: Endpoint) -> bool:
    return Cluster.IAS_ZONE in endpoint.inputs


def _presses(
    signature: Signature, facts: Facts, row: Row, numbers: _Numbers
) -> tuple[dict[tuple[int, int, int, int | None], str], dict[tuple[int, int], str]]:
    """Ways of pressing, numbered: the plain way of each endpoint first, then the others."""
    ways: dict[tuple[int, int], list[tuple[str, tuple[int, int, int, int | None] | int]]] = {}
    given = any(kind.startswith("button") for kind, _ in row.points.values())
    blind = given or "button" in row.without or _detects(signature, facts)
    for number, endpoint in signature.endpoints.items():
        if blind or row.presses:
            break
        if endpoint.device_type in SENSORS:
            continue
        if Cluster.MULTISTATE_INPUT in endpoint.inputs and signature.sleepy:
            for value, way in MULTISTATE_WAYS.items():
                ways.setdefault((way, number), []).append(("value", value))
        elif endpoint.device_type in REMOTES:
            for press in PRESSES:
                ace = press.cluster == Cluster.IAS_ACE
                if press.cluster in endpoint.outputs or (ace and press.cluster in endpoint.inputs):
                    key = (number, press.cluster, press.command, press.first_byte)
                    ways.setdefault((press.way, number), []).append(("command", key))
    commands: dict[tuple[int, int, int, int | None], str] = dict(row.presses)
    values = {where: kind for where, kind in row.multistate.items() if where[0] in signature.endpoints}
    for (_, number), how in sorted(ways.items()):
        kind = numbers.next("button")
        for _, what in how:
            if isinstance(what, int):
                values[number, what] = kind
            else:
                commands[what] = kind
    return commands, values


_OUTPUTS = frozenset({"light", "lock", "siren", "switch", "valve"})


def _switchable(signature: Signature, place: Place, kind: str) -> bool:
    if kind.partition("_")[0] not in _OUTPUTS:
        return False
    if place.cluster == tuya.CLUSTER:
        return True
    here = signature.endpoints.get(place.endpoint)
    in_cluster = place.cluster in (Cluster.ON_OFF, Cluster.DOOR_LOCK) and place.attribute == 0
    return in_cluster and here is not None and place.cluster in here.inputs


def make_plan(signature: Signature, facts: Facts, row: Row = NO_ROW) -> Plan:
    """What the frames of a device mean, by the standard and by its row, if it can be its row."""
    why = doubt(signature, facts, row)
    if why:
        row = NO_ROW
    numbers = _Numbers()
    senses: dict[Place, Sense] = {}
    for place, (kind, meaning) in row.points.items():
        if place.endpoint in signature.endpoints:  # of a model's variants a row knows all
            senses[place] = Sense(numbers.take(kind), meaning)
    left_out = [
        "alarm"
        for number, endpoint in signature.endpoints.items()
        if _zoned(endpoint) and not row.zone and facts.owed([Place(number, Cluster.IAS_ZONE, 1)])
    ]
    for place, attribute in candidates(signature, facts, row):
        if place in facts.absent:
            continue
        if attribute.kind not in row.scale and facts.owed(_scale_of(place, attribute)):
            left_out.append(attribute.kind)
        else:
            senses[place] = _sense(attribute, numbers.next(attribute.kind), place, facts, row)
    zones = _zones(signature, facts, row, numbers, senses)
    presses, multistate = _presses(signature, facts, row, numbers)
    outputs = {
        sense.kind: place for place, sense in senses.items() if _switchable(signature, place, sense.kind)
    }
    if "siren" not in row.without:
        for number, endpoint in sorted(signature.endpoints.items()):
            if Cluster.IAS_WD in endpoint.inputs:
                outputs[numbers.next("siren")] = Place(number, Cluster.IAS_WD, 0)
    kinds = [sense.kind for sense in senses.values()]
    for zone in zones.values():
        kinds += [kind for kind, _ in zone.bits]
        kinds += [zone.tamper] if zone.tamper else []
    kinds += [
        *presses.values(),
        *multistate.values(),
        *(kind for kind in outputs if kind.startswith("siren")),
    ]
    return Plan(
        doubt=why,
        kinds=(*dict.fromkeys(kinds), "link_quality"),
        senses=senses,
        zones=zones,
        presses=presses,
        multistate=multistate,
        outputs=outputs,
        left_out=tuple(dict.fromkeys(left_out)),
        battery_by_bit=bool(zones) and not any(sense.kind == "battery" for sense in senses.values()),
        clears_ms={**row.clears_ms, **{kind: SIREN_S * 1000 for kind in outputs if kind.startswith("siren")}},
    )
