"""Where a group of receivers keeps its homes: a replicated key-value bucket of NATS, an entry for each home.

Each change reads the entry, applies what happened, and writes it only if nobody wrote in between (the
revision is the same); else again. So two members never do one thing twice, whoever is slow or cut off.

An entry is two lines of JSON: who has it in hand and what the others must know without reading on; the home.
The owner hands over what waits. Who writes an entry in which nothing waits becomes its owner; while something
waits only the death of the owner makes another one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from homenode.listen.desk import Act
from homenode.listen.members import Members
from homenode.listen.plan import Plan
from homenode.listen.watch import Watch

log = logging.getLogger("homenode.listen")

RETRY_S = 0.5
"""Longest wait after NATS could not do something; full jitter."""


@dataclass
class Entry:
    """A home as NATS has it.

    Attributes:
        owner: The member that has it in hand.
        due: When time asks for something, ms; None if not.
        busy: Something waits to be handed over or to be answered.
        silent: Its silence was told.
    """

    revision: int
    owner: str
    due: int | None
    busy: bool
    silent: bool
    body: bytes

    @cached_property
    def kept(self) -> Any:
        """The home."""
        return json.loads(self.body)

    @classmethod
    def read(cls, value: bytes, revision: int) -> Entry:
        """From the bucket."""
        head, _, body = value.partition(b"\n")
        owner, due, busy, silent = json.loads(head)
        return cls(revision, owner, due, busy, silent, body)

    def value(self) -> bytes:
        """For the bucket."""
        return json.dumps([self.owner, self.due, self.busy, self.silent]).encode() + b"\n" + self.body


class Shared:
    """The homes of a group, as one member sees them.

    Args:
        bucket: Of the group.
        now: ms since 1970.
    """

    def __init__(self, bucket: KeyValue, plan: Plan, members: Members, now: Callable[[], int]) -> None:
        self.bucket, self._plan, self._members, self._now = bucket, plan, members, now
        self.entries: dict[str, Entry] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._live: dict[str, tuple[int, Watch]] = {}
        self._random = Random()

    def came(self, home: str, value: bytes | None, revision: int) -> None:
        """An entry as the bucket tells of it."""
        known = self.entries.get(home)
        if value is None:
            self.entries.pop(home, None)
        elif known is None or known.revision < revision:
            self.entries[home] = Entry.read(value, revision)

    def mine(self, home: str) -> Watch | None:
        """The home, if this member has it in hand."""
        entry = self.entries.get(home)
        if entry is None or entry.owner != self._members.me:
            return None
        revision, watch = self._live.get(home, (0, None))
        if watch is None or revision != entry.revision:
            watch = Watch.restore(home, self._plan, entry.kept)
            self._live[home] = entry.revision, watch
        return watch

    async def change(self, home: str, act: Act) -> bool:
        """Apply `act` to what NATS has, until that is what was changed."""
        lock = self._locks.setdefault(home, asyncio.Lock())
        async with lock:
            while True:
                try:
                    changed = await self._try(home, act)
                    if changed is not None:
                        return changed
                    await self._reread(home)
                except (NatsError, TimeoutError) as error:
                    log.debug("NATS could not", exc_info=error)
                    await asyncio.sleep(self._random.uniform(0, RETRY_S))
                    self.entries.pop(home, None)  # it may have been written all the same
                    await self._surely_reread(home)

    async def _try(self, home: str, act: Act) -> bool | None:
        """Once; None if somebody else was faster."""
        entry = self.entries.get(home)
        watch = Watch(home, self._plan) if entry is None else Watch.restore(home, self._plan, entry.kept)
        changed = act(watch)
        if not changed and entry is not None:
            return False
        now, owner = self._now(), self._members.me
        if entry is not None and entry.busy and self._members.alive(entry.owner, now):
            owner = entry.owner
        busy = bool(watch.tasks or watch.commands)
        body = json.dumps(watch.dump(), ensure_ascii=False, separators=(",", ":")).encode()
        fresh = Entry(0, owner, watch.next_due(), busy, watch.silent_since is not None, body)
        try:
            if entry is None:
                fresh.revision = await self.bucket.create(home, fresh.value())
            else:
                fresh.revision = await self.bucket.update(home, fresh.value(), last=entry.revision)
        except KeyWrongLastSequenceError:
            return None
        known = self.entries.get(home)
        if known is None or known.revision < fresh.revision:
            self.entries[home] = fresh
            self._live.pop(home, None)
        return changed

    async def _reread(self, home: str) -> None:
        try:
            found = await self.bucket.get(home)
        except KeyNotFoundError:
            self.entries.pop(home, None)
        else:
            self.entries[home] = Entry.read(found.value or b"", found.revision or 0)

    async def _surely_reread(self, home: str) -> None:
        while True:
            try:
                return await self._reread(home)
            except (NatsError, TimeoutError):
                await asyncio.sleep(self._random.uniform(0, RETRY_S))
