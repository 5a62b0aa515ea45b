"""What was decided is written down, then sent and done."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING

from homenode import records
from homenode.delivery import NodeFault
from homenode.judge import Decided
from homenode.outbox import Numbered

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.node")

STORAGE, JOURNAL = "storage", "journal"
"""Sources of faults: the disk, and what of the journal was found damaged (with the name of its file)."""
CONFIGURATION = "home.yaml"
"""That of a node which runs on what it kept, as the files have mistakes."""

DISK_S, HANGS_S = 2.0, 10.0
"""An alert waits so long for a disk that neither takes it nor fails; then that is a fault. Cards have been
seen to take seconds now and then."""

_HANGS = NodeFault(
    STORAGE,
    {"sv": "lagringen svarar inte: kortet hänger", "en": "storage does not answer: the card hangs"},
    at_once=True,
)

_Waiting = tuple[Future[int], list[Numbered], Decided]


class Outcomes:
    """Works for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._commits: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._under_way = 0
        self._stuck = False  # the disk owes an answer
        self._early: dict[str, NodeFault] | None = {}  # told before the node is up; None after it

    @property
    def waiting(self) -> bool:
        """Whether something decided is not on the disk or not yet done."""
        return self._under_way > 0 or bool(self._node.actions.unfinished)

    def carry_out(self, decided: Decided) -> None:
        """Write it down, then send and do it."""
        for record in decided.records:
            self._node.journal.append(record, klass="alert")
        if self._node.home.broker is not None:  # else nobody will ever take them
            for message in decided.messages:
                self._node.outbox.add(message)
        numbers = self._node.outbox.number() if decided.messages else []
        self._node.actions.expect(decided.actions)
        if decided.records or numbers or decided.actions:
            self.numbered(numbers, decided)
        self._node.watchers.tell(decided)
        if decided.messages:
            self._node.uplink.wake()
        self._node.time.arm()

    def numbered(self, numbers: list[Numbered], decided: Decided | None = None) -> None:
        """Alerts got their places; once these are on the disk they may go, and what was decided is done."""
        now = self._node.clock.now()
        for number in numbers:
            self._node.journal.append(records.of_number(number, now), klass="alert")
        self._under_way += 1
        self._commits.put_nowait((self._node.journal.commit(), numbers, decided or Decided()))

    async def run(self) -> None:
        """What was decided is on the disk: its messages may go and its actions are done, in order."""
        while True:
            future, numbers, decided = await self._commits.get()
            if not await self._on_disk(asyncio.wrap_future(future)):
                log.error("not on the disk, acted on all the same", extra={"records": len(decided.records)})
            self._node.outbox.written(numbers)
            self._node.uplink.wake()
            for action in decided.actions:
                self._node.actions.do(action)
            self._under_way -= 1

    async def safe(self) -> None:
        """Until all that was decided so far is on the disk, before somebody is told that it is done."""
        if not await self.written():
            log.error("not on the disk, answered all the same")

    async def written(self) -> bool:
        """Whether the disk has all that was decided so far; it fails or hangs for 2 s at most."""
        return await self._on_disk(asyncio.wrap_future(self._node.journal.commit()))

    async def _on_disk(self, commit: asyncio.Future[int]) -> bool:
        """Whether the disk has it; one that fails or hangs holds nothing back."""
        done, _ = await asyncio.wait([commit], timeout=0 if self._stuck else DISK_S)
        if done:
            return commit.exception() is None
        if not self._stuck:
            self._stuck = True
            late = asyncio.get_running_loop().call_later(HANGS_S - DISK_S, self.fault, _HANGS)
            commit.add_done_callback(lambda commit: self._answered(commit, late))
        else:
            commit.add_done_callback(asyncio.Future.exception)  # looked at
        return False

    def _answered(self, commit: asyncio.Future[int], late: asyncio.TimerHandle) -> None:
        late.cancel()
        self._stuck = False
        if not commit.cancelled() and commit.exception() is None and self._node.journal.trouble is None:
            self.well(STORAGE)

    def fault(self, fault: NodeFault, *, said: bool = False, retell: bool = False) -> None:
        """The node or a device can't know something.

        Args:
            said: The log has it already.
            retell: An open one is told anew if its words are others; only where they seldom change.
        """
        if self._early is not None:
            self._early[fault.source] = fault
            return
        before = self._node.judge.says(fault.source)
        if before is None or (retell and before != fault.text):
            if not said:
                log.warning("fault", extra={"source": fault.source, "text": fault.text["en"]})
            self.carry_out(self._node.judge.fault(fault, self._node.time.instant()))

    def well(self, source: str) -> None:
        """That is over."""
        if self._early is not None:
            self._early.pop(source, None)
            return
        if source == STORAGE and self._node.crew.folders.can_go_home():
            self._node.start_apart("drivers go home", self._node.crew.go_home())
        if source in self._node.judge.troubled:
            log.info("fault over", extra={"source": source})
            self.carry_out(self._node.judge.well(source, self._node.time.instant()))

    def pass_time(self) -> None:
        """A deadline may have come."""
        now = self._node.clock.now()
        if self._node.judge.silence_due and now >= self._node.judge.silence_due:
            self.carry_out(self._node.judge.silence(max(now, self._node.judge.engine.now)))
        elif now > self._node.judge.engine.now:
            self.carry_out(self._node.judge.advance(now))
        else:
            self._node.time.arm()

    def tell_early(self) -> None:
        """What was wrong at the start; what the last run knew of journal, disk, files is over if not so."""
        early, self._early = self._early or {}, None
        for source in list(self._node.judge.troubled):
            if source not in early and (source in (STORAGE, CONFIGURATION) or source.startswith(JOURNAL)):
                self.well(source)
        for fault in early.values():
            self.fault(fault)
