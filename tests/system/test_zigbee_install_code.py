"""Pairing by install code: the device with the right key joins, no other, and a wrong code lets nobody in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("bellows", reason="the extra zigbee is not installed")

from homenode.errors import Refused
from tests.system.zigbee_bed import Interviewed, address, interviewed

CODE, KEY = "83FED3407A939723A5C639B26916D505C3B5", bytes.fromhex("66b6900981e1ee3ca4206b6b861c02bb")
OTHER_KEY = bytes(range(16))


@pytest.mark.parametrize("version", [13, 18])
def test_only_the_device_with_the_code_may_join(tmp_path: Path, version: int) -> None:
    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(tmp_path, ["plug"], version) as home:
            await home.radio.pair(0)
            contact, visitor = home.add("contact"), home.add("motion", in_home=False)
            await home.restart()
            assert not contact.join(key=KEY), "the network was open before anybody asked"
            await home.radio.pair(60, CODE, home.ieee("contact"))
            assert not visitor.join(), "a neighbour's sensor came in"
            assert not visitor.join(key=KEY)
            assert not contact.join(key=OTHER_KEY), "a wrong code"
            assert not contact.join(), "without its code"
            assert contact.join(key=KEY)
            await _complete(home, "contact")
            contact.trip()
            await home.host.reading("contact", "contact", True)
            assert home.ieee("motion") not in home.host.known

    asyncio.run(whole())


def test_a_wrong_code_is_told_before_the_network_is_opened(tmp_path: Path) -> None:
    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(tmp_path, ["plug"]) as home:
            await home.radio.pair(0)
            with pytest.raises(Refused, match="a digit is wrong"):
                await home.radio.pair(60, "93" + CODE[2:], home.ieee("plug"))
            assert not home.stick.permitting

    asyncio.run(whole())


def test_a_code_that_is_another_devices_is_named_as_the_cause(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(tmp_path, ["plug"]) as home:
            contact, visitor = home.add("contact"), home.add("motion", in_home=False)
            await home.restart()
            await home.radio.pair(60, CODE, home.ieee("contact"))
            assert not visitor.join(key=KEY)
            assert not contact.join(key=OTHER_KEY)
            known, ieee = home.host.known, home.ieee("contact")
            await home.host.until(lambda: ieee in known and "install code" in known[ieee].note)
            told = [(one.message, vars(one)) for one in caplog.records]
            assert any(
                f["device"] == "contact" and "install code" in f["why"] for m, f in told if "not inter" in m
            )
            refused = next(fields for message, fields in told if "another device may join" in message)
            assert (refused["device"], refused["may"]) == (home.ieee("motion"), ieee)
            assert "install code" in refused["do"]
            assert contact.join(key=KEY)
            await _complete(home, "contact")

    asyncio.run(whole())


def test_after_its_time_nobody_joins_by_the_code(tmp_path: Path) -> None:
    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(tmp_path, ["plug"]) as home:
            contact = home.add("contact")
            await home.restart()
            await home.radio.pair(1, CODE, home.ieee("contact"))
            await asyncio.sleep(1.5)
            assert not contact.join(key=KEY)

    asyncio.run(whole())


def test_who_did_not_join_by_its_code_is_told_why_that_may_be(tmp_path: Path) -> None:
    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(tmp_path, ["plug"]) as home:
            wrong, silent = home.add("contact"), home.add("motion", in_home=False)
            await home.restart()
            told = home.host.known
            await home.radio.pair(2, CODE, home.ieee("contact"))
            assert not wrong.join(key=OTHER_KEY)
            ieee = home.ieee("contact")
            await home.host.until(lambda: ieee in told and "install code" in told[ieee].note)
            assert "asked to join" in told[ieee].note
            assert "installationskod" in told[ieee].note_in["sv"]
            await home.radio.pair(1, CODE, address(silent.ieee))
            await home.host.until(lambda: address(silent.ieee) in told)
            assert "nothing with this address asked to join" in told[address(silent.ieee)].note
            await home.radio.pair(60, CODE, ieee)
            assert wrong.join(key=KEY)
            await _complete(home, "contact")
            assert "install code" not in told[ieee].note

    asyncio.run(whole())


async def _complete(home: Interviewed, name: str) -> None:
    devices = home.radio._devices
    assert devices is not None
    await home.host.until(lambda: devices.is_complete(home.ieee(name)), 60)
