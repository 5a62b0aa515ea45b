"""A whole node in the test's own event loop, with drivers that a test writes: seen from within."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host
from homenode.gateway.clock import Clock
from homenode.gateway.load import load
from homenode.gateway.node import Node
from homenode.gateway.recovery import recover
from homenode.journal.journal import Journal

PATIENCE_S = 10.0
"""How long a test waits for an event before it fails; the machine may be busy."""

HOME = """\
home: inside-1
timezone: Europe/Stockholm
language: en
clock: {trust: always}
devices:
  door: {driver: panel, kind: contact, room: hall}
  lamp: {driver: panel, kind: light, room: hall}
"""


class Panel:
    """A driver that does what a test says.

    Args:
        host: The gateway.
        at_work: What it does once it runs; then it waits.
    """

    def __init__(self, host: Host, at_work: Callable[[Host], Awaitable[None]]) -> None:
        self._host, self._at_work = host, at_work

    async def run(self) -> None:
        await self._at_work(self._host)
        await asyncio.Event().wait()

    async def switch(self, device: str, kind: str, to: bool) -> None:
        self._host.heard(device, kind, to)

    async def pair(self, seconds: float) -> None: ...


def panel(make: Callable[[Host], Driver], name: str = "panel") -> DriverType:
    """The type of a driver that `make` opens."""

    def opened(_name: str, _options: Mapping[str, Any], _devices: Sequence[Device], host: Host) -> Driver:
        return make(host)

    return DriverType(
        name=name,
        blind_to="Everything.",
        radio_fields=(),
        device_fields=(Field("kind", "word", "What it measures.", required=True),),
        kinds=lambda options: (str(options["kind"]),),
        open=opened,
        wired=True,
    )


async def quiet(_host: Host) -> None:
    """Say nothing."""


@asynccontextmanager
async def node_inside(folder: Path, *types: DriverType, home: str = HOME) -> AsyncIterator[Node]:
    """A node on ``folder/data``, up; stopped at the end as by SIGTERM."""
    (folder / "home.yaml").write_text(home)
    (folder / "data").mkdir(exist_ok=True)
    drivers = {one.name: one for one in types}
    loaded = load(folder / "home.yaml", drivers)
    checked, rules = loaded.home, loaded.rules
    clock = Clock(always_trusted=True)
    with Journal.open(folder / "data") as journal:
        found = recover(journal, checked, rules, drivers, clock)
        node = Node(checked, drivers, clock, folder / "data", journal, found)
        running = asyncio.ensure_future(node.run())
        try:
            await until(lambda: node.crew.drivers or running.done(), "the node")
            yield node
        finally:
            node.stopping.set()
            await running


async def until(true: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
    """Wait until `true()`, or fail saying that `what` didn't come."""
    try:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - seen from outside, it tells nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"{what} did not come")


def written(folder: Path, *kinds: str) -> list[dict[str, Any]]:
    """Records of these kinds in the journal of a node that ended."""
    with Journal.open(folder / "data") as journal:
        return [record for _, record in journal.read() if record["t"] in kinds]


class Waits(Panel):
    """Never done with switching."""

    async def switch(self, device: str, kind: str, to: bool) -> None:
        self._host.heard(device, kind, to)
        await asyncio.Event().wait()


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
