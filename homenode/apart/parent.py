"""The gateway's end of a driver in its own process: starts it, passes on what it says, and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import pickle
import signal
import socket
import struct
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from typing import Any

from homenode import dropped
from homenode.config.model import Device
from homenode.driver import Host, Joined
from homenode.errors import DriverLost, HomenodeError, Refused, SetupError
from homenode.kinds import KINDS

log = logging.getLogger("homenode.apart")

BEAT_S, HANGS_AFTER_S, FIRST_S = 2.0, 6.0, 60.0
"""How often it is asked, and how long it may take; at first it imports what is heavy."""
STOP_S = 1.0
"""It gets so long to release what it holds; the supervisor waits 1.5 s."""
LONGEST_LINE = 1 << 20
SAID_MOST, SAID_LONGEST = 50, 300
"""Lines of its output that are logged in one life, and characters of each."""
_ERRORS = {error.__name__: error for error in (DriverLost, SetupError, Refused)}


class Apart:
    """A driver, as the supervisor knows it."""

    def __init__(
        self, made_by: str, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host
    ) -> None:
        self._made_by, self._name, self._options = made_by, name, dict(options)
        self._devices, self._host = tuple(devices), host
        self._writer: asyncio.StreamWriter | None = None
        self._asked: dict[int, asyncio.Future[None]] = {}
        self._ids = itertools.count(1)
        self._answered_s = 0.0

    async def run(self) -> None:
        """Until cancelled, or until the driver there ends."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "homenode.apart.child",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the node, which ends it in order
            )
        talk = asyncio.ensure_future(self._relay(process))
        try:
            reader, self._writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
            self._answered_s = asyncio.get_running_loop().time() + FIRST_S
            start = pickle.dumps(self._start())
            self._writer.write(struct.pack("<I", len(start)) + start)
            await self._serve(reader, process)
        finally:
            await self._end(process)
            talk.cancel()

    def _start(self) -> dict[str, Any]:
        known = {}
        for device in self._devices:
            for kind in device.kinds if device.kinds is not None else KINDS:
                if (last := self._host.last_heard(device.name, kind)) is not None:
                    known[device.name, kind] = last
        boot_ms = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
        return {
            "path": sys.path,
            "dropped": list(dropped.__path__),
            "made_by": self._made_by,
            "open": (self._name, self._options, self._devices),
            "data": self._host.data,
            "offset_ms": self._host.now() - boot_ms,
            "known": known,
        }

    async def _serve(self, reader: asyncio.StreamReader, process: Process) -> None:
        heart = asyncio.ensure_future(self._beat(process))
        try:
            while line := await self._line(reader):
                what, *words = json.loads(line)
                if what == "ended":
                    if error := _error(words):
                        raise error
                    return
                self._said(what, words)
        finally:
            heart.cancel()
        if heart.done() and not heart.cancelled():
            heart.result()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await process.wait()
        raise DriverLost(f"the process of {self._name} ended: {_status(process.returncode)}")

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        """The next; nothing at its end, however that came about."""
        try:
            return await reader.readline()
        except (ConnectionError, ValueError):
            return b""

    def _said(self, what: str, words: list[Any]) -> None:
        host = self._host
        if what == "heard":
            host.heard(*words)
        elif what == "noticed":
            host.noticed(*words)
        elif what == "alive":
            host.alive(*words)
        elif what == "lost":
            source, why, devices, battery = words
            host.lost(source, why, devices, battery=battery)
        elif what == "back":
            host.back(*words)
        elif what == "joined":
            (about,) = words
            host.joined(Joined(**about | {"kinds": tuple(about["kinds"])}))
        elif what == "here":
            self._answered_s = asyncio.get_running_loop().time()
        elif what == "answer":
            number, *error = words
            if (asked := self._asked.pop(number, None)) and not asked.done():
                if raised := _error(error):
                    asked.set_exception(raised)
                else:
                    asked.set_result(None)

    async def _beat(self, process: Process) -> None:
        """Ask whether its loop runs; end one that doesn't answer, as nothing else helps."""
        loop = asyncio.get_running_loop()
        while True:
            self._tell("here")
            await asyncio.sleep(BEAT_S)
            if loop.time() - self._answered_s > HANGS_AFTER_S:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                raise DriverLost(f"{self._name} hangs: no answer for {HANGS_AFTER_S:.0f} s")

    def _tell(self, *words: object) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(words).encode() + b"\n")

    async def _relay(self, process: Process) -> None:
        """What it prints, and what libraries there log."""
        assert process.stdout is not None
        said = 0
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than the buffer
                continue
            if not line:
                return
            said += 1
            if said <= SAID_MOST:
                text = line.decode("utf-8", "replace").rstrip()[:SAID_LONGEST]
                log.info("says", extra={"driver": self._name, "text": text})
            elif said == SAID_MOST + 1:
                log.info("says more, not shown", extra={"driver": self._name})

    async def _end(self, process: Process) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(DriverLost(f"the process of {self._name} ended"))
        self._asked.clear()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, *words: object) -> None:
        if self._writer is None:
            raise DriverLost(f"the process of {self._name} is not running")
        number = next(self._ids)
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        what, *more = words
        self._tell(what, number, *more)
        await asked

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """As `Driver.switch`."""
        await self._ask("switch", device, kind, to)

    async def pair(self, seconds: float) -> None:
        """As `Driver.pair`."""
        await self._ask("pair", seconds)


def _error(words: Sequence[str]) -> Exception | None:
    """What was raised there: nothing, or name, what, where, what to do."""
    if not words:
        return None
    name, what, where, do = words
    known: type[HomenodeError] | None = _ERRORS.get(name)
    return RuntimeError(f"{name}: {what}") if known is None else known(what, where=where, do=do)


def _status(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"
