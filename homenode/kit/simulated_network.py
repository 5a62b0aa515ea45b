"""Devices of the local network that are asked over HTTP, or send datagrams, to try a driver on."""

from __future__ import annotations

import socket

from homenode.kit.simulated import NetworkDevice, Simulated, listens_on_udp

NOISY = 5
"""Answers that are garbage."""
LONGEST = 9_000
"""Bytes of a datagram."""


class HttpDevice(NetworkDevice):
    """Answers GET with what `sends` gives, on TCP port PORT."""

    def __init__(self) -> None:
        super().__init__()
        self._noisy = 0

    def change(self) -> None:
        self._nth += 1

    def asked(self, data: bytes) -> None:
        body = self.sends(self._nth)
        if self._noisy:
            self._noisy -= 1
            body = (body[: len(body) // 2], b"\xff" * 20_000)[self._noisy % 2]
        self.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
        self.hang_up()

    def garbage(self) -> None:
        """Some of its answers are cut off, or noise."""
        self._noisy = NOISY


class UdpDevice(Simulated):
    """Sends datagrams to UDP port PORT of the node."""

    def __init__(self) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.places["PORT"] = str(self._port)
        self._there = False

    def write(self, data: bytes) -> None:
        if self._there:
            self._socket.sendto(data[:LONGEST], ("127.0.0.1", self._port))

    def released(self) -> bool:
        return not listens_on_udp(self._port)

    async def plug(self) -> None:
        self._there = True

    async def unplug(self) -> None:
        self._there = False
