"""The board and its pigpio daemon in a process of their own, played by lines on its standard input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


class Lines:
    """What the process says, and how it is told something."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port
        self.levels: dict[int, bool] = {}
        self.pulsed = 0
        self._news = asyncio.Event()
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            what, *rest = line.decode().split()
            if what == "level":
                self.levels[int(rest[0])] = rest[1] == "1"
            elif what == "pulsed":
                self.pulsed += 1
            self._news.set()

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())

    async def level(self, pin: int, level: bool) -> None:
        async with asyncio.timeout(10):
            while self.levels.get(pin) is not level:
                self._news.clear()
                await self._news.wait()

    async def pulses(self, pin: int, count: int, ms: int) -> None:
        """So many pulses, and pauses of the same length; returns after the last."""
        before = self.pulsed
        self.say(f"pulse {pin} {count} {ms}")
        async with asyncio.timeout(10 + count * ms / 250):
            while self.pulsed == before:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def lines() -> AsyncIterator[Lines]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.system.gpio_lines", stdin=-1, stdout=-1, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        port = int((await process.stdout.readline()).split()[1])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GPIOZERO_PIN_FACTORY", "pigpio")
            patch.setenv("PIGPIO_ADDR", "127.0.0.1")
            patch.setenv("PIGPIO_PORT", str(port))
            played = Lines(process, port)
            yield played
    finally:
        process.kill()
        await process.wait()
