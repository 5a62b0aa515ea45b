"""apartment.yaml: which devices hang where, how they are wired, who lives there. Read, checked, typed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from homenode.config.devices import named
from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.notes import Notes, nearest, unknown_key
from homenode.config.values import read_table
from homenode.config.yaml12 import Node, Scalar, Table, compose, read_text
from homenode.errors import FileMistakes
from homenode.kinds import KINDS
from homenode.sim.appliances import APPLIANCES
from homenode.sim.gpio.plan import METERS, AdcPlan, W1Plan, read_adc, read_w1
from homenode.sim.miio.plan import MiioPlan, read_miio
from homenode.sim.p1.plan import MeterPlan, read_meters
from homenode.sim.wiring import USUAL, Wiring

OUTSIDE = "outside"
"""The room beyond the front door."""


@dataclass(frozen=True, slots=True)
class ZigbeePlan:
    """A Zigbee device.

    Attributes:
        ieee: As a number.
        appliance: What hangs on the plug, "" if nothing.
        between: The two rooms that a door with this contact joins, or ().
    """

    name: str
    model: str
    ieee: int
    room: str
    appliance: str = ""
    between: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GpioPlan:
    """Something on a pin. `bounce_ms`: how its contact chatters, see `Board.drive`."""

    name: str
    pin: int
    kind: str
    room: str
    wiring: Wiring
    bounce_ms: tuple[float, ...] = ()
    between: tuple[str, ...] = ()
    pulses: int = 0
    """Of a meter, for one kWh or m³."""


@dataclass(frozen=True, slots=True)
class Apartment:
    """One apartment.yaml.

    Attributes:
        timezone: Whose wall clock the scenario goes by.
        pairing: "open": a device that isn't in a network presses its own pairing button whenever one is
            open; "asked": only when told to `join`.
        scenario: File that says who does what when; None if nobody lives there.
        stick: `version` and `ieee` of the Zigbee stick.
    """

    path: Path
    timezone: str
    pairing: str
    scenario: Path | None
    stick: Mapping[str, Any]
    zigbee: Mapping[str, ZigbeePlan] = field(default_factory=dict)
    gpio: Mapping[str, GpioPlan] = field(default_factory=dict)
    miio: Mapping[str, MiioPlan] = field(default_factory=dict)
    adc: Mapping[str, AdcPlan] = field(default_factory=dict)
    w1: Mapping[str, W1Plan] = field(default_factory=dict)
    p1: Mapping[str, MeterPlan] = field(default_factory=dict)

    @property
    def rooms(self) -> tuple[str, ...]:
        """Every room that something is in or leads to, without the outside."""
        plans: list[ZigbeePlan | GpioPlan] = [*self.zigbee.values(), *self.gpio.values()]
        rooms = dict.fromkeys(room for plan in plans for room in (plan.room, *plan.between))
        rooms |= dict.fromkeys(plan.room for plan in self.miio.values())
        rooms |= dict.fromkeys(plan.room for plan in self.adc.values())
        rooms |= dict.fromkeys(plan.room for plan in self.w1.values())
        rooms |= dict.fromkeys(plan.room for plan in self.p1.values())
        return tuple(room for room in rooms if room != OUTSIDE)

    @property
    def plugged(self) -> dict[str, str]:
        """Plug to the appliance on it."""
        plugs = [(p.name, p.appliance) for p in self.zigbee.values()]
        plugs += [(p.name, p.appliance) for p in self.miio.values()]
        return {name: appliance for name, appliance in plugs if appliance}

    @property
    def unplugged(self) -> dict[str, str]:
        """Appliances that are wired to a phase of a meter, and the room of that."""
        loads = [(load, plan.room) for plan in self.p1.values() for names in plan.loads for load in names]
        return {load: room for load, room in loads if load not in self.plugged}


_IEEE = r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){7}"
_IEEE_SHOWN = '"00:15:8d:00:02:aa:bb:01"'
_TOP = (
    Field("timezone", "text", "Time zone of the apartment", default="UTC"),
    Field("pairing", "word", "When devices join by themselves", default="asked", choices=("asked", "open")),
    Field("scenario", "path", "Who does what when"),
)
_STICK = (
    Field("version", "whole", "EZSP protocol version", choices=(), low=13, high=19),
    Field("ieee", "text", "IEEE address of the stick", pattern=_IEEE, shown=_IEEE_SHOWN),
)
_PLACE = (
    Field("room", "text", "Room that it is in", required=True),
    Field("between", "words", "The two rooms that the door with this contact joins"),
)
_ZIGBEE = (
    Field("model", "word", "A model of the catalogue (homenode/sim/zigbee/catalogue)", required=True),
    Field("ieee", "text", "IEEE address", required=True, pattern=_IEEE, shown=_IEEE_SHOWN),
    Field("appliance", "word", "What hangs on its plug", default="", choices=tuple(APPLIANCES)),
    *_PLACE,
)
_GPIO = (
    Field("pin", "whole", "BCM number of the GPIO", required=True, low=2, high=27),
    Field("kind", "word", "What it senses or drives", required=True, choices=tuple(USUAL)),
    Field("wiring", "word", "How it is wired; by kind if absent", choices=tuple(one.value for one in Wiring)),
    Field("pulses", "whole", "Of a meter, for one kWh or m³", default=0, low=1, high=100_000),
    Field(
        "bounce", "words", "Milliseconds that its contact is at the new and the old level in turn", default=()
    ),
    *_PLACE,
)


def read_apartment(path: str | os.PathLike[str]) -> Apartment:
    """The apartment that a file describes.

    Raises:
        FileMistakes: Everything that is wrong with it.
    """
    shown = os.fspath(path)
    notes = Notes(shown)
    root = compose(read_text(Path(shown), shown), shown, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with timezone:, zigbee:, gpio:, scenario:")
        raise FileMistakes(notes.mistakes)
    beside = Path(os.path.abspath(shown)).parent
    sections = ("stick", "zigbee", "gpio", "miio", "adc", "w1", "p1")
    for name, (key, _) in root.entries.items():
        if name not in sections and name not in {row.name for row in _TOP}:
            unknown_key(key, name, [*(row.name for row in _TOP), *sections], notes)
    top_table = Table(
        {k: v for k, v in root.entries.items() if k in {r.name for r in _TOP}}, root.line, root.column
    )
    top = read_table(_TOP, top_table, "", notes, beside)
    stick = root.get("stick")
    apartment = Apartment(
        path=beside / Path(shown).name,
        timezone=top["timezone"],
        pairing=top["pairing"],
        scenario=top["scenario"],
        stick=read_table(_STICK, stick, "stick", notes, beside) if stick is not None else {},
        zigbee=_zigbee(root.get("zigbee"), notes, beside),
        gpio=_gpio(root.get("gpio"), notes, beside),
        miio=read_miio(root.get("miio"), notes, beside),
        adc=read_adc(root.get("adc"), notes, beside),
        w1=read_w1(root.get("w1"), notes, beside),
    )
    apartment = replace(apartment, p1=read_meters(root.get("p1"), notes, beside, apartment.plugged))
    _names_once(apartment, root, notes)
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    return apartment


def address(text: str) -> int:
    """``00:15:8d:00:02:aa:bb:01`` as a number."""
    return int(text.replace(":", ""), 16)


def _zigbee(node: Node | None, notes: Notes, beside: Path) -> dict[str, ZigbeePlan]:
    from homenode.sim.zigbee.device_catalogue import models

    plans: dict[str, ZigbeePlan] = {}
    owners: dict[int, str] = {}
    for name, key, entry in named(node, "zigbee", notes, "model:, ieee: and room:"):
        where = f"zigbee.{name}"
        said = read_table(_ZIGBEE, entry, where, notes, beside, at=key)
        model, ieee = said["model"], said["ieee"]
        if model is not None and model not in models():
            at = entry.get("model") if isinstance(entry, Table) else None
            names = list(models())
            notes.wrong(at or key, f"{where}.model", ", ".join(names), suggestion=nearest(str(model), names))
        if ieee is not None:
            number = address(ieee)
            if number in owners:
                notes.wrong(key, f"{where}.ieee", "an address of its own", found=f"that of {owners[number]}")
            owners[number] = name
            between = _between(said, entry, where, notes, key)
            plans[name] = ZigbeePlan(name, str(model), number, said["room"] or "", said["appliance"], between)
    return plans


def _gpio(node: Node | None, notes: Notes, beside: Path) -> dict[str, GpioPlan]:
    plans: dict[str, GpioPlan] = {}
    owners: dict[int, str] = {}
    for name, key, entry in named(node, "gpio", notes, "pin:, kind: and room:"):
        where = f"gpio.{name}"
        said = read_table(_GPIO, entry, where, notes, beside, at=key)
        pin, kind = said["pin"], said["kind"]
        try:
            bounce_ms = tuple(float(part) for part in said["bounce"])
        except ValueError:
            at = entry.get("bounce") if isinstance(entry, Table) else None
            notes.wrong(at or key, f"{where}.bounce", "a list of milliseconds such as [2, 1, 3, 1]")
            bounce_ms = ()
        if pin is None or kind is None:
            continue
        if kind in METERS and not said["pulses"]:
            notes.wrong(key, f"{where}.pulses", "pulses for one kWh or m³", found="nothing")
        if pin in owners:
            notes.wrong(key, f"{where}.pin", "a pin of its own", found=f"that of {owners[pin]}")
        owners[pin] = name
        wiring = Wiring(said["wiring"]) if said["wiring"] else USUAL[kind]
        between = _between(said, entry, where, notes, key)
        plans[name] = GpioPlan(
            name, pin, kind, said["room"] or "", wiring, bounce_ms, between, said["pulses"]
        )
    return plans


def _between(said: Mapping[str, Any], entry: Node, where: str, notes: Notes, key: Node) -> tuple[str, ...]:
    between = tuple(said["between"] or ())
    if between and len(between) != 2:
        at = entry.get("between") if isinstance(entry, Table) else None
        notes.wrong(at or key, f"{where}.between", f"two rooms, such as [hall, {OUTSIDE}]")
        return ()
    return between


def _names_once(apartment: Apartment, root: Table, notes: Notes) -> None:
    """A name means one thing to a scenario: a device of any kind, or a room."""
    owners = dict.fromkeys(apartment.zigbee, "zigbee")
    parts: dict[str, Mapping[str, Any]] = {
        "gpio": apartment.gpio,
        "miio": apartment.miio,
        "adc": apartment.adc,
        "w1": apartment.w1,
        "p1": apartment.p1,
    }
    for part, names in parts.items():
        section = root.get(part)
        for name in names:
            owner = owners.setdefault(name, part)
            if owner != part:
                key: Node = section.entries[name][0] if isinstance(section, Table) else Scalar(None, "", 1, 1)
                found = f"a name that stands under {owner}, too"
                notes.wrong(key, f"{part}.{name}", "a name of its own", found=found)


assert set(USUAL) <= set(KINDS)
