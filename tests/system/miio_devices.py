"""miIO devices for tests: in this process, at addresses that no other test uses."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.miio.lan import SORTS
from homenode.config.model import Device
from homenode.sim.miio.plan import MiioPlan
from homenode.sim.miio.things import GatewayThing, PlugThing, SensorThing

TOKEN = bytes.fromhex("00112233445566778899aabbccddeeff")
_numbers = itertools.count(1)


def own_address() -> str:
    """One of 127.0.0.0/8; processes of this machine that test at the same time have others."""
    pid = os.getpid()
    return f"127.{64 + next(_numbers) % 128}.{pid // 256 % 256}.{pid % 256}"


@asynccontextmanager
async def plug(
    model: str = "chuangmi.plug.v3", address: str = "", token: bytes = TOKEN
) -> AsyncIterator[PlugThing]:
    """A plug that is on, with 1,400 W behind it if it has a meter."""
    thing = PlugThing(
        MiioPlan("stove", model, address or own_address(), token, "kitchen"), 0x02A0B001, lambda *_: None
    )
    thing.operate("switch", True)
    if "power" in thing.kinds:
        thing.measure("power", 1400)
    await thing.peer.start()
    try:
        yield thing
    finally:
        thing.peer.stop()


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


SIDS = {
    "door": ("sensor_magnet.aq2", "158d00019a0001"),
    "eye": ("sensor_motion.aq2", "158d00019a0002"),
    "sink": ("sensor_wleak.aq1", "158d00019a0003"),
    "detector": ("smoke", "158d00019a0004"),
    "gas": ("natgas", "158d00019a0005"),
    "weather": ("weather.v1", "158d00019a0006"),
    "cord": ("sensor_switch.aq2", "158d00019a0007"),
}
"""Sensors of the gateway below: name to model and id."""


@asynccontextmanager
async def gateway(
    model: str = "lumi.gateway.v3", address: str = ""
) -> AsyncIterator[tuple[GatewayThing, dict[str, SensorThing]]]:
    """A gateway with a sensor of each sort."""
    plan = MiioPlan("hub", model, address or own_address(), TOKEN, "hall")
    hub = GatewayThing(plan, 0x03B0C001, lambda *_: None)
    sensors = {
        name: SensorThing(MiioPlan(name, sort, "", b"", "hall", under="hub", sid=sid), hub, lambda *_: None)
        for name, (sort, sid) in SIDS.items()
    }
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
