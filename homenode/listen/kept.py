"""Where one receiver keeps its homes: in a journal, each change of a home as all of that home.

A home is a few kilobytes and alerts are few, so a start needs only the newest record of each home. Those that
nothing happens to are written again now and then, so that old files can go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from homenode.errors import StorageError
from homenode.journal.journal import Journal
from homenode.journal.retention import DAY_MS, Limits
from homenode.listen.desk import Act
from homenode.listen.plan import Plan
from homenode.listen.watch import Watch

log = logging.getLogger("homenode.listen")

RENEWED_MS = DAY_MS // 2
KEPT_MS = 2 * DAY_MS
"""What is older was renewed since."""

MARK_EACH = 10_000
"""Records, after which it is worth to remember where the oldest is that a start needs."""

LIMITS = Limits(
    readings_bytes=32 << 20,
    age_ms=MappingProxyType({"reading": KEPT_MS, "system": KEPT_MS, "alert": 730 * DAY_MS}),
)

RETRY_S, SLOW_S = 1.0, 0.5


class Kept:
    """The homes of one receiver.

    Args:
        now: ms since 1970.
    """

    def __init__(self, journal: Journal, plan: Plan, now: Callable[[], int]) -> None:
        self._journal, self._plan, self._now = journal, plan, now
        self._watches: dict[str, Watch] = {}
        self._written: dict[str, tuple[int, int]] = {}  # when, and its number; the longest ago first
        newest = 0
        self._mark = f"watches of {plan.party}"  # no home's newest record is before it
        for _, record in journal.read(journal.marks().get(self._mark, 0)):
            if record.get("t") == "watch" and record.get("party") == plan.party:
                home = record["home"]
                self._watches[home] = Watch.restore(home, plan, record["watch"])
                newest = max(newest, record["at"])
        # Age is counted from the newest record: none is newer than what is there until all homes are written.
        self._at: int | None = newest or None
        for home, watch in self._watches.items():
            watch.not_after(now())
            self._append(home)

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """The journal of a receiver.

        Raises:
            StorageError: It can't be read.
        """
        return Journal.open(folder, limits=LIMITS, on_trouble=_trouble, on_damage=_damage)

    async def begin(self) -> None:
        """What was found is written anew."""
        await self.safe()
        self._at = None

    @property
    def homes(self) -> list[str]:
        """All that were ever heard of."""
        return list(self._watches)

    def mine(self, home: str) -> Watch | None:
        """The home as it is now."""
        return self._watches.get(home)

    def apply(self, home: str, act: Act) -> bool:
        """Apply `act` now; `safe` says when that is durable."""
        watch = self._watches.get(home)
        fresh = watch is None
        if watch is None:
            watch = self._watches[home] = Watch(home, self._plan)
        changed = act(watch)
        if changed or fresh:
            self._append(home)
        return changed

    async def change(self, home: str, act: Act) -> bool:
        """Apply `act` and have it written; a disk that takes nothing, or takes its time, holds up nobody."""
        changed = self.apply(home, act)
        with suppress(StorageError, TimeoutError):  # told by `_trouble`
            async with asyncio.timeout(SLOW_S):
                await asyncio.wrap_future(self._journal.commit())
        return changed

    async def safe(self) -> None:
        """Until all that was applied is on the disk, however long that takes."""
        while True:
            try:
                await asyncio.wrap_future(self._journal.commit())
                return
            except StorageError:  # told by `_trouble`
                await asyncio.sleep(RETRY_S)

    def renew(self) -> None:
        """Once a second: write again what was written long ago."""
        now = self._now()
        for home, (at, _) in list(self._written.items())[:8]:
            if now - at >= RENEWED_MS:
                self._append(home)
        first = next((number for _, number in self._written.values()), 0)
        if (
            first >= self._journal.marks().get(self._mark, 0) + MARK_EACH
            and self._journal.commit(first).done()
        ):
            self._journal.mark(self._mark, first)

    def _append(self, home: str) -> None:
        at = self._now() if self._at is None else self._at
        self._written.pop(home, None)
        body = {"t": "watch", "at": at, "party": self._plan.party, "home": home}
        number = self._journal.append(body | {"watch": self._watches[home].dump()}, klass="system")
        self._written[home] = self._now(), number


def _trouble(error: StorageError | None) -> None:
    if error is None:
        log.warning("storage works again")
    else:
        log.error("storage failing, nothing is acknowledged", extra={"why": str(error)})


def _damage(damage: object) -> None:
    log.error("journal damaged", extra={"what": str(damage)})
