"""The radio: who is on the air, who may join, what waits for whom, and how frames get to the host and back.

Implements `Air` for the devices and `Radio` for the stick's firmware. Numbers: Zigbee R22, and the defaults
of EmberZNet where it leaves them open.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from homenode.sim.zigbee import coordinator_self
from homenode.sim.zigbee.air import COORDINATOR, Aps, Node, Role
from homenode.sim.zigbee.coordinator_orders import Orders
from homenode.sim.zigbee.coordinator_self import RESPONSE, ZDO_PROFILE, Self
from homenode.sim.zigbee.coordinator_station import (
    Credentials,
    Neighbour,
    Station,
    credentials,
    neighbour,
)
from homenode.sim.zigbee.coordinator_stick import Stick
from homenode.sim.zigbee.coordinator_trust import JoinWindow, TrustCentre
from homenode.sim.zigbee.ezsp import Status
from homenode.sim.zigbee.ezsp_messages import Incoming, Message, Option, Outgoing, incoming
from homenode.sim.zigbee.network import Member

APS_ATTEMPTS = 3
"""How often an unacknowledged APS frame is sent before it counts as failed (apscMaxFrameRetries)."""
NO_ROUTE_S = 0.3
"""How long it takes a radio to find that nobody answers, where no APS acknowledgement was wanted."""
SCAN_S = 0.05
"""How long a simulated scan takes; a real one up to 4 s, for which no host waits differently."""

_TO_ALL, _TO_AWAKE = 0xFFFF, 0xFFFD
_FIRST_BROADCAST = 0xFFF8
_APP_RECEIVES_ZDO = 0x0001
_CONFIG_ZDO, _CONFIG_INDIRECT, _CONFIG_APS_ACK = 0x2A, 0x12, 0x1F


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
        self._window: JoinWindow
        self._orders: Orders
        self._trust: TrustCentre
        self._stations: dict[int, Station] = {}
        self._elsewhere: dict[int, tuple[Station, Credentials]] = {}
        self._by_address: dict[int, Station] = {}
        self._loop: asyncio.AbstractEventLoop

    def attach(self, stick: Stick) -> None:
        """The firmware that runs this radio; called once, inside the event loop."""
        self._stick, self._loop = stick, asyncio.get_running_loop()
        self._window = JoinWindow(stick, lambda: self.listening)
        self._orders = Orders(stick, self._window, lambda: self.listening)
        self._trust = TrustCentre(stick, lambda: self._window.parents(self._stations), self.dice)

    @property
    def listening(self) -> bool:
        """Whether frames to the coordinator are heard at all."""
        return self.powered and not self.deaf and self._stick.ram.network_up

    @property
    def permitting(self) -> bool:
        """Whether the coordinator itself lets devices join."""
        return self._window.open

    @property
    def neighbours(self) -> list[Neighbour]:
        """All devices of the network, in the order they joined."""
        now = self._loop.time()
        members = self._stick.network.members.values()
        return [neighbour(member, self._stations.get(member.ieee), now) for member in members]

    # --- Air: what devices do -------------------------------------------------------------------------

    def join(self, node: Node, *, rejoin: bool = False, key: bytes | None = None) -> bool:
        """See `Air.join`."""
        if not self.listening:
            return False
        member = self._trust.readmit(node) if rejoin else self._trust.admit(node, key)
        if member is None:
            return False
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
            station.drop()
        if not silently and self.listening:
            self._trust.left(node.ieee)

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
        self._stick.count("MAC_RX_UNICAST")
        station.polled()

    def time(self) -> float:
        """See `Air.time`."""
        return self._loop.time()

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

    def _place(self, node: Node, member: Member) -> None:
        self._elsewhere.pop(node.ieee, None)
        member.role, member.sleepy = int(node.role), node.sleepy
        old = self._stations.pop(node.ieee, None)
        if old:
            old.drop()
            self._by_address.pop(old.member.network_address, None)
        node.network_address = member.network_address
        self._stations[node.ieee] = self._by_address[member.network_address] = Station(node, member)

    # --- from the air to the host ---------------------------------------------------------------------

    def _heard(self, station: Station, frame: Aps) -> None:
        """A frame has reached the coordinator's antenna."""
        if self.lose or self.lose_share:
            if self.lose:
                self.lose -= 1
                return
            if self.dice.random() < self.lose_share:
                return
        station.sequence = station.sequence + 1 & 0xFF
        self._stick.count("MAC_RX_UNICAST")
        self._to_application(station, frame)
        if self.repeat or self.repeat_share:
            if self.repeat:
                self.repeat -= 1
            elif self.dice.random() >= self.repeat_share:
                return
            self._to_application(station, frame)

    def _to_application(self, station: Station, frame: Aps) -> None:
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

    def _ask_self(self, station: Station, frame: Aps, kind: int) -> bool:
        """The stack answers a ZDO request; whether the host is to see the request too."""
        said = coordinator_self.answer(
            self._self(), frame.cluster, frame.payload, broadcast=kind is not Incoming.UNICAST
        )
        if said is None:
            return frame.cluster >= RESPONSE or frame.cluster == coordinator_self.DEVICE_ANNOUNCE
        self._orders.obey(frame.cluster, frame.payload)
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

    def _tell_route(self, station: Station) -> None:
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
        mine = credentials(self._stick.network)
        for ieee, (station, theirs) in list(self._elsewhere.items()):
            if theirs.network == mine.network and theirs.counter < mine.counter:
                del self._elsewhere[ieee]
                self._stick.network.members[ieee] = station.member
                self._place(station.node, station.member)
        for station in self._stations.values():
            station.route_told = False

    def down(self) -> None:
        """It doesn't any more; devices are still there and can't know."""
        self._window.shut()
        for station in self._stations.values():
            station.drop()

    def forget_all(self) -> None:
        """The stick has another network or none; devices don't know that, and stay in theirs."""
        theirs = credentials(self._stick.network)
        self._elsewhere.update((ieee, (station, theirs)) for ieee, station in self._stations.items())
        self._stations.clear()
        self._by_address.clear()
        self._trust.forget_all()

    def permit(self, seconds: int) -> None:
        """Let devices join for so long; 0 closes, 255 is for ever."""
        self._window.permit(seconds)

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
                self._trust.left(ieee)

        if station.node.sleepy:
            station.keep(go, self._held_s())
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
                    self._orders.overhear(frame, self._stations.values())
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
                self._orders.open_router(station, message.payload)
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
            self._orders.obey(cluster, payload)
            payload, cluster = said, cluster | RESPONSE
        stick.hand_packed(
            incoming(
                stick.dialect.new, stick.ram.sequence, Incoming.UNICAST, COORDINATOR, stick.network.ieee,
                frame.profile, cluster, frame.destination_endpoint, frame.source_endpoint, 0,
                stick.next_aps_sequence(), False, 255, 0, int(self._loop.time() * 1e6), payload,
            )
        )  # fmt: skip

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

    def _held_s(self) -> float:
        """How long a parent keeps a frame for a sleeper (7.68 s, unless the host has set another)."""
        return self._stick.ram.config[_CONFIG_INDIRECT] / 1000

    def _hand_over(self, station: Station, frame: Aps, done: Callable[[bool], None]) -> None:
        def deliver(reached: bool) -> None:
            done(reached)
            if reached:
                station.node.receive(frame)

        if station.node.sleepy:
            station.keep(deliver, self._held_s())
        else:
            self._loop.call_soon(deliver, True)
