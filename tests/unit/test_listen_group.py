"""Who of a group tells of a home's silence and of its return, while members are cut off, freeze and die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from homenode.config.model import Broker
from homenode.contract import status
from homenode.listen.desk import Desk
from homenode.listen.group import Group
from homenode.listen.members import BEAT_MS, DEAD_MS
from homenode.listen.pulses import Pulses
from homenode.listen.settings import Settings
from homenode.listen.shared import Shared
from homenode.listen.targets import Took
from homenode.listen.watch import Task
from tests.unit.listening import MIN, Wall, until_done

SILENT_MS = 3 * MIN
SETTINGS = Settings("care", nats=Broker(("nats://127.0.0.1",)))
BEAT = SimpleNamespace(subject="hn1.a.link", data=status.link_payload(True, "2026-01-05T06:12:03Z"))


class Bucket:
    """As the bucket of NATS, which tells those who hear it of each change."""

    def __init__(self) -> None:
        self.kept: dict[str, SimpleNamespace] = {}
        self.told: Callable[[SimpleNamespace], None] = lambda entry: None
        self._newest = 0

    async def create(self, key: str, value: bytes) -> int:
        return await self.update(key, value, 0)

    async def update(self, key: str, value: bytes, last: int) -> int:
        if last != (self.kept[key].revision if key in self.kept else 0):
            raise KeyWrongLastSequenceError
        self._newest += 1
        self.kept[key] = SimpleNamespace(key=key, value=value, revision=self._newest, operation=None)
        self.told(self.kept[key])
        return self._newest

    async def get(self, key: str) -> SimpleNamespace:
        if key not in self.kept:
            raise KeyNotFoundError
        return self.kept[key]


class Several:
    """A group of which each member hears the others and home ``a``; `said`: who told what."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.wall, self.bucket, self._tasks = Wall(), Bucket(), tasks
        self.bucket.told = self._tell
        self.up: list[Group] = []
        self.said: list[tuple[Group, str]] = []

    def start(self) -> Group:
        """One more member."""
        group = Group(SETTINGS, Broker(()), self.wall)
        group.store = Shared(self.bucket, SETTINGS.plan(), group.members, self.wall.now)

        async def take(home: str, task: Task) -> Took:
            self.said.append((group, task.kind.value))
            return Took(True)

        pulses = Pulses(SILENT_MS)
        group.desk = Desk(
            group.store, {"print": take}, group.send, self.wall, pulses, self._tasks, group.responsible
        )
        group.members.listening(self.wall.now())
        self._joins(group)
        return group

    def pair(self) -> tuple[Group, Group]:
        """Two members, the first of which sees to home ``a``."""
        self.start()
        while True:
            self.start()
            self._beat()
            first, second = sorted(self.up, key=lambda one: not one.responsible("a"))
            if first is self.up[0]:
                return first, second
            self.up.remove(first)

    def _joins(self, group: Group) -> None:
        self.up.append(group)
        for entry in self.bucket.kept.values():
            group._told_of(entry)

    def cut_off(self, group: Group) -> None:
        """It hears nothing and is not heard; the same as a member that died."""
        self.up.remove(group)

    async def reconnect(self, group: Group) -> None:
        """It hears again."""
        await group._hears()
        self._joins(group)

    def _tell(self, entry: SimpleNamespace) -> None:
        for one in self.up:
            one._told_of(entry)

    def _beat(self) -> None:
        for one in self.up:
            for other in self.up:
                one.members.heard(other.members.me, self.wall.now())

    async def run(self, ms: int, *, beating: bool = False) -> None:
        """Second by second, for so long."""
        for nth in range(ms // BEAT_MS):
            self.wall.ms += BEAT_MS
            self._beat()
            for one in self.up:
                if beating and nth % 60 == 30:
                    await one._link(BEAT)
                one._tick()
            await until_done()

    def told(self) -> list[tuple[Group, str]]:
        """What was told since this was asked last."""
        said, self.said = self.said, []
        return said


def played(scene: Callable[[Several], Coroutine[Any, Any, None]]) -> None:
    """A scene with a group."""

    async def play() -> None:
        async with asyncio.TaskGroup() as tasks:
            await scene(Several(tasks))

    asyncio.run(play())


@pytest.mark.parametrize("frozen", [False, True], ids=["connection", "frozen"])
def test_a_dead_home_is_not_back_because_a_member_was_deaf_and_is_told_again(frozen: bool) -> None:
    async def scene(several: Several) -> None:
        one = several.start()
        await several.run(2 * MIN, beating=True)
        await several.run(5 * MIN)
        assert several.told() == [(one, "silent")]
        several.cut_off(one)
        several.wall.ms += 2 * DEAD_MS
        if frozen:
            several.up.append(one)
        else:
            await several.reconnect(one)
        await several.run(10 * MIN)
        assert several.told() == []
        await several.run(10 * MIN, beating=True)
        assert several.told() == [(one, "back")]
        await several.run(10 * MIN)
        assert several.told() == [(one, "silent")]

    played(scene)


@pytest.mark.parametrize("late", [False, True], ids=["was deaf", "came late"])
def test_who_takes_over_brings_no_dead_home_back(late: bool) -> None:
    async def scene(several: Several) -> None:
        one, other = several.pair()
        if late:
            several.cut_off(other)
        await several.run(2 * MIN, beating=True)
        await several.run(SILENT_MS - 2 * MIN)
        if not late:
            several.cut_off(other)
        await several.reconnect(other)
        await several.run(2 * MIN)
        assert several.told() == [(one, "silent")]
        several.cut_off(one)
        await several.run(10 * MIN)
        assert several.told() == []
        await several.run(10 * MIN, beating=True)
        assert several.told() == [(other, "back")]
        await several.run(10 * MIN)
        assert several.told() == [(other, "silent")]

    played(scene)


def test_a_silence_is_told_by_who_told_an_earlier_one_and_did_not_hear_that_it_ended() -> None:
    async def scene(several: Several) -> None:
        one, other = several.pair()
        await several.run(2 * MIN, beating=True)
        await several.run(5 * MIN)
        assert several.told() == [(one, "silent")]
        several.cut_off(one)
        await several.run(2 * MIN, beating=True)
        assert several.told() == [(other, "back")]
        several.cut_off(other)
        await several.reconnect(one)
        await several.run(10 * MIN)
        assert several.told() == [(one, "silent")]

    played(scene)


def test_members_that_are_deaf_in_turn_tell_nothing_of_a_home_that_lives() -> None:
    async def scene(several: Several) -> None:
        for one in several.pair() * 3:
            await several.run(2 * MIN, beating=True)
            several.cut_off(one)
            await several.run(4 * MIN, beating=True)
            await several.reconnect(one)
        await several.run(10 * MIN, beating=True)
        assert several.told() == []

    played(scene)
