"""Hands over what waits, sends acknowledgements home, watches the time: the same for one receiver or a group.

What is decided is decided by `Watch`; where that is kept, and who else may change it, is the store's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Protocol

from homenode.gateway.clock import Clock
from homenode.listen.event import SEALED, Event, Reply
from homenode.listen.pulses import Pulses
from homenode.listen.targets import Taker, Took
from homenode.listen.watch import Command, Task, Watch

log = logging.getLogger("homenode.listen")

Act = Callable[[Watch], bool]
"""Something that happened to a home; whether it changed anything. May be called more than once."""

FIRST_S, LONGEST_S = 1.0, 60.0
"""Between two tries to hand something over; doubles."""

ASK_S, ASK_LONGEST_S = 5.0, 600.0
"""Between two tries to have an acknowledgement answered; doubles. At once when the home comes online."""

ASLEEP_MS = 5_000
"""Between two ticks, which should be a second apart."""

UNREAD_MS = 60_000
"""Between two log lines about messages of one home that can't be read."""


class Store(Protocol):
    """Keeps the homes."""

    async def change(self, home: str, act: Act) -> bool:
        """Apply `act` and keep what it changed; what `act` said."""

    def mine(self, home: str) -> Watch | None:
        """The home as it is now, if this receiver is to hand over what waits in it."""


Send = Callable[[str, Command], Awaitable[None]]
"""Sends a command to a home."""


class _Asking:
    """What a home was sent and has not answered; `news`: there is more, or the home is there again."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.news = asyncio.Event()


class Desk:
    """The part of a receiver that acts.

    Args:
        store: Where homes are kept.
        takers: Target to how it is handed something.
        send: How a home is sent an acknowledgement.
        group: Owns what is started here.
        responsible: Whether it is ours to tell of silence; always, unless others see to homes, too.
    """

    def __init__(
        self,
        store: Store,
        takers: Mapping[str, Taker],
        send: Send,
        clock: Clock,
        pulses: Pulses,
        group: asyncio.TaskGroup,
        responsible: Callable[[str], bool] = lambda home: True,
    ) -> None:
        self.pulses, self.clock = pulses, clock
        self._store, self._takers, self._send, self._group = store, takers, send, group
        self._responsible = responsible
        self._under_way: set[str] = set()
        self._ticked = clock.now()
        self._unread: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self._busy: set[tuple[str, str]] = set()
        self._asking: dict[str, _Asking] = {}
        self.dues: dict[str, int] = {}

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside all else."""
        self._group.create_task(work)

    def look(self, home: str) -> None:
        """A home has changed: do what now is to be done."""
        watch = self._store.mine(home)
        if watch is None:
            self.dues.pop(home, None)
            return
        if watch.dropped > self._dropped.get(home, 0):
            self._dropped[home] = watch.dropped
            log.error("waited too long and was given up", extra={"home": home, "messages": watch.dropped})
        due = watch.next_due()
        if due is None:
            self.dues.pop(home, None)
        else:
            self.dues[home] = due
        for target in watch.waiting():
            if (home, target) not in self._busy and target in self._takers:
                self._busy.add((home, target))
                self.start(self._carry(home, target))
        if asking := self._asking.get(home):
            asking.news.set()
        elif watch.commands:
            self._asking[home] = _Asking()
            self.start(self._ask(home))

    async def change(self, home: str, act: Act) -> bool:
        """Something happened to a home."""
        changed = await self._store.change(home, act)
        if changed:
            self.look(home)
        return changed

    def readable(self, home: str, event: Event | str) -> Event | None:
        """None for a message that is no alert; that, or that it can't be opened, is told once a minute."""
        if not isinstance(event, Event):
            self._unreadable(home, event)
            return None
        if event.told == SEALED:
            self._unreadable(home, event.body["data"]["why"])
        return event

    def _unreadable(self, home: str, why: str) -> None:
        now = self.clock.now()
        if now - self._unread.get(home, now - UNREAD_MS) >= UNREAD_MS:
            self._unread[home] = now
            log.warning("an alert can't be read", extra={"home": home, "why": why})

    # --- handing over

    async def _carry(self, home: str, target: str) -> None:
        """Hand over what waits in a home for one target, in order, until nothing does."""
        pause_s = FIRST_S
        try:
            while (task := self._head(home, target)) is not None:
                took = await self._take(home, target, task)
                if not took.ok:
                    if pause_s == FIRST_S:
                        fields = {"home": home, "target": target, "why": took.why}
                        log.warning("not handed over, tried again", extra=fields)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_S)
                    continue
                if pause_s != FIRST_S:
                    log.info("handed over at last", extra={"home": home, "target": target})
                pause_s = FIRST_S
                taken = partial(
                    Watch.taken, number=task.number, target=target, now=self.clock.now(), by=took.by
                )
                await self._store.change(home, taken)
        finally:
            self._busy.discard((home, target))
        self.look(home)

    def _head(self, home: str, target: str) -> Task | None:
        watch = self._store.mine(home)
        return None if watch is None else watch.waiting().get(target)

    async def _take(self, home: str, target: str, task: Task) -> Took:
        try:
            return await self._takers[target](home, task)
        except BrokenPipeError:
            raise
        except Exception as error:
            log.debug("target failed", exc_info=error)
            return Took(False, why=f"{type(error).__name__}: {error}")

    # --- acknowledging back

    async def _ask(self, home: str) -> None:
        """Send a home what it has not answered, until it has answered all of it."""
        asking, pause_s = self._asking[home], ASK_S
        try:
            while (watch := self._store.mine(home)) is not None and watch.commands:
                asking.news.clear()
                for command in [c for c in watch.commands.values() if c.id not in asking.sent]:
                    asking.sent.add(command.id)
                    await self._send(home, command)
                try:
                    async with asyncio.timeout(pause_s):
                        await asking.news.wait()
                except TimeoutError:
                    asking.sent.clear()
                    pause_s = min(2 * pause_s, ASK_LONGEST_S)
        finally:
            del self._asking[home]

    async def replied(self, home: str, reply: Reply) -> None:
        """A home answered."""
        watch = self._store.mine(home)
        if watch is None or reply.id not in watch.commands:
            return
        if not reply.ok:
            log.warning("acknowledgement refused", extra={"home": home, "why": reply.why})
        now = self.clock.now()
        await self.change(home, lambda watch: watch.replied(reply, now))

    # --- time

    def heard(self, home: str, online: bool, *, retained: bool = False) -> None:
        """A node or the broker says whether it is online; `retained`: it said so some time ago."""
        now = self.clock.now()
        if not online:
            self.pulses.offline(home, now)
            return
        lived = self.pulses.lives(home, now)
        if retained:
            self.pulses.was_online(home, now)
        else:
            self.pulses.heard(home, now)
        if lived:
            return
        if asking := self._asking.get(home):
            asking.sent.clear()
            asking.news.set()
        if not retained and self._responsible(home):
            self.start(self._back(home, now))

    async def _back(self, home: str, now: int) -> None:
        if await self.change(home, lambda watch: watch.came_back(now)):
            log.info("home heard again", extra={"home": home})

    def tick(self) -> bool:
        """Once a second: what has fallen due; False if it was long ago, so that we were deaf since.

        A process that was stopped, or a machine that slept, finds what came in the meantime only now.
        """
        now = self.clock.now()
        awake = now - self._ticked < ASLEEP_MS
        self._ticked = now
        if not awake:
            self.pulses.listening(now)
        for home, due in list(self.dues.items()):
            if now >= due:
                self.begin(home, lambda watch: watch.due(now))
        return awake

    def begin(self, home: str, act: Act) -> None:
        """Change a home beside all else, unless that is under way; another tick comes."""
        if home not in self._under_way:
            self._under_way.add(home)
            self.start(self._change(home, act))

    async def _change(self, home: str, act: Act) -> None:
        try:
            await self._store.change(home, act)
        finally:
            self._under_way.discard(home)
        self.look(home)

    def silences(self) -> None:
        """Tell of homes that are silent, of those that are ours to tell of."""
        now = self.clock.now()
        for overdue in self.pulses.overdue(now):
            if self._responsible(overdue.home):
                self.pulses.told(overdue.home)
                self.start(self._silent(overdue.home, overdue.since, overdue.why, now))

    async def _silent(self, home: str, since: int, why: str, now: int) -> None:
        if await self.change(home, lambda watch: watch.fell_silent(since, why, now)):
            log.warning("home silent", extra={"home": home, "why": why})
