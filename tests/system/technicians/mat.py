"""A bed mat that sends a datagram ``BED 1`` or ``BED 0`` each second, and when that changes."""

from homenode.config.fields import Field
from homenode.driver import DriverType
from homenode.each import each_device
from homenode.network import datagrams


async def listen(device, host):
    async with datagrams(device.options["port"], silent_s=5) as came:
        async for data, _ in came:
            if data in (b"BED 0", b"BED 1"):
                host.heard(device.name, "occupancy", data == b"BED 1")


DRIVER = DriverType(
    name="mat",
    blind_to="Somebody else in the network who sends the same.",
    radio_fields=(),
    device_fields=(Field("port", "whole", "UDP port it sends to", required=True, low=1024, high=65_535),),
    kinds=lambda options: ("occupancy",),
    open=each_device(listen),
)
