"""The node's local socket, DIR/node.sock: how `homenode status`, `pair`, `watch` … reach the running node.

One JSON object a line each way: ``{"do": "status"}`` → ``{"ok": true, "result": {…}}`` or
``{"ok": false, "error": "…"}``, with ``mistakes`` if a file has some. ``watch`` is answered with line after
line until the asker hangs up.
Whoever may enter DIR may ask; the socket is closed to others (mode 0660). On a disk that takes no new file
it has a name without a file (unix(7), abstract); there only the node's own user and root are answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from homenode.errors import FileMistakes, HomenodeError, SetupError, Unanswered

log = logging.getLogger("homenode.socket")

NAME = "node.sock"
_LONGEST_LINE = 64 * 1024
_MOST_ASKERS = 50
"""More at a time is a program gone wrong; each costs memory until it hangs up."""
_EACH_S, _BURST = 0.005, 50
"""So often all askers together are answered, after so many at once: who floods waits, and no rule does."""
_MOST_MISTAKES = 200
"""Nobody reads more at once."""
_PATIENCE_S = 60.0
"""An asker that says nothing, or takes nothing, for so long is hung up on."""

Answer = Callable[[Mapping[str, Any]], Awaitable[Any]]
Watch = Callable[[], AsyncIterator[Mapping[str, Any]]]


def _short(path: Path) -> str:
    """A path that fits the kernel's 108 bytes for socket names, by way of /proc if it must."""
    if len(os.fsencode(path)) < 100:
        return str(path)
    return f"/proc/self/fd/{os.open(path.parent, os.O_PATH | os.O_CLOEXEC)}/{path.name}"


def _without_file(folder: Path) -> str:
    """The name of the socket of a node whose disk takes no new file."""
    return "\0homenode-" + hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]


def _user_of(connection: socket.socket) -> int:
    """Who is at the other end: a user id."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


class _Talks:
    """Conversations with everybody who asks."""

    def __init__(self, answer: Answer, watch: Watch) -> None:
        self._answer, self._watch, self._open = answer, watch, 0
        self._turn_s = 0.0  # by the loop's clock, when the last request had its turn
        self.only_own = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation, to its end; whatever is said in it touches nothing else."""
        self._open += 1
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
                if self.only_own and _user_of(writer.get_extra_info("socket")) not in (0, os.getuid()):
                    await _say(writer, _refused("only the node's own user and root may ask"))
                elif self._open > _MOST_ASKERS:
                    await _say(writer, _refused("too many ask at a time; try again"))
                else:
                    await self._listen(reader, writer)
        finally:
            self._open -= 1
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        too_long = False
        while True:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    line = await reader.readuntil()
            except asyncio.LimitOverrunError as error:
                await reader.readexactly(error.consumed)
                too_long = True
                continue
            if too_long:
                too_long = False
                await self._turn()
                await _say(writer, _refused(f"a request is at most {_LONGEST_LINE} bytes"))
                continue
            await self._turn()
            request = _parse(line)
            if isinstance(request, str):
                await _say(writer, _refused(request))
            elif request.get("do") == "watch":
                async for event in self._watch():
                    await _say(writer, event)
                return
            else:
                await _say(writer, await self._reply(request))

    async def _turn(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._turn_s = max(self._turn_s, now_s - _BURST * _EACH_S) + _EACH_S
        if self._turn_s > now_s:
            await asyncio.sleep(self._turn_s - now_s)

    async def _reply(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return {"ok": True, "result": await self._answer(request)}
        except FileMistakes as error:
            told = FileMistakes(error.mistakes[:_MOST_MISTAKES])
            return {**_refused(str(told)), "mistakes": [asdict(mistake) for mistake in told.mistakes]}
        except HomenodeError as error:
            return _refused(str(error))
        except Exception as fault:
            log.error("request failed", extra={"do": str(request.get("do"))[:40], "why": repr(fault)})
            log.debug("request failed", exc_info=True)
            return _refused(f"a mistake in homenode itself: {fault!r}")


async def serve(folder: Path, answer: Answer, watch: Watch) -> asyncio.Server:
    """Listen in `folder`. The caller holds the folder's lock, so a socket left there is a dead one's."""
    path, talks = folder / NAME, _Talks(answer, watch)
    try:
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(talks.talk, _short(path), limit=_LONGEST_LINE)
        path.chmod(0o660)
    except OSError as error:
        log.warning("socket without a file", extra={"folder": str(folder), "why": error.strerror or error})
        talks.only_own = True
        server = await asyncio.start_unix_server(talks.talk, _without_file(folder), limit=_LONGEST_LINE)
    return server


def _refused(why: str) -> Mapping[str, Any]:
    return {"ok": False, "error": why}


async def _say(writer: asyncio.StreamWriter, value: object) -> None:
    writer.write(_line(value))
    async with asyncio.timeout(_PATIENCE_S):
        await writer.drain()


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"


def _parse(line: bytes) -> dict[str, Any] | str:
    """The request, or what is wrong with it."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return 'a request is one line of JSON, such as {"do": "status"}'
    return request if isinstance(request, dict) else 'a request is a JSON object, such as {"do": "status"}'


def _reach(folder: Path, asker: socket.socket) -> None:
    """Connect to the node that runs on `folder`. Raises OSError."""
    try:
        asker.connect(_short(folder / NAME))
    except PermissionError:
        raise
    except OSError:
        asker.connect(_without_file(folder))
        if _user_of(asker) not in (0, os.getuid(), folder.stat().st_uid):
            raise ConnectionRefusedError("somebody else listens in the node's name") from None


def not_yours(folder: Path) -> SetupError:
    """Somebody else's node."""
    return SetupError(
        "you may not talk to the node of this folder",
        where=str(folder),
        do="run this as the user that runs homenode, or with sudo",
    )


def no_node(folder: Path) -> SetupError:
    """Nobody answers, or nobody ever was there."""
    return SetupError(
        "no node is running on this folder",
        where=str(folder),
        do="start it with `homenode run HOME.yaml`, or name its folder with --data",
    )


def ask(folder: Path, request: Mapping[str, Any], timeout_s: float | None = 30.0) -> Iterator[dict[str, Any]]:
    """Send one request to the node that runs on `folder`; yields its lines (one, or many for ``watch``).

    Raises:
        SetupError: No node runs there.
        Unanswered: It doesn't answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(timeout_s)
        try:
            _reach(folder, asker)
        except PermissionError as error:
            raise not_yours(folder) from error
        except OSError as error:
            raise no_node(folder) from error
        try:
            asker.sendall(_line(request))
            with asker.makefile("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        raise ConnectionError
                    yield json.loads(line)
                    if request.get("do") != "watch":
                        return
        except TimeoutError as error:
            raise Unanswered(
                f"the node did not answer within {timeout_s:.0f} s", where=str(folder), do="look at its log"
            ) from error
        except ConnectionError as error:
            raise Unanswered("the node hung up", where=str(folder), do="look at its log") from error
