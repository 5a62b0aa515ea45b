"""For drivers of devices on a serial port, or on the network by TCP: bytes, or lines of text.

    async with serial_lines("/dev/ttyUSB0", baud=9600) as lines:
        await lines.send(b"?\r\n")  # for a device that is asked
        async for line in lines:
            ...

They never block, hold their port alone, let go of it when left, and lose what is no line.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homenode.errors import DriverLost, SetupError

LONGEST = 4_096
"""Bytes of a line; noise has no end of line."""
MOST = 65_536
"""Bytes that wait to be read; then the device waits, or its bytes are lost in the port."""
TURN = 50
"""Lines after which others in the loop get their turn."""
CONNECT_S = 5.0
FULL_S = 0.01
"""Until it is tried again to write to a port whose buffer is full."""
PTYS = range(136, 144)
"""Major numbers of pseudo terminals, which have no bits on a wire and refuse a form (linux, devices.txt)."""
_FORM = {
    "7": termios.CS7,
    "8": termios.CS8,
    "N": 0,
    "E": termios.PARENB,
    "O": termios.PARENB | termios.PARODD,
    "1": 0,
    "2": termios.CSTOPB,
}


class Wire(asyncio.Protocol):
    """Bytes both ways."""

    def __init__(self, where: str, port: int | None = None) -> None:
        self._where, self._port = where, port
        self._came, self._news = bytearray(), asyncio.Event()
        self._transport: Any = None
        self._gone = ""

    async def read(self) -> bytes:
        """What has come; waits for it. Raises DriverLost when the device is gone."""
        while not self._came:
            if self._gone:
                raise DriverLost(self._gone, where=self._where)
            self._news.clear()
            await self._news.wait()
        came = bytes(self._came)
        self.forget()
        return came

    def forget(self) -> None:
        """What has come and wasn't read."""
        self._came.clear()
        if not self._gone:
            self._transport.resume_reading()

    async def send(self, data: bytes) -> None:
        """To the device. Raises DriverLost when it is gone."""
        while data and not self._gone:
            try:
                data = data[self._put(data) :]
            except BlockingIOError:
                await asyncio.sleep(FULL_S)
            except OSError as error:
                self._gone = f"takes nothing ({error.strerror})"
        if self._gone:
            raise DriverLost(self._gone, where=self._where)

    def _put(self, data: bytes) -> int:
        if self._port is not None:
            return os.write(self._port, data)
        self._transport.write(data)
        return len(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        self._news.set()
        if len(self._came) > MOST:
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._gone = "it hung up" if self._port is None else "it was unplugged"
        self._news.set()


class Lines:
    """The lines that come, without their end, and a way to send."""

    def __init__(self, wire: Wire, end: bytes = b"\n") -> None:
        self._wire, self._end, self._kept, self._nth = wire, end, b"", 0

    async def send(self, data: bytes) -> None:
        """See `Wire.send`."""
        await self._wire.send(data)

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        """The next. Raises DriverLost when the device is gone."""
        self._nth += 1
        if self._nth % TURN == 0:
            await asyncio.sleep(0)
        while True:
            line, end, rest = self._kept.partition(self._end)
            if not end:
                self._kept = self._kept[-LONGEST - 1 :] + await self._wire.read()
                continue
            self._kept = rest
            if len(line) <= LONGEST:
                return line.strip() if self._end == b"\n" else line


@asynccontextmanager
async def serial_lines(
    port: str | Path, baud: int, form: str = "8N1", end: bytes = b"\n"
) -> AsyncIterator[Lines]:
    """What a device on a serial port sends. Raises as `wire`.

    Args:
        form: Bits of data, parity (N, E or O), stop bits.
        end: What ends a line, such as ETX, ``b"\\x03"``; of text lines spaces at both ends are dropped, too.
    """
    async with wire(str(port), baud, form) as opened:
        yield Lines(opened, end)


@asynccontextmanager
async def network_lines(host: str, port: int, end: bytes = b"\n") -> AsyncIterator[Lines]:
    """What a device on the local network sends over TCP. Raises as `wire`.

    Args:
        end: As of `serial_lines`.
    """
    async with wire(f"socket://{host}:{port}") as opened:
        yield Lines(opened, end)


@asynccontextmanager
async def wire(address: str, baud: int = 9600, form: str = "8N1") -> AsyncIterator[Wire]:
    """A serial port, or ``ANYTHING://HOST:PORT`` for TCP.

    Raises:
        DriverLost: The port isn't there, or nobody answers there.
        SetupError: It may not be opened, another program has it, or it has no such speed or form.
    """
    opened = await (_over_tcp(address) if "://" in address else _over_serial(address, baud, form))
    try:
        yield opened
    finally:
        opened._transport.close()
        await asyncio.sleep(0)  # it closes in the loop's next turn


async def _over_tcp(address: str) -> Wire:
    made = Wire(address)
    try:
        host, port = urlsplit(address).hostname or "", urlsplit(address).port or 0
        async with asyncio.timeout(CONNECT_S):
            await asyncio.get_running_loop().create_connection(lambda: made, host, port)
    except (OSError, ValueError) as error:
        do = "see that it is on, and has this address"
        raise DriverLost(f"no answer ({error or 'in 5 s'})", where=address, do=do) from error
    return made


async def _over_serial(port: str, baud: int, form: str) -> Wire:
    fd = _opened(port, baud, form)
    made, pipe = Wire(port, fd), os.fdopen(fd, "rb", 0)  # never blocks, as it is opened so
    await asyncio.get_running_loop().connect_read_pipe(lambda: made, pipe)
    return made


def _opened(port: str, baud: int, form: str) -> int:
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise SetupError(f"a serial port has no speed {baud}", where=port, do="such as 9600 or 115200")
    if not re.fullmatch("[78][NEO][12]", form):
        raise SetupError(f"a serial port has no form {form!r}", where=port, do="such as 8N1 or 7E1")
    try:
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except PermissionError as error:
        raise SetupError(
            "may not be opened", where=port, do="add the node's user to group dialout"
        ) from error
    except OSError as error:
        do = "plug it in; `ls /dev/serial/by-id` names what is there"
        raise DriverLost(f"no such port ({error.strerror})", where=port, do=do) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tty.setraw(fd)
        mode = termios.tcgetattr(fd)
        if os.major(os.fstat(fd).st_rdev) not in PTYS:
            mode[2] = termios.CREAD | termios.CLOCAL | _FORM[form[0]] | _FORM[form[1]] | _FORM[form[2]]
        mode[4] = mode[5] = speed
        termios.tcsetattr(fd, termios.TCSANOW, mode)
    except (OSError, termios.error) as error:
        os.close(fd)
        if error.args and error.args[0] in (errno.EAGAIN, errno.EACCES):
            raise SetupError("another program has it open", where=port, do="end that program") from error
        raise SetupError(f"is no serial port ({error})", where=port, do="name another") from error
    return fd
