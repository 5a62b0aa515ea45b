"""The driver on unmodified zigpy and bellows, against the simulated stick."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import weakref
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import DriverLost, HomenodeError, Refused, SetupError
from homenode.sim.zigbee.air import Aps
from tests.system.zigbee_bed import Heard, Interviewed, interviewed, named, opened, radio_on, stick_at

VERSIONS = [13, 14, 16, 17, 18, 19]
Scene = Callable[[Interviewed], Coroutine[Any, Any, None]]


def play(folder: Path, models: list[str], scene: Scene, version: int = 13) -> None:
    """A stick, its devices joined and interviewed, and then the scene."""

    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(folder, models, version) as home:
            await scene(home)

    asyncio.run(whole())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_door_a_plug_and_a_button_are_heard_at_every_protocol_version(tmp_path: Path, version: int) -> None:
    async def scene(home: Interviewed) -> None:
        for turn in range(3):
            home["contact"].trip(turn % 2 == 0)
            await home.host.until(lambda n=turn: len(home.host.values("contact", "contact")) > n)
        home["button"].press()
        await home.host.reading("button", "button", True)
        home["plug"].measure("power", 1400.0, at_once=True)
        await home.host.reading("plug", "power", 1400.0)
        assert home.host.values("contact", "contact")[-3:] == [True, False, True]
        assert home.radio.short_path is not None
        assert home.radio.short_path.taken > 0
        assert not home.host.faults

    play(tmp_path, ["contact", "plug", "button"], scene, version)


def test_a_second_start_knows_the_devices_and_asks_them(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.host.readings.clear()
        await home.restart()
        await home.host.reading("plug", "switch", False)
        known = home.host.known[home.ieee("contact")]
        assert known.kinds == ("battery", "contact", "tamper", "link_quality")
        assert known.name == "contact"
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact", "plug"], scene)


def test_a_start_on_an_existing_network_waits_for_nothing(tmp_path: Path) -> None:
    """bellows waits 2 s for a stick behind TCP, zigpy 10 s for an answer to itself."""

    async def scene(home: Interviewed) -> None:
        before = asyncio.get_running_loop().time()
        await home.restart()
        assert asyncio.get_running_loop().time() - before < 1.9

    play(tmp_path, ["plug"], scene)


def test_outputs_switch_and_say_so(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        await home.radio.switch("plug", "switch", True)
        assert home["plug"].outputs["switch"] is True
        await home.host.reading("plug", "switch", True)
        await home.radio.switch("siren", "siren", True)
        await home.host.reading("siren", "siren", True)
        assert home["siren"].siren is True
        await home.radio.switch("siren", "siren", False)
        assert home["siren"].siren is False
        with pytest.raises(Refused, match="switch"):
            await home.radio.switch("plug", "valve", True)
        with pytest.raises(Refused, match="has not joined"):
            await home.radio.switch("nobody", "switch", True)

    play(tmp_path, ["plug", "siren"], scene)


def test_a_stick_that_resets_is_back_within_ten_seconds(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.stick.faults.reset()
        with pytest.raises(DriverLost, match="reset"):
            await home.ended()
        await home.restart()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True, within_s=10)

    play(tmp_path, ["contact"], scene)


def test_what_a_lost_session_held_is_given_back(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        forgotten, loop = asyncio.Event(), asyncio.get_running_loop()
        app = weakref.ref(home.radio._app, lambda _: loop.call_soon_threadsafe(forgotten.set))
        gc.disable()  # by itself it would be found after ten of them
        try:
            home.stick.faults.reset()
            with pytest.raises(DriverLost):
                await home.ended()
            await home.restart()
            async with asyncio.timeout(10):
                await forgotten.wait()
        finally:
            gc.enable()
        assert app() is None

    play(tmp_path, ["contact"], scene)


def test_a_stick_that_resets_during_the_start_is_given_up_at_once(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        await home.stop()
        began = asyncio.get_running_loop().time()
        starting = asyncio.ensure_future(home.start())
        for up in (False, True):  # the reset that begins a start, then the network
            while home.stick.network_up != up:  # noqa: ASYNC110 - a stick tells nobody but its host
                await asyncio.sleep(0)
        home.stick.faults.reset()
        with pytest.raises(DriverLost, match=r"reset|answers"):
            await starting
        assert asyncio.get_running_loop().time() - began < 7
        await home.restart()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact"], scene)


def test_a_stick_that_is_unplugged_is_lost_at_once_and_found_again(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.stick.faults.unplug()
        with pytest.raises(DriverLost):
            await home.ended()
        with pytest.raises(DriverLost, match="not there"):
            await home.restart()
        await home.stick.faults.plug_in()
        await home.restart()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact"], scene)


def test_a_wedged_stick_is_noticed_within_twenty_seconds(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.stick.faults.wedge()
        before = asyncio.get_running_loop().time()
        with pytest.raises(DriverLost, match="answer"):
            await home.ended()
        assert asyncio.get_running_loop().time() - before < 20
        await home.restart()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact"], scene)


def test_a_stick_that_answers_but_has_left_its_network_is_lost_and_joins_it_again(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.stick._stick.ram.network_up = False
        with pytest.raises(DriverLost, match="left its network"):
            await home.ended()
        await home.restart()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact"], scene)


def test_a_device_that_leaves_is_a_fault_until_it_is_back(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home["contact"].leave()
        await home.host.until(lambda: "contact left" in home.host.faults)
        await home.radio.pair(60)
        assert home["contact"].join()
        await home.host.until(lambda: "contact left" not in home.host.faults)
        home.host.readings.clear()
        await home.interviews_done()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact"], scene)


@pytest.mark.parametrize("version", [13, 14])
def test_whoever_was_said_to_have_left_and_speaks_is_there(tmp_path: Path, version: int) -> None:
    async def scene(home: Interviewed) -> None:
        contact = next(d for d in home.radio._app.devices.values() if str(d.ieee) == home.ieee("contact"))
        home.radio._app.handle_leave(contact.nwk, contact.ieee)
        await home.host.until(lambda: "contact left" in home.host.faults)
        home.host.faults.clear()
        await home.restart()
        assert "contact left" in home.host.faults, "a restart forgot that it left"
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)
        await home.host.until(lambda: "contact left" not in home.host.faults)

    play(tmp_path, ["contact"], scene, version)


@pytest.mark.parametrize("version", [13, 14])
def test_a_device_that_comes_back_with_another_address_is_known(tmp_path: Path, version: int) -> None:
    async def scene(home: Interviewed) -> None:
        assert home["contact"].rejoin()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["contact"], scene, version)


@pytest.mark.parametrize("version", [13, 14])
def test_the_first_frame_from_an_address_that_nobody_told_is_heard(tmp_path: Path, version: int) -> None:
    async def scene(home: Interviewed) -> None:
        home.stick.network.members[home["button"].ieee].network_address = 0x4321
        assert home.stick.restore(home["button"])
        home["button"].press()
        await home.host.reading("button", "button", True)

    play(tmp_path, ["button"], scene, version)


def test_a_device_that_home_yaml_does_not_have_feeds_nothing(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        device = home.add("motion", name="stranger", in_home=False)
        await home.radio.pair(60)
        assert device.join()
        await home.interviews_done()
        device.trip()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)
        assert home.host.known[home.ieee("stranger")].name == ""
        assert "motion" in home.host.known[home.ieee("stranger")].kinds
        assert {name for name, _, _ in home.host.readings} == {"contact"}

    play(tmp_path, ["contact"], scene)


def test_lost_facts_cost_a_new_interview_and_no_device(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        await home.stop()
        (home.host.data / "stick-devices.json").write_text("{")
        await home.start()
        await home.interviews_done()
        home["plug"].measure("power", 900.0, at_once=True)
        await home.host.reading("plug", "power", 900.0)

    play(tmp_path, ["plug"], scene)


def test_a_radio_that_is_lost_while_a_device_is_interviewed_goes_on_with_it(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        home.add("contact")
        await home.restart()
        await home.radio.pair(60)
        assert home["contact"].join()
        await home.host.until(lambda: home.ieee("contact") in home.host.known)
        await home.restart()
        await home.interviews_done()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, ["plug"], scene)


def test_facts_are_kept_in_a_file_that_a_person_can_read(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        kept = json.loads((home.host.data / "stick-devices.json").read_text())
        assert kept["devices"][home.ieee("contact")]["values"] == {"2/0500/0001": 0x15}

    play(tmp_path, ["contact"], scene)


def _refused(folder: Path, port: str, **options: Any) -> HomenodeError:
    async def start() -> None:
        (folder / "data").mkdir(exist_ok=True)
        radio = opened(port, [], Heard(folder / "data"), **options)
        async with asyncio.timeout(30):
            await radio.run()

    with pytest.raises(HomenodeError) as caught:
        asyncio.run(start())
    return caught.value


def test_a_port_that_is_not_there_says_where_to_look(tmp_path: Path) -> None:
    refused = _refused(tmp_path, str(tmp_path / "nothing"))
    assert isinstance(refused, SetupError)
    assert "by-id" in str(refused)


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not a serial port" in str(_refused(tmp_path, str(tmp_path / "file")))


def test_a_host_that_refuses_is_tried_again(tmp_path: Path) -> None:
    assert isinstance(_refused(tmp_path, "socket://127.0.0.1:1"), DriverLost)


def test_something_that_is_no_stick_is_told_so(tmp_path: Path) -> None:
    master, slave = os.openpty()
    refused = _refused(tmp_path, os.ttyname(slave))
    assert "no ezsp stick answers" in str(refused)
    os.close(master)
    os.close(slave)


def test_two_nodes_on_one_port_are_told(tmp_path: Path) -> None:
    async def both() -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "other").mkdir()
        async with (
            stick_at(tmp_path),
            radio_on(str(tmp_path / "tty"), named(), Heard(tmp_path / "data")),
        ):
            second = opened(str(tmp_path / "tty"), [], Heard(tmp_path / "other"))
            with pytest.raises(SetupError, match="another program"):
                await second.run()

    asyncio.run(both())


def test_a_damaged_database_is_set_aside_and_devices_are_found_again(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        await home.stop()
        (home.host.data / "stick.db").write_bytes(b"this is no database" * 100)
        with pytest.raises(DriverLost, match="damaged"):
            await home.start()
        await home.start()
        home["plug"].measure("power", 700.0, at_once=True)
        home["contact"].trip()
        await home.host.reading("plug", "power", 700.0, within_s=60)
        await home.host.reading("contact", "contact", True, within_s=60)

    play(tmp_path, ["plug", "contact"], scene)


@pytest.mark.parametrize(("ago_ms", "told"), [(179_000, [False]), (1_000_000, [])])
def test_what_ends_by_itself_ends_though_the_radio_was_away(
    tmp_path: Path, ago_ms: int, told: list[bool]
) -> None:
    """Such as the movement of a sensor that tells no end: without it nobody would be missed for hours."""

    async def scene(home: Interviewed) -> None:
        home.host.past["siren", "siren"] = (True, home.host.now() - ago_ms)
        home.host.readings.clear()
        await home.restart()
        await home.host.until(lambda: home.host.values("siren", "siren") == told)

    play(tmp_path, ["siren"], scene)


@pytest.mark.parametrize("version", [13, 18])
def test_what_is_said_while_the_network_starts_is_heard(tmp_path: Path, version: int) -> None:
    """The stick has acknowledged it, so its device won't say it again."""

    async def scene(home: Interviewed) -> None:
        await home.stop()
        home.host.readings.clear()
        starting = asyncio.ensure_future(home.start())
        for up in (False, True):
            while home.stick.network_up is not up:  # noqa: ASYNC110 - each turn of the loop counts
                await asyncio.sleep(0)
        home["contact"].trip()
        await starting
        await home.host.reading("contact", "contact", True)
        assert home.host.values("contact", "contact").count(True) == 1

    play(tmp_path, ["contact"], scene, version)


def test_a_stick_with_another_network_is_told_and_not_used(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        await home.stop()
        home.stick.network.extended_pan_id ^= 1
        with pytest.raises(SetupError, match="another network"):
            await home.start()

    play(tmp_path, ["contact"], scene)


def test_a_question_that_was_lost_is_asked_again_and_costs_no_point(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        late = home.add("plug", name="late")
        await home.restart()
        receive, lost = late.receive, []

        def receive_but_two(frame: Aps) -> None:
            if frame.cluster == 0x0B04 and b"\x0b\x05" in frame.payload and len(lost) < 2:
                lost.append(frame)
            else:
                receive(frame)

        late.receive = receive_but_two  # type: ignore[method-assign]  # a wall between it and the stick
        await home.radio.pair(60)
        assert late.join()
        await home.interviews_done()
        assert len(lost) == 2
        assert "power" in home.host.known[home.ieee("late")].kinds

    play(tmp_path, ["contact"], scene)
