"""Loops, clamps and meters on unmodified gpiozero and pigpio, against simulated converters."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.gpio import DRIVER, analog
from homenode.config.model import Device
from homenode.errors import DriverLost
from homenode.kit.listener import Listener, running
from tests.system.gpio_board import Lines, lines

pytest.importorskip("pigpio", reason="the extra gpio is not installed")

ADCS = ("mcp3008", "ads1115")


def _on(adc: str, name: str, channel: int, kind: str, **options: object) -> Device:
    chosen = {"adc": adc, "channel": channel, "kind": kind, **options}
    return Device(name, "gpio", "kitchen", options=chosen, kinds=DRIVER.kinds(chosen))


def _open(host: Listener, *devices: Device):  # type: ignore[no-untyped-def]  # a Driver
    return DRIVER.open("gpio", {}, devices, host)


async def _tell(host: Listener, board: Lines, device: Device, what: str, value: object) -> None:
    options = device.options
    board.say(f"loop {options['adc']} {options.get('chip') or 0} {options['channel']} {what}")
    kind = str(options["kind"])
    told = (device.name, kind)
    await host.until(
        lambda host: told in {said[:2] for said in host.said} and host.last(*told) is value,
        f"{what} as {value}",
    )


@pytest.mark.parametrize("adc", ADCS)
def test_a_cut_or_shorted_probe_is_a_fault_and_never_dry(tmp_path: Path, adc: str) -> None:
    sink = _on(adc, "sink", 1, "water")

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            board.say(f"loop {adc} 0 1 open")
            async with running(_open(host, sink)):
                await _tell(host, board, sink, "open", False)
                await _tell(host, board, sink, "12000", True)  # tap water
                await _tell(host, board, sink, "open", False)
                await _tell(host, board, sink, "cut", None)
                await host.until(lambda host: "cut" in host.troubles.get("sink cable", ""), "why")
                await _tell(host, board, sink, "open", False)
                assert not host.troubles
                await _tell(host, board, sink, "short", None)
                assert "short circuit" in host.troubles["sink cable"]
                await _tell(host, board, sink, "100000", True)  # hardly conducts: still wet
        assert [said.value for said in host.said] == [False, True, False, None, False, None, True]

    asyncio.run(play())


@pytest.mark.parametrize("adc", ADCS)
def test_a_relay_or_door_on_a_supervised_loop_tells_a_cut_cable_from_an_alarm(
    tmp_path: Path, adc: str
) -> None:
    smoke, door = _on(adc, "smoke", 0, "smoke"), _on(adc, "door", 3, "contact")

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            for channel in 0, 3:
                board.say(f"loop {adc} 0 {channel} closed")
            async with running(_open(host, smoke, door)):
                await _tell(host, board, smoke, "closed", False)
                await _tell(host, board, door, "closed", False)
                await _tell(host, board, smoke, "open", True)
                await _tell(host, board, smoke, "cut", None)
                await _tell(host, board, door, "open", True)
                await _tell(host, board, door, "3000", None)  # corroded
                assert "corroded" in host.troubles["door cable"]
                await _tell(host, board, door, "closed", False)
                assert set(host.troubles) == {"smoke cable"}

    asyncio.run(play())


def test_a_pull_cord_that_is_drawn_for_a_moment_is_heard(tmp_path: Path) -> None:
    cord = _on("mcp3008", "cord", 7, "button", chip=1)

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            board.say("loop mcp3008 1 7 closed")
            async with running(_open(host, cord)):
                await _tell(host, board, cord, "closed", False)  # held down at start is no press
                board.say("loop mcp3008 1 7 open")
                await host.until(lambda host: len(host.said) == 2, "let go")
                board.say("loop mcp3008 1 7 closed")
                board.say("wait 250")
                board.say("loop mcp3008 1 7 open")
                await host.until(lambda host: len(host.said) == 4, "press and release")
        assert [said.value for said in host.said] == [False, False, True, False]

    asyncio.run(play())


def test_a_clamp_that_a_busy_machine_had_no_time_for_is_measured_again_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cooker = _on("ads1115", "cooker", 1, "current")

    async def play() -> None:
        host = Listener(tmp_path, patience_s=analog.CLAMP_S / 2)
        async with lines() as board:
            board.say("clamp ads1115 0 1 2.5")
            with monkeypatch.context() as busy:
                busy.setattr(analog, "PAUSE_S", 0.2)
                busy.setattr(analog, "LONGEST_S", 0.5)
                async with running(_open(host, cooker)):
                    await asyncio.sleep(1)
                    assert not host.said
                    busy.undo()
                    await host.until(lambda host: host.said, "a current")
        assert host.last("cooker", "current") == pytest.approx(2.5, rel=0.1)

    asyncio.run(play())


@pytest.mark.parametrize("adc", ADCS)
def test_a_converter_that_is_gone_is_a_fault_of_its_devices_only(tmp_path: Path, adc: str) -> None:
    sink = _on(adc, "sink", 0, "water")
    other = "ads1115" if adc == "mcp3008" else "mcp3008"
    floor = _on(other, "floor", 0, "water")
    door = Device("front_door", "gpio", "hall", options={"pin": 17, "kind": "contact"}, kinds=("contact",))

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            board.say(f"loop {adc} 0 0 open")
            board.say(f"loop {other} 0 0 open")
            async with running(_open(host, sink, floor, door)):
                await _tell(host, board, sink, "open", False)
                await _tell(host, board, floor, "open", False)
                board.say(f"chip {adc} 0 gone")
                await host.until(lambda host: host.last("sink", "water") is None, "a fault")
                board.say("drive 17 0")
                await host.until(lambda host: host.last("front_door", "contact") is False, "the door")
                assert host.last("floor", "water") is False
                assert host.troubles
                board.say(f"chip {adc} 0 there")
                await host.until(lambda host: host.last("sink", "water") is False, "dry again")
                assert not host.troubles

    asyncio.run(play())


@pytest.mark.parametrize("adc", ADCS)
def test_clamps_on_three_phases_tell_effective_amperes(
    tmp_path: Path, adc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.gpio.analog.CLAMP_S", 0.1)
    cooker = _on(adc, "cooker", 1, "current", phases=3, amps_per_volt=30)

    def near(host: Listener, kind: str, wanted_a: float) -> bool:
        value = next((said.value for said in reversed(host.said) if said.kind == kind), None)
        return isinstance(value, float) and abs(value - wanted_a) < 0.1 + 0.03 * wanted_a

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            for channel, current_a in ((1, 0), (2, 8.7), (3, 16)):
                board.say(f"clamp {adc} 0 {channel} {current_a}")
            async with running(_open(host, cooker)):
                await host.until(lambda host: near(host, "current", 0), "no current")
                await host.until(lambda host: near(host, "current_2", 8.7), "8.7 A")
                await host.until(lambda host: near(host, "current_3", 16), "16 A")
                board.say(f"clamp {adc} 0 2 out")
                await host.until(lambda host: host.last("cooker", "current_2") is None, "a fault, not 0 A")
                assert "plugged in" in host.troubles["cooker.current_2 cable"]
                board.say(f"clamp {adc} 0 2 2")
                await host.until(lambda host: near(host, "current_2", 2), "2 A")
                assert not host.troubles

    asyncio.run(play())


def test_stopping_does_not_wait_for_a_daemon_that_wedged(tmp_path: Path) -> None:
    devices = [_on("ads1115", f"loop_{n}", 0, "water", chip=n) for n in range(4)]
    devices += [_on("mcp3008", "door", 0, "contact"), _on("mcp3008", "cooker", 1, "current", phases=3)]

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board, running(_open(host, *devices)) as task:
            await host.until(lambda host: host.said, "something")
            board.say("wedge")
            await asyncio.sleep(0)
            task.cancel()
            async with asyncio.timeout(1.5):  # the supervisor gives it no longer
                with pytest.raises((asyncio.CancelledError, DriverLost)):
                    await task

    asyncio.run(play())


METER = Device(
    "meter",
    "gpio",
    "hall",
    options={"pin": 5, "kind": "energy", "pulses": 1000, "start": 41.5},
    kinds=("energy",),
)


def test_a_meter_counts_each_s0_pulse_once_and_goes_on_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.gpio.counting.TELL_S", 0.1)

    async def play() -> None:
        host = Listener(tmp_path)
        async with lines() as board:
            async with running(_open(host, METER)):
                await host.until(lambda host: host.said, "the state at start")
                assert host.last("meter", "energy") == 41.5
                await board.pulses(5, 40, 30)  # the shortest that IEC 62053-31 allows
                await host.until(lambda host: host.last("meter", "energy") == 41.54, "40 pulses")
                board.say("drive 5 0 1 2 3 4 2 1")  # an edge that bounces, and a pulse too short to be one
                board.say("wait 40")
                board.say("drive 5 open 1 2 3 4")
                board.say("wait 60")
                await board.pulses(5, 2, 4)
                await host.until(lambda host: host.last("meter", "energy") == 41.541, "one more")
            host.said.clear()
            async with running(_open(host, METER)):
                await host.until(lambda host: host.said, "the state after a restart")
                assert host.last("meter", "energy") == 41.541
                await board.pulses(5, 3, 40)
                await host.until(lambda host: host.last("meter", "energy") == 41.544, "three more")

    asyncio.run(play())
