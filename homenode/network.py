"""For drivers of devices that are asked over HTTP, or that send datagrams; lines over TCP: `homenode.ports`.

said = json.loads(await fetched("http://192.168.1.7/status"))

async with datagrams(5005, silent_s=60) as came:
    async for data, sender in came:
        ...
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from homenode.errors import DriverLost, SetupError

ANSWER_S = 5.0
LONGEST = 100_000
"""Bytes of an answer."""
MOST = 1_000
"""Datagrams that wait to be taken; of a flood the oldest is lost."""
TURN = 50
"""Datagrams after which others in the loop get their turn."""


async def fetched(url: str) -> bytes:
    """What a device answers to GET, such as ``http://192.168.1.7/status``.

    Raises:
        DriverLost: It doesn't answer, or says that it can't.
        SetupError: That is no such address.
    """
    where = urlsplit(url)
    if where.scheme != "http" or not where.hostname:
        raise SetupError(f"{url!r} is no address", do="such as http://192.168.1.7/status")
    path = (where.path or "/") + (f"?{where.query}" if where.query else "")
    do = "see that it is on, and has this address"
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(where.hostname, where.port or 80, limit=LONGEST)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {where.netloc}\r\n\r\n".encode())
                status = (await reader.readline()).split()[1:2]
                while (await reader.readline()).strip():
                    pass
                body = await _all(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise DriverLost(f"no answer ({error or f'in {ANSWER_S:.0f} s'})", where=url, do=do) from error
    if status != [b"200"]:
        said = b"".join(status).decode(errors="replace") or "nothing"
        raise DriverLost(f"answers {said}", where=url, do="see whether that is its path")
    return body


async def _all(reader: asyncio.StreamReader) -> bytes:
    """What comes until it hangs up. Raises ValueError if that is too much."""
    body = b""
    while data := await reader.read(LONGEST):
        body += data
        if len(body) > LONGEST:
            raise ValueError("too much")
    return body


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, where: str, silent_s: float) -> None:
        self._where, self._silent_s, self._nth = where, silent_s, 0
        self._came: deque[tuple[bytes, str]] = deque(maxlen=MOST)
        self._news = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._came.append((data, addr[0]))
        self._news.set()

    def __aiter__(self) -> _Datagrams:
        return self

    async def __anext__(self) -> tuple[bytes, str]:
        """The next, and the address of who sent it. Raises DriverLost when none comes for so long."""
        self._nth += 1
        if self._nth % TURN == 0:
            await asyncio.sleep(0)
        while not self._came:
            self._news.clear()
            try:
                async with asyncio.timeout(self._silent_s):
                    await self._news.wait()
            except TimeoutError:
                raise DriverLost(f"nothing came in {self._silent_s:g} s", where=self._where) from None
        return self._came.popleft()


@asynccontextmanager
async def datagrams(port: int, silent_s: float) -> AsyncIterator[_Datagrams]:
    """What comes over UDP.

    Args:
        silent_s: After so long without any the device is lost: nothing else tells.

    Raises:
        DriverLost: It has fallen silent.
        SetupError: Another program listens on that port.
    """
    where = f"UDP port {port}"
    try:
        transport, came = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(where, silent_s), local_addr=("0.0.0.0", port)
        )
    except OSError as error:
        do = "end what listens there"
        raise SetupError(f"can't listen ({error.strerror})", where=where, do=do) from error
    try:
        yield came
    finally:
        transport.close()
        await asyncio.sleep(0)  # it closes in the loop's next turn
