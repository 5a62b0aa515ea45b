"""The driver of a gateway: who it is over miIO, what its sensors say on the local network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.miio import GATEWAY, link
from drivers.miio import gateway as gateway_driver
from homenode.config.model import Device
from homenode.errors import DriverLost, Refused, SetupError
from homenode.kit.listener import Listener, running
from homenode.reading import Instant, Value
from homenode.sim.miio.things import GatewayThing, SensorThing
from tests.system.miio_devices import SIDS, TOKEN, gateway, own_address, sensor


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ANSWER_S", 0.2)


class Remembers(Listener):
    """A host that knows what it heard, as the gateway does."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.known: dict[tuple[str, str], Value] = {}

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        self.known[device, kind] = value
        super().heard(device, kind, value, at)

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return (self.known[device, kind], 0) if (device, kind) in self.known else None


Scene = Callable[[GatewayThing, dict[str, SensorThing], Remembers], Awaitable[None]]


def play(tmp_path: Path, scene: Scene, *devices: Device, model: str = "lumi.gateway.v3") -> None:
    async def body() -> None:
        host = Remembers(tmp_path)
        async with gateway(model) as (hub, sensors):
            (tmp_path / "hub.token").write_text(TOKEN.hex())
            options = {"address": hub.plan.address, "token_file": tmp_path / "hub.token", "every": 100}
            used = devices or tuple(sensor(name) for name in SIDS)
            async with running(GATEWAY.open("hub", options, used, host)) as task:
                await host.until(lambda it: len(it.devices) == len(used) or it.troubles, "the gateway")
                await _until(lambda: hub.peer.questions >= 2, "the list of its devices")
                await asyncio.sleep(0.2)  # it listens
                await scene(hub, sensors, host)
                assert not task.done()

    asyncio.run(asyncio.wait_for(body(), 60))


async def _until(true: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - seen from outside, it tells nobody
            await asyncio.sleep(0.02)


def heard(host: Listener, device: str, kind: str) -> list[Value]:
    """Its values without repeats: a question may have told already what a report then says."""
    values = [said.value for said in host.said if said[:2] == (device, kind)]
    return [value for value, before in zip(values, [..., *values], strict=False) if value is not before]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("door", "contact"), ("eye", "motion"), ("sink", "water"), ("detector", "smoke"), ("gas", "gas")],
)
def test_what_happens_is_told_and_that_it_is_over(tmp_path: Path, name: str, kind: str) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        sensors[name].sense(True)
        await host.until(lambda it: heard(it, name, kind) == [True], "it")
        sensors[name].sense(False)
        await host.until(lambda it: heard(it, name, kind) == [True, False], "its end")

    play(tmp_path, scene)


def test_numbers_the_cell_and_a_key(tmp_path: Path) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        sensors["weather"].measure("temperature", -3.5)
        sensors["weather"].measure("humidity", 41.2)
        sensors["sink"].battery(12)
        sensors["cord"].press()
        sensors["cord"].press("double")
        await host.until(lambda it: heard(it, "cord", "button_2") == [True], "the double press")
        assert heard(host, "cord", "button") == [True]
        assert heard(host, "weather", "temperature") == [-3.5]
        assert heard(host, "weather", "humidity") == [41.2]
        assert heard(host, "sink", "battery") == [12.0]

    play(tmp_path, scene)


def test_a_report_that_got_lost_is_asked_for(tmp_path: Path) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        hub.misbehave("lossy")
        sensors["sink"].sense(True)
        await host.until(lambda it: heard(it, "sink", "water") == [True], "the leak")
        sensors["sink"].sense(False)
        await host.until(lambda it: heard(it, "sink", "water") == [True, False], "its end")

    play(tmp_path, scene)


def test_what_the_gateway_remembers_of_a_silent_sensor_is_no_sign_of_life(tmp_path: Path) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        sensors["sink"].silence()
        await asyncio.sleep(0.5)  # five questions, each answered "dry" for a sensor that may be long gone
        assert not host.said
        sensors["sink"].revive()
        sensors["sink"].beat()
        await host.until(lambda it: heard(it, "sink", "water") == [False], "dry, as it lives")

    play(tmp_path, scene)


def test_motion_ends_though_the_word_of_that_gets_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_driver, "NO_MOTION_S", 0.5)

    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        sensors["eye"].sense(True)
        await host.until(lambda it: heard(it, "eye", "motion") == [True, False], "its end")

    play(tmp_path, scene)


def test_a_neighbours_gateway_and_who_forges_are_not_heard(tmp_path: Path) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        async with gateway() as (_, theirs):
            theirs["sink"].sense(True)
            hub.misbehave("forged")
            sensors["eye"].sense(True)
            hub.misbehave("noise")
            sensors["door"].sense(True)
            await host.until(lambda it: heard(it, "door", "contact") == [True], "the door")
        assert {said.device for said in host.said} == {"door"}

    play(tmp_path, scene)


def test_a_word_that_no_table_has_means_fault_and_never_dry(tmp_path: Path) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        hub.state.say("report", SIDS["sink"][1], status="damp")
        await host.until(lambda it: heard(it, "sink", "water") == [None], "unknown")
        hub.state.say("report", SIDS["detector"][1], alarm="64")  # its chamber is dirty
        await host.until(lambda it: heard(it, "detector", "smoke") == [None], "unknown")

    play(tmp_path, scene)


def test_the_local_protocol_that_is_off_is_told_with_where_to_switch_it_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_driver, "SILENT_AFTER_S", 0.5)

    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        hub.misbehave("lan_off")
        await host.until(lambda it: "hub unheard" in it.troubles, "the fault")
        assert "switch on its local network protocol in the app" in host.troubles["hub unheard"]
        hub.misbehave("")
        sensors["door"].beat()
        await host.until(lambda it: not it.troubles, "its end")

    play(tmp_path, scene)


def test_a_sensor_that_it_does_not_know_and_one_of_another_type(tmp_path: Path) -> None:
    async def scene(hub: GatewayThing, sensors: dict[str, SensorThing], host: Remembers) -> None:
        await host.until(lambda it: "sink unknown" in it.troubles, "the first fault")
        assert "doesn't know 158d00ffffffff" in host.troubles["sink unknown"]
        assert SIDS["sink"][1] in host.troubles["sink unknown"]
        sensors["door"].sense(True)
        await host.until(lambda it: "door model" in it.troubles, "the second fault")
        assert "is a sensor_magnet.aq2, and home.yaml says magnet" in host.troubles["door model"]
        assert not host.said

    play(tmp_path, scene, sensor("sink", sid="158d00ffffffff"), sensor("door", type="magnet"))


@pytest.mark.parametrize(
    ("model", "token", "words"),
    [
        ("lumi.gateway.mgl03", TOKEN.hex(), "only lumi.gateway.v3 tells on the local network"),
        ("lumi.gateway.v3", "ff" * 16, "the token is not"),
        ("lumi.gateway.v3", "", "holds no token"),
    ],
)
def test_what_a_person_must_do(tmp_path: Path, model: str, token: str, words: str) -> None:
    async def body() -> None:
        async with gateway(model) as (hub, _):
            (tmp_path / "hub.token").write_text(token)
            options = {"address": hub.plan.address, "token_file": tmp_path / "hub.token", "every": 100}
            driver = GATEWAY.open("hub", options, (sensor("door"),), Listener(tmp_path))
            with pytest.raises(SetupError, match=words):
                await driver.run()
            with pytest.raises(Refused, match="not paired from here"):
                await driver.pair(60)

    asyncio.run(asyncio.wait_for(body(), 60))


def test_nobody_at_the_address(tmp_path: Path) -> None:
    async def body() -> None:
        (tmp_path / "hub.token").write_text(TOKEN.hex())
        options = {"address": own_address(), "token_file": tmp_path / "hub.token", "every": 100}
        with pytest.raises(DriverLost, match="nothing answers there"):
            await GATEWAY.open("hub", options, (), Listener(tmp_path)).run()

    asyncio.run(asyncio.wait_for(body(), 30))
