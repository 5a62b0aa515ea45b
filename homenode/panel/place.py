"""Where the panel may be reached: this machine, or the apartment's own network; nowhere else."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

from homenode.errors import SetupError
from homenode.web import address

PORT = 8650
OWN = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""RFC 1918 and RFC 4193: what a home's router hands out, and nobody outside reaches."""
_POINT_TO_POINT = 0x10
"""IFF_POINTOPOINT, netdevice(7): a modem or a tunnel leads out of the home."""
_SIOCGIFADDR = 0x8915


def place(listen: str) -> tuple[str, int]:
    """Host and port of ``ADDRESS[:PORT]``.

    Raises:
        SetupError: It is none, or others than who is at home could reach it.
    """
    host, port = address(listen, PORT)
    found = ipaddress.ip_address(host)
    if found.is_loopback:
        return host, port
    why = ""
    if found.is_link_local:
        why = "is a link address: whoever is plugged in beside the node has one, and it changes"
    elif not any(found in network for network in OWN):
        why = "is a public address: the panel would be open to the world"
    elif (link := _interface_of(host)) and _leads_out(link):
        why = f"is that of {link}, a modem or a tunnel out of the home"
    if why:
        raise SetupError(
            f"{host} {why}",
            where="--listen",
            do=f"127.0.0.1:{PORT} for a display at the node, or its address in the apartment's own network",
        )
    return host, port


def _interface_of(host: str) -> str:
    """The network interface that has this address (IPv4), "" if none is known."""
    wanted = host.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(asker, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                if socket.inet_ntoa(answer[20:24]).encode() == wanted:
                    return name
    return ""


def _leads_out(interface: str) -> bool:
    try:
        return bool(int(Path(f"/sys/class/net/{interface}/flags").read_text(), 16) & _POINT_TO_POINT)
    except (OSError, ValueError):
        return False
