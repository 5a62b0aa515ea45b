"""The trust centre: who may join, by which key, through whom, and what the host is told of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Container, Iterable, Iterator

from homenode.sim.zigbee.air import COORDINATOR, Node
from homenode.sim.zigbee.coordinator_stick import Stick
from homenode.sim.zigbee.ezsp import Status
from homenode.sim.zigbee.ezsp_keys import ANYBODY, WELL_KNOWN_KEY
from homenode.sim.zigbee.network import Member

ALLOW_JOINS, KEY_IN_CLEAR, INSTALL_CODES = 0x01, 0x04, 0x10
"""Bits of the trust centre policy (EzspDecisionBitmask)."""

_SECURED_REJOIN, _UNSECURED_JOIN, _LEFT = 0, 1, 2
_USE_PRECONFIGURED, _IN_THE_CLEAR, _DENY, _NO_ACTION = 0, 1, 2, 3
_TRUST_CENTRE_POLICY = 0


class JoinWindow:
    """How long the network is open, at the coordinator and at each router.

    Args:
        listening: Whether the coordinator hears anything at all.
    """

    def __init__(self, stick: Stick, listening: Callable[[], bool]) -> None:
        self._stick, self._listening = stick, listening
        self._loop = asyncio.get_running_loop()
        self._routers: dict[int, float] = {}
        self._closing: asyncio.TimerHandle | None = None

    @property
    def open(self) -> bool:
        """Whether the coordinator itself lets devices join."""
        return self._listening() and self._loop.time() < self._stick.ram.permit_until

    def parents(self, on_air: Container[int]) -> Iterator[int | None]:
        """Who would take in a new device: None for the coordinator, else IEEE addresses of routers."""
        if self.open:
            yield None
        now = self._loop.time()
        yield from (ieee for ieee, until in self._routers.items() if now < until and ieee in on_air)

    def router_opens(self, ieee: int, seconds: int) -> None:
        """A router was told to be open for so long."""
        self._routers[ieee] = self._loop.time() + seconds

    def permit(self, seconds: int) -> None:
        """The coordinator opens for so long; 0 closes it, 255 is for ever. The host hears of it."""
        was_open = self.open
        self._stop_timer()
        forever = seconds == 255
        self._stick.ram.permit_until = float("inf") if forever else self._loop.time() + seconds
        if seconds:
            self._stick.status(Status.ZIGBEE_NETWORK_OPENED)
        elif was_open:
            self._stick.status(Status.ZIGBEE_NETWORK_CLOSED)
        if seconds and not forever:
            self._closing = self._loop.call_later(seconds, self._closed)

    def shut(self) -> None:
        """The network is down: nobody is open, and nobody is told."""
        self._routers.clear()
        self._stop_timer()

    def _closed(self) -> None:
        self._closing = None
        self._stick.ram.permit_until = 0.0
        self._stick.status(Status.ZIGBEE_NETWORK_CLOSED)

    def _stop_timer(self) -> None:
        if self._closing:
            self._closing.cancel()
            self._closing = None


class TrustCentre:
    """See the module.

    Args:
        open_parents: IEEE addresses of the routers that are open; None among them is the coordinator.
    """

    def __init__(
        self, stick: Stick, open_parents: Callable[[], Iterable[int | None]], dice: random.Random
    ) -> None:
        self._stick, self._open_parents, self._dice = stick, open_parents, dice
        self._departed: dict[int, Member] = {}  # they still have the network key and may come back with it

    def admit(self, node: Node, key: bytes | None) -> Member | None:
        """A new device asks; None if nobody is open or it is denied (of which the host hears)."""
        for parent in self._open_parents():
            return self._admitted(node, key, parent)
        return None

    def _admitted(self, node: Node, key: bytes | None, parent: int | None) -> Member | None:
        stick = self._stick
        members = stick.network.members
        stick.count("JOIN")
        taken = {m.network_address for m in (*members.values(), *self._departed.values())}
        address = next(a for a in iter(lambda: self._dice.randrange(1, 0xFFF0), 0) if a not in taken)
        member = Member(node.ieee, address, int(node.role), node.sleepy, parent)
        decision = self._decide(node.ieee)
        self._tell(member, _UNSECURED_JOIN, decision)
        if decision == _DENY or (decision == _USE_PRECONFIGURED and not self._knows(node.ieee, key)):
            return None
        self._departed.pop(node.ieee, None)
        members[node.ieee] = member
        return member

    def readmit(self, node: Node) -> Member | None:
        """A device comes back with the network key; None if it never had it."""
        members = self._stick.network.members
        member = members.get(node.ieee) or self._departed.pop(node.ieee, None)
        if member is not None:
            members[node.ieee] = member
            self._tell(member, _SECURED_REJOIN, _NO_ACTION)
        return member

    def left(self, ieee: int) -> None:
        """A device has left: the host hears of it, and its entry goes."""
        member = self._stick.network.members.pop(ieee, None)
        if member is None:
            return
        self._departed[ieee] = member
        self._stick.count("CHILD_REMOVED", member.parent is None)
        self._tell(member, _LEFT, _NO_ACTION)
        self._stick.store()

    def forget_all(self) -> None:
        """Another network, another key: nobody can come back."""
        self._departed.clear()

    def _decide(self, ieee: int) -> int:
        ram = self._stick.ram
        policy = ram.policies[_TRUST_CENTRE_POLICY]
        if not policy & ALLOW_JOINS:
            return _DENY
        if policy & KEY_IN_CLEAR:
            return _IN_THE_CLEAR
        own = ram.transient_keys.get(ieee)
        if own is None and policy & INSTALL_CODES:
            return _DENY
        return _USE_PRECONFIGURED if own or ram.transient_keys.get(ANYBODY) else _DENY

    def _knows(self, ieee: int, key: bytes | None) -> bool:
        """Whether a device can read the network key that it was sent; the stick can't know."""
        keys = self._stick.ram.transient_keys
        return (keys.get(ieee) or keys.get(ANYBODY)) == (key or WELL_KNOWN_KEY)

    def _tell(self, member: Member, how: int, decision: int) -> None:
        stick = self._stick
        parent = stick.network.members.get(member.parent) if member.parent else None
        stick.callback(
            "trustCenterJoinHandler",
            newNodeId=member.network_address,
            newNodeEui64=member.ieee,
            status=how,
            policyDecision=decision,
            parentOfNewNodeId=parent.network_address if parent else COORDINATOR,
        )
