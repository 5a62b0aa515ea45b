"""A thermometer that is asked over HTTP: ``GET /api/v1`` gives ``{"temp_f": 70.7, "rh": 41}``."""

import asyncio
import json

from homenode.config.fields import Field
from homenode.driver import DriverType
from homenode.each import each_device
from homenode.network import fetched


async def listen(device, host):
    while True:
        try:
            said = json.loads(await fetched(f"http://{device.options['address']}/api/v1"))
            fahrenheit, humidity = float(said["temp_f"]), float(said["rh"])
        except (ValueError, TypeError, KeyError):
            pass  # noise, and no reading
        else:
            host.heard(device.name, "temperature", (fahrenheit - 32) / 1.8)
            host.heard(device.name, "humidity", humidity)
        await asyncio.sleep(device.options["every"] / 1000)


DRIVER = DriverType(
    name="meteo",
    blind_to="A thermometer in the sun.",
    radio_fields=(),
    device_fields=(
        Field("address", "text", "Its address", required=True),
        Field("every", "duration", "How often it is asked", default=30_000, low=100, high=600_000),
    ),
    kinds=lambda options: ("temperature", "humidity"),
    open=each_device(listen),
)
