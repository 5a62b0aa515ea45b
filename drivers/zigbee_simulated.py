"""A door sensor behind a stick, simulated: what `homenode driver test zigbee` plays the driver with."""

from __future__ import annotations

from homenode.kit.simulated_zigbee import ZigbeeDevice
from homenode.sim.zigbee.device_catalogue import FOLDER


class Door(ZigbeeDevice):
    """Of the simulated apartment's catalogue."""

    home = """
radios: {stick: {driver: zigbee, port: PORT}}
devices: {door: {via: stick, ieee: "IEEE", room: hall}}"""
    model = str(FOLDER / "contact.yaml")
    kinds = ("contact",)
    heavy = ("zigpy", "bellows", "yaml", "aiohttp", "sqlite3")
