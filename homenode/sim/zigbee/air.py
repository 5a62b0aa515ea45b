"""What travels between the simulated coordinator and the simulated devices: APS frames, joins and polls.

The coordinator (`coordinator`) implements `Air`; devices (`device`) implement `Node`. Neither knows how
the other works, as with real hardware. All of it runs in one event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

COORDINATOR = 0x0000
"""Network address of the coordinator."""


class Role(IntEnum):
    """Logical type of a node descriptor (Zigbee R22, 2.3.2.3.1)."""

    COORDINATOR = 0
    ROUTER = 1
    END_DEVICE = 2


@dataclass(frozen=True, slots=True)
class Aps:
    """One application support frame.

    Attributes:
        source, destination: Network addresses; destination 0xFFFC…0xFFFF are broadcasts.
        payload: ZDO or ZCL frame, with its header.
        group: Group address of a groupcast, else None.
        ack: Whether an APS acknowledgement is asked for.
    """

    source: int
    destination: int
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    payload: bytes
    group: int | None = None
    ack: bool = True


class Node(Protocol):
    """A device on the air."""

    ieee: int
    """64-bit address as a number; ``00:15:8d:00:02:aa:bb:01`` is 0x00158D0002AABB01."""
    network_address: int
    role: Role
    sleepy: bool
    """Receiver off when idle: frames to it wait in its parent until it polls (`Air.poll`)."""

    @property
    def present(self) -> bool:
        """On the network, with power and within reach: whether a frame to it is acknowledged."""
        ...

    def receive(self, frame: Aps) -> None:
        """A frame for this node, a broadcast, or a groupcast. Answers go out through `Air.send`."""
        ...

    def joined(self, network_address: int) -> None:
        """The network took the node in (also after a rejoin)."""
        ...

    def removed(self) -> None:
        """The coordinator told the node to leave."""
        ...


class Air(Protocol):
    """The network, as a device sees it."""

    def join(self, node: Node, *, rejoin: bool = False, key: bytes | None = None) -> bool:
        """Associate. False where the network isn't open, isn't formed, or the radio is off.

        `key`: link key derived from an install code. A rejoin is always taken from a known node.
        """
        ...

    def leave(self, node: Node, *, silently: bool = False) -> None:
        """The node goes: with a leave announcement, or silently (battery out)."""
        ...

    def send(self, node: Node, frame: Aps, *, link_quality: int = 200, rssi: int = -50) -> bool:
        """A frame from `node` to the coordinator or another node. False if nobody could hear it."""
        ...

    def poll(self, node: Node) -> None:
        """A sleepy node asks its parent for what waits: each frame comes by `Node.receive`."""
        ...

    def time(self) -> float:
        """Real seconds on some clock: only differences mean anything."""
        ...

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call in so many *real* seconds; returns what cancels it."""
        ...
