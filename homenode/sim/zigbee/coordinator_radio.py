"""The radio: who is on the air, who may join, what waits for whom, and how frames get to the host and back.

Implements `Air` for the devices and `Radio` for the stick's firmware. Numbers: Zigbee R22, and the defaults
of EmberZNet where it leaves them open.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from homenode.sim.zigbee import coordinator_self
from homenode.sim.zigbee.air import COORDINATOR, Aps, Node, Role
from homenode.sim.zigbee.coordinator_self import RESPONSE, ZDO_PROFILE, Self
from homenode.sim.zigbee.coordinator_stick import Stick
from homenode.sim.zigbee.ezsp import Status
from homenode.sim.zigbee.ezsp_keys import ANYBODY, WELL_KNOWN_KEY
from homenode.sim.zigbee.ezsp_messages import Incoming, Message, Option, Outgoing, incoming
from homenode.sim.zigbee.network import Member

ALLOW_JOINS, INSTALL_CODES, KEY_IN_CLEAR = 0x01, 0x10, 0x04
"""Bits of the trust centre policy (EzspDecisionBitmask)."""

_SECURED_REJOIN, _UNSECURED_JOIN, _LEFT = 0, 1, 2
_USE_PRECONFIGURED, _IN_THE_CLEAR, _DENY, _NO_ACTION = 0, 1, 2, 3

APS_ATTEMPTS = 3
"""How often an unacknowledged APS frame is sent before it counts as failed (apscMaxFrameRetries)."""
NO_ROUTE_S = 0.3
"""How long it takes a radio to find that nobody answers, where no APS acknowledgement was wanted."""
SCAN_S = 0.05
"""How long a simulated scan takes; a real one up to 4 s, for which no host waits differently."""
CHANNEL_CHANGE_S = 1.0
"""From the broadcast of a new channel until the coordinator changes; real: 9 s, the broadcast timeout."""

_TO_ALL, _TO_AWAKE = 0xFFFF, 0xFFFD
_FIRST_BROADCAST = 0xFFF8
_APP_RECEIVES_ZDO = 0x0001
_CONFIG_ZDO, _CONFIG_INDIRECT, _CONFIG_APS_ACK = 0x2A, 0x12, 0x1F


@dataclass(slots=True)
class _Waiting:
    """Something for a sleeping device; `deliver` is told whether it polled in time."""

    deliver: Callable[[bool], None]
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Station:
    """A device that is on the air now."""

    node: Node
    member: Member
    link_quality: int = 200
    rssi: int = -50
    heard_at: float = 0.0
    sequence: int = 0
    route_told: bool = False
    queue: deque[_Waiting] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A device of the network, for whoever wants to look at it.

    Attributes:
        on_air: Whether it is powered now.
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


class CoordinatorRadio:
    """See the module.

    Attributes:
        powered: False while the stick is unplugged.
        deaf: Fault: hears nothing, sends nothing, although the firmware answers.
        lose, repeat: Fault: how many of the next frames off the air get lost, or come twice.
        lose_share, repeat_share: The same as a share, 0 to 1.
    """

    def __init__(self) -> None:
        self.powered = False
        self.deaf = False
        self.lose = self.repeat = 0
        self.lose_share = self.repeat_share = 0.0
        self.dice = random.Random(0x5A5A)
        self._stick: Stick
        self._stations: dict[int, _Station] = {}
        self._by_address: dict[int, _Station] = {}
        self._departed: dict[int, Member] = {}  # they still have the network key and may come back with it
        self._routers_open: dict[int, float] = {}
        self._closing: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    def attach(self, stick: Stick) -> None:
        """The firmware that runs this radio; called once, inside the event loop."""
        self._stick, self._loop = stick, asyncio.get_running_loop()

    @property
    def listening(self) -> bool:
        """Whether frames to the coordinator are heard at all."""
        return self.powered and not self.deaf and self._stick.ram.network_up

    @property
    def permitting(self) -> bool:
        """Whether the coordinator itself lets devices join."""
        return self.listening and self._loop.time() < self._stick.ram.permit_until

    @property
    def neighbours(self) -> list[Neighbour]:
        """All devices of the network, in the order they joined."""
        now, out = self._loop.time(), []
        for member in self._stick.network.members.values():
            at = self._stations.get(member.ieee)
            out.append(
                Neighbour(
                    member.ieee,
                    member.network_address,
                    Role(member.role),
                    member.sleepy,
                    member.parent,
                    at is not None,
                    at.link_quality if at else 0,
                    at.rssi if at else 0,
                    now - at.heard_at if at and at.heard_at else None,
                    len(at.queue) if at else 0,
                )
            )
        return out

    # --- Air: what devices do -------------------------------------------------------------------------

    def join(self, node: Node, *, rejoin: bool = False, key: bytes | None = None) -> bool:
        """See `Air.join`."""
        if not self.listening:
            return False
        if rejoin:
            members = self._stick.network.members
            member = members.get(node.ieee) or self._departed.pop(node.ieee, None)
            if member is None:
                return False
            members[node.ieee] = member
            self._tell_join(member, _SECURED_REJOIN, _NO_ACTION)
        else:
            found = self._admit(node, key)
            if found is None:
                return False
            member = found
        self._place(node, member)
        self._stick.store()
        self._loop.call_soon(node.joined, member.network_address)
        return True

    def restore(self, node: Node) -> bool:
        """A member of the stored network is on the air as before, without any traffic. False if unknown."""
        member = self._stick.network.members.get(node.ieee)
        if member is not None:
            self._place(node, member)
        return member is not None

    def leave(self, node: Node, *, silently: bool = False) -> None:
        """See `Air.leave`."""
        station = self._stations.pop(node.ieee, None)
        if station is not None:
            self._by_address.pop(station.member.network_address, None)
            self._drop_queue(station)
        if not silently and self.listening:
            self._forget(node.ieee)

    def send(self, node: Node, frame: Aps, *, link_quality: int = 200, rssi: int = -50) -> bool:
        """See `Air.send`."""
        station = self._stations.get(node.ieee)
        if station is None:
            return False
        station.link_quality, station.rssi = link_quality, rssi
        destination = frame.destination
        if destination == COORDINATOR and frame.group is None:
            if not self.listening:
                return False
            station.heard_at = self._loop.time()
            self._heard(station, frame)
            return True
        if frame.group is not None or destination >= _FIRST_BROADCAST:
            others = self._spread(frame, but=node)
            if self.listening:
                station.heard_at = self._loop.time()
                self._heard(station, frame)
            return others or self.listening
        other = self._by_address.get(destination)
        if other is None:
            return False
        self._hand_over(other, frame, lambda ok: None)
        return True

    def poll(self, node: Node) -> None:
        """See `Air.poll`."""
        station = self._stations.get(node.ieee)
        if station is None or not self.listening:
            return
        station.heard_at = self._loop.time()
        while station.queue:
            waiting = station.queue.popleft()
            if waiting.timer:
                waiting.timer.cancel()
            waiting.deliver(True)

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """See `Air.later`."""
        return self._loop.call_later(seconds, call).cancel

    def move(self, ieee: int, parent: int | None) -> None:
        """A device now hangs under another router (None: directly under the coordinator)."""
        member = self._stick.network.members[ieee]
        member.parent = parent
        if ieee in self._stations:
            self._stations[ieee].route_told = False
        self._stick.store()

    # --- joining --------------------------------------------------------------------------------------

    def _admit(self, node: Node, key: bytes | None) -> Member | None:
        """The trust centre's decision about a new device."""
        parent = self._open_parent()
        if parent is _CLOSED:
            return None
        stick = self._stick
        stick.count("JOIN")
        old = stick.network.members.pop(node.ieee, None)
        if old is not None:
            self._by_address.pop(old.network_address, None)
        taken = {m.network_address for m in stick.network.members.values()}
        address = next(a for a in iter(lambda: self.dice.randrange(1, 0xFFF0), None) if a not in taken)
        member = Member(node.ieee, address, int(node.role), node.sleepy, parent)
        decision = self._decide(node.ieee, key)
        self._tell_join(member, _UNSECURED_JOIN, decision)
        if decision == _DENY:
            return None
        stick.network.members[node.ieee] = member
        return member

    def _open_parent(self) -> int | None:
        """IEEE address of a router that is open, None for the coordinator, `_CLOSED` if nobody is."""
        if self.permitting:
            return None
        now = self._loop.time()
        for ieee, until in self._routers_open.items():
            if now < until and ieee in self._stations:
                return ieee
        return _CLOSED

    def _decide(self, ieee: int, key: bytes | None) -> int:
        ram = self._stick.ram
        policy = ram.policies[0]
        if not policy & ALLOW_JOINS:
            return _DENY
        if policy & KEY_IN_CLEAR:
            return _IN_THE_CLEAR
        own = ram.transient_keys.get(ieee)
        if own is None and policy & INSTALL_CODES:
            return _DENY
        expected = own or ram.transient_keys.get(ANYBODY)
        return _USE_PRECONFIGURED if expected == (key or WELL_KNOWN_KEY) else _DENY

    def _tell_join(self, member: Member, how: int, decision: int) -> None:
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

    def _place(self, node: Node, member: Member) -> None:
        member.role, member.sleepy = int(node.role), node.sleepy
        old = self._stations.pop(node.ieee, None)
        if old:
            self._drop_queue(old)
        node.network_address = member.network_address
        self._stations[node.ieee] = self._by_address[member.network_address] = _Station(node, member)

    def _forget(self, ieee: int) -> None:
        """A device has left: the trust centre hears of it, and its entry goes."""
        member = self._stick.network.members.pop(ieee, None)
        if member is None:
            return
        self._departed[ieee] = member
        self._stick.count("CHILD_REMOVED", member.parent is None)
        self._tell_join(member, _LEFT, _NO_ACTION)
        self._stick.store()

    # --- from the air to the host ---------------------------------------------------------------------

    def _heard(self, station: _Station, frame: Aps) -> None:
        """A frame has reached the coordinator's antenna."""
        if self.lose or self.lose_share:
            if self.lose:
                self.lose -= 1
                return
            if self.dice.random() < self.lose_share:
                return
        station.sequence = station.sequence + 1 & 0xFF
        self._to_application(station, frame)
        if self.repeat or self.repeat_share:
            if self.repeat:
                self.repeat -= 1
            elif self.dice.random() >= self.repeat_share:
                return
            self._to_application(station, frame)

    def _to_application(self, station: _Station, frame: Aps) -> None:
        stick, ram = self._stick, self._stick.ram
        kind = Incoming.UNICAST
        if frame.group is not None:
            if not coordinator_self.groups_of(
                ((int(e.multicastId), int(e.endpoint)) for e in ram.groups.values()), frame.group
            ):
                return
            kind = Incoming.MULTICAST
        elif frame.destination >= _FIRST_BROADCAST:
            kind = Incoming.BROADCAST
        if kind is Incoming.UNICAST:
            ram.counters[8] += 1
        else:
            ram.counters[6] += 1
        if (
            frame.profile == ZDO_PROFILE
            and frame.destination_endpoint == 0
            and not self._ask_self(station, frame, kind)
        ):
            return
        if station.member.parent is not None and ram.concentrator and not station.route_told:
            self._tell_route(station)
        stick.hand_packed(
            incoming(
                stick.dialect.new, ram.sequence, kind, station.member.network_address, station.member.ieee,
                frame.profile, frame.cluster, frame.source_endpoint, frame.destination_endpoint,
                frame.group or 0, station.sequence, frame.ack and kind is Incoming.UNICAST,
                station.link_quality, station.rssi, int(self._loop.time() * 1e6), frame.payload,
            )
        )  # fmt: skip

    def _ask_self(self, station: _Station, frame: Aps, kind: int) -> bool:
        """The stack answers a ZDO request; whether the host is to see the request too."""
        said = coordinator_self.answer(
            self._self(), frame.cluster, frame.payload, broadcast=kind is not Incoming.UNICAST
        )
        if said is None:
            return frame.cluster >= RESPONSE or frame.cluster == coordinator_self.DEVICE_ANNOUNCE
        self._obey(frame.cluster, frame.payload)
        self._hand_over(
            station,
            Aps(COORDINATOR, frame.source, ZDO_PROFILE, frame.cluster | RESPONSE, 0, 0, said),
            lambda ok: None,
        )
        return bool(self._stick.ram.config[_CONFIG_ZDO] & _APP_RECEIVES_ZDO)

    def _self(self) -> Self:
        stick = self._stick
        heard = tuple((s.member, s.link_quality) for s in self._stations.values() if s.member.parent is None)
        return Self(stick.network, stick.ram.manufacturer, stick.ram.endpoints, heard, self.permitting)

    def _tell_route(self, station: _Station) -> None:
        """Many-to-one routing: the path a frame took, before the first frame that took it."""
        station.route_told = True
        relays: list[int] = []
        hop = station.member.parent
        while hop is not None and len(relays) < 15:
            member = self._stick.network.members.get(hop)
            if member is None:
                break
            relays.append(member.network_address)
            hop = member.parent
        self._stick.callback(
            "incomingRouteRecordHandler",
            source=station.member.network_address,
            sourceEui=station.member.ieee,
            lastHopLqi=station.link_quality,
            lastHopRssi=station.rssi,
            relayList=relays,
        )

    # --- Radio: what the firmware asks for ------------------------------------------------------------

    def up(self) -> None:
        """The network runs."""
        for station in self._stations.values():
            station.route_told = False

    def down(self) -> None:
        """It doesn't any more; devices are still there and can't know."""
        self._routers_open.clear()
        if self._closing:
            self._closing.cancel()
            self._closing = None
        for station in self._stations.values():
            self._drop_queue(station)

    def forget_all(self) -> None:
        """The network was left for good: nobody is a member any more."""
        self._stations.clear()
        self._by_address.clear()
        self._departed.clear()

    def permit(self, seconds: int) -> None:
        """Let devices join for so long; 0 closes, 255 is for ever."""
        if self._closing:
            self._closing.cancel()
            self._closing = None
        if seconds == 0:
            was_open = self.permitting
            self._stick.ram.permit_until = 0.0
            if was_open:
                self._stick.status(Status.ZIGBEE_NETWORK_CLOSED)
            return
        forever = seconds == 255
        self._stick.ram.permit_until = float("inf") if forever else self._loop.time() + seconds
        self._stick.status(Status.ZIGBEE_NETWORK_OPENED)
        if not forever:
            self._closing = self._loop.call_later(seconds, self._closed)

    def _closed(self) -> None:
        self._closing = None
        self._stick.ram.permit_until = 0.0
        self._stick.status(Status.ZIGBEE_NETWORK_CLOSED)

    def remove(self, ieee: int) -> None:
        """Tell a device to leave, through its parent."""
        station = self._stations.get(ieee)
        if station is None:
            return

        def go(reached: bool) -> None:
            if reached:
                self._stations.pop(ieee, None)
                self._by_address.pop(station.member.network_address, None)
                station.node.removed()
                self._forget(ieee)

        if station.node.sleepy:
            self._queue(station, go)
        else:
            self._loop.call_soon(go, True)

    def scan(self, channels: list[int], energy: bool, duration: int) -> None:
        """Scan a quiet world: low energy everywhere and no other network."""

        def done() -> None:
            if energy:
                for channel in channels:
                    self._stick.callback(
                        "energyScanResultHandler", channel=channel, maxRssiValue=-92 + channel % 7
                    )
            self._stick.callback("scanCompleteHandler", channel=channels[-1], status=Status.OK)

        self._loop.call_later(SCAN_S, done)

    def link_quality(self, ieee: int) -> int:
        """LQI at which a device was last heard."""
        station = self._stations.get(ieee)
        return station.link_quality if station else 0

    def transmit(self, message: Message, aps_sequence: int) -> None:
        """Send a message of the host; `Stick.delivered` says what became of it."""

        def done(ok: bool) -> None:
            self._stick.delivered(message, aps_sequence, ok)

        group = message.group if message.kind == Outgoing.MULTICAST else None
        target = self._resolve(message)
        frame = Aps(
            COORDINATOR, target, message.profile, message.cluster, message.source_endpoint,
            message.destination_endpoint, message.payload, group, bool(message.options & Option.RETRY),
        )  # fmt: skip
        if group is not None or message.kind == Outgoing.BROADCAST:
            self._stick.ram.counters[7] += 1
            if self.listening:
                if message.profile == ZDO_PROFILE:
                    self._overhear(frame)
                self._spread(frame, but=None)
            self._loop.call_soon(done, True)
        elif target == COORDINATOR:
            self._loop.call_soon(self._loop_back, frame, done)
        else:
            station = self._by_address.get(target)
            if station is None or not self.listening or not (station.node.present or station.node.sleepy):
                attempts = APS_ATTEMPTS if frame.ack else 0
                fails_s = self._stick.ram.config[_CONFIG_APS_ACK] / 1000 * attempts or NO_ROUTE_S
                self._loop.call_later(fails_s, done, False)
                return
            if message.profile == ZDO_PROFILE and message.cluster == coordinator_self.MGMT_PERMIT:
                self._router_opens(station, message.payload)
            self._hand_over(station, frame, done)

    def _resolve(self, message: Message) -> int:
        if message.kind == Outgoing.ADDRESS_TABLE:
            return self._stick.ram.addresses[message.target][1]
        if message.kind == Outgoing.BINDING:
            ieee = int.from_bytes(self._stick.ram.bindings[message.target].identifier.serialize(), "little")
            member = self._stick.network.members.get(ieee)
            return member.network_address if member else 0xFFFE
        return message.target

    def _loop_back(self, frame: Aps, done: Callable[[bool], None]) -> None:
        """The host has written to its own stick: ZDO answers, everything else comes back as it is."""
        stick, payload, cluster = self._stick, frame.payload, frame.cluster
        done(True)
        if frame.profile == ZDO_PROFILE and frame.destination_endpoint == 0:
            said = coordinator_self.answer(self._self(), cluster, payload, broadcast=False)
            if said is None:
                return
            self._obey(cluster, payload)
            payload, cluster = said, cluster | RESPONSE
        stick.hand_packed(
            incoming(
                stick.dialect.new, stick.ram.sequence, Incoming.UNICAST, COORDINATOR, stick.network.ieee,
                frame.profile, cluster, frame.destination_endpoint, frame.source_endpoint, 0,
                stick.next_aps_sequence(), False, 255, 0, int(self._loop.time() * 1e6), payload,
            )
        )  # fmt: skip

    def _obey(self, cluster: int, payload: bytes) -> None:
        """Do what a ZDO request asks of the coordinator itself."""
        if cluster == coordinator_self.MGMT_PERMIT and len(payload) > 1:
            self.permit(payload[1])

    def _overhear(self, frame: Aps) -> None:
        """A ZDO broadcast of the host concerns routers, and sometimes the stick itself."""
        payload = frame.payload
        if frame.cluster == coordinator_self.MGMT_PERMIT:
            for station in self._stations.values():
                if station.member.role == Role.ROUTER:
                    self._router_opens(station, payload)
        elif frame.cluster == coordinator_self.MGMT_UPDATE and len(payload) >= 7 and payload[5] == 0xFE:
            mask = int.from_bytes(payload[1:5], "little")
            self._loop.call_later(CHANNEL_CHANGE_S, self._change_channel, mask.bit_length() - 1, payload[6])

    def _change_channel(self, channel: int, update_id: int) -> None:
        if self.listening and 11 <= channel <= 26:
            self._stick.network.channel, self._stick.network.update_id = channel, update_id
            self._stick.store()
            self._stick.status(Status.ZIGBEE_CHANNEL_CHANGED)

    def _router_opens(self, station: _Station, payload: bytes) -> None:
        if station.member.role == Role.ROUTER and len(payload) > 1:
            self._routers_open[station.member.ieee] = self._loop.time() + payload[1]

    # --- from here to the devices ---------------------------------------------------------------------

    def _spread(self, frame: Aps, *, but: Node | None) -> bool:
        """A broadcast or groupcast to everybody it is for; whether that is anybody."""
        anybody = False
        for station in list(self._stations.values()):
            node = station.node
            if node is but or (node.sleepy and frame.destination != _TO_ALL):
                continue
            if frame.group is None and frame.destination < _TO_AWAKE and node.role == Role.END_DEVICE:
                continue
            anybody = True
            self._hand_over(station, frame, lambda ok: None)
        return anybody

    def _hand_over(self, station: _Station, frame: Aps, done: Callable[[bool], None]) -> None:
        def deliver(reached: bool) -> None:
            done(reached)
            if reached:
                station.node.receive(frame)

        if station.node.sleepy:
            self._queue(station, deliver)
        else:
            self._loop.call_soon(deliver, True)

    def _queue(self, station: _Station, deliver: Callable[[bool], None]) -> None:
        """Keep it until the device polls, at most as long as the configuration says (7.68 s)."""
        waiting = _Waiting(deliver)
        held_s = self._stick.ram.config[_CONFIG_INDIRECT] / 1000

        def too_late() -> None:
            station.queue.remove(waiting)
            deliver(False)

        waiting.timer = self._loop.call_later(held_s, too_late)
        station.queue.append(waiting)

    def _drop_queue(self, station: _Station) -> None:
        while station.queue:
            waiting = station.queue.popleft()
            if waiting.timer:
                waiting.timer.cancel()


_CLOSED = -1
