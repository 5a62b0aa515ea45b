"""Where the panel may be reached: this machine, or the apartment's own network; nowhere else."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator

from homenode.address import address
from homenode.errors import SetupError

PORT = 8650
OWN = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""RFC 1918 and RFC 4193: what a home's router hands out, and nobody outside reaches."""
_FLAGS, _POINT_TO_POINT = 0x8913, 0x10
"""SIOCGIFFLAGS, IFF_POINTOPOINT, netdevice(7): a modem or a tunnel leads out of the home."""
_GET, _DUMP, _ADDRESS = 22, 0x301, 20
"""rtnetlink(7): RTM_GETADDR, NLM_F_REQUEST with NLM_F_DUMP, RTM_NEWADDR."""
_ITS, _OWN = 1, 2
"""IFA_ADDRESS, IFA_LOCAL: of a link from point to point the other end, and this one."""


def place(listen: str) -> tuple[str, int]:
    """Host and port of ``ADDRESS[:PORT]``.

    Raises:
        SetupError: It is none, or others than who is at home could reach it.
    """
    host, port = address(listen, PORT)
    found = ipaddress.ip_address(host)
    if found.is_loopback and "%" not in host:
        return host, port
    why = ""
    if found.is_link_local:
        why = "is a link address: whoever is plugged in beside the node has one, and it changes"
    elif "%" in host:
        why = "names an interface, and no browser may"
    elif getattr(found, "ipv4_mapped", None):
        why = f"is {found.ipv4_mapped} in disguise"  # type: ignore[union-attr]  # IPv6, as it has one
    elif not is_own(found):
        why = "is a public address: the panel would be open to the world"
    elif (link := _interface_of(found.packed)) and _leads_out(link):
        why = f"is that of {link}, a modem or a tunnel out of the home"
    if why:
        raise SetupError(
            f"{host} {why}",
            where="--listen",
            do=f"127.0.0.1:{PORT} for a display at the node, or its address in the apartment's own network",
        )
    return host, port


def is_own(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether nobody outside the home reaches it."""
    return any(address in network for network in OWN)


def _interface_of(packed: bytes) -> str:
    """The network interface that has this address, "" if none is known."""
    return next((name for name, own in _addresses() if own == packed), "")


def _addresses() -> Iterator[tuple[str, bytes]]:
    """Each interface with each of its addresses, as the kernel knows them."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("=IHHII8x", 24, _GET, _DUMP, 1, 0))
        while True:
            told = kernel.recv(65536)
            while told:
                size, kind = struct.unpack_from("=IH", told)
                if kind != _ADDRESS:  # the end, or that it won't tell
                    return
                index = struct.unpack_from("=I", told, 20)[0]
                found = dict(_attributes(told[24:size]))
                yield socket.if_indextoname(index), found.get(_OWN) or found.get(_ITS, b"")
                told = told[size:]


def _attributes(told: bytes) -> Iterator[tuple[int, bytes]]:
    while told:
        size, kind = struct.unpack_from("=HH", told)
        yield kind, told[4:size]
        told = told[size + -size % 4 :]


def _leads_out(interface: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kernel:
        told = fcntl.ioctl(kernel, _FLAGS, struct.pack("256s", interface.encode()))
    return bool(struct.unpack_from("=H", told, 16)[0] & _POINT_TO_POINT)
