"""How soon an output is switched, whatever others do: a siren waits for nobody."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from drivers.zigbee.asking import ask
from tests.system.zigbee_bed import Interviewed, stick_at

SOON_S = 1.0
UNPLUGGED = 20


@pytest.mark.parametrize("version", [13, 17])
def test_a_siren_sounds_within_a_second_while_ten_devices_are_unplugged_and_asked(
    tmp_path: Path, version: int
) -> None:
    async def scene() -> None:
        async with asyncio.timeout(110), stick_at(tmp_path, version) as stick:
            home = Interviewed(tmp_path, stick)
            names = [f"{one}_{number}" for one in ("plug", "contact") for number in range(UNPLUGGED // 2)]
            for name in names:
                home.add(name.partition("_")[0], name=name)
            home.add("siren")
            await home.start(channel=15)
            await home.radio.pair(200)
            for name in (*names, "siren"):
                assert home[name].join()
            await home.interviews_done()
            devices = home.radio._devices
            assert devices is not None
            for name in names:
                home[name].unplug()
            known = [found for name in names if (found := devices.named(name)) is not None]
            asking = [asyncio.ensure_future(ask(one)) for one in known]
            asking += [
                asyncio.ensure_future(home.radio.switch(n, "switch", True)) for n in names if "plug" in n
            ]
            await asyncio.sleep(0.2)
            for on in (True, False):
                begun = time.perf_counter()
                await home.radio.switch("siren", "siren", on)
                assert time.perf_counter() - begun < SOON_S
                assert home["siren"].siren is on
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await home.stop()

    asyncio.run(scene())
