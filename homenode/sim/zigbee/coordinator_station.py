"""A device on the air, as its parent sees it: how well it is heard, and what waits until it polls."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from homenode.sim.zigbee.air import Node, Role
from homenode.sim.zigbee.network import Member, Network


@dataclass(slots=True)
class _Waiting:
    """Something for a sleeping device; `deliver` is told whether it polled in time."""

    deliver: Callable[[bool], None]
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Station:
    """A device that is on the air now.

    Attributes:
        heard_at: Event loop time at which it was last heard; 0 if not yet.
        sequence: Its APS counter.
        route_told: The host knows the way its frames take.
    """

    node: Node
    member: Member
    link_quality: int = 200
    rssi: int = -50
    heard_at: float = 0.0
    sequence: int = 0
    route_told: bool = False
    _queue: deque[_Waiting] = field(default_factory=deque)

    @property
    def waiting(self) -> int:
        """How much waits for it to poll."""
        return len(self._queue)

    def keep(self, deliver: Callable[[bool], None], held_s: float) -> None:
        """Keep something until it polls: `deliver(True)`; after `held_s` it is too late: `deliver(False)`."""
        waiting = _Waiting(deliver)

        def too_late() -> None:
            self._queue.remove(waiting)
            deliver(False)

        waiting.timer = asyncio.get_running_loop().call_later(held_s, too_late)
        self._queue.append(waiting)

    def polled(self) -> None:
        """It asks: hand over all that waits."""
        while self._queue:
            self._next().deliver(True)

    def drop(self) -> None:
        """Forget what waits."""
        while self._queue:
            self._next()

    def _next(self) -> _Waiting:
        waiting = self._queue.popleft()
        if waiting.timer:
            waiting.timer.cancel()
        return waiting


class Credentials(NamedTuple):
    """By what a device knows its network, and the last frame counter that it has seen of its coordinator.

    A coordinator with a lower counter plays old frames again, as far as the device knows (R22, 4.3.1.2).
    """

    network: tuple[int, int, str]
    counter: int


def credentials(network: Network) -> Credentials:
    """Of the network that a stick holds."""
    known_by = network.extended_pan_id, network.trust_centre, network.key
    return Credentials(known_by, network.key_counter)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A device of the network, for whoever wants to look at it.

    Attributes:
        on_air: Whether it is on the air now.
        parent: IEEE address of the router it hangs under; None for the coordinator.
        silent_s: Seconds since it was last heard; None if not since the simulator started.
        waiting: Frames that wait for it to poll.
    """

    ieee: int
    network_address: int
    role: Role
    sleepy: bool
    parent: int | None
    on_air: bool
    link_quality: int
    rssi: int
    silent_s: float | None
    waiting: int


def neighbour(member: Member, at: Station | None, now: float) -> Neighbour:
    """What can be told of a member; `at` is None while it isn't on the air."""
    return Neighbour(
        member.ieee,
        member.network_address,
        Role(member.role),
        member.sleepy,
        member.parent,
        at is not None,
        at.link_quality if at else 0,
        at.rssi if at else 0,
        now - at.heard_at if at and at.heard_at else None,
        at.waiting if at else 0,
    )
