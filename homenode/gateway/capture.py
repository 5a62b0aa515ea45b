"""The process that films one session (`homenode.video`): started, spoken to, and gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import shlex
import shutil
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from typing import Any, Self

log = logging.getLogger("homenode.looks")

PROGRAM = "HOMENODE_CAPTURE"
"""Environment: `unix:PATH`, where systemd starts it for whoever connects (deploy/homenode-video.socket), or
another program in its place, to which the number of the socket is given."""
_LONGEST_B = 128 * 1024
"""Of a line; an answer is about 10 kB."""
_BYE_S, _TERM_S, _KILL_S = 0.2, 0.3, 1.0
"""After "end" it has this long, after SIGTERM this; what SIGKILL leaves waits for a device in the kernel.
Together half a second: lamp and light are off within one."""
_HUNG_S = 6.0
"""Another user's can't be killed by us; one that hangs, kills itself before (`_HUNG_AFTER_S` there)."""


class Capture:
    """One process, ours (in a group of its own) or systemd's; use `start`."""

    def __init__(
        self, process: Process | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer

    @classmethod
    async def start(cls) -> Self:
        """Begin; it films nothing before it is told to. Raises OSError."""
        kind, _, path = os.environ.get(PROGRAM, "").partition(":")
        if kind == "unix":
            return cls(None, *await asyncio.open_unix_connection(path, limit=_LONGEST_B))
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *_command(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    stdin=DEVNULL,
                )
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_LONGEST_B)
        except BaseException:
            ours.close()
            raise
        return cls(process, reader, writer)

    def say(self, **words: Any) -> None:
        """One line; to one that is gone, nothing."""
        self._writer.write(json.dumps(words).encode() + b"\n")

    async def heard(self) -> Mapping[str, Any] | None:
        """Its next line; None if it is gone, or says what is none."""
        try:
            line = await self._reader.readuntil()
            said = json.loads(line)
        except (ValueError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, RecursionError):
            return None
        return said if isinstance(said, dict) else None

    async def end(self) -> None:
        """Have it end; return when nothing of it is left."""
        self.say(do="end")
        ended = await self._ended(_BYE_S)
        if self._process is None:
            ended = ended or await self._ended(_HUNG_S)
        else:
            if not ended:
                _signal(self._process, signal.SIGTERM)
                await self._ended(_TERM_S)
            _signal(self._process, signal.SIGKILL)  # and what it has started
            ended = await self._ended(_KILL_S)
        if not ended:
            log.error("the capture process can't be killed")
            await self._gone()
        self._writer.close()

    async def _ended(self, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._gone()
                return True
        return False

    async def _gone(self) -> None:
        """Its end of the connection is closed when the process is gone: nothing else has it."""
        if self._process is not None:
            await self._process.wait()
            return
        if self._writer.is_closing():  # what was written came back
            return
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        with select.epoll() as ends:
            ends.register(self._writer.get_extra_info("socket"), 0)  # nothing but that, which is always told
            loop.add_reader(ends, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(ends)


def _signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _command(number: int) -> list[str]:
    """What is started. The kernel kills it with us, should it hang then."""
    named = os.environ.get(PROGRAM)
    program = shlex.split(named) if named else [sys.executable, "-m", "homenode.video.capture"]
    keeper = shutil.which("setpriv")
    with_us = [keeper, "--pdeathsig", "KILL", "--"] if keeper else []
    return [*with_us, *program, str(number)]
