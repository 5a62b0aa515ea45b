"""miIO devices, simulated: what `homenode driver test miio` and `miio_gateway` play the drivers with."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from homenode.kit.bench import Hardware
from homenode.kit.simulated import FLOOD, Simulated
from homenode.sim.miio.plan import MiioPlan
from homenode.sim.miio.things import GatewayThing, MiioThing, PlugThing, SensorThing

TOKEN = bytes.fromhex("00112233445566778899aabbccddeeff")
NOISE_S = 1.0
REPEAT_S = 0.1
SIDS = {
    "door": ("sensor_magnet.aq2", "158d00019a0001"),
    "eye": ("sensor_motion.aq2", "158d00019a0002"),
    "sink": ("sensor_wleak.aq1", "158d00019a0003"),
    "detector": ("smoke", "158d00019a0004"),
    "gas": ("natgas", "158d00019a0005"),
    "weather": ("weather.v1", "158d00019a0006"),
    "cord": ("sensor_switch.aq2", "158d00019a0007"),
}
"""Sensors of a gateway: name to model and id."""
_numbers = itertools.count(1)


def own_address() -> str:
    """One of 127.0.0.0/8; processes of this machine that test at the same time have others."""
    pid = os.getpid()
    return f"127.{64 + next(_numbers) % 128}.{pid // 256 % 256}.{pid % 256}"


def made_plug(model: str, address: str, token: bytes = TOKEN) -> PlugThing:
    """A plug that is on, with 1,400 W behind it if it has a meter."""
    thing = PlugThing(MiioPlan("stove", model, address, token, "kitchen"), 0x02A0B001, lambda *_: None)
    thing.operate("switch", True)
    if "power" in thing.kinds:
        thing.measure("power", 1400)
    return thing


def made_gateway(model: str, address: str) -> tuple[GatewayThing, dict[str, SensorThing]]:
    """A gateway with a sensor of each sort."""
    hub = GatewayThing(MiioPlan("hub", model, address, TOKEN, "hall"), 0x03B0C001, lambda *_: None)
    plans = {
        name: MiioPlan(name, sort, "", b"", "hall", under="hub", sid=sid)
        for name, (sort, sid) in SIDS.items()
    }
    return hub, {name: SensorThing(plan, hub, lambda *_: None) for name, plan in plans.items()}


class _OnTheNetwork(Simulated):
    files: ClassVar = {"token": TOKEN.hex()}
    patience_s = 30.0  # two rounds of questions go unanswered until it is called gone
    thing: MiioThing

    def __init__(self) -> None:
        super().__init__()
        self.places["ADDRESS"] = own_address()

    def made(self) -> MiioThing:
        """The device, in its loop."""
        raise NotImplementedError

    @asynccontextmanager
    async def hardware(self) -> AsyncIterator[Hardware]:
        self.thing = self.made()
        await self.thing.start()
        try:
            yield self
        finally:
            self.thing.stop()

    def released(self) -> bool:
        return True  # a question is not held open

    async def unplug(self) -> None:
        self.thing.unplug()

    async def plug(self) -> None:
        self.thing.plug_in()


class Plug(_OnTheNetwork):
    """A plug that measures."""

    of = "miio"
    home = """
devices:
  stove:
    {driver: miio, type: chuangmi.plug.v3, address: ADDRESS, token_file: token, every: 2 s, room: kitchen}"""
    heavy = ("cryptography", "drivers.miio.driver")
    spared: ClassVar = {"flood": "it is asked, and says nothing by itself"}

    def made(self) -> MiioThing:
        return made_plug("chuangmi.plug.v3", self.places["ADDRESS"])

    def change(self) -> None:
        self._nth += 1
        self.thing.measure("power", 1400 + 100 * (self._nth % 8))

    def garbage(self) -> None:
        """For a while it answers with noise."""
        self.thing.misbehave("garbage")
        asyncio.get_running_loop().call_later(NOISE_S, self.thing.misbehave, "")


class Gateway(_OnTheNetwork):
    """A gateway with sensors, each of which says something again and again."""

    of = "miio_gateway"
    home = f"""
radios: {{hub: {{driver: miio_gateway, address: ADDRESS, token_file: token, every: 2 s}}}}
devices:
  door:     {{via: hub, sid: {SIDS["door"][1]}, type: sensor_magnet.aq2, room: hall}}
  eye:      {{via: hub, sid: {SIDS["eye"][1]}, type: sensor_motion.aq2, room: hall}}
  sink:     {{via: hub, sid: {SIDS["sink"][1]}, type: sensor_wleak.aq1, room: kitchen}}
  detector: {{via: hub, sid: {SIDS["detector"][1]}, type: smoke, room: hall}}"""
    heavy = ("cryptography", "drivers.miio.gateway")

    def made(self) -> MiioThing:
        hub, self._sensors = made_gateway("lumi.gateway.v3", self.places["ADDRESS"])
        return hub

    @asynccontextmanager
    async def hardware(self) -> AsyncIterator[Hardware]:
        async with super().hardware() as hardware:
            speaks = asyncio.ensure_future(self._again_and_again())
            try:
                yield hardware
            finally:
                speaks.cancel()

    async def _again_and_again(self) -> None:
        while True:
            self.change()
            await asyncio.sleep(REPEAT_S)

    def change(self) -> None:
        for name in ("door", "eye", "sink", "detector"):
            self._sensors[name].sense(True)
        for one in self._sensors.values():
            one.beat()

    def garbage(self) -> None:
        """Noise in the group, and what an impostor says."""
        for fault in ("noise", "forged", ""):
            self.thing.misbehave(fault)
            self.change()

    def flood(self) -> None:
        for nth in range(FLOOD):
            self._sensors["door"].sense(bool(nth % 2))
