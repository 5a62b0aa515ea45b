"""Devices that lie, join twice, come back after they were removed, or belong to the neighbour."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from homenode.errors import Refused
from homenode.sim.zigbee.device_catalogue import model
from homenode.sim.zigbee.device_spec import DeviceSpec
from tests.system.zigbee_bed import Interviewed, interviewed


def _says_it_is(name: str, manufacturer: str, wanted: str) -> DeviceSpec:
    """A device of the catalogue that calls itself another, in its Basic cluster too."""
    spec = model(name)
    said = {0x0004: manufacturer, 0x0005: wanted}
    endpoints = tuple(
        replace(
            endpoint,
            servers=tuple(
                replace(
                    cluster,
                    attributes=tuple(
                        replace(one, value=said[one.id]) if cluster.id == 0 and one.id in said else one
                        for one in cluster.attributes
                    ),
                )
                for cluster in endpoint.servers
            ),
        )
        for endpoint in spec.endpoints
    )
    return replace(spec, manufacturer=manufacturer, model=wanted, endpoints=endpoints)


async def _joined(home: Interviewed, spec: DeviceSpec, name: str) -> str:
    device = home.add_spec(spec, name)
    await home.radio.pair(200)
    assert device.join()
    await home.interviews_done()
    return home.ieee(name)


@pytest.mark.parametrize("liar", ["motion", "water", "plug"])
def test_whatever_calls_itself_a_door_is_none_and_the_installer_is_told(tmp_path: Path, liar: str) -> None:
    async def scene(home: Interviewed) -> None:
        ieee = await _joined(home, _says_it_is(liar, "LUMI", "lumi.sensor_magnet.aq2"), "liar")
        told = home.host.known[ieee]
        assert "contact" not in told.kinds
        assert "it says that it is a contact sensor by its model, and" in told.note
        assert "replace it" in told.note

    asyncio.run(_play(tmp_path, ["contact"], scene))


def test_a_smoke_alarm_with_a_lamps_name_is_a_smoke_alarm(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        lamp = "TRADFRI bulb E27 WS opal 980lm"
        ieee = await _joined(home, _says_it_is("smoke", "IKEA of Sweden", lamp), "liar")
        assert {"smoke", "siren"} <= set(home.host.known[ieee].kinds)
        assert "light" not in home.host.known[ieee].kinds

    asyncio.run(_play(tmp_path, ["contact"], scene))


def test_a_device_that_joins_twice_is_one_device_and_each_opening_told_once(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        door = home["contact"]
        assert door.join()
        assert door.join()
        await home.interviews_done()
        door.misbehave("joins_twice", every_s=0.2)
        home.host.readings.clear()
        for number in range(3):
            door.trip(number % 2 == 0)
            await home.host.reading("contact", "contact", number % 2 == 0)
            home.host.readings.clear()
        assert list(home.host.known) == [home.ieee("contact")]
        assert home.host.faults == {}

    asyncio.run(_play(tmp_path, ["contact"], scene))


def test_a_device_that_was_removed_joins_again_and_goes_on(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        door = home["contact"]
        door.leave()
        await home.host.until(lambda: home.host.faults)
        assert home.host.faults == {"contact left": "contact has left the network"}
        await home.radio.pair(200)
        assert door.join()
        await home.host.until(lambda: not home.host.faults)
        await home.interviews_done()
        home.host.readings.clear()
        door.trip()
        await home.host.reading("contact", "contact", True)

    asyncio.run(_play(tmp_path, ["contact"], scene))


def test_the_neighbours_sensor_does_not_join_a_network_that_is_closed(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        stranger = home.add("thermometer", in_home=False)
        await home.radio.pair(0)
        assert not stranger.join()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)
        assert home.ieee("thermometer") not in home.host.known

    asyncio.run(_play(tmp_path, ["contact"], scene))


def test_what_joins_unasked_while_the_network_is_open_has_no_name_and_feeds_nothing(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        stranger = home.add("water", in_home=False)
        assert stranger.join()
        await home.interviews_done()
        home.host.readings.clear()
        stranger.trip()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)
        assert home.host.known[home.ieee("water")].name == ""
        assert {name for name, _, _ in home.host.readings} == {"contact"}

    asyncio.run(_play(tmp_path, ["contact"], scene))


def test_numbers_that_are_text_end_the_value_and_are_a_fault_that_says_what_to_do(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = home["thermometer"]
        device.measure("temperature", 21.0, at_once=True)
        await home.host.reading("thermometer", "temperature", 21.0)
        device.misbehave("wrong_types")
        for number in range(6):
            device.measure("temperature", 22.0 + number, at_once=True)
        await home.host.until(lambda: "thermometer garbled" in home.host.faults)
        assert home.host.values("thermometer", "temperature")[-1] is None
        why = home.host.faults["thermometer garbled"]
        assert "thermometer sends what can't be read (cluster 0x0402" in why
        assert "pair it again" in why
        device.misbehave("")
        device.measure("temperature", 20.0, at_once=True)
        await home.host.until(lambda: "thermometer garbled" not in home.host.faults)
        assert home.host.values("thermometer", "temperature")[-1] == 20.0

    asyncio.run(_play(tmp_path, ["thermometer"], scene))


def test_a_device_that_answers_half_is_noted_with_what_to_do_and_switches_nothing(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = home.add("plug_innr")
        device.misbehave("half_interview")
        await home.radio.pair(200)
        assert device.join()
        ieee = home.ieee("plug_innr")
        known = home.host.known
        await home.host.until(lambda: ieee in known and "close to the stick" in known[ieee].note, 100)
        assert known[ieee].kinds == ()
        with pytest.raises(Refused, match="pair it"):
            await home.radio.switch("plug_innr", "switch", True)

    asyncio.run(_play(tmp_path, ["contact"], scene))


async def _play(folder: Path, models: list[str], scene: Callable[[Interviewed], Awaitable[None]]) -> None:
    async with asyncio.timeout(110), interviewed(folder, models) as home:
        await scene(home)
