"""What a node does and sends: each action, command and message once, through crashes and restarts."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from homenode.delivery import Switch
from homenode.driver import Host
from homenode.errors import Refused
from homenode.gateway.node import Node
from homenode.gateway.requests import MOST_UNDER_WAY
from homenode.journal.journal import Journal
from tests.system.node_inside import (
    HOME,
    LAMP_ON,
    Panel,
    Waits,
    node_inside,
    panel,
    quiet,
    until,
    written,
)


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


def test_an_output_is_switched_by_its_own_words_only(tmp_path: Path) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            wish = {"do": "switch", "point": "lamp.light"}
            with pytest.raises(Refused, match="accepted: on, off"):
                await node.requests.answer({**wish, "to": "locked"})
            assert await node.requests.answer({**wish, "to": "on"}) == "lamp.light on"

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
