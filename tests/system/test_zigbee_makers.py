"""What Tuya and Aqara devices say in ways of their own, through the real stack."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from homenode.sim.zigbee.clusters.cluster import Cluster
from homenode.sim.zigbee.clusters.tuya import BOOL, ENUM, VALUE, DataPoints
from homenode.sim.zigbee.device_catalogue import model, read_model
from homenode.sim.zigbee.device_spec import AttributeSpec, ClusterSpec, DeviceSpec, Press
from tests.system.zigbee_bed import Interviewed, interviewed, stick_at


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

    asyncio.run(_play(tmp_path, ["smoke_tuya"], scene, insisted=["smoke_tuya"]))


def test_a_tuya_smoke_alarm_on_which_nobody_insists_tells_smoke_and_never_that_there_is_none(
    tmp_path: Path,
) -> None:
    async def scene(home: Interviewed) -> None:
        assert "refused for smoke" in home.host.faults["smoke_tuya supervision"]
        points = _points(home, "smoke_tuya")
        points.say((1, ENUM, 0))
        await home.host.reading("smoke_tuya", "smoke", True)
        points.say((1, ENUM, 1))
        await home.host.until(lambda: home.host.values("smoke_tuya", "smoke")[-1] is None)
        assert False not in home.host.values("smoke_tuya", "smoke")

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


def test_a_tuya_siren_is_switched_by_a_data_point_and_says_how_it_is(tmp_path: Path) -> None:
    async def scene() -> None:
        async with asyncio.timeout(60), stick_at(tmp_path) as stick:
            home = Interviewed(tmp_path, stick)
            home.add_spec(_renamed(replace(model("smoke_tuya"), manufacturer="_TZE204_t1blo2bj")), "siren")
            await home.start(channel=15)
            await home.radio.pair(200)
            assert home["siren"].join()
            await home.interviews_done()
            assert home.host.known[home.ieee("siren")].kinds[0] == "siren"
            for on in (True, False):
                await home.radio.switch("siren", "siren", on)
                await home.host.reading("siren", "siren", on)
                assert _points(home, "siren").points[13] == (BOOL, int(on))
            await home.stop()

    asyncio.run(scene())


def test_an_aqara_door_says_in_its_heartbeat_how_it_stands(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        door = home["contact_aqara"]
        door.trip(True)
        await home.host.reading("contact_aqara", "contact", True)
        home.host.readings.clear()
        door._signals.check_in()
        await home.host.reading("contact_aqara", "contact", True)
        assert ("contact_aqara", "battery", 100.0) in home.host.readings

    asyncio.run(_play(tmp_path, ["contact_aqara"], scene))


MODE, AQARA = 0x0009, 0x115F
OPPLE = """
is: button
manufacturer: LUMI
model: lumi.remote.b686opcn01
code: 0x115F
power: battery
reports_unbound: true
endpoints: {1: {type: 0x0105, in: [0, 3, 1], out: [3, 6, 8]}, 3: {type: 0x0103, in: [0x12, 3], out: [6]}}
values: {3/0x0012/0x0055: 0}
source: zigpy/zha tests/data/devices/lumi-lumi-remote-b686opcn01.json, original_signature
"""


def test_an_opple_remote_is_told_to_say_its_keys_and_not_what_lamps_should_do(tmp_path: Path) -> None:
    async def scene() -> None:
        (tmp_path / "opple.yaml").write_text(OPPLE)
        async with asyncio.timeout(60), stick_at(tmp_path) as stick:
            home = Interviewed(tmp_path, stick)
            opple = home.add_spec(read_model(tmp_path / "opple.yaml"), "remote")
            mode = AttributeSpec(MODE, 0x20, 0, writable=True, manufacturer=AQARA)
            # the real one has this cluster, too, and doesn't list it
            own = Cluster(opple, 1, ClusterSpec(0xFCC0, (mode,)), client=False)
            opple.servers[1, 0xFCC0] = own
            await home.start(channel=15)
            await home.radio.pair(200)
            assert opple.join()
            await home.interviews_done()
            assert own.attributes[MODE].value == 1
            key = Press(3, 0x0012, attribute=0x0055, value=1)
            opple._signals._send_press(key)
            await home.host.reading("remote", "button_3", True)
            await home.stop()

    asyncio.run(scene())


def _renamed(spec: DeviceSpec) -> DeviceSpec:
    """The same in its Basic cluster."""
    (endpoint,) = spec.endpoints
    servers = tuple(
        replace(
            cluster,
            attributes=tuple(
                replace(one, value=spec.manufacturer) if (cluster.id, one.id) == (0, 4) else one
                for one in cluster.attributes
            ),
        )
        for cluster in endpoint.servers
    )
    return replace(spec, endpoints=(replace(endpoint, servers=servers),))


async def _play(folder: Path, models: list[str], scene: object, *, insisted: Sequence[str] = ()) -> None:
    assert callable(scene)
    async with asyncio.timeout(110), interviewed(folder, models, insisted=insisted) as home:
        await scene(home)
