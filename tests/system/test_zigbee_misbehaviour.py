"""Devices that misbehave stop nothing, and say nothing that isn't so."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from drivers.zigbee.ear import FLOOD_MS
from tests.system.zigbee_bed import Interviewed, interviewed

KINDS = ["truncated", "garbage", "duplicates", "wrong_types", "out_of_range", "flood", "unknown_cluster"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_device_sends_harms_no_other(tmp_path: Path, kind: str) -> None:
    async def scene(home: Interviewed) -> None:
        home.host.readings.clear()
        home["thermometer"].misbehave(kind)
        home["thermometer"].measure("temperature", 31.0, at_once=True)
        home["plug"].measure("power", 1200.0, at_once=True)
        await home.host.reading("plug", "power", 1200.0)
        home["thermometer"].misbehave("")
        home["thermometer"].measure("temperature", 18.0, at_once=True)
        await home.host.reading("thermometer", "temperature", 18.0)
        told = set(home.host.values("thermometer", "temperature"))
        assert told <= {31.0, 18.0, None}
        if kind == "duplicates":
            assert home.host.values("thermometer", "temperature") == [31.0, 18.0]

    asyncio.run(_play(tmp_path, ["thermometer", "plug"], scene))


def test_a_device_that_answers_nothing_is_noted_and_paired_again_when_it_does(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = home.add("plug_innr")
        device.misbehave("half_interview")
        await home.radio.pair(100)
        assert device.join()
        home["plug"].measure("power", 1100.0, at_once=True)
        await home.host.reading("plug", "power", 1100.0)
        device.misbehave("")
        await home.interviews_done()
        assert "power" in home.host.known[home.ieee("plug_innr")].kinds

    asyncio.run(_play(tmp_path, ["plug"], scene))


def test_what_has_power_is_asked_again_though_it_says_nothing_of_its_own_accord(tmp_path: Path) -> None:
    """Where forty join at once, answers get lost; a plug with nothing in it has nothing to report."""

    async def scene(home: Interviewed) -> None:
        device, devices = home.add("plug_innr"), home.radio._devices
        assert devices is not None
        ieee = str(home.ieee("plug_innr"))
        await home.radio.pair(100)
        assert device.join()
        await home.host.until(lambda: ieee in devices._by_ieee and devices._by_ieee[ieee].facts.values)
        device.misbehave("no_answers")
        await home.host.until(lambda: ieee not in devices._learning, 60)
        assert not devices.is_complete(ieee)
        device.misbehave("")
        await home.interviews_done()
        assert "power" in home.host.known[ieee].kinds

    asyncio.run(_play(tmp_path, ["plug"], scene))


def test_a_device_that_speaks_without_end_is_a_fault_that_says_which_until_it_is_calm(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = home["thermometer"]
        device.misbehave("flood")
        device.measure("temperature", 25.0, at_once=True)
        await home.host.until(lambda: "thermometer flood" in home.host.faults, 30)
        assert "take its power away" in home.host.faults["thermometer flood"]
        assert list(home.host.faults) == ["thermometer flood"]
        device.misbehave("")
        await home.host.until(lambda: not home.host.faults, 3 * FLOOD_MS / 1000)

    asyncio.run(_play(tmp_path, ["thermometer", "plug"], scene))


async def _play(folder: Path, models: list[str], scene: object) -> None:
    assert callable(scene)
    async with asyncio.timeout(110), interviewed(folder, models) as home:
        await scene(home)


def test_a_radio_that_stops_while_it_begins_an_interview_leaves_no_work_undone(tmp_path: Path) -> None:
    async def scene() -> None:
        async with asyncio.timeout(60), interviewed(tmp_path, ["plug"]) as home:
            devices = home.radio._devices
            assert devices is not None
            plug = devices.named("plug")
            assert plug is not None
            plug.facts.complete = False
            assert home._running is not None
            home._running.cancel()
            devices._heard(plug)  # its interview would begin after the end
            await home.stop()
            assert not plug.facts.complete

    asyncio.run(scene())
    gc.collect()  # work that was thrown away is told now, and fails the test (pyproject.toml)
