"""For drivers of one's own of a part on a pin: its levels, on whatever library moves the pins here.

async with levels(pin, pull="up") as changes:
    async for high in changes:
        ...
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from drivers.gpio.pins import drop, open_factory
from homenode.errors import DriverLost, HomenodeError, SetupError

CHECK_S = 0.5
"""How often the level is read beside the edges: finds a library that is gone, and an edge that got lost."""
PULLS = {"up": True, "down": False, "none": None}
MOST = 1_000


class Levels:
    """The level at first, then each change; True is high. `queue`: None wakes it to look at `gone`."""

    def __init__(self, pin: int) -> None:
        self.pin, self.gone = pin, ""
        self.told: bool | None = None
        self._doubted = False
        self.queue: asyncio.Queue[bool | None] = asyncio.Queue(MOST)

    def __aiter__(self) -> Levels:
        return self

    async def __anext__(self) -> bool:
        """The next. Raises DriverLost when the pins don't answer."""
        while True:
            high = await self.queue.get()
            if high is not None:
                return high
            raise DriverLost(f"the pins don't answer ({self.gone})", where=f"pin {self.pin}")

    def check(self, high: bool) -> None:
        """A level that contradicts what was told at two checks in a row is an edge that got lost."""
        if high == self.told:
            self._doubted = False
        elif self._doubted:
            self.put(high)
        else:
            self._doubted = True

    def put(self, high: bool | None) -> None:
        """Of a flood the oldest is lost."""
        if high is not None:
            self.told, self._doubted = high, False
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(high)


@asynccontextmanager
async def levels(pin: int, pull: str = "up", steady_s: float = 0.0) -> AsyncIterator[Levels]:
    """The levels of an input.

    Args:
        pin: BCM number.
        pull: up, down or none.
        steady_s: A level counts that lasts so long.

    Raises:
        DriverLost: The pins don't answer, or no more.
        SetupError: There is no such pin, or another driver has it.
    """
    loop, found = asyncio.get_running_loop(), Levels(pin)

    def changed(high: bool) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(found.put, high)

    async def look() -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                if line is not None:
                    found.check(await asyncio.to_thread(lambda: bool(line.value) != (pull == "up")))
            except Exception as error:  # noqa: BLE001 - each pin library raises its own
                # pigpio unpacks what it read of a connection that was closed
                said = "the daemon hung up" if isinstance(error, struct.error) else str(error)
                found.gone = said or type(error).__name__
                found.put(None)
                return

    factory = await asyncio.to_thread(open_factory, {pin: "floating" if pull == "none" else pull})
    line: Any = None
    looking = asyncio.ensure_future(look())
    try:
        line = await asyncio.to_thread(_open, factory, pin, pull, steady_s, changed)
        yield found
    finally:
        looking.cancel()
        await asyncio.to_thread(_close, factory, line, lost=bool(found.gone))


def _open(factory: Any, pin: int, pull: str, steady_s: float, changed: Any) -> Any:
    from gpiozero import DigitalInputDevice
    from gpiozero.exc import PinError

    up = PULLS[pull]
    inverted = up is True  # to gpiozero a pulled-up input is active when it is low, as in `levels`
    try:
        line = DigitalInputDevice(
            pin,
            pull_up=up,
            active_state=True if up is None else None,
            bounce_time=steady_s or None,
            pin_factory=factory,
        )
        line.when_activated = lambda: changed(not inverted)
        line.when_deactivated = lambda: changed(inverted)
        changed(bool(line.value) != inverted)
    except PinError as error:
        raise SetupError(f"can't be used ({error})", where=f"pin {pin}", do="name another pin") from error
    except HomenodeError:
        raise
    except Exception as error:  # each pin library raises its own
        drop(factory)
        raise DriverLost(f"the pins don't answer ({error})", where=f"pin {pin}") from error
    return line


def _close(factory: Any, line: Any, *, lost: bool) -> None:
    """Let go; of a library that doesn't answer without a word to it."""
    if lost:
        drop(factory)
    with suppress(Exception):
        if line is not None:
            line.close()
    with suppress(Exception):
        factory.close()
    drop(factory)
