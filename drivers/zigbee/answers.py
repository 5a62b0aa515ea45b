"""Default responses to frames that took the short path: what Zigbee requires, sent one after the other."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from drivers.zigbee.short_path import Incoming
from drivers.zigbee.zcl import Malformed, default_response, parse

log = logging.getLogger("homenode.zigbee")

WAITING_MOST = 200
"""Beyond that the oldest is dropped; the device repeats itself."""
_ROUTE_DISCOVERY = 0x0100
_OWN_ENDPOINT, _ANY_ENDPOINT = 1, 0xFF


class Answers:
    """A queue to the stick.

    Args:
        app: zigpy's application; its stick is used directly, without the general path's bookkeeping.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._waiting: asyncio.Queue[Incoming] = asyncio.Queue(WAITING_MOST)
        self._tag = 0

    def put(self, message: Incoming) -> None:
        """Answer this message soon."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(message)

    async def run(self) -> None:
        """Until cancelled."""
        import bellows.types as t

        while True:
            message = await self._waiting.get()
            self._tag = self._tag % 255 + 1
            own = message.destination_endpoint
            try:
                frame = t.EmberApsFrame(
                    profileId=message.profile,
                    clusterId=message.cluster,
                    sourceEndpoint=_OWN_ENDPOINT if own == _ANY_ENDPOINT else own,
                    destinationEndpoint=message.source_endpoint,
                    options=t.EmberApsOption(_ROUTE_DISCOVERY),
                    groupId=0,
                    sequence=message.sequence,
                )
                await self._app._ezsp.send_unicast(
                    nwk=t.NWK(message.sender),
                    aps_frame=frame,
                    message_tag=t.uint8_t(self._tag),
                    data=default_response(parse(message.payload)),
                )
            except Malformed:
                continue
            except Exception as fault:  # noqa: BLE001 - a lost answer costs the device a repeat; the watch sees a lost stick
                log.debug("default response not sent", extra={"why": repr(fault)})
