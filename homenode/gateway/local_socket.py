"""The node's local socket, DIR/node.sock: how `homenode status`, `pair`, `watch` … reach the running node.

One JSON object a line each way: ``{"do": "status"}`` → ``{"ok": true, "result": {…}}`` or
``{"ok": false, "error": "…"}``. ``watch`` is answered with line after line until the asker hangs up.
Whoever may enter DIR may ask; the socket is closed to others (mode 0660).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from homenode.errors import HomenodeError, SetupError

NAME = "node.sock"
_LONGEST_LINE = 64 * 1024

Answer = Callable[[Mapping[str, Any]], Awaitable[Any]]
Watch = Callable[[], AsyncIterator[Mapping[str, Any]]]


def _short(path: Path) -> str:
    """A path that fits the kernel's 108 bytes for socket names, by way of /proc if it must."""
    if len(os.fsencode(path)) < 100:
        return str(path)
    return f"/proc/self/fd/{os.open(path.parent, os.O_PATH | os.O_CLOEXEC)}/{path.name}"


async def serve(folder: Path, answer: Answer, watch: Watch) -> asyncio.Server:
    """Listen in `folder`. The caller holds the folder's lock, so a socket left there is a dead one's."""
    path = folder / NAME
    path.unlink(missing_ok=True)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                request = _parse(line)
                if request.get("do") == "watch":
                    async for event in watch():
                        writer.write(_line(event))
                        await writer.drain()
                    break
                try:
                    reply = {"ok": True, "result": await answer(request)}
                except HomenodeError as error:
                    reply = {"ok": False, "error": str(error)}
                writer.write(_line(reply))
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(talk, _short(path), limit=_LONGEST_LINE)
    path.chmod(0o660)
    return server


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode() + b"\n"


def _parse(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError:
        return {"do": "", "bad": "not JSON"}
    return request if isinstance(request, dict) else {"do": "", "bad": "not an object"}


def ask(folder: Path, request: Mapping[str, Any], timeout_s: float | None = 30.0) -> Iterator[dict[str, Any]]:
    """Send one request to the node that runs on `folder`; yields its lines (one, or many for ``watch``).

    Raises:
        SetupError: No node runs there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(timeout_s)
        try:
            asker.connect(_short(folder / NAME))
        except OSError as error:
            raise SetupError(
                "no node is running on this folder",
                where=str(folder),
                do="start it with `homenode run HOME.yaml`, or name its folder with --data",
            ) from error
        asker.sendall(_line(request))
        with asker.makefile("rb") as lines:
            for line in lines:
                yield json.loads(line)
                if request.get("do") != "watch":
                    return
