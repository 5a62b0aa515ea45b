"""The process that films one session (`homenode.video`): started, spoken to, and gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import shlex
import signal
import socket
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from io import RawIOBase
from typing import Any, Self

log = logging.getLogger("homenode.looks")

PROGRAM = "HOMENODE_CAPTURE"
"""Environment: `unix:PATH`, where systemd starts it for whoever connects (deploy/homenode-video.socket), or
another program in its place, to which the number of the socket is given."""
_LONGEST_B = 128 * 1024
"""Of a line; an answer is about 10 kB."""
_BYE_S, _KILL_S = 0.2, 1.0
"""After "end" it has this long; what SIGKILL leaves so long waits for a device in the kernel."""


class Capture:
    """One process, ours (in a group of its own) or systemd's; use `start`."""

    def __init__(
        self, process: Process | None, leash: RawIOBase, reader: StreamReader, writer: StreamWriter
    ) -> None:
        self._process, self._leash, self._reader, self._writer = process, leash, reader, writer

    @classmethod
    async def start(cls) -> Self:
        """Begin; it films nothing before it is told to. Raises OSError."""
        process, ours = await _begun()
        try:
            leash = leashed(ours)
            return cls(process, leash, *await asyncio.open_unix_connection(sock=ours, limit=_LONGEST_B))
        except BaseException:
            ours.close()
            raise

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
        await self._ended(_BYE_S)
        self._leash.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # and what it has started
        if not await self._ended(_KILL_S):
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


def leashed(process: socket.socket) -> RawIOBase:
    """Hold what is at the other end: it is killed when this is closed, be it by our death (`video.leash`)."""
    theirs, ours = os.pipe()
    try:
        socket.send_fds(process, [b"\n"], [theirs])
        return open(ours, "wb", buffering=0)
    finally:
        os.close(theirs)


async def _begun() -> tuple[Process | None, socket.socket]:
    """What films, and our end of its socket."""
    named = os.environ.get(PROGRAM, "")
    kind, _, path = named.partition(":")
    if kind == "unix":
        ours = socket.socket(socket.AF_UNIX)
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_connect(ours, path)
        return None, ours
    program = shlex.split(named) or [sys.executable, "-m", "homenode.video.capture"]
    ours, theirs = socket.socketpair()
    with theirs:
        fd = theirs.fileno()
        process = await asyncio.create_subprocess_exec(
            *program, str(fd), pass_fds=(fd,), start_new_session=True, stdin=DEVNULL
        )
    return process, ours
