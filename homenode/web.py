"""A small HTTP/1.1 server on h11, for every page of this project: no framework, no build step (decision 12).

What is served is decided by a handler; here are bounds on what anybody may send, and the headers that keep a
page to itself. Events go out as `text/event-stream`, which every browser reads and resumes by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import h11

if TYPE_CHECKING:
    import ssl  # who serves without TLS needs 3 MB less

log = logging.getLogger("homenode.web")

MOST_BYTES = 64 * 1024
"""Of a request's body."""
MOST_OPEN = 40
"""Connections at a time: a phone opens six."""
SLICE_BYTES = 256 * 1024
"""Of a file, read and sent at a time."""
HANDSHAKE_S = 10.0
"""For TLS."""
PATIENCE_S = 30.0
"""A client that says nothing, or takes nothing, for so long is hung up on."""
PULSE_S = 10.0
"""So often an event stream says that it lives; else a phone doesn't notice that the node is gone."""

PRIVATE: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in small letters; `peer` is the address that it came from.

    `certificate` is that of the client (DER), checked by the handshake; empty without one.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""
    certificate: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """Fields of a form, the first of each name. Raises ValueError: it is none."""
        pairs = parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=100)
        return dict(reversed(pairs))

    @property
    def cookies(self) -> dict[str, str]:
        """By name."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of a file, from `first` on."""

    path: Path
    first: int
    size: int


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered: a body, a part of a file, or events until one of both sides ends."""

    status: int = 200
    body: bytes = b""
    type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    events: AsyncIterator[Mapping[str, Any]] | None = None
    file: Slice | None = None


def as_json(value: object, status: int = 200, **headers: str) -> Response:
    """JSON; names of headers with _ for -."""
    body = json.dumps(value, ensure_ascii=False).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, body, "application/json", named)


Handler = Callable[[Request], Awaitable[Response]]


class _Talk:
    """One connection, request after request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler) -> None:
        self._reader, self._writer, self._handle = reader, writer, handle
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=16 * 1024)

    async def run(self) -> None:
        """Until either hangs up."""
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as error:
                if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._say(Response(error.error_status_hint, b"bad request"))
                return
            if request is None:
                return
            try:
                response = await self._handle(request)
            except Exception as fault:
                log.error("page failed", extra={"path": request.path[:80], "why": repr(fault)})
                log.debug("page failed", exc_info=True)
                response = Response(500, b"a mistake in homenode itself; its log says more")
            await self._say(response, head=request.method == "HEAD")
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()
            await asyncio.sleep(0)  # who sends requests without end takes turns with the others

    async def _request(self) -> Request | None:
        head, body = None, b""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._http.receive_data(await self._reader.read(64 * 1024))
                elif isinstance(event, h11.Request):
                    head = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                    if len(body) > MOST_BYTES:
                        raise h11.RemoteProtocolError("too long", error_status_hint=413)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return None
        assert head is not None
        try:
            target = urlsplit(head.target.decode("latin-1"))
        except ValueError as error:
            raise h11.RemoteProtocolError("an address that is none") from error
        headers = {
            bytes(name).decode("latin-1"): bytes(text).decode("latin-1") for name, text in head.headers
        }
        peer = self._writer.get_extra_info("peername") or ("",)
        query = dict(parse_qsl(target.query))
        tls = self._writer.get_extra_info("ssl_object")
        certificate = (tls.getpeercert(binary_form=True) if tls is not None else None) or b""
        return Request(head.method.decode("ascii"), target.path, query, headers, body, peer[0], certificate)

    async def _say(self, response: Response, *, head: bool = False) -> None:
        headers = {**PRIVATE, **response.headers, "Content-Type": response.type}
        if response.events is None:
            size = response.file.size if response.file is not None else len(response.body)
            headers["Content-Length"] = str(size)
        reason = HTTPStatus(response.status).phrase.encode()
        named = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
        await self._send(h11.Response(status_code=response.status, headers=named, reason=reason))
        if head and response.events is None:
            pass  # what was asked for is the headers
        elif response.file is not None:
            await self._send_file(response.file)
        elif response.events is None:
            await self._send(h11.Data(data=response.body))
        else:
            async with contextlib.aclosing(_paced(response.events)) as events:
                async for event in events:
                    text = (
                        f"data: {json.dumps(event, ensure_ascii=False)}\n\n" if event is not None else ":\n\n"
                    )
                    await self._send(h11.Data(data=text.encode()))
        await self._send(h11.EndOfMessage())

    async def _send_file(self, part: Slice) -> None:
        with part.path.open("rb") as file:
            file.seek(part.first)
            left = part.size
            while left and (data := await asyncio.to_thread(file.read, min(left, SLICE_BYTES))):
                left -= len(data)
                await self._send(h11.Data(data=data))

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            async with asyncio.timeout(PATIENCE_S):
                await self._writer.drain()


async def _paced(events: AsyncIterator[Mapping[str, Any]]) -> AsyncGenerator[Mapping[str, Any] | None]:
    """The events, and None where none came for a while."""
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=PULSE_S)
            if not done:
                yield None
                continue
            event = coming.result()
            if event is None:
                return
            yield event
            coming = asyncio.ensure_future(anext(events, None))
    finally:
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await coming


def network_of(address: str) -> str:
    """An address, or its /64: in IPv6 one machine has as many as it likes."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None or found.version == 4:
        return str(mapped or found)
    return str(ipaddress.ip_network((found, 64), strict=False))


async def serve(
    host: str,
    port: int,
    handle: Handler,
    *,
    most_open: int = MOST_OPEN,
    most_each: int = MOST_OPEN,
    tls: ssl.SSLContext | None = None,
) -> asyncio.Server:
    """Listen; `most_each`: connections at a time of one address. Raises OSError."""
    open_now = Counter[str]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = network_of((writer.get_extra_info("peername") or ("",))[0])
        open_now[peer] += 1
        try:
            if open_now.total() <= most_open and open_now[peer] <= most_each:
                # Cancelled is how it ends with the server; asyncio.streams would log that as a mistake.
                with contextlib.suppress(asyncio.CancelledError, OSError, h11.LocalProtocolError):
                    if tls is not None:  # here, so that who never says a word is counted
                        await writer.start_tls(tls, ssl_handshake_timeout=HANDSHAKE_S)
                    await _Talk(reader, writer, handle).run()
        finally:
            open_now[peer] -= 1
            if not open_now[peer]:
                del open_now[peer]
            writer.close()

    return await asyncio.start_server(talk, host, port, limit=MOST_BYTES)
