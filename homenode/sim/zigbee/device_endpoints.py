"""The endpoints of a virtual device above 0: which cluster a ZCL frame is for, and what goes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.clusters import cluster_for
from homenode.sim.zigbee.clusters.cluster import Answer, Cluster, Reply
from homenode.sim.zigbee.clusters.general import answer_general
from homenode.sim.zigbee.zcl import Frame, General, Malformed, Status, build, parse
from homenode.sim.zigbee.zdo import FIRST_BROADCAST

if TYPE_CHECKING:
    from homenode.sim.zigbee.device import VirtualDevice

_HOME_AUTOMATION, _LIGHT_LINK, _ANY = 0x0104, 0xC05E, 0xFFFF
_ALWAYS = (_HOME_AUTOMATION, _LIGHT_LINK, _ANY)
"""Profiles that every endpoint hears beside its own."""
_ALL_ENDPOINTS = 0xFF


class Endpoints:
    """The live clusters of a device.

    Attributes:
        servers, clients: By endpoint and cluster identifier.
    """

    def __init__(self, device: VirtualDevice) -> None:
        self._device = device
        self.servers: dict[tuple[int, int], Cluster] = {}
        self.clients: dict[tuple[int, int], Cluster] = {}
        self._profiles: dict[int, int] = {}
        for endpoint in device.spec.endpoints:
            number = endpoint.number
            self._profiles[number] = endpoint.profile
            for row in endpoint.servers:
                self.servers[number, row.id] = cluster_for(device, number, row, client=False)
            for row in endpoint.clients:
                self.clients[number, row.id] = cluster_for(device, number, row, client=True)

    def clusters(self) -> Iterator[Cluster]:
        """All of them."""
        yield from self.servers.values()
        yield from self.clients.values()

    def profile(self, endpoint: int) -> int:
        """The profile that frames from an endpoint carry; light link devices speak home automation."""
        profile = self._profiles[endpoint]
        return _HOME_AUTOMATION if profile == _LIGHT_LINK else profile

    def receive(self, frame: Aps) -> None:
        """A frame for any of the endpoints."""
        try:
            zcl = parse(frame.payload)
        except Malformed:
            return
        for endpoint in self._addressed(frame):
            self._receive(endpoint, frame, zcl)

    def _addressed(self, frame: Aps) -> list[int]:
        if frame.group is not None:
            return [endpoint for endpoint, groups in self._device.groups.items() if frame.group in groups]
        wanted = frame.destination_endpoint
        return [
            number
            for number, profile in self._profiles.items()
            if wanted in (number, _ALL_ENDPOINTS) and frame.profile in (profile, *_ALWAYS)
        ]

    def _receive(self, endpoint: int, frame: Aps, zcl: Frame) -> None:
        cluster = (self.clients if zcl.to_client else self.servers).get((endpoint, frame.cluster))
        command = zcl.command
        try:
            if cluster is None:
                answers = not zcl.cluster_specific and command == General.DEFAULT_RSP
                reply: Reply = None if answers else Status.UNSUPPORTED_CLUSTER
            elif zcl.cluster_specific:
                reply = cluster.handle(zcl, frame)
            else:
                general = answer_general(cluster, zcl, frame)
                if isinstance(general, tuple):
                    self._answer(endpoint, frame, zcl, general[0], general[1], specific=False)
                    return
                reply = general
        except (Malformed, IndexError):
            reply = Status.MALFORMED_COMMAND
        if isinstance(reply, Answer):
            self._answer(endpoint, frame, zcl, reply.command, reply.payload, specific=True)
        elif reply is not None and not (zcl.quiet and reply is Status.SUCCESS):
            refusal = bytes((command, reply))
            self._answer(endpoint, frame, zcl, General.DEFAULT_RSP, refusal, specific=False)

    def _answer(
        self, endpoint: int, frame: Aps, zcl: Frame, command: int, payload: bytes, *, specific: bool
    ) -> None:
        if frame.group is not None or frame.destination >= FIRST_BROADCAST:
            return
        answer = Frame(specific, zcl.manufacturer, not zcl.to_client, True, zcl.sequence, command, payload)
        self._device.send(frame.source, endpoint, frame.source_endpoint, frame.cluster, build(answer))
