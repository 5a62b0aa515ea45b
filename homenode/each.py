"""A driver that is one function: what a device says, for each device by itself.

    async def listen(device: Device, host: Host) -> None:
        ...                                     # host.heard(device.name, KIND, VALUE), until cancelled

    DRIVER = DriverType(…, open=each_device(listen))

For sensors that only tell. One that is lost is a fault of its own and is opened again; the others go on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from homenode.config.model import Device
from homenode.driver import Driver, Host
from homenode.errors import DriverLost, Refused
from homenode.reading import Instant, Value

RETRY_FIRST_S, RETRY_MOST_S = 0.5, 5.0
"""As the supervisor's: back within 10 s."""

Listen = Callable[[Device, Host], Awaitable[None]]


def each_device(listen: Listen) -> Callable[[str, Mapping[str, Any], Sequence[Device], Host], Driver]:
    """For ``open=`` of a `DriverType`.

    Args:
        listen: Hears one device until cancelled. Raises DriverLost or SetupError, as `Driver.run`.
    """
    return lambda name, options, devices, host: _Each(listen, devices, host)


class _Each:
    def __init__(self, listen: Listen, devices: Sequence[Device], host: Host) -> None:
        self._listen, self._devices, self._host = listen, devices, host
        self._lost: set[str] = set()

    async def run(self) -> None:
        """See `Driver.run`; when all are lost, so is the driver."""
        async with asyncio.TaskGroup() as group:
            for device in self._devices:
                group.create_task(self._keep(device), name=device.name)

    async def _keep(self, device: Device) -> None:
        tries, loop, host = 0, asyncio.get_running_loop(), cast(Host, _Heard(self._host))
        while True:
            started = loop.time()
            try:
                await self._listen(device, host)
                return
            except DriverLost as error:
                self._lost.add(device.name)
                if len(self._lost) == len(self._devices):
                    raise
                self._host.lost(f"{device.name} lost", str(error), (device.name,))
            tries = 0 if loop.time() - started > 30 else tries + 1
            await asyncio.sleep(random.uniform(0.1, min(RETRY_MOST_S, RETRY_FIRST_S * 2**tries)))
            self._lost.discard(device.name)

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`."""
        raise Refused("is a sensor and can't be switched", where=f"{device}.{kind}")

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("has nothing to pair", do="write the device into home.yaml")


class _Heard:
    """The gateway, to which a device that is heard again is back."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        self._host.back(f"{device} lost")
        self._host.heard(device, kind, value, at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)
