"""The gateway around its drivers: faults over restarts, last words, reloads, requests, actions."""

from __future__ import annotations

import asyncio
from pathlib import Path

from homenode.driver import Driver, Host
from homenode.errors import SetupError
from tests.system.node_inside import Panel, node_inside, panel, until, written


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
