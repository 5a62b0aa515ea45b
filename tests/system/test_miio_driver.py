"""The miIO driver against plugs that greet, encrypt and answer as the real ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.miio import DRIVER, link
from drivers.miio import driver as miio_driver
from drivers.miio.plugs import PLUGS
from homenode.driver import Driver
from homenode.errors import DriverLost, Refused
from homenode.kit.listener import Listener, running
from homenode.sim.miio import peer
from homenode.sim.miio.plug import METERS, MODELS
from homenode.sim.miio.things import PlugThing
from tests.system.miio_devices import TOKEN, device, plug

Scene = Callable[[PlugThing, Listener, Driver], Awaitable[None]]


def play(
    tmp_path: Path, scene: Scene, model: str = "chuangmi.plug.v3", heard: bool = True, **options: object
) -> None:
    async def body() -> None:
        host = Listener(tmp_path)
        async with plug(model) as thing:
            driver = DRIVER.open("miio", {}, [device(tmp_path, thing, **options)], host)  # type: ignore[arg-type]  # a token
            async with running(driver):
                if heard:
                    await host.until(lambda it: it.said, "the first reading")
                await scene(thing, host, driver)

    asyncio.run(asyncio.wait_for(body(), 60))


@pytest.mark.parametrize("model", sorted(METERS))
def test_a_meter_is_told_in_watts_and_the_switch_follows(tmp_path: Path, model: str) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        await host.until(lambda it: it.last("stove", "power") == 1400.0, "1,400 W")
        await driver.switch("stove", "switch", False)
        assert thing.state.on is False
        assert host.last("stove", "switch") is False
        assert host.last("stove", "power") == 0.0

    play(tmp_path, scene, model)


@pytest.mark.parametrize("model", sorted(set(MODELS) - set(METERS)))
def test_one_without_a_meter_is_a_switch_and_no_more(tmp_path: Path, model: str) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        for to in (False, True):
            await driver.switch("stove", "switch", to)
            assert thing.state.on is to
        assert {said.kind for said in host.said} == {"switch"}

    play(tmp_path, scene, model)


def test_each_row_has_a_device_that_plays_it_and_a_source() -> None:
    assert set(PLUGS) == set(MODELS)
    assert all(row.source for row in PLUGS.values())


def test_a_stuck_relay_is_refused_and_shown_as_it_is(tmp_path: Path) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        thing.stuck(True)
        with pytest.raises(Refused, match="took the order and did not follow"):
            await driver.switch("stove", "switch", False)
        assert host.last("stove", "switch") is True

    play(tmp_path, scene)


def test_a_button_pressed_by_hand_is_heard(tmp_path: Path) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        thing.operate("switch", False)
        await host.until(lambda it: it.last("stove", "switch") is False, "the button")

    play(tmp_path, scene)


def test_equal_readings_are_told_once_and_a_wobble_of_the_meter_is_none(tmp_path: Path) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        asked = thing.peer.questions
        thing.measure("power", 1410)
        await host.until(lambda it: thing.peer.questions > asked + 10, "ten questions")
        assert [said.value for said in host.said if said.kind == "power"] == [1400.0]
        thing.measure("power", 1500)
        await host.until(lambda it: it.last("stove", "power") == 1500.0, "the change")

    play(tmp_path, scene)


def test_a_value_that_stays_is_told_again_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(miio_driver, "REPEAT_S", 0.3)

    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        await host.until(lambda it: sum(s.kind == "power" for s in it.said) == 3, "the same thrice")

    play(tmp_path, scene)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ANSWER_S", 0.2)


@pytest.mark.usefixtures("hasty")
class TestTroubles:
    """Told apart, with what to do; and over when they are over."""

    def _told(self, tmp_path: Path, trouble: str, words: str, begin: Callable[[PlugThing], None]) -> None:
        async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
            begin(thing)
            await host.until(lambda it: f"stove {trouble}" in it.troubles, f"the fault {trouble}")
            assert list(host.troubles) == [f"stove {trouble}"]
            assert words in host.troubles[f"stove {trouble}"]
            assert thing.plan.address in host.troubles[f"stove {trouble}"]
            before = len(host.said)
            thing.misbehave("")
            thing.plug_in()
            await host.until(lambda it: not it.troubles, "its end")
            thing.measure("power", 77)
            await host.until(lambda it: it.last("stove", "power") == 77.0, "the next reading")
            assert all(said.value is not False for said in host.said[before:])

        play(tmp_path, scene)

    def test_offline(self, tmp_path: Path) -> None:
        self._told(tmp_path, "offline", "see that it has power", lambda it: it.unplug())

    @pytest.mark.parametrize("fault", ["mute", "garbage", "spoof", "cut"])
    def test_who_greets_and_gives_no_answer_of_its_own(self, tmp_path: Path, fault: str) -> None:
        words = "answers a hello, but no question: the token is not (or no longer) its own"
        self._told(tmp_path, "token", words, lambda it: it.misbehave(fault))

    @pytest.mark.parametrize("fault", ["other_id", "replay", "old", "late"])
    def test_an_answer_to_another_question_is_none(
        self, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(peer, "LATE_S", 0.3)
        words = "answers too late, or to another question than it was asked"
        self._told(tmp_path, "answer", words, lambda it: it.misbehave(fault))

    def test_busy(self, tmp_path: Path) -> None:
        self._told(tmp_path, "answer", "user ack timeout", lambda it: it.misbehave("busy"))


def test_values_of_another_type_mean_fault_and_never_off(tmp_path: Path) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        thing.misbehave("wrong_types")
        await host.until(lambda it: it.last("stove", "power") is None, "unknown")
        assert host.last("stove", "switch") is None

    play(tmp_path, scene)


@pytest.mark.usefixtures("hasty")
def test_a_wrong_token_is_told_as_one_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "ffeeddccbbaa99887766554433221100"

    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        await host.until(lambda it: "stove token" in it.troubles, "the fault")
        said = " ".join((*host.troubles.values(), caplog.text, str(host.said), str(host.devices)))
        assert wrong not in said
        assert TOKEN.hex() not in said
        (tmp_path / "stove.token").write_text(TOKEN.hex())
        await host.until(lambda it: not it.troubles, "its end, with the right one in the file")

    play(tmp_path, scene, heard=False, token=wrong)


def test_another_model_than_home_yaml_says_is_not_asked_for_power(tmp_path: Path) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        await host.until(lambda it: "stove model" in it.troubles, "the fault")
        assert "it says that it is chuangmi.plug.v3" in host.troubles["stove model"]
        assert not host.said
        with pytest.raises(DriverLost, match="has not answered"):
            await driver.switch("stove", "switch", False)
        assert thing.state.on

    play(tmp_path, scene, heard=False, type="cuco.plug.v2eur")


@pytest.mark.usefixtures("hasty")
def test_another_model_that_took_its_place_meanwhile_is_noticed(tmp_path: Path) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        thing.unplug()
        await host.until(lambda it: "stove offline" in it.troubles, "the outage")
        thing.peer.model = "chuangmi.plug.m1"
        thing.plug_in()
        await host.until(lambda it: list(it.troubles) == ["stove model"], "the fault")

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no token"),
        ("zz" * 16, "holds no token"),
        ("00" * 15, "holds no token"),
        (None, "can't be read"),
    ],
)
def test_a_token_file_without_a_token(tmp_path: Path, text: str | None, words: str) -> None:
    async def scene(thing: PlugThing, host: Listener, driver: Driver) -> None:
        await host.until(lambda it: "stove token" in it.troubles, "the fault")
        assert words in host.troubles["stove token"]
        assert str(tmp_path / "other.token") in host.troubles["stove token"]

    if text is not None:
        (tmp_path / "other.token").write_text(text)
    play(tmp_path, scene, heard=False, token_file=tmp_path / "other.token")


def test_one_plug_that_is_gone_leaves_the_other_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "ANSWER_S", 0.2)

    async def body() -> None:
        host = Listener(tmp_path)
        async with plug() as stove, plug() as iron:
            iron.name = "iron"
            driver = DRIVER.open("miio", {}, [device(tmp_path, stove), device(tmp_path, iron)], host)
            async with running(driver):
                await host.until(lambda it: len({said.device for said in it.said}) == 2, "both")
                stove.unplug()
                await host.until(lambda it: list(it.troubles) == ["stove offline"], "the fault")
                iron.measure("power", 5)
                await host.until(lambda it: it.last("iron", "power") == 5.0, "the other")

    asyncio.run(asyncio.wait_for(body(), 60))


def test_a_neighbours_plug_is_not_spoken_to(tmp_path: Path) -> None:
    async def body() -> None:
        host = Listener(tmp_path)
        async with plug() as ours, plug() as theirs:
            driver = DRIVER.open("miio", {}, [device(tmp_path, ours)], host)
            async with running(driver):
                await host.until(lambda it: ours.peer.questions > 5, "some questions")
                assert theirs.peer.questions == 0

    asyncio.run(asyncio.wait_for(body(), 60))
