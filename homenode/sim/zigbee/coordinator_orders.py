"""ZDO requests that change the coordinator, or that it overhears being given to routers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from homenode.sim.zigbee.air import Aps, Role
from homenode.sim.zigbee.coordinator_self import MGMT_PERMIT, MGMT_UPDATE
from homenode.sim.zigbee.coordinator_station import Station
from homenode.sim.zigbee.coordinator_stick import Stick
from homenode.sim.zigbee.coordinator_trust import JoinWindow
from homenode.sim.zigbee.ezsp import Status

CHANNEL_CHANGE_S = 1.0
"""From the broadcast of a new channel until the coordinator changes; real: 9 s, the broadcast timeout."""

_CHANGE_CHANNEL = 0xFE
"""Scan duration of Mgmt_NWK_Update_req that stands for a change of channel (R22, 2.4.3.3.9)."""


class Orders:
    """See the module."""

    def __init__(self, stick: Stick, window: JoinWindow, listening: Callable[[], bool]) -> None:
        self._stick, self._window, self._listening = stick, window, listening

    def obey(self, cluster: int, payload: bytes) -> None:
        """Do what a request asks of the coordinator itself."""
        if cluster == MGMT_PERMIT and len(payload) > 1:
            self._window.permit(payload[1])

    def overhear(self, frame: Aps, stations: Iterable[Station]) -> None:
        """A ZDO broadcast of the host concerns routers, and sometimes the stick itself."""
        payload = frame.payload
        if frame.cluster == MGMT_PERMIT:
            for station in stations:
                self.open_router(station, payload)
        elif frame.cluster == MGMT_UPDATE and len(payload) >= 7 and payload[5] == _CHANGE_CHANNEL:
            channel = int.from_bytes(payload[1:5], "little").bit_length() - 1
            loop = asyncio.get_running_loop()
            loop.call_later(CHANNEL_CHANGE_S, self._change_channel, channel, payload[6])

    def open_router(self, station: Station, payload: bytes) -> None:
        """A router is told to be open for so long."""
        if station.member.role == Role.ROUTER and len(payload) > 1:
            self._window.router_opens(station.member.ieee, payload[1])

    def _change_channel(self, channel: int, update_id: int) -> None:
        if self._listening() and 11 <= channel <= 26:
            self._stick.network.channel, self._stick.network.update_id = channel, update_id
            self._stick.store()
            self._stick.status(Status.ZIGBEE_CHANNEL_CHANGED)
