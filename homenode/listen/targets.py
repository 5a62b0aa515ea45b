"""Those who take what is handed over: a line that is printed, a command, apprise."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple, TextIO

from homenode.errors import SetupError
from homenode.listen.settings import PRINT, Settings, Target
from homenode.listen.watch import Task
from homenode.listen.words import line

AT_ONCE = 16
"""Commands of one target that run at the same time; more homes than that wait for one another."""

_PIPE_B = 1 << 16
"""All that a pipe holds."""
_SAID_B = 1_000


class Took(NamedTuple):
    """Whether it was taken; `by` whom, or `why` not."""

    ok: bool
    by: str = ""
    why: str = ""


Taker = Callable[[str, Task], Awaitable[Took]]
"""Hands one thing of one home over."""


def takers(settings: Settings, out: TextIO, *, as_json: bool) -> dict[str, Taker]:
    """Target, or part of one, to how it is handed something.

    Raises:
        SetupError: apprise is needed and not installed, or doesn't know a URL.
    """
    made: dict[str, Taker] = {PRINT: _printer(out, settings.language, as_json=as_json)}
    for name, target in settings.targets.items():
        made |= {name: _runner(target)} if target.run else _apprise(target, settings.language)
    return made


def _printer(out: TextIO, language: str, *, as_json: bool) -> Taker:
    """Lines on `out`, from a thread of its own: who reads them may be slow."""
    thread = ThreadPoolExecutor(1, "print")

    def write(text: str) -> None:
        out.write(text + "\n")
        out.flush()

    async def take(home: str, task: Task) -> Took:
        if as_json:
            text = json.dumps(task.body, ensure_ascii=False, separators=(",", ":"))
        else:
            text = line(home, task.kind, task.body, language)
        await asyncio.get_running_loop().run_in_executor(thread, write, text)
        return Took(True)

    return take


def _runner(target: Target) -> Taker:
    """A command of its own for each; what it prints first, if anything, is who has the alert."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def take(home: str, task: Task) -> Took:
        async with slots:
            return await _run(target, home, task)

    return take


class _Output:
    """What a command prints: its beginning. The rest is read, too: what it left running is to run on."""

    def __init__(self) -> None:
        self._end, self.entry = os.pipe()
        os.set_blocking(self._end, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._end, self._read)
        self._said, self._over = b"", False

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):  # nothing is there
            more = os.read(self._end, _PIPE_B)
            self._said = (self._said + more)[:_SAID_B]
            if not more:
                self._over = True
                self._loop.remove_reader(self._end)
                os.close(self._end)

    def line(self) -> str:
        """The first that was printed until now."""
        if not self._over:
            self._read()
        first = self._said.decode("utf-8", "replace").partition("\n")[0].strip()
        return first[:120] if first.isprintable() else ""


def _holding(body: bytes) -> BinaryIO:
    """A file in memory, to be read from its beginning."""
    file = open(os.memfd_create("event"), "w+b")  # noqa: SIM115 - who asked closes it
    file.write(body)
    file.seek(0)
    return file


async def _run(target: Target, home: str, task: Task) -> Took:
    """No pipe is waited for: what a command leaves running may hold it open."""
    output = _Output()
    try:
        with _holding(json.dumps(task.body, ensure_ascii=False).encode()) as event:
            process = await asyncio.create_subprocess_exec(
                *target.run,
                stdin=event,
                stdout=output.entry,
                env={**os.environ, **variables(home, task)},
                start_new_session=True,  # what it starts ends with it, if it takes too long
            )
    except OSError as error:
        return Took(False, why=f"{target.run[0]}: {error.strerror}")
    finally:
        os.close(output.entry)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(target.timeout_ms / 1000):
                await process.wait()
        status = process.returncode
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if status is None:
        return Took(False, why=f"not done after {target.timeout_ms // 1000} s")
    if status:
        return Took(False, why=f"exit status {status}")
    return Took(True, by=output.line())


def variables(home: str, task: Task) -> Mapping[str, str]:
    """What a command finds in its environment, so that a shell script need not read JSON."""
    data = task.body["data"]
    return {
        "HOMENODE_HOME": home,
        "HOMENODE_WHY": task.kind.value,
        "HOMENODE_STAGE": str(task.stage),
        "HOMENODE_ALERT": _text(data.get("alert")),
        "HOMENODE_EVENT": _text(data.get("event")),
        "HOMENODE_SEVERITY": _text(data.get("severity")),
        "HOMENODE_TEST": "1" if data.get("test") is True else "",
    }


def _text(value: object) -> str:
    return value.replace("\0", "") if isinstance(value, str) else ""


def _apprise(target: Target, language: str) -> dict[str, Taker]:
    """One for each URL: what is dead holds up no other."""
    try:
        import apprise
    except ModuleNotFoundError as error:
        do = "pip install 'homenode[apprise]'"
        raise SetupError("apprise is not installed", where=f"targets.{target.name}", do=do) from error
    made: dict[str, Taker] = {}
    for number, (part, url) in enumerate(zip(target.parts, target.apprise, strict=True), 1):
        sender = apprise.Apprise()
        if not sender.add(url):  # the URL may hold a password: it is not shown
            where = f"targets.{target.name}.apprise.{number}"
            raise SetupError("no URL of apprise", where=where, do="https://appriseit.com lists them")
        made[part] = _sender(part, sender, target.timeout_ms, language)
    return made


def _sender(part: str, sender: Any, timeout_ms: int, language: str) -> Taker:
    """Sends to one URL, in threads of its own: one that hangs takes none from another."""
    from apprise import NotifyType

    threads = ThreadPoolExecutor(AT_ONCE, f"apprise-{part}")
    kinds = {"alarm": NotifyType.FAILURE, "warning": NotifyType.WARNING}

    async def take(home: str, task: Task) -> Took:
        severity = str(task.body["data"].get("severity"))
        text = line(home, task.kind, task.body, language)

        def send() -> bool:
            return bool(
                sender.notify(body=text, title=home, notify_type=kinds.get(severity, NotifyType.INFO))
            )

        sent = asyncio.get_running_loop().run_in_executor(threads, send)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return Took(True) if await sent else Took(False, why="apprise could not send it")
        except TimeoutError:
            return Took(False, why=f"not sent after {timeout_ms // 1000} s")

    return take


def standard_output() -> TextIO:
    """Where lines go.

    Raises:
        SetupError: It is closed.
    """
    if sys.stdout is None:
        raise SetupError("standard output is closed", do="name targets in listen.yaml (to:)")
    return sys.stdout
