"""The simulated stick under unmodified bellows and zigpy, and everything that breaks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import SetupError
from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.ash import Reset
from homenode.sim.zigbee.coordinator import Coordinator
from tests.system.stacks import WITHIN_S, Bare, Ears, bench, run, stack


@pytest.mark.parametrize("fault", ["lose", "repeat", "corrupt"])
def test_on_a_bad_wire_nothing_is_lost(fault: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node, ears = Bare(1), Ears(app)
            assert stick.join(node)
            await ears.hear("device_joined")
            got: list[int] = []
            done = asyncio.Event()

            def received(packet: Any) -> None:
                if packet.cluster_id == 6:
                    got.append(packet.data.serialize()[1])
                    if len(got) == 100:
                        done.set()

            app.packet_received = received
            getattr(stick.faults, fault)(share=0.05)
            for number in range(100):
                assert stick.send(node, Aps(1, 0, 0x0104, 6, 1, 1, bytes((0x18, number, 0x0A))))
            async with asyncio.timeout(40):
                await done.wait()
            stick.faults.clear()
            assert got == list(range(100))

    run(test())


def test_a_network_starts_when_every_byte_comes_alone_and_slowly(tmp_path: Path) -> None:
    async def test() -> None:
        async with Coordinator(tmp_path / "stick.json", version=14, pty=tmp_path / "stick") as stick:
            stick.faults.byte_at_a_time()
            stick.faults.baud(115200)
            async with stack(str(tmp_path / "stick")) as app:
                assert app.state.network_info.pan_id == stick.network.pan_id

    run(test())


def test_a_flood_arrives_complete_and_in_order(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path, 14) as (stick, app):
            await app.permit(60)
            node, ears = Bare(1), Ears(app)
            assert stick.join(node)
            await ears.hear("device_joined")
            got: list[int] = []
            done = asyncio.Event()

            def heard(name: str, args: list[Any]) -> None:
                if name == "incomingMessageHandler" and args[1].clusterId == 6:
                    got.append(int.from_bytes(args[-1], "big"))
                    if len(got) == 5000:
                        done.set()

            app._ezsp._callbacks.clear()  # zigpy's own way with a message is not what is tested
            app._ezsp.add_callback(heard)
            for number in range(5000):
                assert stick.send(node, Aps(1, 0, 0x0104, 6, 1, 1, number.to_bytes(3, "big")))
            async with asyncio.timeout(40):
                await done.wait()
            assert got == list(range(5000))
            await app._ezsp.nop()  # the command carries the last acknowledgement
            assert stick.unsent <= 1

    run(test())


def test_a_wire_of_115200_baud_takes_its_time(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            stick.faults.baud(115200)
            loop = asyncio.get_running_loop()
            began = loop.time()
            for _ in range(10):
                await app._ezsp.echo(data=b"x" * 100)
            assert loop.time() - began > 10 * 110 * 10 / 115200

    run(test())


@pytest.mark.parametrize("code", [Reset.WATCHDOG, Reset.ASSERT, Reset.EXTERNAL])
def test_a_reset_of_the_stick_ends_the_connection(code: Reset, tmp_path: Path) -> None:
    async def test() -> None:
        async with Coordinator(tmp_path / "stick.json", pty=tmp_path / "stick") as stick:
            async with stack(str(tmp_path / "stick")) as app:
                ears = Ears(app)
                stick.faults.reset(code)
                (why,) = await ears.hear("connection_lost")
                assert why.code == code
                assert not stick.network_up
            async with stack(str(tmp_path / "stick")):
                assert stick.network_up

    run(test())


def test_a_stick_that_is_pulled_and_plugged_in_again_has_the_same_name_and_network(tmp_path: Path) -> None:
    async def test() -> None:
        port = tmp_path / "stick"
        async with Coordinator(tmp_path / "stick.json", pty=port) as stick:
            async with stack(str(port)) as app:
                ears, pan_id = Ears(app), app.state.network_info.pan_id
                stick.faults.unplug()
                await ears.hear("connection_lost")
                assert not port.is_symlink()
                assert not stick.plugged
            await stick.faults.plug_in()
            assert port.is_symlink()
            async with stack(str(port)) as app:
                assert app.state.network_info.pan_id == pan_id

    run(test())


def test_a_wedged_stick_answers_nothing_until_it_is_reset(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node = Bare(1)
            assert stick.join(node)
            stick.faults.wedge()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await app._ezsp.nop()
            assert not stick.send(node, Aps(1, 0, 0x0104, 6, 1, 1, b""))
            await app._ezsp.reset()
            await app._ezsp.version()
            assert not stick.faults.wedged

    run(test())


def test_a_deaf_radio_answers_its_host_and_hears_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node = Bare(1)
            assert stick.join(node)
            await node.in_network.wait()
            stick.faults.deafen()
            await app._ezsp.nop()
            assert not stick.send(node, Aps(node.network_address, 0, 0x0104, 6, 1, 1, b""))

    run(test())


def test_frames_get_lost_and_repeated_on_the_air(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(tmp_path) as (stick, app):
            await app.permit(60)
            node, ears = Bare(1), Ears(app)
            assert stick.join(node)
            await ears.hear("device_joined")
            got: asyncio.Queue[int] = asyncio.Queue()
            app.packet_received = lambda packet: got.put_nowait(packet.data.serialize()[1])
            stick.faults.lose_on_air(1)
            for number in (1, 2):
                stick.send(node, Aps(node.network_address, 0, 0x0104, 6, 1, 1, bytes((0x18, number, 0x0A))))
            stick.faults.repeat_on_air(1)
            stick.send(node, Aps(node.network_address, 0, 0x0104, 6, 1, 1, b"\x18\x03\x0a"))
            async with asyncio.timeout(WITHIN_S):
                assert [await got.get() for _ in range(3)] == [2, 3, 3]

    run(test())


def test_two_sticks_do_not_take_the_same_port(tmp_path: Path) -> None:
    async def test() -> None:
        (tmp_path / "stick").write_text("somebody's file")
        with pytest.raises(SetupError, match="is no link"):
            async with Coordinator(tmp_path / "stick.json", pty=tmp_path / "stick"):
                pass
        async with Coordinator(tmp_path / "stick.json", tcp=0) as stick:
            with pytest.raises(SetupError, match="can't listen"):
                async with Coordinator(tmp_path / "other.json", tcp=stick.tcp_port):
                    pass

    run(test())


def test_a_state_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "stick.json").write_text('{"format": 1, "ieee": 1}')
    with pytest.raises(SetupError, match=r"stick\.json"):
        Coordinator(tmp_path / "stick.json", tcp=0)
