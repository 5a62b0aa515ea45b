"""The sections ``adc:`` and ``w1:`` of apartment.yaml: what hangs on converters and on the 1-Wire bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homenode.config.devices import named
from homenode.config.fields import Field
from homenode.config.notes import Notes
from homenode.config.values import read_table
from homenode.config.yaml12 import Node
from homenode.sim.wiring import USUAL, Wiring

CHANNELS = {"mcp3008": 8, "ads1115": 4}
METERS = ("energy", "flow_volume")
LOOPS = tuple(
    kind
    for kind, wiring in USUAL.items()
    if kind not in METERS and not wiring.is_output and not wiring.drives_itself
)


@dataclass(frozen=True, slots=True)
class AdcPlan:
    """A loop, or clamps on `phases` neighbouring channels. `closes`: its contact closes when active."""

    name: str
    adc: str
    chip: int
    channel: int
    phases: int
    kind: str
    room: str
    closes: bool
    between: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class W1Plan:
    """A thermometer."""

    name: str
    sensor: str
    room: str


_ROOM = Field("room", "text", "Room that it is in", required=True)
_ADC = (
    Field("adc", "word", "Converter that it hangs on", required=True, choices=tuple(CHANNELS)),
    Field("chip", "whole", "Which one", default=0, low=0, high=3),
    Field("channel", "whole", "Its channel, or the first one", required=True, low=0, high=7),
    Field("phases", "whole", "Clamps on neighbouring channels", default=1, low=1, high=3),
    Field("kind", "word", "What it senses", required=True, choices=(*LOOPS, "current")),
    Field(
        "wiring",
        "word",
        "How its contact is wired; by kind if absent",
        choices=(Wiring.NORMALLY_CLOSED.value, Wiring.NORMALLY_OPEN.value),
    ),
    _ROOM,
)
_W1 = (
    Field(
        "sensor",
        "text",
        "Its number on the bus",
        required=True,
        pattern=r"[0-9a-f]{2}-[0-9a-f]{12}",
        shown="28-0316a2f1c4ff",
    ),
    _ROOM,
)


def read_adc(node: Node | None, notes: Notes, beside: Path) -> dict[str, AdcPlan]:
    """What hangs on converters, each channel once."""
    plans: dict[str, AdcPlan] = {}
    owners: dict[tuple[str, int, int], str] = {}
    for name, key, entry in named(node, "adc", notes, "adc:, channel:, kind: and room:"):
        said = read_table(_ADC, entry, f"adc.{name}", notes, beside, at=key)
        if None in (said["adc"], said["channel"], said["kind"]):
            continue
        wiring = Wiring(said["wiring"]) if said["wiring"] else USUAL.get(said["kind"])
        closes = wiring is Wiring.NORMALLY_OPEN
        plan = AdcPlan(
            name,
            said["adc"],
            said["chip"],
            said["channel"],
            said["phases"],
            said["kind"],
            said["room"] or "",
            closes,
        )
        for channel in range(plan.channel, plan.channel + plan.phases):
            owner = owners.setdefault((plan.adc, plan.chip, channel), name)
            if owner != name or channel >= CHANNELS[plan.adc]:
                found = f"that of {owner}" if owner != name else f"channel {channel}"
                notes.wrong(key, f"adc.{name}.channel", "a channel of its own", found=found)
                break
        plans[name] = plan
    return plans


def read_w1(node: Node | None, notes: Notes, beside: Path) -> Mapping[str, W1Plan]:
    """The thermometers."""
    plans: dict[str, W1Plan] = {}
    for name, key, entry in named(node, "w1", notes, "sensor: and room:"):
        said = read_table(_W1, entry, f"w1.{name}", notes, beside, at=key)
        if said["sensor"] is not None:
            plans[name] = W1Plan(name, said["sensor"], said["room"] or "")
    return plans
