"""The node: sensor → driver → reading → home → rules → journal → outbox → broker. What is wired to what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from homenode import records
from homenode.config.model import Home
from homenode.delivery import NodeFault
from homenode.driver import DriverType, Joined
from homenode.engine.events import NodeDown, NodeUp
from homenode.errors import StorageError
from homenode.gateway import local_socket, systemd
from homenode.gateway.actions import Actions
from homenode.gateway.clock import Clock
from homenode.gateway.folders import Folders
from homenode.gateway.hearing import Hearing
from homenode.gateway.recovery import Recovered, limits_of
from homenode.gateway.refill import Refill
from homenode.gateway.requests import Requests
from homenode.gateway.roster import Post, posts
from homenode.gateway.supervisor import Supervised
from homenode.gateway.timekeeping import Timekeeping
from homenode.gateway.watchers import Watchers
from homenode.journal.journal import Journal
from homenode.judge import Decided
from homenode.language.bound import BoundRule
from homenode.link import Link, LinkState
from homenode.message import Class
from homenode.outbox import Acknowledged, Numbered
from homenode.reading import Reading
from homenode.records import Record

log = logging.getLogger("homenode.node")

STORAGE, JOURNAL = "storage", "journal"
"""Sources of faults: the disk, and what of the journal was found damaged (with the name of its file)."""

_Waiting = tuple[Future[int], list[Numbered], Decided]


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
        self.joined: dict[str, Joined] = {}
        self.drivers: dict[str, Supervised] = {}
        self.posts: dict[str, Post] = {}
        self.link: Link | None = None
        self.hearing = Hearing(self)
        self.actions = Actions(self)
        self.requests = Requests(self)
        self.time = Timekeeping(self)
        self.watchers = Watchers(self)
        self.refill = Refill(self)
        self.folders = Folders(data)
        self.stopping = asyncio.Event()
        self._early: dict[str, NodeFault] | None = {}  # told before `_up`; None after it
        self._commits: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._tasks: asyncio.TaskGroup | None = None
        self._link_task: asyncio.Task[None] | None = None
        self._watches: dict[str, asyncio.Task[None]] = {}

    # -- the life of a node

    async def run(self) -> None:
        """Until `stopping` is set."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            server = await local_socket.serve(self.data, self.requests.answer, self.watchers.follow)
            running = [self.start("commits", self._committed())]
            self._up()
            self.start_link()
            self.start_drivers(posts(self.home, self.types))
            running += [self.start("time", self.time.run()), self.start("watchdog", self.time.watchdog())]
            systemd.notify("READY=1")
            log.info("ready", extra={"home": self.home.home, "points": len(self.judge.engine.home.points)})
            await self.stopping.wait()
            systemd.notify("STOPPING=1")
            server.close()
            await self._stop(running)

    async def _stop(self, running: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.gather(*(driver.stop() for driver in self.drivers.values()))
        self.hearing.drain()
        for name in list(self.drivers):
            await self.stop_driver(name)
        await self.stop_link()
        for task in running:
            task.cancel()
        self.watchers.close()
        self.time.remember(anyway=True)

    def _up(self) -> None:
        """Go on after the downtime, with what the last run decided but perhaps didn't write, send or do."""
        found, last = self.recovered, self.journal.last
        if found.down is not None:
            self.outbox.unsent_in_journal(self.journal.marks().get("readings", 0) + 1, last)
        now = self.time.begin(found)
        self.do(found.decided)
        if found.down is not None:
            for event in (NodeDown(found.down), NodeUp(now, self.time.measured)):
                self.journal.append(records.of_event(event), klass="system")
                self.judge.feed(event)
        for action in found.undone:
            self.actions.do(action)
        self.do(self.judge.advance(now))
        self.time.remember()
        believed = found.down is not None and now - found.down <= 15 * 60_000
        for message in (*self.judge.restored(now, believed=believed), *self.judge.delivery.statuses(now)):
            self.outbox.add(message)
        self.time.tell_restart(found, now)
        self._tell_early()

    def _tell_early(self) -> None:
        """What was wrong at the start; what the last run knew of journal and disk and is not so is over."""
        early, self._early = self._early or {}, None
        for source in list(self.judge.troubled):
            if source not in early and (source == STORAGE or source.startswith(JOURNAL)):
                self.well(source)
        for fault in early.values():
            self.fault(fault)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A named task that shares the node's fate."""
        assert self._tasks is not None
        return self._tasks.create_task(work, name=name)

    def start_apart(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A named task of somebody's wish: if it fails that is told, and the node goes on."""

        async def told() -> None:
            try:
                await work
            except Exception as fault:
                log.error("failed", extra={"task": name, "why": repr(fault)})
                log.debug("failed", exc_info=True)

        return self.start(name, told())

    def start_drivers(self, wanted: Mapping[str, Post]) -> None:
        """Start every driver of `wanted`."""
        for name, post in wanted.items():
            folder = self.folders.of(name)
            inbox = self.hearing.inbox(name)
            driver = Supervised(name, post.open, post.devices, folder, self.clock, inbox, self._backlog)
            self.posts[name], self.drivers[name] = post, driver
            driver.start()
            self._watches[name] = self.start(f"watch {name}", driver.watch())

    async def stop_driver(self, name: str) -> None:
        """Stop one driver and forget it."""
        self._watches.pop(name).cancel()
        await self.drivers.pop(name).stop()
        self.hearing.forget(name)
        del self.posts[name]

    async def _go_home(self) -> None:
        """The disk takes files again: drivers whose files are in memory start anew on it."""
        wanted = {name: post for name, post in self.posts.items() if name in self.folders.away}
        await asyncio.gather(*(self.stop_driver(name) for name in wanted))
        self.start_drivers(wanted)

    def start_link(self) -> None:
        """Connect to the broker, if home.yaml names one."""
        if self.home.broker is None:
            return
        self.link = Link(
            self.home.broker,
            self.home.home,
            self.outbox,
            zone=self.judge.zone,
            wall=self.clock.wall,
            on_command=self.requests.command,
            on_state=self._link_changed,
            on_acknowledged=self._acknowledged,
            write_numbers=self._write_numbers,
        )
        self._link_task = self.start("link", self.link.run())

    async def stop_link(self) -> None:
        """Say goodbye to the broker."""
        if self._link_task is not None:
            self._link_task.cancel()
            await asyncio.wait([self._link_task])
            self.link = self._link_task = None

    # -- what was decided

    def do(self, decided: Decided) -> None:
        """Write it down, then send and do it."""
        for record in decided.records:
            self.journal.append(record, klass="alert")
        for message in decided.messages:
            self.outbox.add(message)
        numbers = self.outbox.number() if decided.messages else []
        for number in numbers:
            self.journal.append(self._numbered(number), klass="alert")
        if decided.records or numbers or decided.actions:
            self._commits.put_nowait((self.journal.commit(), numbers, decided))
        self.watchers.tell(decided)
        if decided.messages and self.link is not None:
            self.link.wake()
        self.time.arm()

    async def _committed(self) -> None:
        """What was decided is on the disk: its messages may go and its actions are done, in order."""
        while True:
            future, numbers, decided = await self._commits.get()
            try:
                await asyncio.wrap_future(future)
            except StorageError:
                log.error("not on the disk, acted on all the same", extra={"records": len(decided.records)})
            self.outbox.written(numbers)
            if self.link is not None:
                self.link.wake()
            for action in decided.actions:
                self.actions.do(action)

    def _numbered(self, number: Numbered) -> Record:
        now = self.clock.now()
        return {"t": "seq", "at": now, "id": number.id, "party": number.party, "n": number.sequence}

    async def _write_numbers(self, numbers: list[Numbered]) -> None:
        for number in numbers:
            self.journal.append(self._numbered(number), klass="alert")
        await asyncio.wrap_future(self.journal.commit())

    def _acknowledged(self, gone: Acknowledged) -> None:
        if gone.id:
            self.journal.append(records.of_got([gone.id], self.clock.now()), klass="alert")
        elif gone.klass is Class.READING:
            self.refill.consider()

    def mark_sent(self) -> None:
        """Remember up to which record every shared reading is with the broker."""
        self.journal.mark("readings", self.outbox.readings_done(self.journal.last) - 1)

    def fault(self, fault: NodeFault, *, said: bool = False) -> None:
        """The node or a device can't know something. `said`: the log has it already."""
        if self._early is not None:
            self._early[fault.source] = fault
            return
        if fault.source not in self.judge.troubled:
            if not said:
                log.warning("fault", extra={"source": fault.source, "text": fault.text["en"]})
            self.do(self.judge.fault(fault, self.time.instant()))

    def well(self, source: str) -> None:
        """That is over."""
        if self._early is not None:
            self._early.pop(source, None)
            return
        if source == STORAGE and self.folders.can_go_home():
            self.start_apart("drivers go home", self._go_home())
        if source in self.judge.troubled:
            log.info("fault over", extra={"source": source})
            self.do(self.judge.well(source, self.time.instant()))

    def pass_time(self) -> None:
        """A deadline may have come."""
        now = self.clock.now()
        if self.judge.silence_due and now >= self.judge.silence_due:
            self.do(self.judge.silence(max(now, self.judge.engine.now)))
        elif now > self.judge.engine.now:
            self.do(self.judge.advance(now))
        else:
            self.time.arm()

    def heard(self, readings: Sequence[Reading]) -> None:
        """Readings that were taken, for those who watch."""
        self.watchers.heard(readings)
        self.time.count(len(readings))

    def is_wired(self, driver: str) -> bool:
        """Whether the driver's devices never sleep."""
        post = self.posts.get(driver)
        return post is not None and post.type.wired

    def _backlog(self) -> int:
        pending = self.outbox.pending()
        return self.hearing.waiting() + (pending.readings if self.outbox.online else 0)

    def _link_changed(self, state: LinkState) -> None:
        self.watchers.event({"link": "up" if state.online else "down", "why": state.why})
        if state.online:
            for message in self.judge.delivery.statuses(self.clock.now()):
                self.outbox.add(message)
            self.refill.consider()

    def apply(self, home: Home, rules: Sequence[BoundRule]) -> None:
        """home.yaml changed: rules and sharing now; drivers and link are the caller's."""
        limits_ms = limits_of(home, rules, self.types, self.judge.rows_ms)
        decided = self.judge.reload(home, rules, limits_ms, self.time.instant())
        self.home = home
        self.do(decided)
        self.time.remember(anyway=True)  # what came before was decided by other rules
