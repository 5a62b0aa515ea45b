"""The driver of the rig's homes: tells what the world is like when it starts, and every change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.errors import DriverLost
from homenode.kinds import KINDS


class World:
    """Lines from a socket: ``[DEVICE, KIND, VALUE]``, or a storm: ``[DEVICE, KIND, PER_SECOND, SECONDS]``."""

    def __init__(self, options: Mapping[str, Any], host: Host) -> None:
        self._socket, self._host = str(options["socket"]), host

    async def run(self) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        except OSError as error:
            raise DriverLost(f"the world is gone: {error}") from error
        async with asyncio.TaskGroup() as storms:
            while line := await reader.readline():
                device, kind, value, *seconds = json.loads(line)
                if seconds:
                    storms.create_task(self._storm(device, kind, value, seconds[0]))
                else:
                    self._host.heard(device, kind, value)
                    writer.write(line)  # said, so it counts
        raise DriverLost("the world hung up")

    async def _storm(self, device: str, kind: str, per_s: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        began, told = loop.time(), 0
        while told < per_s * seconds:
            due = min(int((loop.time() - began) * per_s), int(per_s * seconds))
            while told < due:
                told += 1
                self._host.heard(device, kind, float(told % 3000))
            await asyncio.sleep(0.005)

    async def switch(self, device: str, kind: str, to: bool) -> None: ...

    async def pair(self, seconds: float) -> None: ...


def _open(_name: str, options: Mapping[str, Any], _devices: Sequence[Device], host: Host) -> Driver:
    return World(options, host)


DRIVER = DriverType(
    name="chaos",
    blind_to="Everything that the rig doesn't say.",
    radio_fields=(Field("socket", "text", "Where the world is", required=True),),
    device_fields=(Field("kind", "word", "What it measures", required=True, choices=tuple(KINDS)),),
    kinds=lambda options: (str(options["kind"]),),
    open=_open,
    wired=True,
)
