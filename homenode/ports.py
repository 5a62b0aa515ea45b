"""For drivers of devices that send lines of text: over a serial port, or over the network.

    async with serial_lines("/dev/ttyUSB0", baud=9600) as lines:
        async for line in lines:
            ...

They never block, hold their port alone, let go of it when left, and lose what is no line.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from homenode.errors import DriverLost, SetupError

LONGEST = 4_096
"""Bytes of a line; noise has no end of line."""
TURN = 50
"""Lines after which others in the loop get their turn."""
CONNECT_S = 5.0


class Lines:
    """The lines that come, without their end."""

    def __init__(self, reader: asyncio.StreamReader, where: str) -> None:
        self._reader, self._where, self._nth = reader, where, 0

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        """The next. Raises DriverLost when the device is gone."""
        while True:
            self._nth += 1
            if self._nth % TURN == 0:
                await asyncio.sleep(0)
            try:
                line = await self._reader.readline()
            except ValueError:  # too long to be one
                continue
            except OSError as error:
                raise DriverLost(f"unplugged ({error.strerror})", where=self._where) from error
            if not line.endswith(b"\n"):
                raise DriverLost("it hung up", where=self._where)
            return line.strip()


@asynccontextmanager
async def serial_lines(port: str | Path, baud: int) -> AsyncIterator[Lines]:
    """What a device on a serial port sends (8N1).

    Raises:
        DriverLost: The port isn't there, or no more.
        SetupError: It may not be opened, another program has it, or it has no such speed.
    """
    reader = asyncio.StreamReader(LONGEST)
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(_opened(str(port), baud), "rb", 0)  # never blocks, as it is opened so
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        yield Lines(reader, str(port))
    finally:
        transport.close()
        await asyncio.sleep(0)  # it closes in the loop's next turn


def _opened(port: str, baud: int) -> int:
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise SetupError(f"a serial port has no speed {baud}", where=port, do="such as 9600 or 115200")
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
        mode[4] = mode[5] = speed
        termios.tcsetattr(fd, termios.TCSANOW, mode)
    except (OSError, termios.error) as error:
        os.close(fd)
        if error.args and error.args[0] in (errno.EAGAIN, errno.EACCES):
            raise SetupError("another program has it open", where=port, do="end that program") from error
        raise SetupError(f"is no serial port ({error})", where=port, do="name another") from error
    return fd


@asynccontextmanager
async def network_lines(host: str, port: int) -> AsyncIterator[tuple[Lines, asyncio.StreamWriter]]:
    """What a device on the local network sends over TCP, and a way to send to it.

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
    try:
        yield Lines(reader, where), writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
