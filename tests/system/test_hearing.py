"""What drivers say reaches the judge as it happened. A node in this process, with a journal and no driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from homenode.config.registry import driver_types
from homenode.gateway.clock import Clock
from homenode.gateway.inbox import Item, Trouble
from homenode.gateway.load import load
from homenode.gateway.node import Node
from homenode.gateway.recovery import recover
from homenode.journal import Journal
from homenode.reading import Reading
from tests.system.test_node import a_home

OK = "  ok: {via: tape, sensor: ok, kind: button, room: hall}"


@asynccontextmanager
async def a_node(folder: Path) -> AsyncIterator[Node]:
    home = a_home(folder, 1, [], devices=OK)
    home.write_text(home.read_text() + "resident: {ok: ok.button}\n")
    types, clock = driver_types(), Clock(always_trusted=True)
    bound = load(home, types)
    (folder / "data").mkdir()
    with Journal.open(folder / "data") as journal:
        node = Node(bound[0], types, clock, folder / "data", journal, recover(journal, *bound, types, clock))
        node.time.up_again(node.recovered)
        yield node


def said(node: Node, *items: Item) -> None:
    """A driver says this, in one go."""
    inbox = node.hearing.inbox("tape")
    for item in items:
        inbox.put(item)
    node.hearing.drain()


def written(node: Node, word: str) -> Iterator[dict[str, Any]]:
    return (record for _, record in node.journal.read() if record["t"] == word)


def test_only_a_press_that_is_news_is_the_residents_answer(tmp_path: Path) -> None:
    async def play() -> None:
        async with a_node(tmp_path) as node:
            now = node.clock.now()
            said(node, Reading("ok.button", False, now))
            said(node, Reading("ok.button", True, now - 60_000))
            assert [record["h"] for record in written(node, "r") if record["v"]] == ["historical"]
            assert not list(written(node, "ok"))
            said(node, Reading("ok.button", True, now + 1))
            assert len(list(written(node, "ok"))) == 1

    asyncio.run(play())


def test_a_low_battery_is_for_property_too_and_a_lost_radio_is_not(tmp_path: Path) -> None:
    async def play() -> None:
        async with a_node(tmp_path) as node:
            now = node.clock.now()
            said(node, Trouble("ok battery", "the battery of ok is low", ("ok",), now, battery=True))
            said(node, Trouble("tape", "gone", (), now))
            told = {fault["source"]: fault["to_property"] for fault in written(node, "fault")}
            assert told == {"ok battery": True, "tape": False}

    asyncio.run(play())
