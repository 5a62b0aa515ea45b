"""The section ``p1:`` of an apartment.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homenode.config.devices import named
from homenode.config.fields import Field
from homenode.config.notes import Notes, nearest
from homenode.config.values import read_table
from homenode.config.yaml12 import Node
from homenode.sim.appliances import APPLIANCES

PHASES = ("l1", "l2", "l3")
_METER = (
    Field("port", "path", "Where the meter's port shall be", required=True),
    Field("every", "duration", "How often it sends", default=10_000, low=1_000, high=10_000, shown="10 s"),
    Field("energy", "number", "kWh that it shows at first", default=0.0, low=0, high=1e8),
    Field("room", "text", "Room that it is in", required=True),
    *(
        Field(phase, "words", f"Plugs, and appliances without one, on {phase.upper()}", default=())
        for phase in PHASES
    ),
)


@dataclass(frozen=True, slots=True)
class MeterPlan:
    """One meter. `loads`: of each phase, names of plugs, and words of `APPLIANCES` for what has none."""

    name: str
    port: Path
    every_s: float
    energy_kwh: float
    room: str
    loads: tuple[tuple[str, ...], ...]


def read_meters(
    node: Node | None, notes: Notes, beside: Path, plugged: Mapping[str, str]
) -> Mapping[str, MeterPlan]:
    """The meters.

    Args:
        plugged: Plugs to the appliances on them.
    """
    plans: dict[str, MeterPlan] = {}
    for name, key, entry in named(node, "p1", notes, "port: and room:"):
        said = read_table(_METER, entry, f"p1.{name}", notes, beside, at=key)
        loads = tuple(tuple(said[phase] or ()) for phase in PHASES)
        known = [*plugged, *APPLIANCES]
        for phase, names in zip(PHASES, loads, strict=True):
            for load in names:
                if load not in known:
                    accepted = "plugs with an appliance, and appliances: " + ", ".join(known)
                    field = f"p1.{name}.{phase}"
                    notes.wrong(key, field, accepted, found=load, suggestion=nearest(load, known))
        if said["port"] is not None:
            every_s = said["every"] / 1000
            plans[name] = MeterPlan(name, said["port"], every_s, said["energy"], said["room"] or "", loads)
    return plans
