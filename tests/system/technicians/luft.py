"""A carbon monoxide alarm that publishes a line such as ``CO=012;ALARM=0;BAT=97`` under luft/NAME/state."""

import re

from homenode.config.fields import Field
from homenode.driver import DriverType
from homenode.each import each_device
from homenode.topics import topic

LINE = re.compile(rb"CO=\d{3};ALARM=([01]);BAT=(100|\d{1,2})")


async def listen(device, host):
    async with topic(device.options["broker"], f"luft/{device.options['unit']}/state") as payloads:
        async for payload in payloads:
            if match := LINE.fullmatch(payload):
                host.heard(device.name, "co", match[1] == b"1")
                host.heard(device.name, "battery", int(match[2]))


DRIVER = DriverType(
    name="luft",
    blind_to="An alarm that has lost the Wi-Fi: noticed only by its silence.",
    radio_fields=(),
    device_fields=(
        Field("broker", "text", "The broker it publishes at", required=True),
        Field("unit", "word", "Its name, as its page shows it", required=True),
    ),
    kinds=lambda options: ("co", "battery"),
    open=each_device(listen),
)
