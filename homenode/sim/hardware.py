"""One apartment, running: the stick, the pins, the devices, the people."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

from homenode.errors import StorageError
from homenode.gateway.clock import Clock
from homenode.sim.apartment import Apartment, address
from homenode.sim.gpio.adc import Converters
from homenode.sim.gpio.board import Board
from homenode.sim.gpio.daemon import PigpioDaemon
from homenode.sim.gpio.one_wire import OneWireBus
from homenode.sim.gpio.things import ClampThing, LoopThing, ThermometerThing
from homenode.sim.miio.plan import GATEWAYS, MiioPlan
from homenode.sim.miio.things import GatewayThing, MiioThing, PlugThing, SensorThing
from homenode.sim.p1.things import LoadThing, MeterThing
from homenode.sim.people import Appliance, People
from homenode.sim.sentences import Words
from homenode.sim.things import GpioThing, Thing, ZigbeeThing
from homenode.sim.timeline import Timeline
from homenode.sim.zigbee.coordinator import DEFAULT_IEEE, Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model

JOIN_EVERY_S = 1.0
"""How often a device that isn't in a network looks for an open one (``pairing: open``)."""
SAVE_EVERY_S = 2.0
"""How often the devices' memory is stored; the stick stores its own at once."""
HOUR_S = 3600.0
"""A sensor of a gateway says so often that it lives."""
FIRST_MIIO_ID = 0x02A0B001
"""Id of the first miIO device; the vendor numbers them as they are made."""
VERSION = 14
"""EZSP protocol version of a stick that says nothing else: that of EmberZNet 8.0."""

Watcher = Callable[[str, str, object], None]


class Hardware:
    """Everything of one apartment; enter it to power it.

    Args:
        state: File in which the stick and the devices survive a restart.
        gpio: Port of the pigpio daemon, 0 for any; None for no pins.
        w1: Folder that is the 1-Wire bus; None for none.
    """

    def __init__(
        self,
        apartment: Apartment,
        clock: Clock,
        *,
        state: Path,
        pty: Path | None = None,
        tcp: int | None = None,
        gpio: int | None = None,
        w1: Path | None = None,
        version: int | None = None,
    ) -> None:
        self.apartment = apartment
        self.watchers: list[Watcher] = []
        self.timeline = Timeline(clock, ZoneInfo(apartment.timezone))
        self._state, self._gpio_port = state.with_name(state.name + ".devices"), gpio
        stick = apartment.stick
        self.stick = Coordinator(
            state,
            version=version or stick.get("version") or VERSION,
            pty=pty,
            tcp=tcp,
            ieee=address(stick["ieee"]) if stick.get("ieee") else DEFAULT_IEEE,
        )
        loop = asyncio.get_running_loop()
        self.board = Board(lambda seconds, call: loop.call_later(seconds, call).cancel)
        self.converters = Converters(loop.time)
        self.pigpio = PigpioDaemon(self.board, self.converters)
        self._w1 = OneWireBus(w1) if w1 is not None else None
        self.things: dict[str, Thing] = {}
        self.appliances: dict[str, Appliance] = {}
        self.people = People(self.things, self.appliances, self.timeline, partial(self._tell, "", "says"))
        self._stack = AsyncExitStack()
        self._saved: dict[str, Any] = {}

    # ---- life ---------------------------------------------------------------------------------------

    async def __aenter__(self) -> Hardware:
        if self._gpio_port is not None:  # first, as a port that is taken says that all of it runs already
            await self.pigpio.start(self._gpio_port)
            self._stack.push_async_callback(self.pigpio.stop)
        await self._stack.enter_async_context(self.stick)
        self._build()
        for thing in self.things.values():
            if isinstance(thing, MiioThing):
                await thing.start()
                self._stack.callback(thing.stop)
            elif isinstance(thing, MeterThing):
                thing.start()
                self._stack.callback(thing.stop)
        self._recall()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.timeline.stop()
        self.save()
        await self._stack.aclose()

    async def run(self) -> None:
        """What goes on by itself, until cancelled: pairing buttons, and storing what devices remember."""
        ticks = 0
        while True:
            await asyncio.sleep(JOIN_EVERY_S)
            ticks += 1
            if self.apartment.pairing == "open" and self.stick.permitting:
                for thing in self.zigbee():
                    if not thing.device.on_network:
                        thing.device.join()
            if ticks % round(SAVE_EVERY_S / JOIN_EVERY_S) == 0:
                self.save()

    def zigbee(self) -> list[ZigbeeThing]:
        """The Zigbee devices."""
        return [thing for thing in self.things.values() if isinstance(thing, ZigbeeThing)]

    def words(self) -> Words:
        """What sentences may name."""
        plugged = self._driven()
        names = list(plugged.values())
        appliances = {kind: name for name, kind in plugged.items() if names.count(kind) == 1}
        return Words(
            rooms=self.apartment.rooms,
            devices={name: thing.kinds for name, thing in self.things.items()},
            appliances=appliances,
            beds=tuple(name for name, thing in self.things.items() if "occupancy" in thing.kinds),
        )

    def run_at(self, speed: float) -> None:
        """The apartment's time runs so many times as fast from now on."""
        self.timeline.run_at(speed)
        for thing in self.zigbee():
            thing.device.pace = speed

    # ---- inside -------------------------------------------------------------------------------------

    def _driven(self) -> dict[str, str]:
        """Name of a thing to the appliance that draws through it."""
        return {**self.apartment.plugged, **{load: load for load in self.apartment.unplugged}}

    def _tell(self, name: str, kind: str, value: object) -> None:
        for watcher in tuple(self.watchers):
            watcher(name, kind, value)

    def _build(self) -> None:
        for zigbee in self.apartment.zigbee.values():
            device = VirtualDevice(
                model(zigbee.model),
                zigbee.ieee,
                self.stick,
                pace=self.timeline.clock.speed,
                on_output=partial(self._switched, zigbee.name),
            )
            self.things[zigbee.name] = ZigbeeThing(zigbee, device, self._tell)
            if zigbee.appliance and "switch" in device.outputs:
                device.operate("switch", True)  # whoever put an appliance on a plug turned that on
        for wired in self.apartment.gpio.values():
            self.things[wired.name] = GpioThing(wired, self.board, self._tell)
        for plan in self.apartment.adc.values():
            thing = ClampThing if plan.kind == "current" else LoopThing
            self.things[plan.name] = thing(plan, self.converters, self._tell)
        if self._w1 is not None:
            for warm in self.apartment.w1.values():
                self.things[warm.name] = ThermometerThing(warm, self._w1, self._tell)
        for number, miio in enumerate(self.apartment.miio.values()):
            self.things[miio.name] = self._miio(miio, FIRST_MIIO_ID + number)
        for load, room in self.apartment.unplugged.items():
            self.things[load] = LoadThing(load, room, self._tell)
        for meter in self.apartment.p1.values():
            self.things[meter.name] = MeterThing(meter, self.things, self.timeline, self._tell)
        for name, kind in self._driven().items():
            self.appliances[name] = Appliance(kind, self.things[name], self.timeline, self.people.dice)

    def _miio(self, plan: MiioPlan, number: int) -> Thing:
        if plan.under:
            gateway = self.things[plan.under]
            assert isinstance(gateway, GatewayThing)
            sensor = SensorThing(plan, gateway, self._tell)
            self._hourly(sensor)
            return sensor
        if plan.model in GATEWAYS:
            return GatewayThing(plan, number, self._tell)
        plug = PlugThing(plan, number, self._tell)
        plug.state.on = bool(plan.appliance)
        return plug

    def _hourly(self, sensor: SensorThing) -> None:
        self.timeline.after(HOUR_S, partial(self._hourly, sensor))
        sensor.beat()

    def _switched(self, name: str, _: VirtualDevice, kind: str, on: bool) -> None:
        self._tell(name, kind, on)
        if name in self.appliances:
            self.appliances[name].read()

    def _recall(self) -> None:
        try:
            stored = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            stored = {}  # devices without memory are as new; those of the network can be joined again
        for thing in self.zigbee():
            memory = stored.get(thing.name)
            if isinstance(memory, dict) and self.stick.restore(thing.device):
                try:
                    thing.device.recall(memory)
                except (KeyError, TypeError, ValueError):
                    continue  # of another version of the catalogue: as new
        self._saved = stored

    def save(self) -> None:
        """Store what the devices remember, if it changed.

        Raises:
            StorageError: The disk is full or read-only.
        """
        memories = {thing.name: thing.device.remember() for thing in self.zigbee()}
        if memories == self._saved:
            return
        beside = self._state.with_name(self._state.name + ".new")
        try:
            beside.write_text(json.dumps(memories), encoding="utf-8")
            os.replace(beside, self._state)
        except OSError as error:
            raise StorageError(
                f"can't store what the devices remember: {error}", where=str(self._state)
            ) from error
        self._saved = memories
