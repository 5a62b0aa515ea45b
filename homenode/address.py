"""Where a page listens, as ``--listen`` says it; apart from `web`, as who only asks needs no h11."""

from __future__ import annotations

import ipaddress

from homenode.errors import SetupError


def address(listen: str, usual_port: int) -> tuple[str, int]:
    """Host and port of ``ADDRESS[:PORT]``.

    Raises:
        SetupError: It is none, or means every network that the node is in.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or listen.endswith("]"):
        host, port = listen, str(usual_port)
    host = host.strip("[]")
    where, do = "--listen", f"such as 192.168.1.20:{usual_port}"
    if not port.isdecimal() or int(port) > 65535:
        raise SetupError(f"{port!r} is no port", where=where, do=do)
    try:
        found = ipaddress.ip_address(host)
    except ValueError as error:
        raise SetupError(f"{host!r} is no address", where=where, do=f"{do}, as `ip address` shows") from error
    if found.is_unspecified:
        raise SetupError(
            f"{host} means every network that the node is in",
            where=where,
            do="name the node's address in the apartment",
        )
    return host, int(port)
