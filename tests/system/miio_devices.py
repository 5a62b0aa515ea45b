"""miIO devices for tests: in this process, at addresses that no other test uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.miio.lan import SORTS
from drivers.miio_simulated import SIDS, TOKEN, made_gateway, made_plug, own_address
from homenode.config.model import Device
from homenode.sim.miio.things import GatewayThing, PlugThing, SensorThing

__all__ = ["SIDS", "TOKEN", "device", "gateway", "own_address", "plug", "sensor"]


@asynccontextmanager
async def plug(model: str = "chuangmi.plug.v3") -> AsyncIterator[PlugThing]:
    """A plug that is on, with 1,400 W behind it if it has a meter."""
    thing = made_plug(model, own_address())
    await thing.start()
    try:
        yield thing
    finally:
        thing.stop()


def device(folder: Path, thing: PlugThing, token: str = TOKEN.hex(), **options: Any) -> Device:
    """The plug in home.yaml, asked every 0.1 s."""
    file = folder / f"{thing.name}.token"
    file.write_text(token + "\n")
    said = {
        "address": thing.plan.address,
        "token_file": file,
        "type": thing.plan.model,
        "every": 100,
        **options,
    }
    return Device(thing.name, "miio", "kitchen", options=said, kinds=thing.kinds)


@asynccontextmanager
async def gateway(
    model: str = "lumi.gateway.v3",
) -> AsyncIterator[tuple[GatewayThing, dict[str, SensorThing]]]:
    """A gateway with a sensor of each sort."""
    hub, sensors = made_gateway(model, own_address())
    await hub.start()
    try:
        yield hub, sensors
    finally:
        hub.stop()


def sensor(name: str, **options: Any) -> Device:
    """A sensor in home.yaml."""
    model, sid = SIDS[name]
    said = {"sid": sid, "type": model, **options}
    kinds = SORTS[said["type"]].kinds
    return Device(name, "miio_gateway", "hall", via="hub", options=said, kinds=kinds)
