"""What every driver must do (`homenode.kit.contract`), as tests: a driver's test inherits `DriverContract`.

    class TestGpio(DriverContract):
        driver = DRIVER
        devices = (Device("front_door", "gpio", "hall", options={"pin": 17, …}, kinds=("contact",)),)

        @asynccontextmanager
        async def hardware(self): ...   # yields a Hardware

The hardware is real or simulated, never a stand-in for our own code.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from homenode.kit.bench import Bench, Hardware
from homenode.kit.contract import PROMISES, Promise, kept
from homenode.kit.listener import Listener, running

__all__ = ["DriverContract", "Hardware", "Listener", "running"]


class DriverContract(Bench):
    """Tests that each driver inherits."""

    @pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
    def test_it_keeps_its_promise(self, promise: Promise, tmp_path: Path) -> None:
        if promise.name in self.spared:
            pytest.skip(self.spared[promise.name])
        asyncio.run(kept(promise, self, tmp_path))
