"""Our drivers keep what a technician's must, on their own simulated devices: `homenode driver test NAME`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from homenode.config.registry import driver_types
from homenode.kit.contract import PROMISES, Promise, kept
from homenode.kit.found import find

OURS = [name for name, driver in driver_types().items() if driver.kinds.__module__.startswith("drivers.")]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
@pytest.mark.parametrize("name", OURS)
def test_it_keeps_its_promise(name: str, promise: Promise, tmp_path: Path) -> None:
    (found,) = find(name)
    assert found.bench is not None, "it has no simulated device"
    bench = found.bench()
    bench.driver = found.driver
    if promise.name in bench.spared:
        pytest.skip(bench.spared[promise.name])
    asyncio.run(kept(promise, bench, tmp_path))
