"""What a driver says reaches the judge as it happened, and property where it is meant to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from homenode.driver import Host
from tests.system.node_inside import HOME, Panel, node_inside, panel, until, written

OK = HOME + "  ok: {driver: panel, kind: button, room: hall}\nresident: {ok: ok.button}\n"


def test_only_a_press_that_is_news_is_the_residents_answer(tmp_path: Path) -> None:
    async def presses(host: Host) -> None:
        now = host.now()
        for value, at in ((False, now), (True, now - 60_000), (True, now + 1)):
            host.heard("ok", "button", value, at)
            await until(lambda: not host.waiting(), "an ear")  # what is taken together is put in order

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, presses)), home=OK) as node:
            await until(lambda: node.judge.engine.home.point("ok.button").pressed, "the press")

    asyncio.run(play())
    told = [(r["t"], r.get("h", "live"), r.get("v")) for r in written(tmp_path, "r", "ok")]
    assert told == [
        ("r", "live", False),
        ("r", "historical", True),
        ("r", "live", True),
        ("ok", "live", None),
    ]


def test_a_low_battery_is_for_property_too_and_a_lost_radio_is_not(tmp_path: Path) -> None:
    async def complains(host: Host) -> None:
        host.lost("door battery", "the battery of door is low", ("door",), battery=True)
        host.lost("radio", "gone")

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, complains))) as node:
            await until(lambda: "radio" in node.judge.troubled, "the faults")

    asyncio.run(play())
    told = {fault["source"]: fault["to_property"] for fault in written(tmp_path, "fault")}
    assert told == {"door battery": True, "radio": False}
