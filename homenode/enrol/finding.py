"""Where the office is when nobody said: SRV `_homenode-office._tcp`, else the name `homenode-office`.

Python has no question for SRV; here is just enough of RFC 1035 and RFC 2782 for one. An answer that is forged
leads to an office without a certificate that the box trusts, and so nowhere.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

NAME, SERVICE, PORT = "homenode-office", "_homenode-office._tcp", 8453
RESOLV = Path("/etc/resolv.conf")
ASK_S = 3.0
_SRV, _IN = 33, 1
MOST_JUMPS = 20


def offices() -> Iterator[str]:
    """URLs to try, in order."""
    servers, domains = read_resolv(RESOLV)
    for domain in domains:
        for server in servers:
            found = ask(server, f"{SERVICE}.{domain}")
            for _, _, port, host in sorted(found):
                yield f"https://{host}:{port}"
            if found:
                break
    try:
        socket.getaddrinfo(NAME, PORT, type=socket.SOCK_STREAM)
    except OSError:
        return
    yield f"https://{NAME}:{PORT}"


def read_resolv(path: Path) -> tuple[list[str], list[str]]:
    """Name servers and search domains of resolv.conf(5)."""
    servers, domains = [], []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        word, *rest = line.split() or [""]
        if word == "nameserver" and rest:
            servers.append(rest[0])
        elif word in ("search", "domain"):
            domains = [one.strip(".") for one in rest if one.strip(".")]
    return servers, domains


def ask(server: str, name: str, port: int = 53) -> list[tuple[int, int, int, str]]:
    """SRV records: priority, minus weight, port, host; none if the server doesn't say."""
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(part)]) + part.encode("ascii", "replace") for part in name.split("."))
    question = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", _SRV, _IN)
    try:
        kind = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(kind, socket.SOCK_DGRAM) as link:
            link.settimeout(ASK_S)
            link.connect((server, port))
            link.send(question)
            answer = link.recv(4096)
    except OSError:
        return []
    try:
        return _records(answer, number)
    except (IndexError, struct.error, UnicodeDecodeError):
        return []


def _records(answer: bytes, number: int) -> list[tuple[int, int, int, str]]:
    got, flags, questions, count, _, _ = struct.unpack_from(">6H", answer)
    if got != number or not flags & 0x8000 or flags & 0xF:
        return []
    at = 12
    for _ in range(questions):
        at = _name(answer, at)[1] + 4
    found = []
    for _ in range(count):
        at = _name(answer, at)[1]
        kind, _, _, size = struct.unpack_from(">2HIH", answer, at)
        at += 10
        if kind == _SRV:
            priority, weight, port = struct.unpack_from(">3H", answer, at)
            found.append((priority, -weight, port, _name(answer, at + 6)[0]))
        at += size
    return [row for row in found if row[3]]


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name, and where it ends."""
    parts, end, jumps = [], 0, 0
    while size := data[at]:
        if size >= 0xC0:
            end = end or at + 2
            at, jumps = struct.unpack_from(">H", data, at)[0] & 0x3FFF, jumps + 1
            if jumps > MOST_JUMPS:
                raise IndexError
            continue
        parts.append(data[at + 1 : at + 1 + size].decode("ascii"))
        at += 1 + size
    return ".".join(parts), end or at + 1


def serial(
    tree: Path = Path("/proc/device-tree/serial-number"), machine: Path = Path("/etc/machine-id")
) -> str:
    """Of this box: the Pi's serial number, else the machine's id; "" without."""
    for path in (tree, machine):
        try:
            text = path.read_text(encoding="ascii", errors="replace").strip("\0\n ")
        except OSError:
            continue
        if text:
            return text
    return ""
