"""1-Wire thermometers on files as the kernel's w1_therm shows them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.gpio import DRIVER
from homenode.config.model import Device
from homenode.kit.listener import Listener, running
from homenode.sim.gpio.one_wire import OneWireBus

SENSOR = "28-0316a2f1c4ff"
WARM = Device(
    "warm", "gpio", "bedroom", options={"kind": "temperature", "sensor": SENSOR}, kinds=("temperature",)
)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneWireBus:
    monkeypatch.setenv("HOMENODE_W1", str(tmp_path / "w1"))
    monkeypatch.setattr("drivers.gpio.one_wire.EVERY_S", 0.02)
    return OneWireBus(tmp_path / "w1")


def _values(host: Listener) -> list[object]:
    return [said.value for said in host.said]


def test_it_tells_degrees_when_they_change(tmp_path: Path, bus: OneWireBus) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        bus.show(SENSOR, 21.5)
        async with running(DRIVER.open("gpio", {}, (WARM,), host)):
            await host.until(lambda host: _values(host) == [21.5], "21.5")
            bus.show(SENSOR, 21.5625)  # less than a tenth
            await asyncio.sleep(0.1)
            bus.show(SENSOR, -4.25)
            await host.until(lambda host: _values(host) == [21.5, -4.25], "-4.25")

    asyncio.run(play())


@pytest.mark.parametrize(
    ("fault", "why"),
    [("gone", "no thermometer 28-"), ("noisy", "checksum"), ("unpowered", "85 °C"), ("shorted", "0 V")],
)
def test_what_is_no_temperature_is_a_fault_and_ends_when_it_is_well(
    tmp_path: Path, bus: OneWireBus, fault: str, why: str
) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        bus.show(SENSOR, 19.0)
        async with running(DRIVER.open("gpio", {}, (WARM,), host)):
            await host.until(lambda host: _values(host) == [19.0], "19")
            bus.show(SENSOR, 19.0, fault)
            await host.until(lambda host: _values(host) == [19.0, None], "unknown")
            assert why in host.troubles["warm cable"]
            bus.show(SENSOR, 20.0)
            await host.until(lambda host: _values(host) == [19.0, None, 20.0], "20")
            assert not host.troubles

    asyncio.run(play())


def test_a_bus_that_is_not_there_says_how_to_have_it(tmp_path: Path, bus: OneWireBus) -> None:
    bus.close()

    async def play() -> None:
        host = Listener(tmp_path)
        async with running(DRIVER.open("gpio", {}, (WARM,), host)):
            await host.until(lambda host: _values(host) == [None], "unknown")
            assert "dtoverlay=w1-gpio" in host.troubles["warm cable"]

    asyncio.run(play())
