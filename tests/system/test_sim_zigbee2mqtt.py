"""zigbee2mqtt, unmodified, takes the simulated stick and its devices for real. `make peers` runs this."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homenode.sim.zigbee.ezsp import VERSIONS
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.peers import Zigbee2Mqtt, install_or_skip
from tests.system.sticks import Sticks

pytestmark = [pytest.mark.peers, needs_mosquitto]

KINDS = ("contact", "contact_aqara", "motion", "water", "smoke", "co", "gas", "plug", "lamp", "lock", "siren",
         "button", "thermometer", "vibration")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def zigbee2mqtt() -> None:
    install_or_skip()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker"), persistent=False) as broker:
        yield broker


def named(device: int) -> str:
    """How zigbee2mqtt calls a device that nobody has named."""
    return f"0x{device:016x}"


def settled(peer: Zigbee2Mqtt, ieees: set[str], *, within_s: float = 60) -> dict[str, Any]:
    """Wait until each is interviewed; what it was taken for, by address."""
    found: dict[str, Any] = {}
    for topic, said in peer.heard(within_s=within_s):
        if topic == "bridge/event" and said["type"] == "device_interview":
            data = said["data"]
            if data["status"] != "started":
                assert data["status"] == "successful", data
                found[data["ieee_address"]] = data
        if ieees <= set(found):
            return found
    raise AssertionError(f"not interviewed: {ieees - set(found)}\n{peer.log[-3000:]}")


def published(peer: Zigbee2Mqtt, device: str, **wanted: Any) -> dict[str, Any]:
    """Wait until the device's topic says all of this."""
    said: dict[str, Any] = peer.wait(
        lambda topic, said: topic == device and wanted.items() <= said.items(), within_s=20
    )
    return said


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[tuple[Sticks, Zigbee2Mqtt]]:
    """A network that zigbee2mqtt formed, with a device of each kind interviewed."""
    folder = tmp_path_factory.mktemp("home")
    with (
        Sticks(folder, version=14) as sticks,
        Zigbee2Mqtt(folder / "peer", str(sticks.port), broker.port) as peer,
    ):
        peer.permit()
        for number, kind in enumerate(KINDS):
            device = sticks.add(kind, 0x00158D0002AA0001 + number)
            assert sticks.do(device.join)
        found = settled(peer, {named(device.ieee) for device in sticks.devices.values()})
        supported = [data for data in found.values() if data["supported"]]
        assert len(supported) == len(KINDS)
        yield sticks, peer


@pytest.mark.parametrize(
    ("kind", "tripped", "cleared"),
    [
        ("contact", {"contact": False}, {"contact": True}),
        ("contact_aqara", {"contact": False}, {"contact": True}),
        ("water", {"water_leak": True}, {"water_leak": False}),
        ("smoke", {"smoke": True}, {"smoke": False}),
        ("co", {"carbon_monoxide": True}, {"carbon_monoxide": False}),
    ],
)
def test_what_a_sensor_senses_is_published(
    home: tuple[Sticks, Zigbee2Mqtt], kind: str, tripped: dict[str, bool], cleared: dict[str, bool]
) -> None:
    sticks, peer = home
    device = sticks.devices[kind]
    sticks.do(device.trip)
    published(peer, named(device.ieee), **tripped)
    sticks.do(device.trip, False)
    published(peer, named(device.ieee), **cleared)


def test_the_power_of_a_plug_is_published(home: tuple[Sticks, Zigbee2Mqtt]) -> None:
    sticks, peer = home
    plug = sticks.devices["plug"]
    sticks.do(plug.measure, "power", 1850, at_once=True)
    published(peer, named(plug.ieee), power=1850)


def test_a_lamp_is_switched_through_the_peer(home: tuple[Sticks, Zigbee2Mqtt]) -> None:
    sticks, peer = home
    lamp = sticks.devices["lamp"]
    peer.command(named(lamp.ieee), {"state": "ON"})
    published(peer, named(lamp.ieee), state="ON")
    assert lamp.on
    peer.command(named(lamp.ieee), {"state": "OFF"})
    published(peer, named(lamp.ieee), state="OFF")
    assert not lamp.on


def test_a_device_that_is_removed_is_told(home: tuple[Sticks, Zigbee2Mqtt]) -> None:
    sticks, peer = home
    siren = sticks.devices["siren"]
    peer.ask("device/remove", {"id": named(siren.ieee)})
    peer.answered("device/remove")
    assert not siren.on_network


@pytest.mark.parametrize("version", VERSIONS)
def test_at_every_version_a_network_is_formed_and_found_again(
    version: int, tmp_path: Path, broker: Mosquitto
) -> None:
    base = f"version{version}"
    with (
        Sticks(tmp_path, version=version) as sticks,
        Zigbee2Mqtt(tmp_path / "peer", str(sticks.port), broker.port, base=base) as peer,
    ):
        assert f'"ezsp":{version},' in peer.log
        assert "New network formed" in peer.log
        pan_id = sticks.stick.network.pan_id
        peer.permit()
        contact = sticks.add("contact", 0x00158D0002AA0001)
        assert sticks.do(contact.join)
        settled(peer, {named(contact.ieee)})
        remembered = sticks.do(contact.remember)
    with Sticks(tmp_path, version=version) as sticks:  # the simulator's own process has restarted, too
        contact = sticks.add("contact", 0x00158D0002AA0001)
        assert sticks.do(sticks.stick.restore, contact)
        with Zigbee2Mqtt(tmp_path / "peer", str(sticks.port), broker.port, base=base) as peer:
            assert "Adapter network matches config" in peer.log
            assert sticks.stick.network.pan_id == pan_id
            sticks.do(contact.recall, remembered)
            sticks.do(contact.trip)
            published(peer, named(contact.ieee), contact=False)


def test_a_reset_of_the_stick_is_seen(tmp_path: Path, broker: Mosquitto) -> None:
    with (
        Sticks(tmp_path, version=13) as sticks,
        Zigbee2Mqtt(tmp_path / "peer", str(sticks.port), broker.port, base="reset") as peer,
    ):
        sticks.do(sticks.stick.faults.reset)
        assert peer.exited(within_s=30) != 0  # it leaves the restart to its service manager
        assert "RESET_WATCHDOG" in peer.log


def test_over_tcp_it_works_as_well(tmp_path: Path, broker: Mosquitto) -> None:
    with (
        Sticks(tmp_path, version=18, tcp=True) as sticks,
        Zigbee2Mqtt(
            tmp_path / "peer", f"tcp://127.0.0.1:{sticks.stick.tcp_port}", broker.port, base="tcp"
        ) as peer,
    ):
        peer.permit(60)
        assert sticks.do(lambda: sticks.stick.permitting)
