"""The section ``miio:`` of apartment.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from homenode.config.devices import named
from homenode.config.fields import Field
from homenode.config.notes import Notes
from homenode.config.values import read_table
from homenode.config.yaml12 import Node, Table
from homenode.sim.appliances import APPLIANCES
from homenode.sim.miio.gateway import TYPE_IDS
from homenode.sim.miio.plug import METERS, MODELS


@dataclass(frozen=True, slots=True)
class MiioPlan:
    """A miIO device, or a sensor of a gateway.

    Attributes:
        address: Where it listens; each has its own in 127.0.0.0/8. "" for a sensor.
        appliance: What hangs on the plug, "" if nothing.
        under: Name of the gateway of a sensor, and `sid` its id there.
    """

    name: str
    model: str
    address: str
    token: bytes
    room: str
    appliance: str = ""
    under: str = ""
    sid: str = ""


GATEWAYS = ("lumi.gateway.v3", "lumi.gateway.mgl03")
FIELDS = (
    Field("model", "word", "Model", required=True, choices=(*MODELS, *GATEWAYS), pattern=r"[a-z0-9._-]+"),
    Field("address", "text", "Its address", required=True, pattern=r"127(\.\d{1,3}){3}", shown="127.0.0.11"),
    Field("token", "text", "Its token", required=True, pattern=r"[0-9a-fA-F]{32}", shown='"00112233…" (32)'),
    Field("appliance", "word", "What hangs on its plug", default="", choices=tuple(APPLIANCES)),
    Field("room", "text", "Room that it is in", required=True),
)
SENSOR_FIELDS = (
    Field("model", "word", "Model", required=True, choices=tuple(TYPE_IDS), pattern=r"[a-z0-9._]+"),
    Field("under", "word", "The gateway that it is paired with", required=True),
    Field("sid", "text", "Its id", required=True, pattern=r"[0-9a-f]{12,16}", shown="158d0001a2b3c4"),
    Field("room", "text", "Room that it is in", required=True),
)


def read_miio(node: Node | None, notes: Notes, beside: Path) -> dict[str, MiioPlan]:
    """The devices by name."""
    plans: dict[str, MiioPlan] = {}
    owners: dict[str, str] = {}
    for name, key, entry in named(node, "miio", notes, "model:, address:, token: and room:"):
        where = f"miio.{name}"
        if isinstance(entry, Table) and "under" in entry.entries:
            said = read_table(SENSOR_FIELDS, entry, where, notes, beside, at=key)
            if said["under"] in plans and plans[said["under"]].model in GATEWAYS:
                room = said["room"] or ""
                sensor = MiioPlan(name, said["model"], "", b"", room, under=said["under"], sid=said["sid"])
                plans[name] = sensor
            elif said["under"] is not None:
                notes.wrong(entry.entries["under"][1], f"{where}.under", "a gateway that stands above it")
            continue
        said = read_table(FIELDS, entry, where, notes, beside, at=key)
        if any(said[field] is None for field in ("model", "address", "token")):
            continue
        owner = owners.setdefault(said["address"], name)
        if owner != name:
            notes.wrong(key, f"{where}.address", "an address of its own", found=f"that of {owner}")
        if said["appliance"] and said["model"] not in METERS:
            shown = f"a plug that measures: {', '.join(METERS)}"
            notes.wrong(key, f"{where}.model", shown, found=f"{said['model']}, which has no meter")
        token = bytes.fromhex(said["token"])
        plans[name] = MiioPlan(
            name, said["model"], said["address"], token, said["room"] or "", said["appliance"]
        )
    return plans
