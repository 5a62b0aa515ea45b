"""Listens at a meter's port: what is sound is told when it has changed enough, what isn't is explained."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from drivers.p1 import DRIVER
from drivers.p1.garbage import Heap
from drivers.p1.telegram import Line, values
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import DriverLost, Refused
from homenode.pace import Pace
from homenode.ports import Wire, wire

log = logging.getLogger("homenode.p1")

TELLS_BAD_EVERY_MS = 3_600_000
"""A bad telegram now and then is a long cable; the log says so once an hour."""


class P1Meter:
    """One port with its meter."""

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self._name, self._host = name, host
        self._port, self._baud = str(options["port"]), int(options["baud"])
        self._silent_after_s = options["silent_after"] / 1000
        self._device = devices[0] if devices else None
        self._pace = Pace(devices[0].options) if devices else None
        self._began = False
        self._bad, self._bad_from = 0, 0

    async def run(self) -> None:
        """See `Driver.run`."""
        async with wire(self._port, self._baud) as opened:
            await self._listen(opened)

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`."""
        raise Refused("is a meter and can't be switched", where=f"{device}.{kind}")

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("a meter is not paired", do="name its port under radios:")

    async def _listen(self, meter: Wire) -> None:
        line = Line()
        loop = asyncio.get_running_loop()
        due, heap = loop.time() + self._silent_after_s, Heap()
        while True:
            try:
                async with asyncio.timeout_at(due):
                    data = await meter.read()
            except TimeoutError:
                self._unknown()
                what, do = heap.explained(self._baud, self._silent_after_s, line.cut_off)
                raise DriverLost(what, where=self._port, do=do) from None
            heap.add(data)
            for telegram in line.feed(data):
                heap.telegram(telegram)
                if telegram.sound and (said := values(telegram)):
                    self._tell(said)
                    due, heap = loop.time() + self._silent_after_s, Heap()
                else:
                    self._count_bad()

    def _tell(self, said: Mapping[str, float]) -> None:
        device, pace, now = self._device, self._pace, self._host.now()
        if device is None or pace is None:
            return
        kinds = DRIVER.kinds(device.options) or ()
        if not self._began:
            self._began = True
            if absent := [kind for kind in kinds if kind not in said]:
                log.info(f"{device.name}: this meter doesn't tell {', '.join(absent)}")
        for kind in kinds:
            value = said.get(kind)
            if (value is not None or pace.told(kind)) and pace.offer(kind, value, now):
                self._host.heard(device.name, kind, value, now)

    def _unknown(self) -> None:
        """A meter that says nothing is no meter that says zero; also what was known from before a restart."""
        device, pace = self._device, self._pace
        if device is None or pace is None:
            return
        for kind in DRIVER.kinds(device.options) or ():
            last = pace.told(kind) or self._host.last_heard(device.name, kind)
            if last is not None and last[0] is not None:
                self._host.heard(device.name, kind, None)
        pace.forget()

    def _count_bad(self) -> None:
        self._bad += 1
        now = self._host.now()
        if self._bad == 1 or now - self._bad_from >= TELLS_BAD_EVERY_MS:
            log.warning(
                f"{self._bad} telegrams were not used since this was last logged: bad checksum or empty",
                extra={"driver": self._name, "port": self._port},
            )
            self._bad, self._bad_from = 1, now
