"""The gateway around its drivers: faults over restarts, last words, reloads, requests, actions."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homenode.delivery import Switch
from homenode.driver import Driver, Host, Joined
from homenode.errors import DriverLost, Refused, SetupError
from homenode.gateway.hearing import BATCH
from homenode.gateway.node import Node
from homenode.gateway.requests import MOST_UNDER_WAY
from homenode.gateway.supervisor import STOP_S
from homenode.gateway.watchers import MOST_WAITING
from homenode.journal.journal import Journal
from homenode.message import Class, Message
from tests.system.node_inside import HOME, PATIENCE_S, Panel, node_inside, panel, quiet, until, written


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


class Stumbles(Panel):
    """Its first switching runs into a mistake of its author."""

    stumbled = False

    async def switch(self, device: str, kind: str, to: bool) -> None:
        if not Stumbles.stumbled:
            Stumbles.stumbled = True
            raise KeyError("no such coil")
        await super().switch(device, kind, to)


def test_a_local_action_is_tried_again_when_its_driver_raises(tmp_path: Path) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Stumbles(host, quiet))) as node:
            on = Switch("lamp.light", True, "a1", 2, 0)
            node.actions.expect([on])
            node.actions.do(on)
            await until(lambda: "lamp.light switches" in node.judge.troubled, "the fault")
            assert "no such coil" in node.judge.troubled["lamp.light switches"][1]["en"]
            await until(lambda: not node.actions.unfinished, "the second try")

    asyncio.run(play())
    assert [record["source"] for record in written(tmp_path, "well")] == ["lamp.light switches"]
    assert [record["alert"] for record in written(tmp_path, "did")] == ["a1"]


class Waits(Panel):
    """Never done with switching."""

    async def switch(self, device: str, kind: str, to: bool) -> None:
        self._host.heard(device, kind, to)
        await asyncio.Event().wait()


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


LAMP_ON = """
rule: lamp
version: 1
severity: info
to: []
roles:
  door: {kind: contact}
  lamp: {kind: light}
when: door == open
steps:
  - {after: 0 s, do: light, role: lamp, to: on}
says: {en: "The door is open"}
"""


def test_an_action_amid_which_home_yaml_was_read_again_is_done_after_a_crash(tmp_path: Path) -> None:
    """A reload writes everything down; what was begun before it must not be taken for done."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lamp.yaml").write_text(LAMP_ON)
    home = HOME + "rules: [{use: lamp, bind: {door: door.contact, lamp: lamp.light}}]\n"

    async def opens(host: Host) -> None:
        host.heard("door", "contact", True)

    async def reload_and_crash() -> None:
        async with node_inside(tmp_path, panel(lambda host: Waits(host, opens)), home=home) as node:
            await until(lambda: "lamp.light" in node.judge.engine.home.points, "the beginning")
            await node.requests.reload()
            await asyncio.wrap_future(node.journal.commit())
            shutil.copytree(tmp_path / "data" / "journal", tmp_path / "crashed" / "journal")

    async def start_again() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            await until(lambda: not node.actions.unfinished, "the lamp")

    asyncio.run(reload_and_crash())
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "crashed").rename(tmp_path / "data")
    assert not written(tmp_path, "did")
    asyncio.run(start_again())
    assert len(written(tmp_path, "did")) == 1


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


def a_switching(node: Node, key: str) -> bytes:
    expires = node.judge.zone.text(node.clock.wall() + 60_000)
    args = {"point": "lamp.light", "to": True}
    return json.dumps({"id": key, "do": "switch", "expires": expires, "by": "Eva", "args": args}).encode()


def replies(node: Node) -> list[Any]:
    """All that wait, as nobody is connected."""
    node.outbox.link_up()
    told = []
    while (handed := node.outbox.next()) is not None:
        if handed.topic.endswith("/reply"):
            told.append(json.loads(handed.payload))
        node.outbox.acknowledged(handed.key)
    return told


class Slow(Panel):
    """Switches when it is let to."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, quiet)
        self.switched = 0
        self.may = asyncio.Event()

    async def switch(self, device: str, kind: str, to: bool) -> None:
        self.switched += 1
        await self.may.wait()


def test_a_command_that_comes_again_while_it_is_under_way_is_done_once(tmp_path: Path) -> None:
    made: list[Slow] = []

    def make(host: Host) -> Slow:
        made.append(Slow(host))
        return made[-1]

    async def play() -> None:
        async with node_inside(tmp_path, panel(make)) as node:
            for _ in range(3):
                node.requests.command("care", a_switching(node, "once"), False)
            for number in range(MOST_UNDER_WAY):
                node.requests.command("care", a_switching(node, f"more {number}"), False)
            (busy,) = replies(node)
            assert (busy["id"], busy["error"]["code"]) == (f"more {MOST_UNDER_WAY - 1}", "busy")
            (slow,) = made
            await until(lambda: slow.switched == MOST_UNDER_WAY, "each")
            await node.crew.drivers["panel"].ask(lambda _: released(slow))
            told: list[Any] = []
            asked = MOST_UNDER_WAY + 2
            await until(lambda: told.extend(replies(node)) or len(told) == asked, "an answer to each")
            assert all(answer["ok"] for answer in told)
            node.requests.command("care", a_switching(node, "once"), False)
            node.requests.command("care", a_switching(node, busy["id"]), False)
            await until(lambda: told.extend(replies(node)) or len(told) == asked + 2, "two more")
            assert slow.switched == MOST_UNDER_WAY + 1

    async def released(slow: Slow) -> None:
        slow.may.set()

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


def test_what_waits_in_the_journal_is_sent_once_and_numbers_that_are_missing_cost_nothing(
    tmp_path: Path,
) -> None:
    many, told = 9000, threading.Event()

    async def measures(host: Host) -> None:
        for number in range(many):
            host.heard("meter", "energy", number)
        told.set()

    async def play() -> None:
        home = HOME + '  meter: {driver: panel, kind: energy, room: hall}\nshare: {care: ["*.*"]}\n'
        async with node_inside(tmp_path, panel(lambda host: Panel(host, measures)), home=home) as node:
            await until(lambda: told.is_set() and not node.hearing.waiting(), "the readings")
            last = node.journal.last
            node.outbox.unsent_in_journal(last + 1, last + (1 << 20))  # as after damage
            node.outbox.link_up()
            sent: list[int] = []

            def all_are_sent() -> bool:
                node.refill.consider()
                while (handed := node.outbox.next()) is not None:
                    if handed.topic.endswith("/meter/energy"):
                        sent.append(json.loads(handed.payload)["value"])
                    node.outbox.acknowledged(handed.key)
                return not node.outbox.pending().in_journal

            await until(all_are_sent, "all that waited")
            assert sorted(sent) == list(range(many))

    asyncio.run(play())


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


def like_a_kill(folder: Path) -> None:
    """The state of the end is gone, so that what was written at the time is all there is."""
    with Journal.open(folder / "data") as journal:
        first = [record for _, record in journal.read() if record["t"] not in ("state", "part")]
    shutil.rmtree(folder / "data" / "journal")
    with Journal.open(folder / "data") as journal:
        for record in first:
            journal.append(record, klass="alert")


def test_a_command_that_was_done_is_answered_and_not_done_again_after_a_restart(tmp_path: Path) -> None:
    done: list[str] = []

    class Counts(Panel):
        async def switch(self, device: str, kind: str, to: bool) -> None:
            done.append(device)

    async def asked(*keys: str) -> None:
        async with node_inside(tmp_path, panel(lambda host: Counts(host, quiet))) as node:
            told: list[Any] = []
            for key in keys:
                node.requests.command("care", a_switching(node, key), False)
            await until(lambda: told.extend(replies(node)) or len(told) == len(keys), "the answers")
            assert sorted(answer["id"] for answer in told if answer["ok"]) == sorted(keys)

    asyncio.run(asked("one", "two"))
    asyncio.run(asked("two"))
    like_a_kill(tmp_path)
    asyncio.run(asked("one", "three"))
    assert len(done) == 3


def test_a_mistake_that_a_group_of_tasks_ran_into_is_told_in_its_own_words(tmp_path: Path) -> None:
    async def slips(_host: Host) -> None:
        raise ExceptionGroup("unhandled errors", [SetupError("row Acme/SHAKE-1: source is missing")])

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, slips))) as node:
            await until(lambda: "panel" in node.judge.troubled, "the fault")
            assert node.judge.troubled["panel"][1]["en"] == "panel: row Acme/SHAKE-1: source is missing"

    asyncio.run(play())


def test_an_output_is_switched_by_its_own_words_only(tmp_path: Path) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            wish = {"do": "switch", "point": "lamp.light"}
            with pytest.raises(Refused, match="accepted: on, off"):
                await node.requests.answer({**wish, "to": "locked"})
            assert await node.requests.answer({**wish, "to": "on"}) == "lamp.light on"

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


def test_a_step_that_was_due_while_the_node_was_down_is_told_once_however_often_it_starts(
    tmp_path: Path,
) -> None:
    """Read again, the time before the second start must not run as if the node had been up."""
    (tmp_path / "rules").mkdir()
    late = LAMP_ON.replace("after: 0 s, do: light, role: lamp, to: on", "after: 0.3 s, do: notify")
    (tmp_path / "rules" / "lamp.yaml").write_text(late)
    home = HOME + "rules: [{use: lamp, bind: {door: door.contact, lamp: lamp.light}}]\n"
    raised: list[int] = []

    async def opens(host: Host) -> None:
        host.heard("door", "contact", True)

    async def lives(at_work: Callable[[Host], Awaitable[None]]) -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, at_work)), home=home) as node:
            await until(node.judge.engine.open_alerts, "the alert")
            raised.append(node.clock.now())
        await until(lambda: node.clock.now() > raised[0] + 300, "the time of the step")

    for at_work in (opens, quiet, quiet, quiet):
        asyncio.run(lives(at_work))
        like_a_kill(tmp_path)
    told = [record["event"] for record in written(tmp_path, "tr")]
    assert told == ["raised", "step"]
