"""The wire between stick and host: a PTY behind a stable name, and a TCP port. Bytes in, bytes out.

A stick has one serial port; PTY and TCP are two ways to it and only one host at a time makes sense, as with
the real thing. What is written while nobody has the port open is lost, also as with the real thing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import socket
import termios
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path

from homenode.errors import SetupError

BITS_PER_BYTE = 10
"""8N1: a start bit, eight data bits, a stop bit."""

RATES = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
"""Speeds that a host may set on the PTY and a stick's UART be built for."""

_READ_B = 65536
_OPENED_S = 0.02
"""How often an unopened PTY is asked whether somebody has opened it; Linux has no event for that."""


class Pty:
    """A pseudo terminal behind a symbolic link.

    Args:
        link: The path that hosts open; replaced if it is a link, refused if it is anything else.
    """

    def __init__(self, link: Path, on_bytes: Callable[[bytes], None]) -> None:
        self._link, self._on_bytes = link, on_bytes
        self._master = -1
        self._unwritten: deque[bytes] = deque()
        self._waiting: asyncio.TimerHandle | None = None
        self.opened = False

    def open(self) -> None:
        """Plug in.

        Raises:
            SetupError: Something that is no link stands in the way, or the folder can't be written.
        """
        if self._link.exists() and not self._link.is_symlink():
            raise SetupError(
                "is no link and would be overwritten", where=str(self._link), do="name another path"
            )
        self._master, slave = os.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        beside = self._link.with_name(self._link.name + ".new")
        try:
            beside.unlink(missing_ok=True)
            beside.symlink_to(name)
            os.replace(beside, self._link)
        except OSError as error:
            os.close(self._master)
            raise SetupError(f"the link can't be made: {error.strerror}", where=str(self._link)) from error
        self._watch()

    def speed(self) -> int:
        """Bits per second that the host has set."""
        code = termios.tcgetattr(self._master)[4]
        return next((rate for rate in RATES if getattr(termios, f"B{rate}") == code), 0)

    def close(self) -> None:
        """Pull it out: whoever has it open gets a hang-up, and the name is gone."""
        if self._master < 0:
            return
        with contextlib.suppress(OSError):
            self._link.unlink()
        self._hung_up(watch=False)
        os.close(self._master)
        self._master = -1

    def write(self, data: bytes) -> None:
        """Send; lost if nobody listens."""
        if not self.opened and self._master >= 0:
            self._look()
        if not self.opened:
            return
        if self._unwritten:
            self._unwritten.append(data)
            return
        self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        except OSError:
            self._hung_up()
            return
        if written < len(data):
            if not self._unwritten:
                asyncio.get_running_loop().add_writer(self._master, self._writable)
            self._unwritten.appendleft(data[written:])

    def _writable(self) -> None:
        unwritten = b"".join(self._unwritten)
        self._unwritten.clear()
        asyncio.get_running_loop().remove_writer(self._master)
        self._write(unwritten)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _READ_B)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: the host has closed the port
                raise
            data = b""
        if data:
            self._on_bytes(data)
        else:
            self._hung_up()

    def _hung_up(self, *, watch: bool = True) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        self._unwritten.clear()
        self.opened = False
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        if watch:
            self._watch()

    def _watch(self) -> None:
        if not self._look():
            self._waiting = asyncio.get_running_loop().call_later(_OPENED_S, self._watch)

    def _look(self) -> bool:
        """Whether a host has the port open, found out just now."""
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        events = dict(poll.poll(0)).get(self._master, 0)
        if not self.opened and (events & select.POLLIN or not events & select.POLLHUP):
            self.opened = True
            if self._waiting:
                self._waiting.cancel()
                self._waiting = None
            asyncio.get_running_loop().add_reader(self._master, self._readable)
        return self.opened


class Tcp(asyncio.Protocol):
    """A TCP port for one host at a time; a second one is turned away."""

    def __init__(self, port: int, on_bytes: Callable[[bytes], None]) -> None:
        self.port, self._on_bytes = port, on_bytes
        self._server: asyncio.Server | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def opened(self) -> bool:
        """Whether a host is connected."""
        return self._transport is not None

    async def open(self) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one, then found in `port`.

        Raises:
            SetupError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        except OSError as error:
            raise SetupError(f"can't listen: {error.strerror}", where=f"TCP port {self.port}") from error
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and hang up."""
        if self._server:
            self._server.close()
            self._server = None
        if self._transport:
            self._transport.abort()
            self._transport = None

    def write(self, data: bytes) -> None:
        """Send; lost if nobody listens."""
        if self._transport:
            self._transport.write(data)

    def took(self, transport: asyncio.Transport) -> bool:
        """A host has connected; False if there is one already."""
        if self._transport is not None:
            return False
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        return True

    def heard(self, transport: asyncio.Transport, data: bytes) -> None:
        """Bytes from the host."""
        if transport is self._transport:
            self._on_bytes(data)

    def lost(self, transport: asyncio.Transport) -> None:
        """The host has hung up."""
        if transport is self._transport:
            self._transport = None


class _Connection(asyncio.Protocol):
    def __init__(self, line: Tcp) -> None:
        self._line = line
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._line.took(transport):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._line.heard(self._transport, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._line.lost(self._transport)


class SerialLine:
    """PTY and TCP together, with the speed of the wire.

    Args:
        on_bytes: Called with what the host sends.

    Attributes:
        baud: Bits per second towards the host, None for as fast as the machine goes.
        delay_s: How much later everything reaches the host.
        byte_at_a_time: Whether each byte is written by itself.
        own_baud: What the stick's UART is set to, None for whatever the host sets.
    """

    def __init__(self, pty: Path | None, tcp: int | None, on_bytes: Callable[[bytes], None]) -> None:
        self.pty = Pty(pty, self._from_pty) if pty else None
        self.tcp = Tcp(tcp, on_bytes) if tcp is not None else None
        self.plugged = False
        self.baud: int | None = None
        self.delay_s = 0.0
        self.byte_at_a_time = False
        self.own_baud: int | None = None
        self._heard = on_bytes
        self._free_at = 0.0
        self._due: deque[asyncio.TimerHandle] = deque()

    async def plug_in(self) -> None:
        """Open PTY and port. Raises SetupError."""
        if self.plugged:
            return
        if self.pty:
            self.pty.open()
        if self.tcp:
            await self.tcp.open()
        self.plugged = True

    def unplug(self) -> None:
        """Close both; what was under way is lost."""
        self.plugged = False
        while self._due:
            self._due.popleft().cancel()
        if self.pty:
            self.pty.close()
        if self.tcp:
            self.tcp.close()

    def write(self, frames: list[bytes]) -> None:
        """Frames to the host, in order."""
        if not self.plugged:
            return
        if not (self.baud or self.delay_s or self.byte_at_a_time or self._due):
            self._write(frames[0] if len(frames) == 1 else b"".join(frames))
            return
        loop = asyncio.get_running_loop()
        for frame in frames:
            pieces = [bytes((b,)) for b in frame] if self.byte_at_a_time else [frame]
            for piece in pieces:
                took_s = len(piece) * BITS_PER_BYTE / self.baud if self.baud else 0.0
                self._free_at = max(self._free_at, loop.time()) + took_s
                self._due.append(loop.call_at(self._free_at + self.delay_s, self._next, piece))

    def _next(self, piece: bytes) -> None:
        self._due.popleft()
        self._write(piece)

    def _garbled(self, data: bytes) -> bytes:
        """What comes out of a line whose ends are set to different speeds."""
        if self.own_baud is None or self.pty is None or self.pty.speed() == self.own_baud:
            return data
        return bytes(byte >> 1 | 0x80 for byte in data[::2])

    def _from_pty(self, data: bytes) -> None:
        self._heard(self._garbled(data))

    def _write(self, data: bytes) -> None:
        if self.pty:
            self.pty.write(self._garbled(data))
        if self.tcp:
            self.tcp.write(data)
