"""A heat meter at 2400 baud, 7E1: asked ``R1`` CR it answers STX ``T=+021.50;V=001234.567`` ETX."""

import asyncio
import re

from homenode.config.fields import Field
from homenode.driver import DriverType
from homenode.each import each_device
from homenode.errors import DriverLost
from homenode.ports import serial_lines

ANSWER = re.compile(rb"\x02T=([+-]\d{3}\.\d\d);V=(\d{6}\.\d{3})")  # page 8 of its manual


async def listen(device, host):
    port = device.options["port"]
    async with serial_lines(port, 2400, form="7E1", end=b"\x03") as answers:
        while True:
            await answers.send(b"R1\r")
            try:
                async with asyncio.timeout(3):
                    answer = await anext(answers)
            except TimeoutError:
                raise DriverLost("does not answer", where=str(port)) from None
            if match := ANSWER.search(answer):
                host.heard(device.name, "temperature", float(match[1]))
                host.heard(device.name, "flow_volume", float(match[2]))
            await asyncio.sleep(device.options["every"] / 1000)


DRIVER = DriverType(
    name="heat",
    blind_to="A meter whose sensor hangs in the air.",
    radio_fields=(),
    device_fields=(
        Field("port", "path", "Its serial port, such as /dev/serial/by-id/…", required=True),
        Field("every", "duration", "How often it is asked", default=10_000, low=100, high=600_000),
    ),
    kinds=lambda options: ("temperature", "flow_volume"),
    open=each_device(listen),
)
