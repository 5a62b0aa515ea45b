"""`python -m homenode.video.capture FD`: films one granted session, and is gone with it (see README.md).

What is heavy is imported in a thread from the start on, while the gateway lights the lamp.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from homenode.video import lean
from homenode.video.clocks import now_ms
from homenode.video.leash import hold_on_to
from homenode.video.words import Unfit, text

if TYPE_CHECKING:
    from homenode.video.encoder import Encoded
    from homenode.video.filming import Filming
    from homenode.video.looks import Looks
    from homenode.video.offer import Form
    from homenode.video.peer import Peer

LONGEST_LINE = 128 * 1024
_LOOKED_EVERY_S = 0.2
_SILENT_MS = 2000
_UNREACHED_MS, _BACK_WITHIN_MS = 15_000, 3000
_GONE_WITHIN_S = 0.4
"""For telling the viewer; whatever hangs then ends with the process."""
_KILLED_AFTER_MS = 700
"""Past the lease, if nothing here could end it."""
_HUNG_AFTER_MS = 5000
"""Without a look at deadlines, once all is loaded: that stops everything, on a slow Pi for seconds."""


class Ended(Exception):
    """The session is over.

    Attributes:
        why: A code of `words`.
    """

    def __init__(self, why: str, what: str = "") -> None:
        self.why, self.what = why, what
        super().__init__(why)


class Capture:
    """One session. Args: say: writes a line to the gateway."""

    def __init__(self, say: Callable[[Mapping[str, Any]], None]) -> None:
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._filming_loaded, self._peer_loaded = map(asyncio.wrap_future, lean.load("filming", "peer"))
        self._over: asyncio.Future[Ended] = self._loop.create_future()
        self._session: object = None
        self._until_ms = self._reached_by_ms = 0
        self._reached = False
        self._filming: Filming | None = None
        self._peer: Peer | None = None
        self._closing: asyncio.Future[None] | None = None
        self._warned: str | None = None

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Until it is over, however."""
        listening = asyncio.ensure_future(self._listen(reader))
        watching = asyncio.ensure_future(self._watch())
        ended = await self._over
        for task in (listening, watching):
            if task.done() and (error := task.exception()):
                traceback.print_exception(error)
            task.cancel()
        self._say({"did": "ended", "why": ended.why, "text": text(ended.why, ended.what)})
        if self._peer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._peer.close(), _GONE_WITHIN_S)

    def _end(self, why: str, what: str = "") -> None:
        if not self._over.done():
            self._over.set_result(Ended(why, what))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """A line that is none is a defect of the gateway's, and ends the session as its death does."""
        try:
            while line := await reader.readline():
                await self._told(json.loads(line))
        except ConnectionError:  # it died and had not read all
            pass
        finally:
            self._end("gateway")

    async def _told(self, told: Mapping[str, Any]) -> None:
        match told["do"]:
            case "start":
                await self._start(told)
            case "renew":
                self._lease(told)
            case "end":
                self._end("end")

    def _lease(self, told: Mapping[str, Any]) -> None:
        self._until_ms = int(told["until_ms"])
        self._live_on()

    def _live_on(self) -> None:
        """The kernel kills it unless it says this again; past the lease in any case."""
        left_ms = max(self._until_ms + _KILLED_AFTER_MS - now_ms(), 1)
        if self._peer is not None:
            left_ms = min(left_ms, _HUNG_AFTER_MS)
        signal.setitimer(signal.ITIMER_REAL, left_ms / 1000)

    async def _start(self, told: Mapping[str, Any]) -> None:
        if self._session not in (None, told["session"]):
            raise ValueError("another session")
        first, self._session = self._session is None, told["session"]
        self._lease(told)
        try:
            self._say({"sdp": await self._answer(told)})
        except Unfit as error:
            self._say({"error": error.code, "text": text(error.code, error.what)})
            if first:
                self._end(error.code, error.what)

    async def _answer(self, told: Mapping[str, Any]) -> str:
        from homenode.video.offer import ANY, PRIVATE, taken

        ice = told.get("ice", {})
        usual = ANY if ice.get("servers") else PRIVATE
        viewers = [ip_network(net) for net in ice["viewers"]] if "viewers" in ice else usual
        offer = taken(told["sdp"], viewers)
        try:
            await self._film(told, offer.form)
            await self._peer_loaded
        except ImportError as error:
            raise Unfit("missing", error.name or str(error)) from error
        from homenode.video.peer import Peer

        assert self._filming is not None
        before = self._peer
        self._reached_by_ms, self._reached = now_ms() + _UNREACHED_MS, False
        self._peer = peer = Peer(ice, self._filming, live=self._live)
        try:
            return await peer.answer(offer.sdp)
        finally:
            if before is not None:
                self._closing = asyncio.ensure_future(before.close())

    async def _film(self, told: Mapping[str, Any], form: Form) -> None:
        await self._filming_loaded
        from homenode.video.looks import Looks

        looks = Looks(told, form)
        if self._filming is not None:
            if not looks.like(self._filming.looks):
                self._filming.looks = looks
            return
        from homenode.video.filming import Filming

        def soon(done: Callable[..., None]) -> Callable[..., None]:
            def later(*what: Any) -> None:
                self._loop.call_soon_threadsafe(done, *what)

            return later

        self._filming = Filming(
            told["source"],
            looks,
            wanted=self._wanted,
            put=soon(self._put),
            warned=soon(self._warn),
            failed=soon(self._failed),
        )
        self._filming.start()

    def _wanted(self) -> bool:
        """Asked in the thread that films. What waits for a viewer is whole: it can be shown at once."""
        peer, filming = self._peer, self._filming
        if peer is None or filming is None:
            return False
        if peer.pictures.waiting:
            filming.want_whole()
        return peer.pictures.wanted

    def _live(self) -> None:
        self._reach()
        self._say({"did": "live"})

    def _reach(self) -> None:
        """The viewer is there; a page that is loaded anew is gone, too, for a moment."""
        self._reached_by_ms, self._reached = now_ms() + _BACK_WITHIN_MS, True

    def _put(self, packet: Encoded, looks: Looks) -> None:
        """What was made with other looks than are granted now is not sent."""
        if self._peer is not None and self._filming is not None and looks is self._filming.looks:
            self._peer.pictures.put(packet)

    def _warn(self, code: str | None) -> None:
        if code != self._warned:
            self._warned = code
            self._say({"warn": code, **({"text": text(code)} if code else {})})

    def _failed(self, error: Unfit | ImportError) -> None:
        if isinstance(error, ImportError):
            self._end("missing", error.name or str(error))
        else:
            self._end(error.code, error.what)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOKED_EVERY_S)
            if self._until_ms:
                self._live_on()
                if now_ms() >= self._until_ms:
                    self._end("until")
            if self._filming is not None and not self._filming.is_alive():
                self._loop.call_soon(self._end, "unplugged", "see the log")  # unless it said why
            if self._filming is not None and self._filming.silent_ms >= _SILENT_MS:
                self._warn("silent")
            elif self._warned == "silent":
                self._warn(None)
            if self._peer is not None and self._peer.connected:
                self._reach()
            elif self._peer is not None and now_ms() > self._reached_by_ms:
                self._end("viewer" if self._reached else "unreached")


async def _run(gateway: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=gateway, limit=LONGEST_LINE)

    def say(line: Mapping[str, Any]) -> None:
        writer.write(json.dumps(line).encode() + b"\n")

    try:
        await Capture(say).run(reader)
    finally:
        await writer.drain()


def main() -> None:
    """Nothing that hangs outlives it: threads of a camera can't be joined."""
    status = 1
    try:
        gateway = socket.socket(fileno=int(sys.argv[1]))
        hold_on_to(gateway)
        asyncio.run(_run(gateway))
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
