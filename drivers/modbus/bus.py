"""One connection with all its devices: one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from drivers.modbus.frames import Question
from homenode.ports import Wire, wire

GAP_S = 0.02
"""Silence before a question: 3.5 characters, 4 ms at 9600 baud (Modbus over Serial Line, clause 2.5.1.1);
many devices need longer to let go of the line."""


LONGEST = 512
"""Bytes that are searched for an answer; a frame has 256 at most (clause 2.5.1), 260 over TCP."""


class Silent(Exception):
    """No answer in time."""


class Bus:
    """Of an open wire.

    Args:
        number_each: Modbus TCP, whose frames have numbers.
    """

    def __init__(self, opened: Wire, *, number_each: bool, answer_s: float) -> None:
        self._wire, self._answer_s = opened, answer_s
        self._number: int | None = 0 if number_each else None

    async def ask(self, question: Question) -> tuple[int, ...]:
        """Its registers. Raises Silent, Denied, DriverLost."""
        if self._number is None:
            await asyncio.sleep(GAP_S)
            frame = question.over_serial()
        else:
            self._number = self._number % 0xFFFF + 1
            frame = question.over_tcp(self._number)
        self._wire.forget()  # what came too late, or is noise
        await self._wire.send(frame)
        came = b""
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    came = (came + await self._wire.read())[-LONGEST:]
                    number = self._number
                    words = question.from_serial(came) if number is None else question.from_tcp(came, number)
                    if words is not None:
                        return words
        except TimeoutError:
            if self._number is None:  # an answer that comes too late must not be taken for the next one's
                await asyncio.sleep(self._answer_s)
            raise Silent from None


@asynccontextmanager
async def opened(options: Mapping[str, Any]) -> AsyncIterator[Bus]:
    """That of an entry under ``radios:``. Raises DriverLost, SetupError."""
    address = str(options["port"])
    async with wire(address, int(options["baud"]), str(options["form"])) as line:
        yield Bus(line, number_each=address.startswith("tcp://"), answer_s=options["answer_within"] / 1000)
