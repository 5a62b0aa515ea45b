"""Who is told of a home's silence and of its return, while the receiver itself is deaf now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from homenode.contract import status
from homenode.link.connection import Connection, Inbound
from homenode.listen.desk import Desk
from homenode.listen.kept import Kept
from homenode.listen.pulses import Pulses
from homenode.listen.settings import Settings
from homenode.listen.single import Single
from homenode.listen.targets import Took
from homenode.listen.watch import Command, Task
from tests.unit.listening import MIN, Wall, until_done

SILENT_MS = 3 * MIN
BEAT_MS = MIN


class Alone:
    """A receiver on a broker of which only what it says is there; `said`: (why, home)."""

    def __init__(self, folder: Path, tasks: asyncio.TaskGroup) -> None:
        self.wall, self.said = Wall(), list[tuple[str, str]]()
        self._folder, self._tasks = folder, tasks
        self.sent: list[str] = []

    async def start(self) -> None:
        """Begin, or begin again, and have a connection."""
        self._journal = Kept.open(self._folder)
        settings = Settings("care")
        store = Kept(self._journal, settings.plan(), self.wall.now)
        self.single = Single(settings, store, self.wall)
        pulses = Pulses(SILENT_MS)
        self.desk = Desk(store, {"print": self._take}, self._send, self.wall, pulses, self._tasks)
        self.single.desk = self.desk
        await self.single.begin()
        self.single.link(True)

    def end(self) -> None:
        """It is no more."""
        self._journal.close()

    async def _take(self, home: str, task: Task) -> Took:
        self.said.append((task.kind.value, home))
        return Took(True)

    async def _send(self, home: str, command: Command) -> None:
        self.sent.append(command.alert)

    def hear(self, online: bool, *, retained: bool = False) -> None:
        """Home ``a`` or the broker says whether it is online."""
        said = Inbound("hn1/a/link", status.link_payload(online, "2026-01-05T06:12:03Z"), retained)
        self.single.came([said], cast(Connection, None))

    def blip(self, *, for_ms: int = 1_000) -> None:
        """Its own connection is lost, and there again."""
        self.single.link(False)
        self.wall.ms += for_ms
        self.desk.tick()
        self.single.link(True)

    async def run(self, ms: int, *, beating: bool = False) -> None:
        """Second by second, for so long."""
        for nth in range(ms // 1_000):
            if beating and nth % (BEAT_MS // 1_000) == BEAT_MS // 2_000:
                self.hear(True)
            self.wall.ms += 1_000
            self.desk.tick()
            self.desk.silences()
            await asyncio.sleep(0)
        await until_done()


def played(folder: Path, scene: Callable[[Alone], Coroutine[Any, Any, None]]) -> Alone:
    """What a receiver told in a scene."""

    async def play() -> Alone:
        async with asyncio.TaskGroup() as tasks:
            alone = Alone(folder, tasks)
            await alone.start()
            await scene(alone)
            alone.end()
        return alone

    return asyncio.run(play())


def frozen(alone: Alone) -> None:
    """The process stands still."""
    alone.wall.ms += 6_000


@pytest.mark.parametrize("deaf", [Alone.blip, frozen], ids=["connection", "frozen"])
def test_a_home_that_was_silent_is_told_when_it_is_back_though_we_were_deaf_between(
    tmp_path: Path, deaf: Callable[[Alone], None]
) -> None:
    async def scene(alone: Alone) -> None:
        alone.hear(True)
        await alone.run(5 * MIN)
        assert alone.said == [("silent", "a")]
        deaf(alone)
        await alone.run(30 * MIN, beating=True)
        assert alone.said[1:] == [("back", "a")]
        await alone.run(10 * MIN)
        assert alone.said[2:] == [("silent", "a")]

    played(tmp_path, scene)


def test_what_lies_at_the_broker_brings_no_silent_home_back(tmp_path: Path) -> None:
    async def scene(alone: Alone) -> None:
        alone.hear(True)
        await alone.run(5 * MIN)
        alone.blip()
        alone.hear(True, retained=True)
        await alone.run(10 * MIN)
        alone.end()
        await alone.start()
        alone.hear(True, retained=True)
        await alone.run(10 * MIN)
        assert alone.said == [("silent", "a")]
        await alone.run(10 * MIN, beating=True)
        assert alone.said == [("silent", "a"), ("back", "a")]

    played(tmp_path, scene)


def test_a_home_that_is_dead_from_the_beginning_is_silent_whatever_lies_at_the_broker(tmp_path: Path) -> None:
    async def scene(alone: Alone) -> None:
        alone.hear(True, retained=True)
        await alone.run(SILENT_MS - 1_000)
        assert alone.said == []
        await alone.run(10 * MIN)
        assert alone.said == [("silent", "a")]

    played(tmp_path, scene)


def test_a_home_that_lives_is_not_silent_after_any_number_of_blips(tmp_path: Path) -> None:
    async def scene(alone: Alone) -> None:
        for nth in range(20):
            alone.hear(True)
            await alone.run(20_000)
            alone.blip(for_ms=4 * MIN if nth % 2 else 1_000)
            alone.hear(True, retained=True)
            await alone.run(30_000)
        assert alone.said == []

    played(tmp_path, scene)


def test_a_home_that_went_and_came_while_we_were_deaf_is_no_news(tmp_path: Path) -> None:
    async def scene(alone: Alone) -> None:
        alone.hear(True)
        await alone.run(MIN)
        alone.hear(False)
        alone.blip()
        alone.hear(True, retained=True)
        await alone.run(5 * MIN, beating=True)
        assert alone.said == []

    played(tmp_path, scene)


def test_a_home_that_came_while_we_were_deaf_is_back_when_it_is_heard(tmp_path: Path) -> None:
    async def scene(alone: Alone) -> None:
        alone.hear(False)
        await alone.run(MIN)
        assert alone.said == [("silent", "a")]
        alone.blip()
        alone.hear(True, retained=True)
        await alone.run(MIN)
        assert alone.said == [("silent", "a")]
        await alone.run(10 * MIN, beating=True)
        assert alone.said == [("silent", "a"), ("back", "a")]

    played(tmp_path, scene)
