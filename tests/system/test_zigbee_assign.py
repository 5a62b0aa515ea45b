"""Names that are given, changed and taken away while the network runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bellows", reason="the extra zigbee is not installed")

from homenode.sim.zigbee.device_catalogue import model
from tests.system.zigbee_bed import Interviewed, interviewed, named

Scene = Callable[[Interviewed], Coroutine[Any, Any, None]]


def play(folder: Path, models: list[str], scene: Scene) -> None:
    async def whole() -> None:
        async with asyncio.timeout(100), interviewed(folder, models) as home:
            app = home.radio._app
            await scene(home)
            assert home.radio._app is app, "the network ran on"

    asyncio.run(whole())


def test_a_device_with_another_name_is_heard_and_asked_under_it(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.host.readings.clear()
        await home.radio.assign(named(gate=home.ieee("contact"), iron=home.ieee("plug")))
        assert home.host.known[home.ieee("contact")].name == "gate"
        await home.host.reading("iron", "switch", False)  # it is awake, and was asked
        home["contact"].trip()
        await home.host.reading("gate", "contact", True)
        await home.radio.switch("iron", "switch", True)
        await home.host.reading("iron", "switch", True)
        assert {device for device, _, _ in home.host.readings} == {"gate", "iron"}

    play(tmp_path, ["contact", "plug"], scene)


def test_what_has_no_name_any_more_feeds_nothing_and_what_gets_one_does(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.host.readings.clear()
        await home.radio.assign(named())
        home["contact"].trip()
        ieee = home.ieee("contact")
        await home.host.until(lambda: (ieee, "contact", True) in home.host.strange)
        assert not home.host.readings
        await home.radio.assign(named(door=ieee))
        home["contact"].trip(False)
        await home.host.reading("door", "contact", False)

    play(tmp_path, ["contact"], scene)


def test_one_that_is_named_while_it_is_interviewed_says_how_it_stands_under_its_name(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        water = home.add_spec(model("water"), "late", in_home=False)
        ieee = home.ieee("late")
        assert water.join()
        await home.host.until(lambda: ieee in home.host.known and home.host.known[ieee].kinds, 60)
        await home.radio.assign(named(contact=home.ieee("contact"), sink=ieee))
        await home.interviews_done()
        await home.host.reading("sink", "water", False)
        assert home.host.known[ieee].name == "sink"

    play(tmp_path, ["contact"], scene)
