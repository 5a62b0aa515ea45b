"""Virtual devices behind the simulated stick, with unmodified zigpy and bellows on the other side."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path
from typing import Any

import bellows.zigbee.application
import pytest
import zigpy.types as t
from zigpy.zcl import AttributeReportedEvent
from zigpy.zcl.clusters.general import Basic, OnOff
from zigpy.zcl.clusters.homeautomation import ElectricalMeasurement
from zigpy.zcl.clusters.security import IasZone

from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model, models
from homenode.sim.zigbee.device_dump import device_from_dump

DUMPS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "zigbee-devices" / "json"
FIRST_IEEE = 0x00158D0002BB0000
PATIENCE_S = 60


class Host:
    """A zigpy application on the simulated stick, and what it hears."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.heard: list[tuple[str, Any]] = []
        self._interviewed: set[int] = set()
        self._news = asyncio.Event()
        app.add_listener(self)

    def device_initialized(self, device: Any) -> None:
        self._interviewed.add(int.from_bytes(device.ieee.serialize(), "little"))
        self._news.set()

    def reported(self, event: AttributeReportedEvent) -> None:
        self._tell("attribute", (int(event.attribute_id), event.value))

    def cluster_command(self, sequence: int, command: int, arguments: Any) -> None:
        self._tell("command", (command, arguments))

    def device_left(self, device: Any) -> None:
        self._tell("left", int.from_bytes(device.ieee.serialize(), "little"))

    def _tell(self, what: str, said: Any) -> None:
        self.heard.append((what, said))
        self._news.set()

    def seen(self, device: VirtualDevice) -> Any:
        """The host's own idea of a device; None before it has joined."""
        return self.app.devices.get(t.EUI64(device.ieee.to_bytes(8, "little")))

    async def until(self, is_so: Any) -> None:
        """Wait until it is so: asked at each news, and now and then, as a device's own state is none."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.2)

    async def interviewed(self, devices: Iterable[VirtualDevice]) -> None:
        """Let them join and wait for their interviews."""
        await self.app.permit(254)
        waiting = set()
        for device in devices:
            assert device.join(), device.spec.name
            waiting.add(device.ieee)
        await self.until(lambda: waiting <= self._interviewed)


@contextlib.asynccontextmanager
async def network(folder: Path, version: int = 13) -> AsyncIterator[tuple[Coordinator, Host]]:
    """A stick and a host that has formed a network on it."""
    async with Coordinator(folder / "stick.json", version=version, pty=folder / "port") as stick:
        app = bellows.zigbee.application.ControllerApplication(
            {
                "device": {"path": str(folder / "port"), "baudrate": 115200, "flow_control": None},
                "ota": {"enabled": False},
                "topology_scan_enabled": False,
                "watchdog_enabled": False,
                "startup_energy_scan": False,
                "backup_enabled": False,
            }
        )
        await app.startup(auto_form=True)
        try:
            yield stick, Host(app)
        finally:
            await app.shutdown()


def play(what: Coroutine[Any, Any, None]) -> None:
    """Run a test's story to its end."""
    asyncio.run(what)


def test_every_model_of_the_catalogue_is_interviewed(tmp_path: Path) -> None:
    async def story() -> None:
        async with network(tmp_path) as (stick, host):
            devices = [VirtualDevice(spec, FIRST_IEEE + n, stick) for n, spec in enumerate(models().values())]
            await host.interviewed(devices)
            for device in devices:
                seen = host.seen(device)
                assert (seen.manufacturer, seen.model) == (device.spec.manufacturer, device.spec.model)
                assert seen.node_desc.is_mains_powered is not device.spec.battery_powered
                for endpoint in device.spec.endpoints:
                    found = seen.endpoints[endpoint.number]
                    assert set(found.in_clusters) == {one.id for one in endpoint.servers}
                    assert set(found.out_clusters) == {one.id for one in endpoint.clients}

    play(story())


def test_every_dumped_device_is_interviewed(tmp_path: Path) -> None:
    files = sorted(DUMPS.glob("*.json"))
    if not files:
        pytest.skip(f"no dumps of real devices in {DUMPS}")

    async def story() -> None:
        async with network(tmp_path) as (stick, host):
            for start in range(0, len(files), 36):
                devices = [
                    device_from_dump(json.loads(file.read_text()), stick, FIRST_IEEE + start + n)
                    for n, file in enumerate(files[start : start + 36])
                ]
                await host.interviewed(devices)
                for device in devices:
                    assert set(host.seen(device).endpoints) - {0} == {e.number for e in device.spec.endpoints}

    play(story())


@pytest.mark.parametrize("version", [13, 14, 18])
def test_a_water_sensor_enrols_and_tells(tmp_path: Path, version: int) -> None:
    async def story() -> None:
        async with network(tmp_path, version) as (stick, host):
            sensor = VirtualDevice(model("water"), FIRST_IEEE, stick)
            await host.interviewed([sensor])
            zone = host.seen(sensor).endpoints[1].in_clusters[IasZone.cluster_id]
            zone.add_listener(host)
            coordinator = host.app.state.node_info.ieee
            await zone.write_attributes({"cie_addr": coordinator})
            await host.until(lambda: ("command", 0x01) in [(w, said[0]) for w, said in host.heard])
            await zone.enroll_response(enroll_response_code=0, zone_id=3)
            read, _ = await zone.read_attributes(["zone_state", "zone_id", "zone_type"])
            assert (read["zone_state"], read["zone_id"], read["zone_type"]) == (1, 3, 0x002A)
            host.heard.clear()
            sensor.trip()
            sensor.trip(False)
            await host.until(lambda: len(host.heard) >= 2)
            status = [said[1].zone_status for what, said in host.heard if what == "command"]
            assert [int(one) for one in status[:2]] == [1, 0]

    play(story())


def test_a_plug_is_bound_configured_and_switched(tmp_path: Path) -> None:
    async def story() -> None:
        async with network(tmp_path) as (stick, host):
            plug = VirtualDevice(model("plug"), FIRST_IEEE, stick)
            await host.interviewed([plug])
            clusters = host.seen(plug).endpoints[1].in_clusters
            meter = clusters[ElectricalMeasurement.cluster_id]
            relay = clusters[OnOff.cluster_id]
            for cluster, name, change in ((meter, "active_power", 10), (relay, "on_off", 1)):
                cluster.on_event(AttributeReportedEvent.event_type, host.reported)
                await cluster.bind()
                await cluster.configure_reporting(name, 0, 600, change)
            plug.measure("power", 1234)
            await host.until(lambda: ("attribute", (0x050B, 12340)) in host.heard)
            await relay.on()
            assert plug.on is True
            await host.until(lambda: ("attribute", (0x0000, 1)) in host.heard)

    play(story())


def test_a_device_that_leaves_or_is_told_to_is_gone_for_both(tmp_path: Path) -> None:
    async def story() -> None:
        async with network(tmp_path) as (stick, host):
            told = VirtualDevice(model("water"), FIRST_IEEE, stick)
            gone = VirtualDevice(model("plug"), FIRST_IEEE + 1, stick)
            await host.interviewed([told, gone])
            gone.leave()
            await host.app.remove(host.seen(told).ieee)
            await host.until(lambda: {said for what, said in host.heard if what == "left"} >= {gone.ieee})
            await host.until(lambda: not told.on_network)

    play(story())


@pytest.mark.parametrize(
    "fault", ["half_interview", "no_answers", "garbage", "truncated", "flood", "joins_twice"]
)
def test_one_device_that_does_wrong_keeps_nobody_from_joining(tmp_path: Path, fault: str) -> None:
    async def story() -> None:
        async with network(tmp_path) as (stick, host):
            bad = VirtualDevice(model("gas"), FIRST_IEEE, stick)
            bad.misbehave(fault)
            await host.app.permit(254)
            assert bad.join()
            good = VirtualDevice(model("plug"), FIRST_IEEE + 1, stick)
            await host.interviewed([good])
            read, _ = (
                await host.seen(good).endpoints[1].in_clusters[Basic.cluster_id].read_attributes(["model"])
            )
            assert read["model"] == "INSPELNING Smart plug"

    play(story())
