"""The steps on a terminal, also over ssh: lines in and out, as slow links and screen readers want them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from homenode.errors import HomenodeError, Refused
from homenode.gateway.ask import table
from homenode.install.known import kind_called, link_verdict, suggested_name
from homenode.install.news import News, in_words
from homenode.install.session import Session
from homenode.install.steps import Arrival, NotSure
from homenode.install.view import lack_in_words, want_in_words
from homenode.install.words import say


class _Ended(Exception):
    """Whoever typed has hung up."""


class Terminal:
    """One person at a terminal.

    Args:
        session: The installation.
        language: ``sv`` or ``en``.
    """

    def __init__(self, session: Session, language: str) -> None:
        self._session, self._language = session, language
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def word(self, key: str, **more: object) -> str:
        """In this person's language."""
        return say(key, self._language, **more)

    def say(self, key: str, **more: object) -> None:
        """Print it."""
        print(self.word(key, **more), flush=True)

    def listen(self) -> None:
        """Read what is typed, in a thread: standard input can't be waited for otherwise when it is a file."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in sys.stdin:
                loop.call_soon_threadsafe(self._lines.put_nowait, line.strip())
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._lines.put_nowait, None)

        threading.Thread(target=read, name="typed", daemon=True).start()

    async def ask(self, prompt: str, default: str = "") -> str:
        """What the person types after `prompt`; `default` for nothing."""
        print(f"{prompt}{f' [{default}]' if default else ''}: ", end="", flush=True)
        line = await self._lines.get()
        if line is None:
            raise _Ended
        return line or default

    async def choose(self, items: Sequence[str], prompt: str) -> int | None:
        """The number of one of `items`, from 0; None for nothing."""
        for nth, item in enumerate(items, 1):
            print(f"  {nth}  {item}")
        while typed := await self.ask(prompt):
            if (chosen := _number(typed, items)) is not None:
                return chosen
            self.say("no_such", n=len(items))
        return None

    async def do(self, **wish: object) -> bool:
        """Have it done; False if it wasn't, and the person was told why."""
        try:
            told = await self._session.do(wish, self._language)
        except NotSure as error:
            print(self.word("refused", why=error), flush=True)
            if (await self.ask(self.word("sure"))).lower() in ("j", "ja", "y", "yes"):
                return await self.do(**{**wish, "sure": True})
            return False
        except HomenodeError as error:
            print(self.word("refused", why=error), flush=True)
            return False
        if told:
            print(told, flush=True)
        return True

    # -- the steps

    async def menu(self) -> None:
        """Until the person ends it."""
        steps = self._session.steps
        while True:
            fresh = len(steps.arrivals)
            count = self.word("devices_here", n=len(steps.home.devices))
            print(f"\n{self.word('home')} {self._session.home}, {count}")
            items = [
                "menu_open",
                "menu_name",
                "menu_place",
                "menu_rules",
                "menu_walk",
                "menu_replace",
                "menu_move",
                "menu_code",
                "menu_end",
            ]
            chosen = await self.choose([self.word(item, n=fresh) for item in items], self.word("choose"))
            match items[chosen] if chosen is not None else "":
                case "menu_open":
                    await self.open()
                case "menu_name":
                    await self.name()
                case "menu_place":
                    await self.place(await self.device())
                case "menu_rules":
                    await self.rules(await self.device())
                case "menu_walk":
                    await self.walk()
                case "menu_replace":
                    await self.replace(await self.device())
                case "menu_move":
                    await self.move(await self.device())
                case "menu_code":
                    await self.open_by_code()
                case "menu_end":
                    await self.do(do="close")
                    return

    async def open(self) -> None:
        """Let new devices join, at one radio."""
        radio = await self._radio()
        if radio is not None and await self.do(do="open", radio=radio):
            self.say("opened")

    async def open_by_code(self) -> None:
        """Let the one device join whose install code is typed or scanned."""
        radio = await self._radio()
        while radio is not None and (code := await self.ask(self.word("code_ask"))):
            if await self.do(do="open", radio=radio, code=code, ieee=await self.ask(self.word("code_ieee"))):
                self.say("opened_code")
                return

    async def _radio(self) -> str | None:
        """One of several, "" for the only one, None if none was chosen."""
        radios = self._session.steps.radios
        if len(radios) < 2:
            return ""
        nth = await self.choose(radios, self.word("which_radio"))
        return radios[nth] if nth is not None else None

    async def _room(self, prompt: str, default: str = "") -> str:
        """By its number, or as it is typed."""
        rooms = self._session.steps.rooms(self._language)
        print(self.word("rooms") + ": " + ", ".join(f"{nth} {room}" for nth, room in enumerate(rooms, 1)))
        typed = await self.ask(self.word(prompt), default)
        nth = _number(typed, rooms)
        return typed if nth is None else rooms[nth]

    async def move(self, name: str) -> None:
        """It hangs in another room."""
        if name:
            room = await self._room("which_room", self._session.steps.home.devices[name].room)
            await self.do(do="move", device=name, room=room)

    async def device(self) -> str:
        """One that the home has; "" if none was chosen."""
        names = list(self._session.steps.home.devices)
        chosen = await self.choose(names, self.word("which"))
        return names[chosen] if chosen is not None else ""

    async def arrival(self) -> Arrival | None:
        """One of those that joined and have no name."""
        known = list(self._session.steps.arrivals.values())
        if not known:
            self.say("nobody_new")
            return None
        chosen = await self.choose([in_words(one, self._language) for one in known], self.word("which"))
        return known[chosen] if chosen is not None else None

    async def name(self) -> None:
        """Give a new device its name and room."""
        arrival = await self.arrival()
        if arrival is None:
            return
        room = what = ""
        while True:
            room = await self._room("room_or_not_ours", room)
            if room == "-":
                await self.do(do="dismiss", address=arrival.address)
                return
            free = suggested_name(room, arrival.kinds, self._session.steps.home.devices)
            name = await self.ask(self.word("name"), free)
            what = await self.ask(self.word("is"), what)
            wish = {"do": "name", "address": arrival.address, "room": room, "name": name, "is": what}
            if await self.do(**wish):
                await self.place(name)
                await self.rules(name)
                return
            if (await self.ask(self.word("try_again"))).lower() == "m":
                return

    async def place(self, name: str) -> None:
        """Hold it where it is to hang, and see whether it is heard."""
        if not name or not await self.do(do="place", device=name):
            return
        self.say("hold", name=name)
        while not await self.ask(self.word("hold_again")):
            placing = self._session.steps.placing.get(name)
            lqi = placing.last if placing is not None else None
            _, words = link_verdict(lqi)
            heard = self.word("heard_times", n=placing.frames if placing is not None else 0)
            link = f"{self.word('link')} {f'{lqi:.0f}' if lqi is not None else '?'}"
            print(f"{heard}; {link}: {words[self._language]}")
        await self.do(do="placed", device=name)

    async def rules(self, name: str) -> None:
        """Rules that it could serve as well."""
        if not name:
            return
        while found := self._session.steps.fits(name):
            print(self.word("fits", name=name))
            texts = [f"{fit.rule}: {fit.says.get(self._language, '')}" for fit in found]
            chosen = await self.choose(texts, self.word("which_or_none"))
            if chosen is None or not await self.do(do="use", device=name, rule=found[chosen].rule):
                return

    async def replace(self, name: str) -> bool:
        """New hardware for a device; its name, rules and history go on. False if there was none."""
        if not name or not await self.do(do="replace", device=name):
            return False
        self.say("replace_join", name=name)
        while not await self.ask(self.word("enter_when_there")):
            arrival = await self.arrival()
            if arrival is not None and await self.do(do="replace", device=name, address=arrival.address):
                await self.do(do="close")
                await self.place(name)
                return True
        return False

    async def walk(self) -> None:
        """The walk test, until it is paused or its report is written."""
        old = self._session.steps.walk
        anew = False
        if old is not None and any(row.at for row in old.rows.values()):
            typed = await self.ask(self.word("walk_again", begun=old.begun[:16].replace("T", " ")))
            anew = typed.lower() in ("n", "ny", "new")
        if not await self.do(do="walk", anew=anew):
            return
        self.say("walk_begun")
        while True:
            self._walk_table()
            typed = await self.ask(self.word("walk_prompt"))
            match typed[:1].lower():
                case "p":
                    await self.do(do="pause")
                    return
                case "o":
                    await self._outputs()
                case "c" | "k":
                    await self._remark()
                case "a" | "r":
                    by = await self.ask(self.word("who"))
                    if await self.do(do="finish", by=by):
                        return

    def _walk_table(self) -> None:
        walk = self._session.steps.walk
        assert walk is not None
        rows = []
        for name, row in walk.rows.items():
            left = [
                f"{kind_called(kind, self._language)} {want_in_words(kind, want, self._language)}"
                for kind, check in row.checks.items()
                for want in check.wants
                if want not in check.seen
            ]
            result = self.word("passed") if row.passed else self.word("untested")
            rows.append([result, row.room, name, row.trouble or ", ".join(left), row.at[11:19], row.remark])
        heads = ("result", "room", "name", "left", "time", "remark")
        print(table(rows, [self.word(key).upper() for key in heads]))
        for sort, name in walk.lacks():
            if sort != "device":
                print("- " + lack_in_words(sort, name, self._language))

    async def _remark(self) -> None:
        walk = self._session.steps.walk
        assert walk is not None
        rows = list(walk.rows.values())
        chosen = await self.choose([row.device for row in rows], self.word("which"))
        if chosen is not None:
            text = await self.ask(self.word("remark_of", name=rows[chosen].device), rows[chosen].remark)
            await self.do(do="remark", device=rows[chosen].device, text="" if text == "-" else text)

    async def _outputs(self) -> None:
        walk = self._session.steps.walk
        assert walk is not None
        points = [
            f"{name}.{kind}"
            for name, row in walk.rows.items()
            for kind, check in row.checks.items()
            if "works" in check.wants
        ]
        chosen = await self.choose(points, self.word("which"))
        if chosen is None or not await self.do(do="try", point=points[chosen]):
            return
        works = (await self.ask(self.word("works", point=points[chosen]))).lower() in ("j", "ja", "y", "yes")
        await self.do(do="try", point=points[chosen], on=False)
        await self.do(do="tried", point=points[chosen], works=works)


def _number(typed: str, items: Sequence[str]) -> int | None:
    """Which of `items`, from 0, was typed by its number from 1."""
    return int(typed) - 1 if typed.isdecimal() and 0 < int(typed) <= len(items) else None


@contextlib.asynccontextmanager
async def _at(data: Path, language: str) -> AsyncIterator[Terminal]:
    session = Session(data)
    person = Terminal(session, language)
    person.listen()
    tasks = [asyncio.ensure_future(session.run()), asyncio.ensure_future(News(session, language).watch())]
    try:
        yield person
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.leave()


async def terminal(data: Path, language: str) -> int:
    """All steps, as the person chooses."""
    async with _at(data, language) as person:
        with contextlib.suppress(_Ended):
            await person.menu()
    return 0


async def replacing(data: Path, device: str, language: str) -> int:
    """One step: a dead device gets new hardware."""
    async with _at(data, language) as person:
        try:
            return 0 if await person.replace(device) else 1
        except _Ended:
            raise Refused("nothing was replaced: nobody chose the new device") from None
