"""For drivers of devices that send lines of text: over a serial port, or over the network.

    async with serial_lines("/dev/ttyUSB0", baud=9600) as lines:
        await lines.send(b"?\r\n")  # for a device that is asked
        async for line in lines:
            ...

They never block, hold their port alone, let go of it when left, and lose what is no line.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import functools
import os
import re
import termios
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from homenode.errors import DriverLost, SetupError

LONGEST = 4_096
"""Bytes of a line; noise has no end of line."""
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


class Lines:
    """The lines that come, without their end, and a way to send."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        send: Callable[[bytes], Awaitable[None]],
        where: str,
        end: bytes = b"\n",
    ) -> None:
        self._reader, self._send, self._where, self._end, self._nth = reader, send, where, end, 0

    async def send(self, data: bytes) -> None:
        """To the device. Raises DriverLost when it is gone."""
        try:
            await self._send(data)
        except OSError as error:
            raise DriverLost(f"unplugged ({error.strerror})", where=self._where) from error

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        """The next. Raises DriverLost when the device is gone."""
        while True:
            self._nth += 1
            if self._nth % TURN == 0:
                await asyncio.sleep(0)
            try:
                line = await self._reader.readuntil(self._end)
            except asyncio.LimitOverrunError as error:  # too long to be one
                await self._reader.readexactly(error.consumed)
            except asyncio.IncompleteReadError as error:
                raise DriverLost("it hung up", where=self._where) from error
            except OSError as error:
                raise DriverLost(f"unplugged ({error.strerror})", where=self._where) from error
            else:
                return line.strip() if self._end == b"\n" else line.removesuffix(self._end)


@asynccontextmanager
async def serial_lines(
    port: str | Path, baud: int, form: str = "8N1", end: bytes = b"\n"
) -> AsyncIterator[Lines]:
    """What a device on a serial port sends.

    Args:
        form: Bits of data, parity (N, E or O), stop bits.
        end: What ends a line, such as ETX, ``b"\\x03"``; of text lines spaces at both ends are dropped, too.

    Raises:
        DriverLost: The port isn't there, or no more.
        SetupError: It may not be opened, another program has it, or it has no such speed or form.
    """
    reader = asyncio.StreamReader(LONGEST)
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(_opened(str(port), baud, form), "rb", 0)  # never blocks, as it is opened so
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        yield Lines(reader, functools.partial(_write, pipe.fileno()), str(port), end)
    finally:
        transport.close()
        await asyncio.sleep(0)  # it closes in the loop's next turn


async def _write(fd: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            await asyncio.sleep(FULL_S)


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


@asynccontextmanager
async def network_lines(host: str, port: int, end: bytes = b"\n") -> AsyncIterator[Lines]:
    """What a device on the local network sends over TCP.

    Args:
        end: As of `serial_lines`.

    Raises:
        DriverLost: It doesn't answer, or no more.
    """
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port, limit=LONGEST)
    except (OSError, TimeoutError) as error:
        do = "see that it is on, and has this address"
        raise DriverLost(f"no answer ({error or 'in 5 s'})", where=where, do=do) from error

    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    try:
        yield Lines(reader, send, where, end)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
