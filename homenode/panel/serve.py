"""What `homenode panel` becomes when its arguments are read: the page's server, and nothing else in memory.

The command line, YAML and what asyncio and hashlib load of OpenSSL would cost 5 MB for as long as it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from homenode.ended import status_of


def main(data: str, host: str, port: str, style: str, *more: str) -> int:
    """Serve until it is ended; exit status."""
    modules: dict[str, Any] = sys.modules
    modules["ssl"] = modules["_hashlib"] = None  # can't be imported: asyncio and hashlib go without
    import asyncio

    from homenode.gateway.logs import start_logging

    def command() -> int:
        start_logging(as_json=style == "json", verbose="--verbose" in more)
        asyncio.run(_serve(Path(data), host, int(port)))
        return 0

    return status_of(command)


async def _serve(data: Path, host: str, port: int) -> None:
    import contextlib
    import logging

    from homenode.errors import SetupError
    from homenode.gateway.clock import Clock
    from homenode.gateway.systemd import notify
    from homenode.panel.paired import Paired
    from homenode.panel.server import Server

    server = Server(data, Paired(data, Clock()))
    try:
        listening = await server.start(host, port)
    except OSError as error:
        raise SetupError(
            f"{host}:{port} can't be used: {error.strerror}",
            where="--listen",
            do="name another address or port",
        ) from error
    with contextlib.closing(listening):  # a tablet that looks on is not waited for
        logging.getLogger("homenode.panel").info("panel", extra={"url": server.url})
        notify("READY=1")
        await server.follow()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
