"""`homenode fleet prometheus`: all homes as a text file for node_exporter, or at a port."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from homenode.errors import HomenodeError, Refused, SetupError
from homenode.fleet.board import Board
from homenode.fleet.ears import Ears
from homenode.fleet.fields import BY_NAME
from homenode.fleet.settings import Settings, settings_of
from homenode.gateway.clock import Clock
from homenode.health.prometheus import Sampled, text
from homenode.health.text_file import put
from homenode.link.words import NoLink

log = logging.getLogger("homenode.fleet")

EACH_S = 15.0
"""A file is written as often as node_exporter is usually asked."""
LONGEST_REQUEST_B, PATIENCE_S = 8192, 10.0
_HEAD = "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def samples(board: Board, now_ms: int) -> list[Sampled]:
    """Every home; what an offline one said last is no figure of now."""
    found = []
    for home in sorted(board.homes.values(), key=lambda home: home.name):
        online = BY_NAME["online"].of(home, now_ms)
        found.append(
            Sampled(
                home.name,
                home.version,
                None if online is None else online is True,
                home.figures if online else {},
                str(home.update.get("state", "")),
                home.faults_open if online else None,
            )
        )
    return found


def told(ears: Ears, board: Board, clock: Clock) -> str:
    """As it is now; of no home anything while there is no connection, as nobody knows how they are."""
    connected = ears.up.is_set()
    return text(samples(board, clock.wall()) if connected else [], connected)


def run(args: argparse.Namespace) -> int:
    """Write or serve until interrupted, also while there is no broker; with --once a file is written and that
    is all.

    Raises:
        HomenodeError: The file can't be written or the port not opened; with --once, no home is heard.
    """
    settings = settings_of(args)
    host, colon, port = args.to.rpartition(":")
    if colon and port.isdigit():
        if not 0 < int(port) < 65_536:
            raise SetupError(f"port {port}", do="give one from 1 to 65535")
        if args.once:
            raise SetupError("--once with a port", do="name a file: only that is written once")
        return asyncio.run(_serve(settings, host or "127.0.0.1", int(port)))
    return asyncio.run(_write(settings, Path(args.to), once=args.once))


async def _write(settings: Settings, file: Path, *, once: bool) -> int:
    clock, board = Clock(), Board()
    ears = Ears(settings, board, clock)
    unheard: HomenodeError | None = None
    try:
        await ears.connect()
    except NoLink as error:
        unheard = error
    async with asyncio.TaskGroup() as tasks:
        link = tasks.create_task(ears.run(), name="link")
        while True:
            try:
                await ears.all_heard()
            except (NoLink, Refused) as error:  # the link comes back, and so do homes
                unheard = error
                log.warning("no homes", extra={"why": str(error)})
            put(file, told(ears, board, clock))  # whatever it is: the former one tells nothing of now
            if once:
                break
            await asyncio.sleep(EACH_S)
        ears.close()
        link.cancel()
    if unheard is not None:
        raise unheard
    return 0


async def _serve(settings: Settings, host: str, port: int) -> int:
    clock, board = Clock(), Board()
    ears = Ears(settings, board, clock)
    try:
        server = await asyncio.start_server(
            lambda reader, writer: _answer(reader, writer, lambda: told(ears, board, clock)),
            host,
            port,
            limit=LONGEST_REQUEST_B,
        )
    except OSError as error:
        what = f"{host}:{port} can't be opened: {error.strerror}"
        raise SetupError(what, do="name another port") from error
    with closing(server):
        await ears.run()
    return 0


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, metrics: Callable[[], str]
) -> None:
    """GET /metrics, as Prometheus asks; nothing else."""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(PATIENCE_S):
            request = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
            found = request[0] == b"GET" and request[1].split(b"?")[0] == b"/metrics"
            body = (metrics() if found else "GET /metrics\n").encode()
            status = "200 OK" if found else "404 Not Found"
            writer.write(_HEAD.format(status, _TYPE, len(body)).encode() + body)
            await writer.drain()
    writer.close()
