"""The Zigbee driver keeps what every driver must, with the simulated device that it is tried with by name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.zigbee import DRIVER
from drivers.zigbee_simulated import Door
from homenode.kit.contract import PROMISES, Promise, kept


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_it_keeps_its_promise(promise: Promise, tmp_path: Path) -> None:
    door = Door()
    door.driver = DRIVER
    asyncio.run(kept(promise, door, tmp_path))
