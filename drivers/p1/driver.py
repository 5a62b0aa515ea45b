"""Listens at a meter's port: what is sound is told when it has changed enough, what isn't is explained."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from drivers.p1 import DRIVER
from drivers.p1.garbage import Heap
from drivers.p1.telegram import Line, values
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import DriverLost, HomenodeError, Refused, SetupError
from homenode.reading import Instant

log = logging.getLogger("homenode.p1")

OPENS_WITHIN_S, CLOSES_WITHIN_S = 10.0, 1.0
TELLS_BAD_EVERY_MS = 3_600_000
"""A bad telegram now and then is a long cable; the log says so once an hour."""

CHANGES = {"voltage": 2.0, "energy": 0.01}
"""V and kWh that are worth a reading; those of power and current are fields."""


class P1Meter:
    """One port with its meter."""

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self._name, self._host = name, host
        self._port, self._baud = str(options["port"]), int(options.get("baud") or 115200)
        self._silent_after_s = (options.get("silent_after") or 60_000) / 1000
        self._device = devices[0] if devices else None
        self._told: dict[str, tuple[float, Instant]] = {}
        self._began = False
        self._bad, self._bad_from = 0, 0

    async def run(self) -> None:
        """See `Driver.run`."""
        reader, writer = await self._opened()
        try:
            await self._listen(reader)
        except OSError as error:
            raise _gone(self._port) from error
        finally:
            writer.close()
            with suppress(OSError):
                async with asyncio.timeout(CLOSES_WITHIN_S):  # the library closes it in a thread
                    await writer.wait_closed()

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`."""
        raise Refused("is a meter and can't be switched", where=f"{device}.{kind}")

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("a meter is not paired", do="name its port under radios:")

    async def _opened(self) -> tuple[asyncio.StreamReader, Any]:
        try:
            import serialx
        except ImportError as error:
            raise SetupError(
                "serialx is not installed", where=f"radios.{self._name}", do="pip install 'homenode[p1]'"
            ) from error
        try:
            async with asyncio.timeout(OPENS_WITHIN_S):
                opened: tuple[asyncio.StreamReader, Any] = await serialx.open_serial_connection(
                    url=self._port, baudrate=self._baud
                )
                return opened
        except (OSError, ValueError) as error:
            raise _not_opened(error, self._port) from error

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        line = Line()
        loop = asyncio.get_running_loop()
        due, heap = loop.time() + self._silent_after_s, Heap()
        while True:
            try:
                async with asyncio.timeout_at(due):
                    data = await reader.read(4096)
            except TimeoutError:
                self._unknown()
                what, do = heap.explained(self._baud, self._silent_after_s, line.cut_off)
                raise DriverLost(what, where=self._port, do=do) from None
            if not data:
                raise _gone(self._port)
            heap.add(data)
            for telegram in line.feed(data):
                heap.telegram(telegram)
                if telegram.sound and (said := values(telegram)):
                    self._tell(said)
                    due, heap = loop.time() + self._silent_after_s, Heap()
                else:
                    self._count_bad()

    def _tell(self, said: Mapping[str, float]) -> None:
        device, now = self._device, self._host.now()
        if device is None:
            return
        kinds = DRIVER.kinds(device.options) or ()
        if not self._began:
            self._began = True
            if absent := [kind for kind in kinds if kind not in said]:
                log.info(f"{device.name}: this meter doesn't tell {', '.join(absent)}")
        for kind in kinds:
            value, last = said.get(kind), self._told.get(kind)
            if value is None:
                if self._told.pop(kind, None) is not None:
                    self._host.heard(device.name, kind, None, now)
            elif last is None or self._worth_it(device.options, kind, value, last, now):
                self._told[kind] = value, now
                self._host.heard(device.name, kind, value, now)

    @staticmethod
    def _worth_it(
        options: Mapping[str, Any], kind: str, value: float, last: tuple[float, Instant], now: Instant
    ) -> bool:
        family = kind.partition("_")[0]
        change = CHANGES[family] if family in CHANGES else options.get(f"{family}_change") or 0
        since_ms = now - last[1]
        if since_ms >= (options.get("at_least_every") or 300_000):
            return True
        moved = abs(value - last[0])
        return since_ms >= (options.get("at_most_every") or 0) and moved > 0 and moved >= change - 1e-9

    def _unknown(self) -> None:
        """A meter that says nothing is no meter that says zero; also what was known from before a restart."""
        device = self._device
        for kind in (DRIVER.kinds(device.options) or ()) if device else ():
            assert device is not None
            last = self._host.last_heard(device.name, kind)
            if kind in self._told or (last is not None and last[0] is not None):
                self._host.heard(device.name, kind, None)
        self._told.clear()

    def _count_bad(self) -> None:
        self._bad += 1
        now = self._host.now()
        if self._bad == 1 or now - self._bad_from >= TELLS_BAD_EVERY_MS:
            log.warning(
                f"{self._bad} telegrams were not used since this was last logged: bad checksum or empty",
                extra={"driver": self._name, "port": self._port},
            )
            self._bad, self._bad_from = 1, now


def _gone(port: str) -> DriverLost:
    return DriverLost("the port is gone", where=port, do="plug the P1 cable's USB end in again")


def _not_opened(error: Exception, port: str) -> HomenodeError:
    if isinstance(error, FileNotFoundError):
        return DriverLost(
            "there is no such port", where=port, do="plug the P1 cable in; see /dev/serial/by-id"
        )
    if isinstance(error, PermissionError):
        return SetupError(
            "may not be opened by this user", where=port, do="add the user to the group dialout"
        )
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EBUSY, errno.EAGAIN):
        return SetupError("another program uses it", where=port, do="stop the other node, Home Assistant, …")
    if number == errno.ENOTTY or isinstance(error, ValueError):
        return SetupError("is not a serial port", where=port, do="name the cable's /dev/serial/by-id/ path")
    if isinstance(error, TimeoutError):
        return DriverLost("can't be opened within 10 s", where=port, do="check host and port number")
    return DriverLost(f"can't be opened: {error}", where=port, do="check the cable, or host and port number")
