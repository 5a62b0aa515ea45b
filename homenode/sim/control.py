"""The control socket: JSON lines over TCP, this machine only.

→ {"do": "trip front_door"}            or {"do": ["say", "hob", "on"]}
← {"ok": true, "result": null}         or {"ok": false, "error": "…", "help": "…"}
→ {"do": "watch"}                      then a line for each thing that happens
← {"at": "2026-01-05T07:10:00.000+01:00", "device": "front_door", "kind": "contact", "value": true}
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from homenode.errors import HomenodeError, SetupError
from homenode.sim.hardware import Hardware
from homenode.sim.verbs import VERBS, do

PORT = 7575
"""Where `homenode sim do` looks unless told otherwise."""
LONGEST_LINE = 65_536
LONGEST_BACKLOG = 1_000_000
"""Bytes a watcher may leave unread before it is cut off."""


@asynccontextmanager
async def control(hardware: Hardware, port: int) -> AsyncIterator[int]:
    """Serve the socket; the port it listens on (0 asks for any).

    Raises:
        SetupError: The port is taken.
    """
    sessions: set[asyncio.Task[Any]] = set()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        try:
            await _session(hardware, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # whoever asked is gone, or the apartment is
        finally:
            sessions.discard(task)
            writer.close()

    try:
        server = await asyncio.start_server(session, "127.0.0.1", port, limit=LONGEST_LINE)
    except OSError as error:
        raise SetupError(
            f"port {port} is taken (is another apartment running?)",
            where="--control",
            do="choose another, or 0",
        ) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(sessions):
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


async def _session(hardware: Hardware, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            _say(writer, {"ok": False, "error": f"a line of more than {LONGEST_LINE} bytes"})
            return
        if not line:
            return
        words, wrong = _words(line)
        if wrong:
            _say(writer, {"ok": False, "error": wrong, "help": '{"do": "status"}'})
        elif words == ["watch"]:
            await _watch(hardware, reader, writer)
            return
        elif words == ["help"]:
            _say(writer, {"ok": True, "result": [verb.usage for verb in VERBS.values()]})
        else:
            try:
                _say(writer, {"ok": True, "result": await do(hardware, words)})
            except HomenodeError as error:
                _say(writer, {"ok": False, "error": str(error), "help": error.do})
            except Exception as error:  # noqa: BLE001 - told to whoever asked; the apartment lives on
                _say(writer, {"ok": False, "error": f"{type(error).__name__}: {error}"})
        await writer.drain()


def _words(line: bytes) -> tuple[list[str], str]:
    try:
        said = json.loads(line)
    except ValueError as error:
        return [], f"no JSON ({error})"
    asked = said.get("do") if isinstance(said, dict) else None
    if isinstance(asked, str):
        return asked.split(), ""
    if isinstance(asked, list) and all(isinstance(word, str) for word in asked):
        return asked, ""
    return [], 'no object with "do"'


async def _watch(hardware: Hardware, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def happened(name: str, kind: str, value: object) -> None:
        at = hardware.timeline.now().isoformat(timespec="milliseconds")
        _say(writer, {"at": at, "device": name, "kind": kind, "value": value})
        if writer.transport.get_write_buffer_size() > LONGEST_BACKLOG:
            writer.transport.abort()

    hardware.watchers.append(happened)
    _say(writer, {"ok": True, "result": "watching"})
    try:
        while await reader.readline():
            pass  # whatever comes, until it hangs up
    finally:
        hardware.watchers.remove(happened)


def _say(writer: asyncio.StreamWriter, what: dict[str, object]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(what, ensure_ascii=False).encode() + b"\n")


def ask(port: int, words: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Say something to a running apartment, from outside: its answers, one unless watching. Blocks.

    Raises:
        SetupError: No apartment listens there.
    """
    import socket

    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    except OSError as error:
        raise SetupError(
            "no apartment answers",
            where=f"port {port}",
            do="homenode sim run APARTMENT.yaml, or --control PORT",
        ) from error
    with connection, connection.makefile("rwb") as lines:
        lines.write(json.dumps({"do": list(words)}).encode() + b"\n")
        lines.flush()
        connection.settimeout(None if words == ["watch"] else 10)
        for line in lines:
            yield json.loads(line)
            if list(words) != ["watch"]:
                return
