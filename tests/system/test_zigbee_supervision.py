"""Reports, bindings, check-ins are set up and read back; who is not heard each 4 h is told and refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bellows", reason="the extra zigbee is not installed")

from drivers.zigbee.rows import row_for
from drivers.zigbee.supervision import LONGEST_S, UNTOLD_S, documented_s
from homenode.errors import Refused
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model
from homenode.sim.zigbee.device_spec import DeviceSpec
from tests.system.zigbee_bed import Interviewed, interviewed, named

POLL_CONTROL, BATTERY, ZONE = 0x0020, 0x0001, 0x0500
Scene = Callable[[Interviewed], Coroutine[Any, Any, None]]


def play(folder: Path, models: list[str], scene: Scene) -> None:
    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(folder, models) as home:
            await scene(home)

    asyncio.run(whole())


def without(spec: DeviceSpec, *clusters: int) -> DeviceSpec:
    """A model that lacks these clusters."""
    endpoints = tuple(
        replace(one, servers=tuple(cluster for cluster in one.servers if cluster.id not in clusters))
        for one in spec.endpoints
    )
    return replace(spec, endpoints=endpoints)


async def joined(home: Interviewed, name: str, spec: DeviceSpec, **how: Any) -> VirtualDevice:
    device = home.add("contact", name=name)
    special = VirtualDevice(spec, device.ieee, home.stick)
    home._devices[name] = special
    await home.stop()
    await home.start(**how)
    await home.radio.pair(60)
    assert special.join()
    await home.interviews_done()
    return special


@pytest.mark.parametrize(
    "name", ["smoke", "water", "contact", "co", "gas", "heat", "water_aqara", "contact_aqara"]
)
def test_what_guards_somebody_in_the_catalogue_is_heard_each_four_hours_or_told(
    tmp_path: Path, name: str
) -> None:
    async def scene(home: Interviewed) -> None:
        known = home.radio._devices.named(name)  # type: ignore[union-attr]  # it runs
        assert known is not None
        note = home.host.known[home.ieee(name)].note
        heard_s = known.facts.heard_s
        supervised = not known.sleepy or (heard_s is not None and heard_s <= LONGEST_S)
        row_ms = row_for(known.device.manufacturer, known.device.model).stale_after_ms
        documented = (documented_s(known.device.manufacturer, row_ms) or LONGEST_S + 1) <= LONGEST_S
        assert supervised or documented or "refused" in note or "noticed late" in note
        if name in ("smoke", "water", "contact"):
            assert supervised, note

    play(tmp_path, [name], scene)


def test_a_check_in_is_set_to_an_hour_and_read_back(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        spec = model("water")
        slow = await joined(home, "slow", _set(spec, POLL_CONTROL, 0x0000, 6 * 3600 * 4))
        known = home.radio._devices.named("slow")  # type: ignore[union-attr]  # it runs
        assert known is not None
        assert known.facts.heard_s is not None
        assert known.facts.heard_s <= 3600
        poll = next(cluster for (_, number), cluster in slow.servers.items() if number == POLL_CONTROL)
        assert poll.interval_s == 3600  # type: ignore[attr-defined]  # that cluster has it

    play(tmp_path, ["plug"], scene)


def test_a_water_sensor_that_never_says_that_it_is_there_is_refused_and_its_dry_is_not_believed(
    tmp_path: Path,
) -> None:
    async def scene(home: Interviewed) -> None:
        device = await joined(home, "silent", without(model("water"), POLL_CONTROL, BATTERY))
        note = home.host.known[home.ieee("silent")].note
        assert "refused for water" in note
        assert "unsupervised: accepted" in note
        assert home.host.known[home.ieee("silent")].stale_after_ms == 2500 * UNTOLD_S
        assert "refused for water" in home.host.faults["silent supervision"]
        home.host.readings.clear()
        device.trip()
        await home.host.reading("silent", "water", True)
        device.trip(False)
        await home.host.reading("silent", "water", None)
        assert False not in home.host.values("silent", "water")

    play(tmp_path, ["plug"], scene)


def test_an_installer_who_insists_is_taken_at_his_word_while_the_radio_runs(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = await joined(home, "silent", without(model("water"), POLL_CONTROL, BATTERY))
        device.trip()
        for insisted in (["sink"], [], ["sink"]):
            await home.radio.assign(named(insisted=insisted, sink=home.ieee("silent")))
            assert ("sink supervision" in home.host.faults) is not bool(insisted)
        device.trip(False)
        await home.host.reading("sink", "water", False)

    play(tmp_path, ["plug"], scene)


def test_bindings_and_reports_are_there_when_it_is_said_so(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        for name in ("plug", "contact"):
            known = home.radio._devices.named(name)  # type: ignore[union-attr]  # it runs
            assert known is not None
            assert not known.facts.notes
        bound = {(row.endpoint, row.cluster) for row in home["contact"].bindings}
        assert (2, ZONE) in bound
        assert (1, POLL_CONTROL) in bound

    play(tmp_path, ["plug", "contact"], scene)


def test_a_binding_that_did_not_stick_is_made_again(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        plug = home.add("plug", name="forgetful")
        forgets = iter([True])
        receive = plug.receive

        def receive_and_forget(frame: Any) -> None:
            receive(frame)
            if frame.profile == 0 and frame.cluster == 0x0021 and next(forgets, False):
                plug.bindings.clear()

        plug.receive = receive_and_forget  # type: ignore[method-assign]  # flash that fails once
        await home.restart()
        await home.radio.pair(60)
        assert plug.join()
        await home.interviews_done()
        bound = {(row.endpoint, row.cluster) for row in plug.bindings}
        assert {(1, 0x0006), (1, 0x0702), (1, 0x0B04)} <= bound

    play(tmp_path, ["contact"], scene)


def test_what_may_come_late_waits_until_a_sleeper_checks_in(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        known = home.radio._devices.named("siren")  # type: ignore[union-attr]  # it runs
        assert known is not None
        known.sleepy = True
        await home.radio.switch("siren", "siren", True)
        home["siren"].silence()
        with pytest.raises(Refused, match="as soon as it wakes"):
            await home.radio.switch("siren", "siren", False)
        with pytest.raises(Refused, match="did not answer"):
            await home.radio.switch("siren", "siren", True)
        assert known.pending == {"siren": False}
        home["siren"].revive()
        home["siren"].announce()
        async with asyncio.timeout(15):
            while home["siren"].siren:  # noqa: ASYNC110 - a bell that somebody looks at
                await asyncio.sleep(0.05)

    play(tmp_path, ["siren"], scene)


def _set(spec: DeviceSpec, cluster: int, attribute: int, value: int) -> DeviceSpec:
    def of(one: Any) -> Any:
        if one.id != cluster:
            return one
        return replace(
            one,
            attributes=tuple(
                replace(each, value=value) if each.id == attribute else each for each in one.attributes
            ),
        )

    endpoints = tuple(replace(one, servers=tuple(of(each) for each in one.servers)) for one in spec.endpoints)
    return replace(spec, endpoints=endpoints)
