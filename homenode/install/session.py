"""One installation under way: the steps, the node that carries them out, and whoever looks on."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from homenode.config.registry import driver_types
from homenode.config.rule_files import find_rule, rule_names
from homenode.errors import FileMistakes, HomenodeError, Refused, SetupError
from homenode.gateway.ask import answer
from homenode.gateway.clock import Clock
from homenode.gateway.local_socket import ask, no_node, not_yours
from homenode.install import home_file
from homenode.install.report import write_report
from homenode.install.steps import Ask, Installation, Note, Order, Report, Write
from homenode.install.walk import restored
from homenode.install.wishes import orders
from homenode.install.words import say
from homenode.language.reader import try_rule
from homenode.language.rule_file import RuleFile

LOOK_S = 1.0
"""Between two looks at the node; what happens in between comes by itself."""
AGAIN_S = 2.0
WALK = "walk.json"
REQUEST_S = 45.0
"""A reload waits for drivers to stop and start; a radio that starts answers within 30 s."""


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Two installers at a time would write over each other.

    Raises:
        SetupError: Somebody is at it already, or there is no node, or it is somebody else's.
    """
    try:
        file = os.open(data / "install.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise no_node(data) from None
    except PermissionError:
        raise not_yours(data) from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            raise SetupError(
                "somebody is installing here already" + (f" (process {holder})" if holder else ""),
                where=str(data),
                do="go on there, or end it first",
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)


class Session:
    """Asks the node, tells the steps, and does what they order.

    Attributes:
        steps: What is known.
        notices: What the installer should read, newest last.
        ticked_ms: When something last happened that the installer waits for.
    """

    def __init__(self, data: Path) -> None:
        self.data, self._types = data, driver_types()
        status = answer(data, {"do": "status"})
        self._file = home_file.read(Path(status["file"]), self._types)
        assert self._file.report.home is not None
        self.steps = Installation(self._file.report.home, self._file.report.rules)
        self.steps.saw(status, answer(data, {"do": "devices"}))
        self.steps.rule_files = _rule_files(self._file.path.parent)
        self.notices: list[str] = []
        self._news: set[asyncio.Event] = set()
        self._doing = asyncio.Lock()
        self._clock = Clock()
        self._kept = ""
        self.ticked_ms = 0
        self._resume()

    @property
    def home(self) -> str:
        """Its id."""
        return self.steps.home.home

    def now_ms(self) -> int:
        """Of this program's own clock."""
        return self._clock.now()

    def listen(self) -> asyncio.Event:
        """An event that is set whenever something changed."""
        event = asyncio.Event()
        self._news.add(event)
        return event

    def unlisten(self, event: asyncio.Event) -> None:
        """Nobody waits for it any more."""
        self._news.discard(event)

    def _tell(self, notice: str = "") -> None:
        if notice:
            self.notices = [*self.notices, notice]
        for event in self._news:
            event.set()

    async def run(self) -> None:
        """Follow the node until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look(), name="look at the node")
            group.create_task(self._follow(), name="follow the node")

    async def _look(self) -> None:
        while True:
            before = self.steps.revision
            try:
                await self._reread()
                await self._ask_node()
            except HomenodeError as error:
                self.steps.lost(str(error))
            await self._keep()
            if self.steps.revision != before:
                self._tell()
            await asyncio.sleep(LOOK_S)

    async def _ask_node(self) -> None:
        status = await asyncio.to_thread(answer, self.data, {"do": "status"})
        self.steps.saw(status, await asyncio.to_thread(answer, self.data, {"do": "devices"}))

    async def _reread(self) -> None:
        """home.yaml, if somebody else wrote it."""
        async with self._doing:
            with contextlib.suppress(OSError):
                if self._file.path.read_bytes() == self._file.data:
                    return
            try:
                self._file = await asyncio.to_thread(home_file.read, self._file.path, self._types)
            except FileMistakes as error:
                self.steps.unread(f"home.yaml has mistakes now: {home_file.mistakes_in_words(error)}")
                return
            except OSError as error:
                self.steps.unread(f"home.yaml can't be read: {error.strerror}")
                return
            assert self._file.report.home is not None
            self.steps.reread(self._file.report.home, self._file.report.rules)
            self._tell("home.yaml was changed by somebody else, and read again")

    async def _follow(self) -> None:
        """What the node tells as it happens; a thread reads, as the socket's client is a plain one."""
        loop, lines = asyncio.get_running_loop(), asyncio.Queue[Mapping[str, Any] | None]()

        def read() -> None:
            with contextlib.suppress(HomenodeError, OSError, ValueError):
                for line in ask(self.data, {"do": "watch"}, timeout_s=None):
                    loop.call_soon_threadsafe(lines.put_nowait, line)
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lines.put_nowait, None)

        while True:
            threading.Thread(target=read, name="watch", daemon=True).start()
            while (line := await lines.get()) is not None:
                if self.steps.heard(line):
                    self.ticked_ms = self.now_ms()
                self._tell()
            await asyncio.sleep(AGAIN_S)

    # -- wishes

    async def do(self, wish: Mapping[str, Any], language: str = "en") -> str:
        """Do what the installer wants; what was done, in words, "" if that shows by itself.

        Raises:
            HomenodeError: It wasn't, with the reason.
        """
        async with self._doing:
            with contextlib.suppress(HomenodeError):  # then the orders say so themselves
                await self._ask_node()
            at = str(self.steps.status.get("at", ""))
            todo = orders(self.steps, wish, self._clock.now(), at, language)
            told = ""
            try:
                for order in todo:
                    told = await self._carry_out(order, at, language) or told
            except FileMistakes as error:
                raise Refused(home_file.mistakes_in_words(error)) from error
            except OSError as error:
                raise Refused(say("no_disk", language, why=error.strerror)) from error
            finally:
                await self._keep()
                self._tell()
            return told

    async def _carry_out(self, order: Order, at: str, language: str) -> str:
        match order:
            case Ask():
                try:
                    await asyncio.to_thread(answer, self.data, order.request, REQUEST_S)
                except Refused as error:
                    raise Refused(f"{order.unless} {error}".strip()) from error
                return order.told
            case Report():
                assert self.steps.walk is not None
                folder = await asyncio.to_thread(write_report, self.data, self.steps, order.by)
                self.steps.last_report = str(folder)
                return say("report_written", language, folder=folder)
            case Write():
                await self._write(order, at, language)
                return order.told
            case Note():
                order.change()
        return ""

    async def _write(self, order: Write, at: str, language: str) -> None:
        stamp = at[:19].replace(":", "") or "unknown"
        old = self._file
        new = await asyncio.to_thread(home_file.change, old, order.edit, self._types, self.data, stamp)
        try:
            await asyncio.to_thread(answer, self.data, {"do": "reload"}, REQUEST_S)
        except HomenodeError as error:
            await asyncio.to_thread(home_file.put_back, new, old)
            raise Refused(say("no_not_taken", language, why=error)) from error
        self._file = new
        assert new.report.home is not None
        self.steps.reread(new.report.home, new.report.rules)

    async def leave(self) -> None:
        """Whoever installs is gone: a network that was opened from here is closed."""
        if self.now_ms() < self.steps.open_until_ms:
            with contextlib.suppress(HomenodeError):
                await self.do({"do": "close"})

    # -- the walk test outlives this program

    def _resume(self) -> None:
        try:
            state = json.loads((self.data / WALK).read_text(encoding="utf-8"))
            walk = restored(state)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            self.notices.append("what was tested before can't be read; the walk test begins anew")
            return
        if walk.home == self.home:
            walk.active = self.steps.status["mode"] == "service"
            self.steps.walk = walk
            self.steps.set_up_walk()

    async def _keep(self) -> None:
        walk = self.steps.walk
        if walk is None:
            return
        text = json.dumps(walk.dump(), ensure_ascii=False, indent=1)
        if text == self._kept:
            return
        try:
            await asyncio.to_thread(home_file.replace, self.data / WALK, text.encode(), 0o600)
            self._kept = text
        except OSError as error:
            self._tell(f"what was tested is not kept: {error.strerror}")


def _rule_files(beside: Path) -> dict[str, RuleFile]:
    """Every rule that ``use:`` may name here, as far as it can be read."""
    found = {}
    for name in rule_names(beside):
        path = find_rule(name, beside)
        with contextlib.suppress(OSError, UnicodeDecodeError, HomenodeError):
            rule, _ = try_rule(path.read_text(encoding="utf-8"), str(path)) if path else (None, [])
            if rule is not None:
                found[name] = rule
    return found
