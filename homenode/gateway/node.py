"""The node: sensor → driver → reading → home → rules → journal → outbox → broker. What is wired to what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from homenode.config.model import Home
from homenode.driver import DriverType, Joined
from homenode.gateway import local_socket, systemd
from homenode.gateway.actions import Actions
from homenode.gateway.clock import Clock
from homenode.gateway.configured import Configured
from homenode.gateway.crew import Crew
from homenode.gateway.health import Health
from homenode.gateway.hearing import Hearing
from homenode.gateway.logbook import of_error
from homenode.gateway.looks import Looks
from homenode.gateway.outcomes import Outcomes
from homenode.gateway.recovery import Recovered, limits_of
from homenode.gateway.refill import Refill
from homenode.gateway.requests import Requests
from homenode.gateway.roster import posts
from homenode.gateway.showing import Showing
from homenode.gateway.timekeeping import Timekeeping
from homenode.gateway.updates import Updates
from homenode.gateway.uplink import Uplink
from homenode.gateway.watchers import Watchers
from homenode.journal.journal import Journal
from homenode.language.bound import BoundRule

log = logging.getLogger("homenode.node")


class Node:
    """One running node. Everything here happens in its event loop; drivers have threads of their own."""

    def __init__(
        self,
        home: Home,
        types: Mapping[str, DriverType],
        clock: Clock,
        data: Path,
        journal: Journal,
        recovered: Recovered,
    ) -> None:
        self.home, self.types, self.clock, self.data, self.journal = home, types, clock, data, journal
        self.judge, self.outbox, self.recovered = recovered.judge, recovered.outbox, recovered
        self.files = ""  # of which it runs (`Loaded.files`)
        self.joined: dict[str, Joined] = {}
        self.radio_of: dict[str, str] = {}
        self.crew = Crew(self)
        self.hearing = Hearing(self)
        self.outcomes = Outcomes(self)
        self.actions = Actions(self)
        self.uplink = Uplink(self)
        self.refill = Refill(self)
        self.showing = Showing(self)
        self.looks = Looks(self)
        self.requests = Requests(self)
        self.configured = Configured(self)
        self.watchers = Watchers(self)
        self.updates = Updates(self)
        self.time = Timekeeping(self)
        self.health = Health(self)
        self.stopping = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until `stopping` is set."""
        async with asyncio.TaskGroup() as self._group:
            server = await local_socket.serve(self.data, self.requests.answer, self.watchers.follow)
            self.start("commits", self.outcomes.run())
            self.time.up_again(self.recovered)
            self.configured.look()
            self.configured.start()
            self.uplink.start()
            self.crew.start(posts(self.home, self.types))
            self.looks.start()
            self.start("time", self.time.run())
            self.start("watchdog", self.time.watchdog())
            self.start("voice", self.actions.voice.run())
            self.start_apart("health", self.health.run())
            self.start("updates", self.updates.run())
            systemd.notify("READY=1")
            log.info("ready", extra={"home": self.home.home, "points": len(self.judge.engine.home.points)})
            await self.stopping.wait()
            systemd.notify("STOPPING=1")
            server.close()
            await self._stop()

    async def _stop(self) -> None:
        await self.looks.stop()
        await self.crew.stop_all()
        await self.uplink.stop()
        self.watchers.close()
        self.configured.stop()
        self.time.remember()
        self.health.stop()
        for task in tuple(self._tasks):
            task.cancel()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A named task that shares the node's fate."""
        assert self._group is not None
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def start_apart(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A named task of somebody's wish: if it fails that is told, and the node goes on."""

        async def told() -> None:
            try:
                await work
            except Exception as fault:
                part = name.partition(" ")[0]
                log.error("failed", extra={"task": name, "part": part, "why": repr(fault), **of_error(fault)})
                log.debug("failed", exc_info=True)

        task = self.start(name, told())
        task.add_done_callback(lambda _: work.close())  # a task that ends before it began doesn't
        return task

    def apply(self, home: Home, rules: Sequence[BoundRule]) -> None:
        """home.yaml changed: rules and sharing now; drivers and link are the caller's."""
        limits_ms = limits_of(home, rules, self.types, self.judge.rows_ms)
        decided = self.judge.reload(home, rules, limits_ms, self.time.instant())
        self.home = home
        self.showing.apply()
        self.outcomes.carry_out(decided)
        self.actions.voice.look()
        self.time.remember(anyway=True)  # what came before was decided by other rules
