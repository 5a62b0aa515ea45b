"""Default responses to frames that took the short path: what Zigbee requires, sent one after the other.

Every change of a contact asks for one, and through bellows' tables it cost more than the change itself. So
the command is packed here, and what the stick says of it is taken here. Layouts: EZSP reference (UG100),
sendUnicast and messageSentHandler.
"""

from __future__ import annotations

import asyncio
import logging
from struct import Struct
from typing import Any

from drivers.zigbee.short_path import Incoming
from drivers.zigbee.zcl import Malformed, default_response, parse

log = logging.getLogger("homenode.zigbee")

WAITING_MOST = 200
"""Beyond that the oldest is dropped; the device repeats itself."""
ACCEPTED_S = 10.0
"""The stick takes a command well before; bellows waits as long."""
_ROUTE_DISCOVERY = 0x0100
_OWN_ENDPOINT, _ANY_ENDPOINT = 1, 0xFF
_LESS_URGENT = -1
"""bellows' priority of all that sends a message."""
_SEND_UNICAST, _INVALID_COMMAND, _MESSAGE_SENT = b"\x34\x00", b"\x58\x00", b"\x3f\x00"
_DIRECT = 0
_HEADER = b"\x00\x01" + _SEND_UNICAST
_LAYOUT_13, _LAYOUT_14 = Struct("<BHHHBBHHBBB"), Struct("<BHHHBBHHBHB")
"""type, destination, profile, cluster, endpoints, options, group, sequence, tag, length."""
_TAG_AT = 23
"""In messageSentHandler from version 14 on: header, status, type, destination, APS frame, then the tag."""
_FIRST_TAG = 0x0100
"""zigpy's own tags have eight bits, so from version 14 on ours can't be taken for one of them."""


class Answers:
    """A queue to the stick.

    Args:
        app: zigpy's application; its stick is used directly, without the general path's bookkeeping.
    """

    def __init__(self, app: Any) -> None:
        self._stick, self._write = app._ezsp, app.write
        self._new = self._stick.ezsp_version >= 14
        self._waiting: asyncio.Queue[Incoming] = asyncio.Queue(WAITING_MOST)
        self._tag = 0
        self._number = -1
        self._accepted: asyncio.Future[None] | None = None

    def put(self, message: Incoming) -> None:
        """Answer this message soon."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(message)

    async def run(self) -> None:
        """Until cancelled; stands before whoever hears the stick then."""
        hear = self._stick.frame_received

        def frame_received(data: bytes) -> None:
            if not self._is_ours(data):
                hear(data)

        self._stick.frame_received = frame_received
        while True:
            message = await self._waiting.get()
            try:
                await self._send(message, default_response(parse(message.payload)))
            except Malformed:
                continue
            except Exception as fault:  # noqa: BLE001 - a lost answer costs the device a repeat; the watch sees a lost stick
                log.debug("default response not sent", extra={"why": repr(fault)})

    def _is_ours(self, data: bytes) -> bool:
        """Whether a frame says what became of an answer; nobody else wants to know."""
        what = data[3:5]
        if what == _MESSAGE_SENT:
            return self._new and reports_our_own(data)
        if what not in (_SEND_UNICAST, _INVALID_COMMAND) or self._accepted is None or data[0] != self._number:
            return False
        if not self._accepted.done():
            self._accepted.set_result(None)
        return True

    async def _send(self, message: Incoming, answer: bytes) -> None:
        """One command in bellows' order: the next one goes when the stick has taken this one."""
        protocol = self._stick._protocol
        async with protocol._send_semaphore(priority=_LESS_URGENT):
            self._number = protocol._seq
            protocol._seq = (self._number + 1) % 256
            accepted = self._accepted = asyncio.get_running_loop().create_future()
            try:
                await self._write(bytes((self._number,)) + _HEADER + self._packed(message, answer))
                if not accepted.done():  # mostly it comes with the acknowledgement of the frame
                    async with asyncio.timeout(ACCEPTED_S):
                        await accepted
            finally:
                self._accepted = None

    def _packed(self, message: Incoming, answer: bytes) -> bytes:
        tags = 0xFF00 if self._new else 0xFF
        self._tag = self._tag % (tags - 1) + 1
        return packed(message, answer, self._tag + (_FIRST_TAG - 1 if self._new else 0), new=self._new)


def packed(message: Incoming, answer: bytes, tag: int, *, new: bool) -> bytes:
    """sendUnicast of an answer, without its header; `new`: from version 14 on."""
    own = message.destination_endpoint
    return (_LAYOUT_14 if new else _LAYOUT_13).pack(
        _DIRECT,
        message.sender,
        message.profile,
        message.cluster,
        _OWN_ENDPOINT if own == _ANY_ENDPOINT else own,
        message.source_endpoint,
        _ROUTE_DISCOVERY,
        0,
        message.sequence,
        tag,
        len(answer),
    ) + answer


def reports_our_own(data: bytes) -> bool:
    """Whether this messageSentHandler, of version 14 or later, is about an answer."""
    return int.from_bytes(data[_TAG_AT : _TAG_AT + 2], "little") >= _FIRST_TAG
