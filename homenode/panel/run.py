"""`homenode panel`: serves the page, pairs tablets, lets them go."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.gateway.systemd import notify
from homenode.panel.paired import CODE_MS, Paired

log = logging.getLogger("homenode.panel")


def run(args: argparse.Namespace, data: Path) -> int:
    """Do what the arguments say; exit status.

    Raises:
        SetupError: The address is taken or none to be used, or the folder can't be written.
        Refused: There is no such panel.
    """
    paired = Paired(data, Clock())
    match args.what:
        case "pair":
            print(f"code {paired.new_code()}: for one tablet, within {CODE_MS // 60_000} min")
        case "panels":
            rows = paired.panels()
            print("\n".join(f"{one['id']}  since {one['since']}" for one in rows) or "no panel is paired")
        case "revoke":
            if not paired.revoke(args.panel):
                raise Refused(f"no panel {args.panel!r} is paired", do="homenode panel panels lists them")
            print("it must be paired anew")
        case _:
            from homenode.gateway.logs import start_logging

            start_logging(as_json=args.log == "json", verbose=args.verbose)
            asyncio.run(_serve(args.listen, data, paired))
    return 0


async def _serve(listen: str, data: Path, paired: Paired) -> None:
    from homenode.panel.place import place
    from homenode.panel.server import Server

    host, port = place(listen)
    server = Server(data, paired)
    try:
        listening = await server.start(host, port)
    except OSError as error:
        raise SetupError(
            f"{host}:{port} can't be used: {error.strerror}",
            where="--listen",
            do="name another address or port",
        ) from error
    async with listening:
        log.info("panel", extra={"url": server.url})
        notify("READY=1")
        await server.follow()
