"""Sticks that speak other protocols, as far as their start; a library that is missing is told."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("zigpy_znp", reason="the extra znp is not installed")
pytest.importorskip("zigpy_deconz", reason="the extra deconz is not installed")

from drivers.zigbee import DRIVER
from homenode.config.check import check
from homenode.errors import HomenodeError, SetupError
from tests.system.other_sticks import CC2652, ConBee, FakePort
from tests.system.zigbee_bed import Heard, named, opened, radio_on

PING, ASSOCIATED = b"\x00\x21\x01", b"\x27\x49"
READ_VERSION, DEVICE_STATE = 0x0D, 0x07


def test_a_conbee_starts_its_network_and_opens_it_for_new_devices(tmp_path: Path) -> None:
    async def whole() -> None:
        (tmp_path / "data").mkdir()
        with ConBee(tmp_path / "tty") as stick:
            async with radio_on(
                str(tmp_path / "tty"), named(), Heard(tmp_path / "data"), adapter="deconz"
            ) as radio:
                await radio.pair(60)
                await asyncio.sleep(0.5)
            commands = [frame[0] for frame in stick.heard]
            assert READ_VERSION in commands[:2], "zigpy-deconz asks for the version of protocol and firmware"
            assert DEVICE_STATE in commands[:3]
            permits = [frame for frame in stick.heard if frame[0] == 0x0B and frame[7] == 0x21]
            assert permits[-1][8] == 60
            assert not (tmp_path / "data/stick.damaged").exists()

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_the_network_of_a_conbee_is_kept_as_any_other(tmp_path: Path) -> None:
    async def whole() -> None:
        host = Heard(tmp_path / "data")
        host.data.mkdir()
        with ConBee(tmp_path / "tty"):
            async with radio_on(str(tmp_path / "tty"), named(), host, adapter="deconz") as radio:
                await radio.keeper.keep()
        (kept,) = (host.data / "backups").iterdir()
        assert "1a62" in kept.read_text().lower()

    asyncio.run(asyncio.wait_for(whole(), 60))


def _refused(port: FakePort, folder: Path, adapter: str) -> HomenodeError:
    async def start() -> None:
        (folder / "data").mkdir()
        async with asyncio.timeout(100):
            await opened(str(port.port), [], Heard(folder / "data"), adapter=adapter).run()

    with pytest.raises(HomenodeError) as caught:
        asyncio.run(start())
    return caught.value


def test_a_cc2652_is_pinged_and_one_with_a_broken_flash_is_told(tmp_path: Path) -> None:
    with CC2652(tmp_path / "tty") as stick:
        refused = _refused(stick, tmp_path, "znp")
    assert PING in stick.heard
    assert stick.heard[1][1:3] == ASSOCIATED, "zigpy-znp asks next how its structures are packed"
    assert "EmberZNet" not in str(refused)
    assert str(tmp_path / "tty") in str(refused)


@pytest.mark.parametrize("adapter", ["znp", "deconz"])
def test_a_stick_that_answers_nothing_is_told_with_its_protocol(tmp_path: Path, adapter: str) -> None:
    with ConBee(tmp_path / "tty") as stick:
        stick.silent = True
        refused = _refused(stick, tmp_path, adapter)
    assert f"no {adapter} stick answers" in str(refused)
    assert stick.heard or adapter == "znp"


@pytest.mark.parametrize(("adapter", "library"), [("znp", "zigpy_znp"), ("deconz", "zigpy_deconz")])
def test_a_missing_library_is_told_with_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str, library: str
) -> None:
    find = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name == library else find(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(SetupError, match=f"{library} is not installed") as refused:
        DRIVER.open("stick", {"port": "/dev/null", "adapter": adapter}, [], Heard(tmp_path))
    assert f"homenode[{adapter}]" in str(refused.value)


def test_home_yaml_takes_all_three(tmp_path: Path) -> None:
    for adapter in ("ezsp", "znp", "deconz"):
        home = tmp_path / f"{adapter}.yaml"
        home.write_text(
            "home: try-1\ntimezone: Europe/Stockholm\n"
            f"radios: {{stick: {{driver: zigbee, port: /dev/ttyACM0, adapter: {adapter}}}}}\n"
            'devices: {door: {via: stick, ieee: "00:15:8d:00:00:00:01:00", room: hall}}\n'
        )
        assert check(str(home), (tmp_path / "out").open("w")) == 0
