"""A virtual Zigbee device: what a person does to it (verbs), and what it does on the air by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homenode.sim.zigbee.air import COORDINATOR, Air, Aps
from homenode.sim.zigbee.clusters.cluster import Cluster
from homenode.sim.zigbee.device_endpoints import Endpoints
from homenode.sim.zigbee.device_faults import Misbehaviour
from homenode.sim.zigbee.device_memory import recall, remember
from homenode.sim.zigbee.device_own_time import OwnTime
from homenode.sim.zigbee.device_signals import Signals
from homenode.sim.zigbee.device_sleep import Sleep
from homenode.sim.zigbee.device_spec import DeviceSpec
from homenode.sim.zigbee.zcl import Frame, build
from homenode.sim.zigbee.zdo import Binding, DeviceObject

AWAKE_AFTER_JOIN_S = 60.0
"""How long a sleeper polls fast after joining; sensors stay awake for 30 to 120 s while they are paired."""

OnOutput = Callable[["VirtualDevice", str, bool], None]


class VirtualDevice:
    """One device on the simulated air; implements `Node`.

    Verbs are the owner's words: `join`, `trip`, `press`, `measure`, `unplug` … Time that the device keeps
    by itself (check-ins, reporting intervals) runs `pace` times faster than real time.

    Attributes:
        spec: Its model.
        outputs: State of what it switches, by point kind (``light``, ``switch``, ``lock`` …); a second one
            is ``light_2``.
        on_output: Called as (device, kind, value) when an output moves.
        bindings, groups: Tables that the network wrote.
        addresses: Network addresses of other nodes that it has heard of, by IEEE address.
    """

    def __init__(
        self, spec: DeviceSpec, ieee: int, air: Air, *, pace: float = 1.0, on_output: OnOutput | None = None
    ) -> None:
        self.spec, self.ieee, self.on_output = spec, ieee, on_output
        self._own_time = OwnTime(air, pace)
        self.role, self.sleepy = spec.role, spec.sleepy
        self.network_address = 0xFFFE
        self.link_quality = 200
        self.outputs: dict[str, bool] = {}
        self.bindings: list[Binding] = []
        self.groups: dict[int, set[int]] = {}
        self.addresses: dict[int, int] = {}
        self.faults = Misbehaviour(self)
        self._air = air
        self._on_network, self._powered, self._silent = False, True, False
        self._sequence, self._life = 0, 0
        self._restarted = False
        self._output_names: dict[tuple[str, int], str] = {}
        self._zdo = DeviceObject(self)
        self._sleep = Sleep(self, air)
        self._endpoints = Endpoints(self)
        self.servers, self.clients = self._endpoints.servers, self._endpoints.clients
        self._signals = Signals(self)

    # ---- what a person does -------------------------------------------------------------------------

    def join(self, key: bytes | None = None) -> bool:
        """Press its pairing button: forget the old network and join one that is open. False if none is."""
        self._forget()
        self._powered, self._silent = True, False
        return self._air.join(self, key=key)

    def rejoin(self) -> bool:
        """Come back to the network it knows, as after a long time out of reach."""
        return self.present and self._air.join(self, rejoin=True)

    def leave(self, silently: bool = False) -> None:
        """Leave the network: with an announcement (reset by its button), or silently."""
        self._air.leave(self, silently=silently)
        self._forget()

    def trip(self, on: bool = True, kind: str | None = None) -> None:
        """Open the door, walk past, flood, smoke, lie down: what its sensor senses. Raises Refused."""
        self._signals.trip(on, kind)

    def press(self, kind: str = "single") -> None:
        """Press its button in one of its ways (``single``, ``double``, ``hold`` …). Raises Refused."""
        self._signals.press(kind)

    def measure(self, kind: str, value: float, *, at_once: bool = False) -> None:
        """What its meter reads, in the unit of the point kind; reported as its configuration says.

        Args:
            kind: ``power``, ``temperature`` … or the second one, ``power_2``.
            value: In W, °C, %, lx, V, A, kWh, m³.
            at_once: Report now, whatever the configuration.

        Raises:
            Refused: It measures no such thing.
        """
        self._signals.measure(kind, value, at_once=at_once)

    def tamper(self, on: bool = True) -> None:
        """Open its lid. Raises Refused where nothing notices."""
        self._signals.tamper(on)

    def test(self, on: bool = True) -> None:
        """Press its test button, and let it go. Raises Refused where there is none."""
        self._signals.test(on)

    def battery(self, percent: float) -> None:
        """What is left in its battery. Raises Refused on the mains."""
        self._signals.battery(percent)

    def silence(self) -> None:
        """Out of reach: nothing gets out or in, while it lives on."""
        self._silent = True

    def revive(self) -> None:
        """Within reach again; a sleeper announces itself, as real ones that lost their parent do."""
        self._silent = False
        if self.present and self.sleepy:
            self._air.join(self, rejoin=True)

    def unplug(self) -> None:
        """Take mains or battery away, without a word."""
        self._powered = False
        self._life += 1
        self._sleep.stop()

    def plug_in(self) -> None:
        """Give power back: it starts, rejoins, announces itself and reports what it was told to report."""
        if self._powered:
            return
        self._powered = True
        if self._on_network:
            self._restarted = True
            self._restarted = self._air.join(self, rejoin=True) and self._restarted

    def move(self, link_quality: int) -> None:
        """Carry it elsewhere: from now on it is heard with this link quality (0 to 255)."""
        self.link_quality = max(0, min(255, link_quality))

    def misbehave(self, kind: str, **how: float) -> None:
        """From now on it has a fault of `device_faults.KINDS`; "" makes it well again. Raises Refused."""
        self.faults.start(kind, **how)

    # ---- what can be seen ---------------------------------------------------------------------------

    @property
    def present(self) -> bool:
        """On a network, with power and within reach."""
        return self._on_network and self._powered and not self._silent

    @property
    def on_network(self) -> bool:
        """It believes to be on a network (perhaps without power or out of reach)."""
        return self._on_network

    @property
    def on(self) -> bool | None:
        """Whether its lamp or plug is on; None if it has none."""
        return next((self.outputs[one] for one in ("light", "switch", "valve") if one in self.outputs), None)

    @property
    def locked(self) -> bool | None:
        """Whether its bolt is out; None if it has none."""
        return self.outputs.get("lock")

    @property
    def siren(self) -> bool | None:
        """Whether it sounds; None if it can't."""
        return self.outputs.get("siren")

    @property
    def measures(self) -> tuple[str, ...]:
        """Point kinds that `measure` takes."""
        return self._signals.measures

    def operate(self, kind: str, on: bool) -> None:
        """Move an output by hand: the button on the plug, the key in the lock. Raises Refused."""
        self._signals.operate(kind, on)

    def remember(self) -> dict[str, Any]:
        """What survives a restart of the simulator: plain JSON values."""
        return remember(self)

    def recall(self, state: dict[str, Any]) -> None:
        """Take up what `remember` gave; the network still knows the device, so nothing is announced."""
        recall(self, state)
        self._on_network = bool(state["on_network"])
        if self._on_network:
            self._started()

    # ---- Node: what the air does --------------------------------------------------------------------

    def joined(self, network_address: int) -> None:
        """The network took the device in: announce and stay awake for the interview."""
        self.network_address = network_address
        self._on_network = True
        self._life += 1
        self.announce()
        self._zdo.ask_parent(self.next_sequence())
        restarted, self._restarted = self._restarted, False
        for cluster in self._endpoints.clusters():
            if restarted:
                cluster.powered()
            cluster.resume(report=restarted)
        self._started()
        self._sleep.awake(AWAKE_AFTER_JOIN_S)

    def removed(self) -> None:
        """The coordinator removed the device."""
        self._forget()

    def receive(self, frame: Aps) -> None:
        """A frame for this device; nothing is heard without power, out of reach or off the network."""
        if not self.present or self.faults.deaf(frame):
            return
        if frame.profile == 0x0000 and frame.destination_endpoint == 0:
            self._zdo.receive(frame)
            return
        self._endpoints.receive(frame)

    # ---- what clusters and the device object use ----------------------------------------------------

    def after(self, seconds: float, call: Callable[[], None], *, real: bool = False) -> Callable[[], None]:
        """Call in so many seconds of the device's own time, unless it has left or lost power by then."""
        life = self._life

        def due() -> None:
            if life == self._life and self._powered:
                call()

        return self._air.later(seconds, due) if real else self._own_time.later(seconds, due)

    @property
    def pace(self) -> float:
        """How many times as fast as real the device's own time runs."""
        return self._own_time.pace

    @pace.setter
    def pace(self, pace: float) -> None:
        self._own_time.pace = pace

    def next_sequence(self) -> int:
        """A transaction number."""
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    def announce(self) -> None:
        """Broadcast device_annce."""
        self._zdo.announce(self.next_sequence())

    def notify(
        self, cluster: Cluster, payload: bytes, *, command: int, general: bool = False, manufacturer: int = 0
    ) -> None:
        """Send to all that are bound to the cluster; unbound, only a device that does so by itself."""
        data = self._unasked(cluster, payload, command, general, manufacturer)
        bound = False
        for row in self.bindings:
            if row.cluster == cluster.id and row.endpoint == cluster.endpoint:
                bound = True
                if row.group is not None:
                    self.send(0xFFFD, cluster.endpoint, 0xFF, cluster.id, data, group=row.group)
                else:
                    address = self.addresses.get(row.ieee, COORDINATOR)
                    self.send(address, cluster.endpoint, row.to_endpoint, cluster.id, data)
        if not bound and self.spec.reports_unbound:
            self.send(COORDINATOR, cluster.endpoint, 1, cluster.id, data)

    def tell(
        self,
        cluster: Cluster,
        payload: bytes,
        *,
        command: int,
        destination: int = COORDINATOR,
        endpoint: int = 1,
        manufacturer: int = 0,
    ) -> None:
        """Send a command of the cluster to one endpoint."""
        data = self._unasked(cluster, payload, command, False, manufacturer)
        self.send(destination, cluster.endpoint, endpoint, cluster.id, data)

    def send_zdo(self, destination: int, cluster: int, payload: bytes) -> None:
        """Send a frame of the device object."""
        self._put(Aps(self.network_address, destination, 0, cluster, 0, 0, payload, None, False))

    def send_raw(self, frame: Aps) -> None:
        """Put a frame on the air as it is, past every fault; for `device_faults`."""
        if self.present:
            rssi = -95 + self.link_quality * 60 // 255
            self._air.send(self, frame, link_quality=self.link_quality, rssi=rssi)

    def told_to_leave(self, *, rejoin: bool) -> None:
        """A leave request over the air."""
        if rejoin:
            self._air.join(self, rejoin=True)
        else:
            self._air.leave(self, silently=False)
            self._forget()

    def has_output(self, kind: str, endpoint: int, value: bool) -> None:
        """A cluster says, while the device is built, that it moves an output."""
        count = sum(1 for known, _ in self._output_names if known == kind)
        name = kind if count == 0 else f"{kind}_{count + 1}"
        self._output_names[kind, endpoint] = name
        self.outputs[name] = value

    def output_name(self, kind: str, cluster: Cluster) -> str:
        """The point kind of an output: ``light``, or ``light_2`` for the second."""
        return self._output_names.get((kind, cluster.endpoint), "")

    def output(self, kind: str, endpoint: int, value: bool) -> None:
        """An output moved."""
        name = self._output_names[kind, endpoint]
        if self.outputs[name] != value:
            self.outputs[name] = value
            if self.on_output is not None:
                self.on_output(self, name, value)

    def fast_poll(self, seconds: float) -> None:
        """Poll often for so long (sleepy devices); 0 ends it."""
        if seconds:
            self._sleep.awake(seconds)
        else:
            self._sleep.asleep()

    def long_poll(self, seconds: float) -> None:
        """A new pause between polls of a sleeper."""
        self._sleep.long_poll_s = seconds

    @property
    def jammed(self) -> bool:
        """Whether its bolt is stuck."""
        return self.faults.kind == "jammed"

    # ---- inside -------------------------------------------------------------------------------------

    def _started(self) -> None:
        self._sleep.start()
        self._signals.start()

    def _forget(self) -> None:
        """Factory state, as far as the network wrote it."""
        self._on_network = False
        self._life += 1
        self._sleep.stop()
        self.bindings.clear()
        self.groups.clear()
        self.addresses.clear()
        for cluster in self._endpoints.clusters():
            cluster.forget()

    def _unasked(
        self, cluster: Cluster, payload: bytes, command: int, general: bool, manufacturer: int
    ) -> bytes:
        if general and not manufacturer:  # the hot path: a report is four header bytes and a record
            control = 0x10 if cluster.client else 0x18
            return bytes((control, self.next_sequence(), command)) + payload
        to_client, sequence = not cluster.client, self.next_sequence()
        return build(Frame(not general, manufacturer, to_client, general, sequence, command, payload))

    def send(
        self,
        destination: int,
        endpoint: int,
        to_endpoint: int,
        cluster: int,
        data: bytes,
        group: int | None = None,
    ) -> None:
        """Send a ZCL frame from one of the endpoints."""
        me, profile, ack = self.network_address, self._endpoints.profile(endpoint), group is None
        self._put(Aps(me, destination, profile, cluster, endpoint, to_endpoint, data, group, ack))
        self._sleep.sent()

    def _put(self, frame: Aps) -> None:
        if self.faults.kind:
            for one in self.faults.outgoing(frame):
                self.send_raw(one)
        else:
            self.send_raw(frame)
