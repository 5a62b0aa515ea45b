"""A reload that only gives a driver other devices: one that can take them while it runs isn't stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import DriverLost
from tests.system.node_inside import HOME, LAMP_ON, Panel, node_inside, panel, quiet, until, written

RENAMED = HOME.replace("  door:", "  gate:")


class Takes(Panel):
    """Takes other devices while it runs, and says so of the first."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, quiet)
        self.names = ["door", "lamp"]

    async def assign(self, devices: Sequence[Device]) -> None:
        self.names = [device.name for device in devices]
        self._host.heard(self.names[0], "contact", False)


def test_it_runs_on_and_each_word_of_it_counts_for_the_home_of_then(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lamp.yaml").write_text(LAMP_ON)
    rules = "rules: [{use: lamp, bind: {door: %s.contact, lamp: lamp.light}}]\n"
    said: list[tuple[str, float]] = []

    class Chats(Takes):
        async def run(self) -> None:
            self._host.heard("door", "contact", True)
            while sum(point.startswith("gate") for point, _ in said[-200:]) < 200:
                said.append((f"{self.names[0]}.temperature", float(len(said) % 50)))
                self._host.heard(self.names[0], "temperature", said[-1][1])
                await asyncio.sleep(0.0005)
            await asyncio.Event().wait()

    async def play() -> None:
        async with node_inside(tmp_path, panel(Chats), home=HOME + rules % "door") as node:
            node.home.path.write_text(RENAMED + rules % "gate")
            assert "drivers started anew 0" in await node.requests.reload()
            assert node.crew.drivers["panel"].devices == ("gate", "lamp")
            await until(lambda: [*{point for point, _ in said[-200:]}] == ["gate.temperature"], "all of it")

    asyncio.run(play())
    heard = [(one["p"], one["v"]) for one in written(tmp_path, "r")]
    assert [one for one in heard if "contact" in one[0]] == [("door.contact", True), ("gate.contact", False)]
    assert [one for one in heard if "temperature" in one[0]] == said
    assert {name for name, _ in said} == {"door.temperature", "gate.temperature"}
    told = [(one["rule"], one["event"]) for one in written(tmp_path, "tr") if "step" not in one]
    assert told == [("lamp", "raised"), ("lamp", "resolved")]


def test_one_that_is_lost_later_is_opened_with_what_it_has_taken(tmp_path: Path) -> None:
    opened: list[list[str]] = []

    class Breaks(Takes):
        async def run(self) -> None:
            opened.append(self.names)
            await until(lambda: self.names[0] == "gate", "other devices")
            raise DriverLost("the stick was reset")

    async def play() -> None:
        kind = panel(Breaks)
        async with node_inside(tmp_path, kind) as node:
            await until(lambda: opened, "the start")
            node.home.path.write_text(RENAMED)
            await node.requests.reload()
            await until(lambda: len(opened) == 2, "the second start")
            assert node.judge.troubled["panel"]
            assert node.crew.drivers["panel"].devices == ("gate", "lamp")

    asyncio.run(play())


def test_one_that_fails_at_it_is_opened_anew_and_nothing_it_said_is_lost(tmp_path: Path) -> None:
    opened: list[Host] = []

    class Fails(Takes):
        def __init__(self, host: Host) -> None:
            super().__init__(host)
            opened.append(host)

        async def assign(self, devices: Sequence[Device]) -> None:
            await super().assign(devices)
            raise ValueError("not these")

    async def play() -> None:
        async with node_inside(tmp_path, panel(Fails)) as node:
            node.home.path.write_text(RENAMED)
            assert "drivers started anew 1" in await node.requests.reload()
            await until(lambda: len(opened) == 2, "the second start")

    asyncio.run(play())
    heard = [(one["p"], one["v"]) for one in written(tmp_path, "r")]
    assert heard == [("gate.contact", False)]


def test_other_options_of_a_radio_and_a_driver_that_can_not_are_a_new_start(tmp_path: Path) -> None:
    opened: list[Host] = []

    def make(host: Host) -> Panel:
        opened.append(host)
        return Panel(host, quiet)

    async def play() -> None:
        async with node_inside(tmp_path, panel(make)) as node:
            for text, starts in (("# moved down\n" + HOME, 1), (RENAMED, 2)):
                node.home.path.write_text(text)
                await node.requests.reload()
                await until(lambda n=starts: len(opened) == n, "the start")

    asyncio.run(play())
    assert len(opened) == 2


def test_a_fault_of_a_device_that_is_gone_ends_and_can_come_again(tmp_path: Path) -> None:
    hosts: list[Host] = []

    class Ails(Takes):
        def __init__(self, host: Host) -> None:
            super().__init__(host)
            hosts.append(host)

    async def play() -> None:
        async with node_inside(tmp_path, panel(Ails)) as node:
            for turn in range(2):
                hosts[0].lost("door battery", "empty", ("door",))
                await until(lambda: "door battery" in node.judge.troubled, f"the fault, {turn}")
                node.home.path.write_text(RENAMED)
                await node.requests.reload()
                assert "door battery" not in node.judge.troubled
                node.home.path.write_text(HOME)
                await node.requests.reload()

    asyncio.run(play())
