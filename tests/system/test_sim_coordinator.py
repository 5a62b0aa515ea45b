"""The simulated stick under unmodified bellows and zigpy: networks, restarts, joins, what waits for whom."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import zigpy.exceptions
from bellows import types as t

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import models
from homenode.sim.zigbee.ezsp import VERSIONS
from tests.system.stacks import CONTACT, WITHIN_S, Bare, Ears, bench, paired, run, stack, unicast

versions = pytest.mark.parametrize("version", VERSIONS)


@versions
def test_a_network_is_formed_and_found_again_by_a_stick_that_restarted(version: int, tmp_path: Path) -> None:
    async def test() -> None:
        found = []
        for _ in range(2):
            async with (
                Coordinator(tmp_path / "stick.json", version=version, pty=tmp_path / "stick"),
                stack(str(tmp_path / "stick")) as app,
            ):
                await app.load_network_info(load_devices=True)
                net = app.state.network_info
                found.append(
                    (net.pan_id, net.extended_pan_id, net.channel, net.network_key.key, net.tc_link_key)
                )
                counter = net.network_key.tx_counter
        assert found[0] == found[1]
        assert counter > 0

    run(test())


@versions
def test_the_frame_counter_never_goes_back(version: int, tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, version) as (stick, _):
            before = stick.network.key_counter
        async with Coordinator(tmp_path / "stick.json", version=version, tcp=0) as stick:
            assert stick.network.key_counter > before

    run(test())


@versions
def test_a_device_joins_is_interviewed_and_is_heard(version: int, tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, version) as (stick, app):
            device = await paired(stick, app, "contact_aqara")
            known = app.get_device(nwk=device.network_address)
            assert (known.manufacturer, known.model) == (device.spec.manufacturer, device.spec.model)
            (neighbour,) = stick.neighbours
            assert (neighbour.ieee, neighbour.sleepy, neighbour.on_air) == (CONTACT, True, True)
            heard = asyncio.Event()
            app.packet_received = lambda packet: heard.set() if packet.cluster_id == 6 else None
            device.trip()
            async with asyncio.timeout(WITHIN_S):
                await heard.wait()

    run(test())


def test_every_kind_of_device_is_interviewed(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, 18) as (stick, app):
            await app.permit(200)
            ears = Ears(app)
            devices = {
                CONTACT + number: VirtualDevice(spec, CONTACT + number, stick)
                for number, spec in enumerate(models().values())
            }
            for device in devices.values():
                assert device.join()
            missing = dict(devices)
            while missing:
                (known,) = await ears.hear("device_initialized")
                device = missing.pop(int.from_bytes(known.ieee.serialize(), "little"))
                assert known.model == device.spec.model
            assert len(stick.neighbours) == len(devices)

    run(test())


def test_nobody_joins_a_closed_network(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            assert not stick.permitting
            assert not stick.join(Bare(1))
            await app.permit(60)
            assert stick.join(Bare(1))
            await app.permit(0)
            assert not stick.join(Bare(2))

    run(test())


def test_where_only_a_router_is_open_a_device_joins_under_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, 14) as (stick, app):
            plug = await paired(stick, app, "plug")
            await app.permit(0)
            assert not stick.join(Bare(1))
            await app.permit(60, node=app.get_device(nwk=plug.network_address).ieee)
            assert not stick.permitting
            leaf = Bare(1)
            assert stick.join(leaf)
            assert [one.parent for one in stick.neighbours] == [None, plug.ieee]

    run(test())


def test_a_device_with_a_wrong_link_key_is_told_to_the_host_and_never_gets_in(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            told = asyncio.Event()

            def callback(name: str, args: list[Any]) -> None:
                if name == "trustCenterJoinHandler" and args[3] == 0:
                    told.set()

            app._ezsp.add_callback(callback)
            assert not stick.join(Bare(1), key=b"x" * 16)
            async with asyncio.timeout(WITHIN_S):
                await told.wait()
            assert stick.neighbours == []

    run(test())


def test_an_install_code_lets_in_the_device_it_belongs_to(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, 14) as (stick, app):
            key = bytes(range(16))
            ieee = t.EUI64.deserialize((77).to_bytes(8, "little"))[0]
            await app.permit_with_link_key(ieee, t.KeyData(key), 60)
            assert not stick.join(Bare(78))
            assert not stick.join(Bare(77), key=b"x" * 16)
            assert stick.join(Bare(77), key=key)

    run(test())


def test_a_known_device_comes_back_to_a_closed_network_at_its_old_address(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node = Bare(1)
            assert stick.join(node)
            await node.in_network.wait()
            address = node.network_address
            await app.permit(0)
            stick.leave(node, silently=True)
            assert not stick.send(node, Aps(address, 0, 0x0104, 6, 1, 1, b"\x18\x01\x0a"))
            assert stick.join(node, rejoin=True)
            assert node.network_address == address
            assert not stick.join(Bare(2), rejoin=True)

    run(test())


def test_leaving_is_told_and_the_member_gone(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            ears = Ears(app)
            device = await paired(stick, app)
            device.leave()
            await ears.hear("device_left")
            assert stick.neighbours == []

    run(test())


def test_a_removed_device_is_told(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node, ears = Bare(1), Ears(app)
            assert stick.join(node)
            await ears.hear("device_joined")
            known = next(device for device in app.devices.values() if device.nwk == node.network_address)
            await app.force_remove(known)
            await ears.hear("device_left")
            assert node.gone

    run(test())


def test_a_sleeper_gets_what_waits_when_it_polls_and_only_then(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node = Bare(1, sleepy=True)
            assert stick.join(node)
            await node.in_network.wait()
            sending = asyncio.ensure_future(unicast(app, node.network_address))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await asyncio.shield(sending)
            assert node.heard == []
            while not sending.done():  # the stick of a busy machine may not yet have it
                stick.poll(node)
                await asyncio.sleep(0.02)
            await sending
            assert b"\x01\x01\x02" in [frame.payload for frame in node.heard]

    run(test())


def test_what_a_sleeper_does_not_fetch_in_time_has_failed(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node = Bare(1, sleepy=True)
            assert stick.join(node)
            await node.in_network.wait()
            await app._ezsp.setConfigurationValue(configId=0x12, value=50)  # instead of 7.68 s
            with pytest.raises(zigpy.exceptions.DeliveryError):
                await unicast(app, node.network_address)
            stick.poll(node)
            assert node.heard == []

    run(test())


def test_a_group_reaches_only_those_who_listen_all_the_time(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            lamp, sensor = Bare(1), Bare(2, sleepy=True)
            for node in (lamp, sensor):
                assert stick.join(node)
                await node.in_network.wait()
            await app.mrequest(0x1001, 0x0104, 6, 1, 1, b"\x01\x01\x02")
            async with asyncio.timeout(WITHIN_S):
                await lamp.grouped.wait()
            stick.poll(sensor)
            assert not sensor.grouped.is_set()

    run(test())


def test_a_device_under_a_router_tells_its_route(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, 14) as (stick, app):
            await app._ezsp.set_source_routing(enabled=True)
            await app.permit(60)
            router, leaf = Bare(1), Bare(2)
            for node in (router, leaf):
                assert stick.join(node)
                await node.in_network.wait()
            stick.move(leaf.ieee, router.ieee)
            told: asyncio.Queue[list[Any]] = asyncio.Queue()
            app._ezsp.add_callback(
                lambda name, args: told.put_nowait(args) if name == "incomingRouteRecordHandler" else None
            )
            for _ in range(2):
                assert stick.send(leaf, Aps(leaf.network_address, 0, 0x0104, 6, 1, 1, b"\x18\x01\x0a"))
            async with asyncio.timeout(WITHIN_S):
                args = await told.get()
            assert (args[0], list(args[4])) == (leaf.network_address, [router.network_address])
            assert told.empty()

    run(test())
