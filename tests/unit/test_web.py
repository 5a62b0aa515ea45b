"""What anybody may send to a page is answered, and is no mistake of ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from homenode.web import Request, Response, serve


async def said(raw: bytes) -> bytes:
    """The first line of what a page answers."""

    async def answer(_: Request) -> Response:
        return Response(200)

    with contextlib.closing(await serve("127.0.0.1", 0, answer)) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(raw)
        line = await reader.readline()
        writer.close()
        return line


@pytest.mark.parametrize("target", ["http://[", "//[", "https://[::1"])
def test_an_address_that_is_none_is_a_bad_request(target: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        line = asyncio.run(said(b"GET " + target.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n"))
    assert line.startswith(b"HTTP/1.1 400 ")
    assert not caplog.records
