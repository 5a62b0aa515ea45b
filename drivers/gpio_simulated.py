"""A flat's wired devices, simulated: what `homenode driver test gpio` plays the driver with."""

from __future__ import annotations

import os

from homenode.kit.simulated import PinDevice
from homenode.sim.gpio.adc import Clamp, Loop
from homenode.sim.gpio.one_wire import OneWireBus

THERMOMETER = "28-0316a2f1c4ff"


class Flat(PinDevice):
    """One on each way that there is into the node."""

    home = f"""
devices:
  front_door: {{driver: gpio, pin: 17, kind: contact, room: hall}}
  sink:       {{driver: gpio, pin: 27, kind: water, room: kitchen}}
  hall_eye:   {{driver: gpio, pin: 22, kind: motion, room: hall}}
  smoke:      {{driver: gpio, pin: 23, kind: smoke, room: hall}}
  bell:       {{driver: gpio, pin: 24, kind: button, room: hall}}
  siren:      {{driver: gpio, pin: 25, kind: siren, room: hall}}
  meter:      {{driver: gpio, pin: 5, kind: energy, pulses: 1000, room: hall}}
  drain:      {{driver: gpio, adc: mcp3008, channel: 0, kind: water, room: bathroom}}
  detector:   {{driver: gpio, adc: ads1115, channel: 0, kind: smoke, room: bedroom}}
  cooker:     {{driver: gpio, adc: ads1115, channel: 1, phases: 3, kind: current, room: kitchen}}
  bedroom:    {{driver: gpio, sensor: {THERMOMETER}, kind: temperature, room: bedroom}}"""
    pin = 17
    heavy = ("gpiozero", "pigpio", "asyncio")

    def __init__(self) -> None:
        super().__init__()
        self.converters.connect("mcp3008", 0, 0, Loop())
        self.converters.connect("ads1115", 0, 0, Loop(contact_ohm=0.0))
        for nth in range(3):
            self.converters.connect("ads1115", 0, 1 + nth, Clamp(2.5, turn=nth / 3))
        self._bus = OneWireBus(self.folder / "w1")
        self._bus.show(THERMOMETER, 21.5)

    def high(self, nth: int) -> bool | None:
        """The door's magnet closes the reed to ground, or lets go."""
        return False if nth % 2 else None

    def garbage(self) -> None:
        """Pulses too short to be meant, on pins with and without a device; a spoilt scratchpad."""
        for pin in (5, 6, 17, 22, 23, 24, 27):
            self.board.drive(pin, False, [1, 2] * 50)
            self.board.drive(pin, None, [1, 1] * 50)
        self._bus.show(THERMOMETER, 21.5, "noisy")

    async def plug(self) -> None:
        await super().plug()
        os.environ["HOMENODE_W1"] = str(self._bus.folder)
        self._bus.show(THERMOMETER, 21.5)
