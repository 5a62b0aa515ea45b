"""The drivers of a home at work: started, stopped, and asked whether they keep up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from homenode.gateway.folders import Folders
from homenode.gateway.inbox import Inbox
from homenode.gateway.roster import Post, outlived
from homenode.gateway.supervisor import Supervised
from homenode.reading import Instant, Value

if TYPE_CHECKING:
    from homenode.gateway.node import Node


class Crew:
    """Works for one node.

    Attributes:
        drivers: Those that run, by name.
        posts: What each was started for.
        folders: Where they keep their files.
        changing: Held by whoever stops and starts drivers, as that takes its time.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.drivers: dict[str, Supervised] = {}
        self.posts: dict[str, Post] = {}
        self.folders = Folders(node.data)
        self.changing = asyncio.Lock()
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._open: dict[str, tuple[Instant, Mapping[str, str]]] = {}

    def start(self, wanted: Mapping[str, Post]) -> None:
        """Start every driver of `wanted`, which home.yaml asks for now beside those that run."""
        faults = self._node.judge.troubled
        for source in outlived(faults, self._node.home, {**self.posts, **wanted}):
            self._node.outcomes.well(source)
        for name, post in wanted.items():
            folder = self.folders.of(name)
            inbox = self._node.hearing.inbox(name)
            clock, last = self._node.clock, self._last
            driver = Supervised(
                name, post.open, post.devices, folder, clock, inbox, self._backlog, faults, last
            )
            driver.open_until, driver.open_for = self._open.get(name, (0, {}))
            self.posts[name], self.drivers[name] = post, driver
            driver.start()
            self._watches[name] = self._node.start(f"watch {name}", driver.watch())

    async def hand_over(self, wanted: Mapping[str, Post]) -> dict[str, Inbox]:
        """Stop all whose post is another now, but those that can take other devices while they run.

        Returns:
            Where these say all that they say of them; to be exchanged as the node goes over to them, too.
        """
        other = [name for name, post in self.posts.items() if wanted.get(name) != post]
        taking = [name for name in other if self._can_take(name, wanted.get(name))]
        await asyncio.gather(*(self.stop(name) for name in other if name not in taking))
        inboxes = {}
        for name in taking:
            post, inbox = wanted[name], self._node.hearing.next_inbox()
            if await self.drivers[name].assign(post.open, post.devices, inbox):
                self.posts[name], inboxes[name] = post, inbox
            else:
                self._node.hearing.exchange(name, inbox)
                await self.stop(name)
        return inboxes

    def _can_take(self, name: str, post: Post | None) -> bool:
        same = post is not None and replace(self.posts[name], devices=post.devices) == post
        return same and self.drivers[name].assigns

    async def stop(self, name: str) -> None:
        """Have one driver release what it holds, take what it said last, and forget it."""
        self._watches.pop(name).cancel()
        self._open[name] = self.drivers[name].open_until, self.drivers[name].open_for
        await self.drivers[name].stop()
        self._node.hearing.forget(name)
        del self.drivers[name], self.posts[name]

    async def stop_all(self) -> None:
        """Stop all of them at the same time: those that hang take no longer together than one."""
        async with self.changing:
            await asyncio.gather(*(self.stop(name) for name in self.drivers))

    async def go_home(self) -> None:
        """The disk takes files again: drivers whose files are in memory start anew on it."""
        async with self.changing:
            wanted = {name: post for name, post in self.posts.items() if name in self.folders.away}
            await asyncio.gather(*(self.stop(name) for name in wanted))
            self.start(wanted)

    def is_wired(self, driver: str) -> bool:
        """Whether the driver's devices never sleep."""
        post = self.posts.get(driver)
        return post is not None and post.type.wired

    def _last(self, name: str) -> tuple[Value, Instant] | None:
        """Asked from the drivers' threads, as `_backlog`."""
        point = self._node.judge.engine.home.points.get(name)
        return None if point is None or point.at is None else (point.value, point.at)

    def _backlog(self) -> int:
        """Asked from the drivers' threads, so it goes through nothing that the loop changes."""
        outbox = self._node.outbox
        return self._node.hearing.waiting() + (outbox.readings_waiting if outbox.online else 0)
