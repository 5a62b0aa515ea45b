"""What is between receivers and pages: keeps what happened, shows it, does what people ask for."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from homenode.console import recall
from homenode.console.access import Person
from homenode.console.board import Board
from homenode.console.case import Case
from homenode.console.settings import Console
from homenode.errors import Refused, StorageError
from homenode.gateway.clock import Clock
from homenode.journal.journal import Journal
from homenode.listen import told
from homenode.listen.desk import Desk
from homenode.listen.event import Reply
from homenode.listen.intake import Intake
from homenode.listen.kept import SLOW_S
from homenode.listen.targets import Taker, Took
from homenode.listen.told import ALL, Kind
from homenode.listen.watch import Task, Watch

TARGET = "console"
"""What a receiver hands everything to: us."""
ANSWER_S = 15.0
"""How long a person waits for a home to answer."""


MOST_STREAMS = 20
"""Open pages of one sign-in; the oldest is a browser that is gone without a word."""


class News(asyncio.Event):
    """Set whenever there is something to show on one open page; `over`: it has to end."""

    def __init__(self, who: str) -> None:
        super().__init__()
        self.who, self.over = who, False


@dataclass(slots=True)
class Branch:
    """One party's receiver."""

    desk: Desk
    intake: Intake


class ControlRoom:
    """The console without its pages.

    Args:
        journal: The receivers' own; the console's facts lie between theirs.
    """

    def __init__(self, settings: Console, journal: Journal, clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self.branches: dict[str, Branch] = {}
        self._journal = journal
        self._news: dict[News, None] = {}
        self._asked: dict[str, asyncio.Future[Reply]] = {}
        self._drawing: Iterator[dict[str, Any]] = iter(())
        self.board, self._new = self._recalled()
        self.board.looks.resume(clock.now())

    def _recalled(self) -> tuple[Board, int]:
        """From the newest picture; from the first fact if there is none, or half of one."""
        if since := self._journal.newest_state:
            board, missing, read = recall.recalled(record for _, record in self._journal.read(since))
            if not missing:
                return board, read
        facts = (record for _, record in self._journal.read() if record.get("t") == "console")
        board, _, read = recall.recalled(facts)
        return board, read

    # --- what happened

    def record(self, what: str, **fact: Any) -> None:
        """Something happened: it is kept, and shown at once."""
        body = {"t": "console", "at": self.clock.now(), "what": what, **fact}
        self._journal.append(body, klass="alert")
        self.board.apply(body)
        self._new += 1
        self.wake()

    async def written(self) -> None:
        """Until it is on the disk; a disk that takes its time holds up nobody."""
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(SLOW_S):
                await asyncio.wrap_future(self._journal.commit())

    def wake(self) -> None:
        """There is something to show."""
        for news in self._news:
            news.set()

    @asynccontextmanager
    async def news(self, who: str) -> AsyncIterator[News]:
        """For an open page of `who`."""
        others = [one for one in self._news if one.who == who]
        for old in others[: 1 - MOST_STREAMS]:
            old.over = True
            old.set()
        news = News(who)
        self._news[news] = None
        try:
            yield news
        finally:
            del self._news[news]

    def taker(self, party: str) -> Taker:
        """Takes what a receiver hands over. In the journal it stands before the receiver's note of that."""

        async def take(home: str, task: Task) -> Took:
            self.record(
                "came", party=party, home=home, kind=task.kind.value, stage=task.stage, body=task.body
            )
            return Took(True)

        return take

    # --- what people do

    async def act(self, person: Person, case: Case, what: str, note: str) -> None:
        """Do one of `case.ACTIONS`.

        Raises:
            Refused: It can't be done.
        """
        desk, now = self.branches[case.party].desk, self.clock.now()
        if what == "escalate":
            if case.own:
                raise Refused("no_stage")
            escalate = partial(
                Watch.escalate, name=case.alert, severity=case.severity, body=case.body, now=now
            )
            if not await desk.change(case.home, escalate):
                raise Refused("no_stage")
        if what in ("acknowledge", "close") and case.home_waits:
            await desk.change(case.home, partial(Watch.answered, body=case.body, by=person.name, now=now))
            if what == "close":
                self._did(person, case, "acknowledge", "")
        self._did(person, case, what, note)
        await self.written()

    def _did(self, person: Person, case: Case, what: str, note: str) -> None:
        self.record("did", key=case.key, did=what, by=person.name, who=person.id, note=note, home=case.home)

    async def ask(
        self,
        party: str,
        home: str,
        do: str,
        by: str,
        args: Mapping[str, Any],
        within_s: float = ANSWER_S,
    ) -> Reply | None:
        """A command to a home, and its answer; None if none came, or we have no connection."""
        name = f"console-{secrets.token_hex(8)}"
        expires = told.time(self.clock.now() + int(ANSWER_S * 1000))
        body = {"id": name, "do": do, "expires": expires, "by": by, "args": args}
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        try:
            if not self.branches[party].intake.command(home, json.dumps(body, ensure_ascii=False).encode()):
                return None
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._asked[name]

    def answered(self, reply: Reply) -> None:
        """A home answered somebody."""
        answer = self._asked.get(reply.id)
        if answer is not None and not answer.done():
            answer.set_result(reply)

    # --- time

    async def ticks(self) -> None:
        """Once a second: whether somebody is on duty; looks without an end; some of a picture for a start."""
        while True:
            for party, branch in self.branches.items() if self.settings.roster else ():
                self._roster(party, branch.desk)
            for look in self.board.looks.lost(self.clock.now()):
                self.record("look_ended", id=look.id, home=look.home, why="lost", by="", note="lost")
            self._draw()
            await asyncio.sleep(1.0)

    def _draw(self) -> None:
        if self._new >= recall.EACH:
            self._new = 0
            head, at_once, self._drawing = recall.picture(self.board)
            self._journal.append(head, klass="state")
            for part in at_once:
                self._journal.append(part, klass="part")
        for part in islice(self._drawing, recall.AT_ONCE):
            self._journal.append(part, klass="part")

    def _roster(self, party: str, desk: Desk) -> None:
        now, known = self.clock.now(), self.alone(party)
        if (known is None) is bool(self.board.duty.on(party, now)):
            return
        if known is None:
            kind, body = Kind.NOBODY, told.nobody(now)
        else:
            kind, body = Kind.SOMEBODY, told.somebody(now, known)
        desk.begin(ALL, partial(Watch.tell, kind=kind, body=body))

    def alone(self, party: str) -> str | None:
        """Since when nobody is on duty, if that was told."""
        for case in self.board.of_home(party, ALL):
            if case.alert.startswith("nobody:") and case.home_says != "over":
                return case.alert.partition(":")[2]
        return None


class Witness:
    """What a receiver hears beside alerts, for the board."""

    def __init__(self, room: ControlRoom, party: str) -> None:
        self._room, self._party = room, party

    def link(self, up: bool) -> None:
        """We have a connection, or none."""
        self._room.board.link(self._party, up, self._room.clock.now())
        self._room.wake()

    def online(self, home: str, online: bool) -> None:
        """A home's heartbeat, or its will."""
        if self._room.board.online(self._party, home, online, self._room.clock.now()):
            self._room.wake()

    def status(self, home: str, body: Mapping[str, Any]) -> None:
        """What is open in a home, and its health."""
        if self._room.board.status(self._party, home, body):
            self._room.wake()

    def reading(self, home: str, point: str, body: Mapping[str, Any] | None) -> None:
        """Of a shared point. Open pages show it at their next pulse."""
        self._room.board.home(self._party, home).shared.came(point, body)

    def replied(self, home: str, reply: Reply) -> None:
        """The answer to a command, whoever asked."""
        self._room.answered(reply)
