"""The GPIO driver on unmodified gpiozero, against simulated lines in another process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.gpio import DRIVER
from drivers.gpio.levels import levels
from homenode.config.model import Device
from homenode.errors import DriverLost, Refused, SetupError
from homenode.kit.listener import Listener, running
from tests.system.gpio_board import lines

pytest.importorskip("pigpio", reason="the extra gpio is not installed")


def _device(name: str, pin: int, kind: str, **options: object) -> Device:
    return Device(name, "gpio", "hall", options={"pin": pin, "kind": kind, **options}, kinds=(kind,))


DOOR = _device("front_door", 17, "contact")
SINK = _device("sink", 27, "water")
EYE = _device("hall_eye", 22, "motion")
SMOKE = _device("smoke", 23, "smoke")
BELL = _device("bell", 24, "button")
SIREN = _device("siren", 25, "siren")
GUARD = _device("guard", 26, "switch", active="low")


def _open(host: Listener, *devices: Device):  # type: ignore[no-untyped-def]  # a Driver
    return DRIVER.open("gpio", {}, devices, host)


def test_a_door_without_its_wire_reads_open(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            board.say("drive 17 0")
            async with running(_open(host, DOOR)):
                await host.until(lambda host: host.said, "the state at start")
                assert host.last("front_door", "contact") is False
                board.say("drive 17 open")
                await host.until(lambda host: host.last("front_door", "contact") is True, "open")

    asyncio.run(play())


def test_a_contact_that_bounces_is_told_once(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board, running(_open(host, DOOR, SINK)):
            await host.until(lambda host: len(host.said) == 2, "the states at start")
            board.say("drive 17 0 2 3 1 4 2 1")
            await host.until(lambda host: host.last("front_door", "contact") is False, "closed")
            board.say("drive 17 open 2 3 1 4 2 1")
            await host.until(lambda host: host.last("front_door", "contact") is True, "open")
            assert [said.value for said in host.said if said.device == "front_door"] == [True, False, True]

    asyncio.run(play())


def test_the_first_press_after_the_start_is_heard(tmp_path: Path) -> None:
    """python's pigpio compares with the levels at connecting, when no pull was on yet."""

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board, running(_open(host, BELL)):
            await host.until(lambda host: host.said, "the state at start")
            board.say("drive 24 0")
            board.say("wait 80")
            board.say("drive 24 open")
            await host.until(lambda host: len(host.said) == 3, "press and release")
            assert [said.value for said in host.said] == [False, True, False]

    asyncio.run(play())


def test_a_button_held_down_at_start_was_not_pressed(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            board.say("drive 24 0")
            async with running(_open(host, BELL, DOOR)):
                await host.until(lambda host: len(host.said) == 2, "the states at start")
                board.say("drive 17 0")
                await host.until(lambda host: len(host.said) == 3, "the door")
                assert host.said[0][:3] == ("bell", "button", False)

    asyncio.run(play())


def test_outputs_are_off_at_start_follow_and_are_let_go_at_the_end(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            driver = _open(host, SIREN, GUARD)
            async with running(driver):
                await host.until(lambda host: len(host.said) == 2, "the states at start")
                assert host.last("siren", "siren") is False
                await board.level(26, True)  # active low: off is high
                await driver.switch("siren", "siren", True)
                await driver.switch("guard", "switch", True)
                await board.level(25, True)
                await board.level(26, False)
                assert host.last("guard", "switch") is True

    asyncio.run(play())


def test_an_output_that_does_not_follow_is_refused_and_told_as_it_is(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            board.say("stick 25 0")
            driver = _open(host, SIREN)
            async with running(driver):
                await host.until(lambda host: host.said, "the state at start")
                with pytest.raises(Refused, match="pin 25 doesn't follow"):
                    await driver.switch("siren", "siren", True)
                assert host.last("siren", "siren") is False

    asyncio.run(play())


def test_a_wedged_daemon_is_a_lost_driver(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board, running(_open(host, DOOR)) as task:
            await host.until(lambda host: host.said, "the state at start")
            board.say("wedge")
            with pytest.raises(DriverLost):
                async with asyncio.timeout(10):
                    await task

    asyncio.run(play())


def test_stopping_does_not_wait_for_a_wedged_daemon(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board, running(_open(host, DOOR, SINK, EYE, SIREN)) as task:
            await host.until(lambda host: len(host.said) == 4, "the states at start")
            board.say("wedge")
            board.say("drive 17 0")
            await board.level(17, False)
            task.cancel()
            async with asyncio.timeout(1.5):  # the supervisor gives it no longer
                with pytest.raises((asyncio.CancelledError, DriverLost)):
                    await task

    asyncio.run(play())


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("GPIOZERO_PIN_FACTORY", "mock", "is no pin library"),
        ("GPIOZERO_PIN_FACTORY", "", "is no pin library"),
    ],
)
def test_there_is_no_silent_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, why: str
) -> None:
    monkeypatch.setenv(variable, value)

    async def play() -> None:
        with pytest.raises(SetupError, match=why):
            await _open(Listener(tmp_path), DOOR).run()

    asyncio.run(play())


def test_a_daemon_that_is_not_there_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "pigpio")
    monkeypatch.setenv("PIGPIO_ADDR", "127.0.0.1")
    monkeypatch.setenv("PIGPIO_PORT", "1")

    async def play() -> None:
        with pytest.raises(DriverLost, match=r"pigpio daemon at 127\.0\.0\.1:1"):
            await _open(Listener(tmp_path), DOOR).run()

    asyncio.run(play())


def test_a_driver_of_ones_own_hears_of_an_edge_that_got_lost() -> None:
    async def play() -> None:
        async with lines() as board:
            board.say("drive 17 0")
            async with asyncio.timeout(10), levels(17, pull="up") as changes:
                heard = [await anext(changes)]
                changes.told = True  # as if it had been told so before the edge that got lost
                heard.append(await anext(changes))
                board.say("drive 17 open")
                heard.append(await anext(changes))
            assert heard == [False, False, True]

    asyncio.run(play())


def test_an_edge_that_got_lost_is_found(tmp_path: Path) -> None:
    """The reports of python's pigpio are cut off, as after an overflow; levels are still read."""

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            driver = _open(host, DOOR)
            async with running(driver):
                await host.until(lambda host: host.said, "the state at start")
                driver._lines["front_door"].pin.pin.when_changed = None  # nobody listens for edges any more
                board.say("drive 17 0")
                await host.until(lambda host: host.last("front_door", "contact") is False, "closed")

    asyncio.run(play())
