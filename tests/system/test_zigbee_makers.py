"""What Tuya and Aqara devices say in ways of their own, through the real stack."""

from __future__ import annotations

import asyncio
from pathlib import Path

from homenode.sim.zigbee.clusters.tuya import BOOL, ENUM, VALUE, DataPoints
from tests.system.zigbee_bed import Interviewed, interviewed


def _points(home: Interviewed, name: str) -> DataPoints:
    cluster = home[name].servers[1, 0xEF00]
    assert isinstance(cluster, DataPoints)
    return cluster


def test_a_tuya_smoke_alarm_tells_data_points(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        kinds = home.host.known[home.ieee("smoke_tuya")].kinds
        assert kinds == ("smoke", "battery", "link_quality")
        points = _points(home, "smoke_tuya")
        points.say((1, ENUM, 0), (15, VALUE, 87))
        await home.host.reading("smoke_tuya", "smoke", True)
        await home.host.reading("smoke_tuya", "battery", 87)
        points.say((1, ENUM, 1))
        await home.host.reading("smoke_tuya", "smoke", False)
        points.say((1, ENUM, 3))  # "unknown": that is no all-clear
        await home.host.reading("smoke_tuya", "smoke", None)
        points.say((77, BOOL, 1), (1, ENUM, 0))  # a point that nobody knows
        await home.host.until(lambda: home.host.values("smoke_tuya", "smoke")[-1] is True)

    asyncio.run(_play(tmp_path, ["smoke_tuya"], scene))


def test_an_aqara_water_sensor_tells_a_zone_that_it_does_not_list(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = home["water_aqara"]
        device.send(0, 1, 1, 0x0500, bytes((0x09, 7, 0, 1, 0, 0, 0xFF, 0, 0)))
        await home.host.reading("water_aqara", "water", True)
        device.send(0, 1, 1, 0x0500, bytes((0x09, 8, 0, 0, 0, 0, 0xFF, 0, 0)))
        await home.host.reading("water_aqara", "water", False)
        device.battery(50)
        device._signals.check_in()
        await home.host.reading("water_aqara", "battery", 64.3)  # 3000 mV

    asyncio.run(_play(tmp_path, ["water_aqara"], scene))


async def _play(folder: Path, models: list[str], scene: object) -> None:
    assert callable(scene)
    async with asyncio.timeout(110), interviewed(folder, models) as home:
        await scene(home)
