"""Asks the meters of a bus, one after the other, and tells what has changed enough."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from drivers.modbus import DRIVER
from drivers.modbus.bus import Bus, Silent, opened
from drivers.modbus.frames import Denied, Question
from drivers.modbus.rows import Implausible, questions
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import Refused
from homenode.pace import Pace
from homenode.reading import Instant

log = logging.getLogger("homenode.modbus")

RARELY_MS = 60_000
"""One that is silent or wrong is asked this seldom at last, as each question to it costs the others time."""


class _Meter:
    """A device at work.

    Attributes:
        due: When it is asked again.
        heard: When it answered last, or the driver began.
        lost: Rounds in a row since it is called lost.
    """

    def __init__(self, device: Device, now: Instant) -> None:
        self.name, self.kinds = device.name, tuple(DRIVER.kinds(device.options) or ())
        self.questions = questions(device.options, self.kinds)
        self.unit = device.options["unit"]
        self.pace = Pace(device.options)
        self.due = self.heard = now
        self.lost = 0


class ModbusMeters:
    """The meters of one bus."""

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self._options, self._host = options, host
        self._meters = [_Meter(device, host.now()) for device in devices]

    async def run(self) -> None:
        """See `Driver.run`."""
        async with opened(self._options) as bus:
            while True:
                for meter in self._meters:
                    if meter.due <= self._host.now():
                        await self._round(bus, meter)
                next_ms = min((meter.due for meter in self._meters), default=self._host.now() + RARELY_MS)
                await asyncio.sleep(max(0.0, (next_ms - self._host.now()) / 1000))

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`."""
        raise Refused("is a meter and can't be switched", where=f"{device}.{kind}")

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("meters are not paired", do="name their bus under radios:")

    async def _round(self, bus: Bus, meter: _Meter) -> None:
        """All of its points, or none: one that contradicts its type is right in none of them."""
        began = self._host.now()
        said: dict[str, float | None] = {}
        why, wrong = "", False
        for question, registers in meter.questions:
            try:
                words = await bus.ask(question)
                for one in registers:
                    at = one.address - question.address
                    said[one.kind] = one.value(words[at : at + one.size])
            except Silent:
                why = "no answer: see its unit number, A and B, the terminators, baud and parity"
            except Denied as denied:
                why, wrong = f"it {denied} for {_named(question)}: is it of this type?", True
            except Implausible as error:
                why, wrong = f"{error}: is it of this type, with its words in this order?", True
            if why:
                break
        every_ms = self._options["every"]
        silent = self._host.now() - meter.heard >= self._options["silent_after"]
        meter.lost = min(meter.lost + 1, 10) if why and (wrong or silent) else 0
        meter.due = began + min(every_ms * 2**meter.lost, max(RARELY_MS, every_ms))
        if not why:
            self._tell(meter, said)
        elif meter.lost:
            self._lost(meter, f"unit {meter.unit}: {why}")
        else:
            log.debug(why, extra={"device": meter.name})

    def _tell(self, meter: _Meter, said: Mapping[str, float | None]) -> None:
        now = meter.heard = self._host.now()
        self._host.back(f"{meter.name} answers")
        for kind in meter.kinds:
            if meter.pace.offer(kind, said[kind], now):
                self._host.heard(meter.name, kind, said[kind], now)

    def _lost(self, meter: _Meter, why: str) -> None:
        """What doesn't answer is no meter that says zero; also what was known from before a restart."""
        self._host.lost(f"{meter.name} answers", f"{meter.name}: {why}", (meter.name,))
        for kind in meter.kinds:
            last = meter.pace.told(kind) or self._host.last_heard(meter.name, kind)
            if last is not None and last[0] is not None:
                self._host.heard(meter.name, kind, None)
        meter.pace.forget()


def _named(question: Question) -> str:
    table = {3: "holding", 4: "input"}[question.function]
    return f"{table} registers {question.address:#06x} to {question.address + question.size - 1:#06x}"
