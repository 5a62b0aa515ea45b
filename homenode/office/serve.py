"""`homenode office serve`: one HTTPS port, client certificates where there are any."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sqlite3
import ssl
import sys
from pathlib import Path

from homenode.errors import FileMistakes, SetupError
from homenode.gateway.clock import Clock
from homenode.gateway.logs import start_logging
from homenode.gateway.systemd import notify
from homenode.install.home_file import replace
from homenode.office.authority import SERVER, Authority, moment, pem
from homenode.office.desk import Desk
from homenode.office.emptying import why_not
from homenode.office.settings import Settings
from homenode.office.store import Store
from homenode.web import Request, Response, serve

log = logging.getLogger("homenode.office")

MOST_OPEN = 500
"""Connections at a time: boxes of a district after a power cut; they come back with jitter."""
MOST_EACH = 40
EACH_S = 3600.0
"""Between two looks at the office's own certificate, and two lists of revoked ones."""
AGAIN_S = 300.0
"""Until the next try, where the disk took neither."""
EMPTY_S = 300.0
"""Between two rounds over what homes left at their brokers, while there is something."""
LIST = "crl.pem"


def context_of(folder: Path, settings: Settings, authority: Authority) -> ssl.SSLContext:
    """TLS 1.2 or newer; a client's certificate is wanted, checked if there is one, and never needed.

    Raises:
        SetupError: The server's certificate can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    trusted = b"".join(pem(one) for one in authority.roots())
    trusted += settings.factory.read_bytes() if settings.factory is not None else b""
    try:
        context.load_verify_locations(cadata=trusted.decode("ascii"))
        context.load_cert_chain(folder / SERVER)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise SetupError(f"TLS can't be set up: {error}", where=str(folder)) from error
    return context


def write_list(folder: Path, desk: Desk) -> None:
    """crl.pem, as a broker takes it. Raises OSError, sqlite3.Error."""
    from cryptography.hazmat.primitives.serialization import Encoding

    replace(folder / LIST, b"".join(made.public_bytes(Encoding.PEM) for made in desk.revocations()), 0o644)


async def office(
    folder: Path, settings: Settings, store: Store, again: asyncio.Event, proof: asyncio.Event
) -> None:
    """Answer until it is ended, or `again` says that something of it changed; `proof`: one came in.

    On a full disk it answers what needs no writing, such as bundles.

    Raises:
        SetupError: The address can't be used, or the authority.
    """
    clock, authority = Clock(), Authority(folder)
    with contextlib.suppress(OSError):  # what was made before counts; without it `context_of` says so
        authority.server(settings.names, moment(clock.wall()))
    desk = Desk(settings, store, authority, clock, proof.set)
    host, _, port = settings.listen.rpartition(":")
    tls = context_of(folder, settings, authority)

    async def answer(request: Request) -> Response:
        if listening.is_serving():
            return await desk.handle(request)
        return Response(503, b"the office begins anew: ask again", headers={"Connection": "close"})

    try:
        listening = await serve(host.strip("[]"), int(port), answer, most_open=MOST_OPEN,
                                most_each=MOST_EACH, tls=tls)  # fmt: skip
    except OSError as error:
        raise SetupError(f"{settings.listen} can't be used: {error.strerror}", where="listen",
                         do="name another address or port in office.yaml") from error  # fmt: skip
    with contextlib.closing(listening):  # a download goes on meanwhile
        where = listening.sockets[0].getsockname()
        log.info("office", extra={"listen": f"{where[0]}:{where[1]}"})
        notify("READY=1")
        while not again.is_set():
            wait_s = EACH_S
            try:
                authority.server(settings.names, moment(clock.wall()))
                tls.load_cert_chain(folder / SERVER)
                write_list(folder, desk)
            except (OSError, sqlite3.Error) as error:
                wait_s, do = AGAIN_S, "see that it has room and may be written to"
                log.error("no new list of revoked certificates, or no new one of the office",
                          extra={"why": str(error), "folder": str(folder), "do": do})  # fmt: skip
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await again.wait()


async def _emptying(folder: Path, store: Store, proof: asyncio.Event) -> None:
    """Have brokers emptied, by a process of its own: what speaks MQTT takes no memory and no time here."""
    command = [sys.executable, "-m", "homenode.cli", "office", "empty", "--office", str(folder)]
    while True:
        proof.clear()
        try:
            if not all(why_not(store, one) for one in store.emptyings()):
                child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
                await child.wait()
        except (OSError, sqlite3.Error) as error:
            log.error("brokers are not emptied", extra={"why": str(error), "again_s": EMPTY_S})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EMPTY_S):
                await proof.wait()


async def _anew(folder: Path, settings: Settings) -> None:
    from homenode.office.settings import read_settings

    again, proof, store = asyncio.Event(), asyncio.Event(), Store(folder)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_emptying(folder, store, proof))
        while True:
            again.clear()
            await office(folder, settings, store, again, proof)
            try:
                settings = read_settings(folder)
            except FileMistakes as error:
                log.error("office.yaml has mistakes; what it said before counts", extra={"why": str(error)})


def run(folder: Path, settings: Settings, *, as_json: bool, verbose: bool) -> int:
    """Serve; SIGHUP reads everything anew."""
    start_logging(as_json=as_json, verbose=verbose)
    asyncio.run(_anew(folder, settings))
    return 0
