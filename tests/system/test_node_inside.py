"""The gateway around its drivers: faults over restarts, last words, reloads, requests."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homenode.driver import Driver, Host, Joined
from homenode.errors import DriverLost, Refused, SetupError
from homenode.gateway.hearing import BATCH
from homenode.gateway.supervisor import STOP_S
from homenode.gateway.watchers import MOST_WAITING
from homenode.message import Class, Message
from tests.system.node_inside import (
    HOME,
    LAMP_ON,
    PATIENCE_S,
    Panel,
    Waits,
    node_inside,
    panel,
    quiet,
    until,
    written,
)


def missing(_host: Host) -> Driver:
    raise SetupError("no pin library", do="install it")


def test_a_driver_that_fails_at_each_start_is_one_fault_until_it_works(tmp_path: Path) -> None:
    async def fails() -> None:
        async with node_inside(tmp_path, panel(missing)) as node:
            await until(lambda: "no pin library" in node.crew.drivers["panel"].state, "the loss")
            await until(lambda: "panel" in node.judge.troubled, "the fault")

    async def speaks(host: Host) -> None:
        host.heard("door", "contact", False)

    async def works() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, speaks))) as node:
            await until(lambda: not node.judge.troubled, "the end of the fault")

    for scene in (fails, fails, fails, works):
        asyncio.run(scene())
    told = [(record["t"], record["source"]) for record in written(tmp_path, "fault", "well")]
    assert told == [("fault", "panel"), ("well", "panel")]


def test_a_network_that_was_opened_stays_open_though_the_radio_is_lost_meanwhile(tmp_path: Path) -> None:
    opened: list[float] = []
    tries = itertools.count()

    class Radio(Panel):
        async def pair(self, seconds: float) -> None:
            opened.append(seconds)

        async def run(self) -> None:
            nth = next(tries)
            await until(lambda: len(opened) > nth, "the wish to pair")
            if nth == 0:
                raise DriverLost("the stick was reset")
            await asyncio.Event().wait()

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Radio(host, quiet))) as node:
            await node.crew.drivers["panel"].pair(60)
            await until(lambda: len(opened) == 2, "the opening again")
            node.home.path.write_text(HOME.replace("room: hall", "room: porch"))
            await node.requests.reload()
            await until(lambda: len(opened) == 3, "the opening after a reload")

    asyncio.run(play())
    assert opened[0] == 60
    assert 40 < opened[2] < opened[1] < 60


def test_who_asks_a_driver_that_is_stopped_meanwhile_is_told(tmp_path: Path) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Waits(host, quiet))) as node:
            asked = asyncio.ensure_future(node.actions.switch("lamp.light", True))
            await until(lambda: "lamp.light" in node.judge.engine.home.points, "the beginning")
            await node.crew.stop("panel")
            with pytest.raises(Refused, match="stopped meanwhile"):
                await asked

    asyncio.run(play())


def test_a_watcher_that_is_too_far_behind_comes_to_an_end(tmp_path: Path) -> None:
    async def all_of(events: AsyncIterator[Mapping[str, Any]]) -> list[Any]:
        return [event["number"] async for event in events]

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            behind = asyncio.ensure_future(all_of(node.watchers.follow()))
            await asyncio.sleep(0)  # it follows, and has no turn from now on
            for number in range(MOST_WAITING + 5):
                node.watchers.event({"number": number})
            await until(behind.done, "the end")
            assert behind.result() == list(range(1, MOST_WAITING))

    asyncio.run(play())


def test_reloads_and_drivers_that_go_home_wait_for_each_other(tmp_path: Path) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            node.home.path.write_text(HOME + "  hatch: {driver: panel, kind: contact, room: attic}\n")
            node.crew.folders.away.add("panel")
            reload = node.requests.reload
            told = await asyncio.gather(reload(), node.crew.go_home(), reload(), reload())
            assert [text and text[-1] for text in told] == ["1", None, "0", "0"], "drivers started anew"
            assert node.crew.drivers["panel"].devices == ("door", "lamp", "hatch")
            node.stopping.set()
            with pytest.raises(Refused, match="stopping"):
                await reload()

    asyncio.run(play())


class Chatty(Panel):
    """Has a lot to say when it is stopped."""

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            for number in range(LAST_WORDS):
                self._host.heard("door", "contact", number % 2 == 1)


LAST_WORDS = 15 * BATCH


def test_what_a_driver_says_last_is_heard_at_a_reload_and_at_the_end(tmp_path: Path) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Chatty(host, quiet))) as node:
            await until(lambda: node.crew.drivers["panel"].state == "running", "the driver")
            node.home.path.write_text(HOME + "  hatch: {driver: panel, kind: contact, room: attic}\n")
            await node.requests.reload()
            assert node.judge.engine.home.point("door.contact").value is True
            await until(lambda: node.crew.drivers["panel"].state == "running", "the driver")

    asyncio.run(play())
    assert len(written(tmp_path, "r")) == 2 * LAST_WORDS


def test_drivers_that_hang_cost_the_end_no_more_time_than_one(tmp_path: Path) -> None:
    let_go = threading.Event()

    async def hangs(_host: Host) -> None:
        let_go.wait(PATIENCE_S)

    async def play() -> float:
        home = HOME.replace("lamp: {driver: panel", "lamp: {driver: other")
        types = [panel(lambda host: Panel(host, hangs), name) for name in ("panel", "other")]
        async with node_inside(tmp_path, *types, home=home) as node:
            await until(lambda: all(d.state == "running" for d in node.crew.drivers.values()), "both")
            loop = asyncio.get_running_loop()
            since = loop.time()
            await node.crew.stop_all()
            took_s = loop.time() - since
            let_go.set()
            return took_s

    assert asyncio.run(play()) < 2 * STOP_S


def test_a_driver_that_asks_what_waits_is_not_hurt_by_what_is_sent_meanwhile(tmp_path: Path) -> None:
    enough = threading.Event()

    async def asks(host: Host) -> None:
        while not enough.is_set():
            host.waiting()

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, asks))) as node:
            outbox, driver = node.outbox, node.crew.drivers["panel"]
            await until(lambda: driver.state == "running", "the driver")
            outbox.link_up()
            for number in range(50_000):
                outbox.add(Message(f"a{number}", "care", "hn1/x/care/alerts", b"{}", Class.ALARM, 0))
                if number % 10 == 9:
                    outbox.written(outbox.number())
                    handed = [one for _ in range(10) if (one := outbox.next()) is not None]
                    assert [outbox.acknowledged(one.key) for one in handed]
            assert driver.state == "running"
            enough.set()

    switching_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that seconds show what otherwise takes days
    try:
        asyncio.run(play())
    finally:
        enough.set()
        sys.setswitchinterval(switching_s)


def test_the_faults_of_a_device_end_when_home_yaml_drops_it_at_a_reload_or_at_a_start(tmp_path: Path) -> None:
    there = ["door", "lamp", "hatch"]

    async def lies(host: Host) -> None:
        for device in there:
            host.heard(device, "temperature", "warm")
            host.lost(f"{device} battery", "low")

    every = {f"{device}{fault}" for device in there for fault in (".temperature value", " battery")}

    async def runs() -> None:
        home = HOME + "  hatch: {driver: panel, kind: contact, room: attic}\n"
        async with node_inside(tmp_path, panel(lambda host: Panel(host, lies)), home=home) as node:
            await until(lambda: set(node.judge.troubled) == every, "the faults")
            node.home.path.write_text(HOME)
            there.remove("hatch")
            await node.requests.reload()
            assert set(node.judge.troubled) == {source for source in every if "hatch" not in source}

    async def starts() -> None:
        home = HOME[: HOME.index("  lamp")]
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            assert set(node.judge.troubled) == {"door.temperature value", "door battery"}

    asyncio.run(runs())
    asyncio.run(starts())


def test_a_mistake_that_a_group_of_tasks_ran_into_is_told_in_its_own_words(tmp_path: Path) -> None:
    async def slips(_host: Host) -> None:
        raise ExceptionGroup("unhandled errors", [SetupError("row Acme/SHAKE-1: source is missing")])

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, slips))) as node:
            await until(lambda: "panel" in node.judge.troubled, "the fault")
            assert node.judge.troubled["panel"][1]["en"] == "panel: row Acme/SHAKE-1: source is missing"

    asyncio.run(play())


def test_what_home_yaml_counts_on_and_the_radio_lacks_is_told(tmp_path: Path) -> None:
    radio = replace(panel(lambda host: Panel(host, joins)), kinds=lambda options: None)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lamp.yaml").write_text(LAMP_ON)
    home = HOME + "rules: [{use: lamp, bind: {door: door.contact, lamp: lamp.light}}]\n"

    async def joins(host: Host) -> None:
        host.joined(Joined("00:11", "door", "Acme", "Eye", ("motion", "battery")))

    async def play() -> None:
        async with node_inside(tmp_path, radio, home=home) as node:
            await until(lambda: node.joined, "the device")
            lacks = "lamp reads door.contact, which door doesn't have: it has motion, battery"
            assert (await node.requests.answer({"do": "status"}))["missing"] == ["lamp has not joined", lacks]
            assert lacks in await node.requests.reload()

    asyncio.run(play())


def test_of_two_parties_that_acknowledge_a_moment_apart_both_do(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lamp.yaml").write_text(LAMP_ON.replace("to: []", "to: [care, property]"))
    home = HOME + "rules: [{use: lamp, bind: {door: door.contact, lamp: lamp.light}}]\n"

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, opens)), home=home) as node:
            await until(lambda: node.judge.engine.open_alerts(), "the alert")
            first = node.clock.now()
            node.requests.acknowledge("care", "lamp", "Anna")
            while node.clock.now() <= first + 1:
                pass  # before the loop looks at what fell due
            node.requests.acknowledge("property", "lamp", "Bo")

    async def opens(host: Host) -> None:
        host.heard("door", "contact", True)

    asyncio.run(play())
    told = [one["reason"] for one in written(tmp_path, "tr") if one["event"] == "acknowledged"]
    assert told == ["Anna", "Bo"]


def test_a_wish_that_is_called_off_before_it_began_ends_without_a_warning(tmp_path: Path) -> None:
    begun: list[str] = []

    async def wish() -> None:
        begun.append("wish")

    async def play() -> None:
        async with node_inside(tmp_path, panel(Panel)) as node:
            node.start_apart("wish", wish()).cancel()
            await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(play())
        gc.collect()
    assert begun == []
    assert [str(one.message) for one in told if one.category is RuntimeWarning] == []
