"""The stick's own state between two resets, and how a command of the host finds its handler.

Handlers live in `ezsp_setup`, `ezsp_network`, `ezsp_keys` and `ezsp_tables`, one function per command; each
is given the stick and the command's parameters by name, and returns the answer's by name.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any, Protocol

from bellows import types as t

from homenode.sim.zigbee import ezsp_keys, ezsp_network, ezsp_setup, ezsp_tables
from homenode.sim.zigbee.ezsp import MESH, STACK_RELEASE, BadFrame, Dialect, Handler, Request, Status, parse
from homenode.sim.zigbee.ezsp_messages import (
    LONGEST_PAYLOAD_B,
    SEND_BROADCAST,
    SEND_MULTICAST,
    SEND_UNICAST,
    Message,
    Outgoing,
    requested,
    sent,
)
from homenode.sim.zigbee.network import Network

HANDLERS: dict[str, Handler] = {
    **ezsp_setup.HANDLERS,
    **ezsp_network.HANDLERS,
    **ezsp_keys.HANDLERS,
    **ezsp_tables.HANDLERS,
}


class Faults(Protocol):
    """What may be wrong with the firmware."""

    mute: bool
    exhausted: bool
    unknown: set[str]


class Well:
    """Nothing is."""

    def __init__(self) -> None:
        self.mute = self.exhausted = False
        self.unknown: set[str] = set()


class Radio(Protocol):
    """What the stick's firmware asks of its radio."""

    @property
    def permitting(self) -> bool:
        """Whether devices may join."""
        ...

    def transmit(self, message: Message, aps_sequence: int) -> None:
        """Send; `Stick.delivered` says later what became of it."""
        ...

    def permit(self, seconds: int) -> None:
        """Let devices join; 0 closes, 255 is for ever."""
        ...

    def up(self) -> None:
        """The network runs."""
        ...

    def down(self) -> None:
        """The network doesn't run any more: joins and frames go unheard."""
        ...

    def forget_all(self) -> None:
        """The network is no more, nor are its members."""
        ...

    def remove(self, ieee: int) -> None:
        """Tell a device to leave; nothing if it isn't on the air."""
        ...

    def scan(self, channels: list[int], energy: bool, duration: int) -> None:
        """Scan and report by callbacks."""
        ...

    def link_quality(self, ieee: int) -> int:
        """LQI at which a device was last heard; 0 if never."""
        ...


@dataclass(slots=True)
class Ram:
    """What a reset wipes."""

    version_set: bool = False
    sequence: int = 0
    network_up: bool = False
    concentrator: bool = False
    permit_until: float = 0.0
    config: dict[int, int] = field(default_factory=lambda: dict(ezsp_setup.CONFIG))
    policies: dict[int, int] = field(default_factory=lambda: dict(ezsp_setup.POLICIES))
    values: dict[int, bytes] = field(default_factory=dict)
    endpoints: dict[int, ezsp_setup.Endpoint] = field(default_factory=dict)
    groups: dict[int, Any] = field(default_factory=dict)
    addresses: dict[int, tuple[int, int]] = field(default_factory=dict)
    bindings: dict[int, Any] = field(default_factory=dict)
    transient_keys: dict[int, bytes] = field(default_factory=dict)
    patient: set[int] = field(default_factory=set)
    counters: list[int] = field(default_factory=lambda: [0] * ezsp_setup.COUNTERS)
    security: Any = None
    manufacturer: int = ezsp_setup.SILICON_LABS
    aps_sequence: int = 0


class Stick:
    """EZSP firmware without its radio and its serial port.

    Args:
        dialect: The protocol version it speaks.
        network: Its flash.
        radio: Its radio.
        to_host: Takes an EZSP frame for the host.
        store: Called when flash has changed.
        restart: Called when the host asks the stick to reset itself.
    """

    def __init__(
        self,
        dialect: Dialect,
        network: Network,
        radio: Radio,
        to_host: Callable[[bytes], None],
        store: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        self.dialect: Dialect = dialect
        self.network: Network = network
        self.radio: Radio = radio
        self.faults: Faults = Well()
        self.store, self.restart = store, restart
        self._to_host = to_host
        self._after: list[Callable[[], None]] = []
        self.ram: Ram = Ram()

    def reset(self) -> None:
        """Boot: everything but flash is as new."""
        if self.ram.network_up:
            self.radio.down()
        self._after.clear()
        self.ram = Ram()
        restored = self.network.tokens.get(ezsp_setup.RESTORED_IEEE)
        if restored and restored != "ff" * 8:
            self.network.ieee = int.from_bytes(bytes.fromhex(restored), "little")

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have something done once the answer to the command at hand is out."""
        self._after.append(call)

    def callback(self, name: str, **values: Any) -> None:
        """Tell the host something it didn't ask for; not before it has said which version it speaks."""
        if self.ram.version_set:
            self._to_host(self.dialect.callback(self.ram.sequence, name, values))

    def status(self, status: Any) -> None:
        """stackStatusHandler."""
        self.callback("stackStatusHandler", status=status)

    def hand_packed(self, frame: bytes) -> None:
        """A callback that `ezsp_messages` has packed."""
        if self.ram.version_set and not self.faults.mute:
            self._to_host(frame)

    # --- commands ---------------------------------------------------------------------------------

    def command(self, frame: bytes) -> None:
        """An EZSP frame of the host; the answer, and what follows from it, goes to `to_host`."""
        request = parse(frame)
        if request is None:
            return
        try:
            answer = self._answer(request)
        except BadFrame as bad:
            answer = self.dialect.invalid(request, bad.reason)
        self.ram.sequence = request.sequence
        self._to_host(answer)
        after, self._after = self._after, []
        for call in after:
            call()

    def _answer(self, request: Request) -> bytes:
        dialect = self.dialect
        if request.command == 0:
            return dialect.response(request, self._version(request))
        if not self.ram.version_set:
            raise BadFrame(request, t.EzspStatus.ERROR_VERSION_NOT_SET)
        if request.command in (SEND_UNICAST, SEND_BROADCAST, SEND_MULTICAST):
            return dialect.response(request, self._send(request))
        name = dialect.names.get(request.command, "")
        handler = None if name in self.faults.unknown else HANDLERS.get(name)
        if handler is None:
            raise BadFrame(request, t.EzspStatus.ERROR_INVALID_FRAME_ID)
        arguments = {"raw": request.parameters} if name in ezsp_setup.RAW else dialect.arguments(request)
        return dialect.response(request, dialect.parameters(name, handler(self, arguments)))

    def _version(self, request: Request) -> bytes:
        """The answer to `version`: ours, whatever the host wants; other commands wait until it agrees."""
        wanted = request.parameters[0] if request.parameters else 0
        self.ram.version_set = wanted == self.dialect.version
        major, minor, patch = STACK_RELEASE[self.dialect.version]
        release = major << 12 | minor << 8 | patch << 4
        return bytes((self.dialect.version, MESH)) + release.to_bytes(2, "little")

    # --- messages ---------------------------------------------------------------------------------

    def _send(self, request: Request) -> bytes:
        message = requested(self.dialect.new, request.command, request.parameters)
        if message is None:
            raise BadFrame(request, t.EzspStatus.ERROR_TRUNCATED)
        status = Status.OK
        if not self.ram.network_up:
            status = Status.NETWORK_DOWN if self.dialect.new else Status.NOT_JOINED
        elif self.faults.exhausted:
            status = Status.NO_MORE_RESOURCE
        elif len(message.payload) > LONGEST_PAYLOAD_B:
            status = Status.MESSAGE_TOO_LONG
        elif message.target not in self._table(message.kind, message.target):
            status = Status.INVALID_INDEX
        sequence = 0
        if status is Status.OK:
            sequence = self.next_aps_sequence()
            self.afterwards(lambda: self.radio.transmit(message, sequence))
        return self.dialect.status(status) + bytes((sequence,))

    def _table(self, kind: int, target: int) -> Container[int]:
        """Where the target of a message of this kind must stand."""
        tables: dict[int, Container[int]] = {
            Outgoing.ADDRESS_TABLE: self.ram.addresses,
            Outgoing.BINDING: self.ram.bindings,
        }
        return tables.get(kind, (target,))

    def next_aps_sequence(self) -> int:
        """The next APS counter, and with it the next step of the network frame counter."""
        self.network.key_counter += 1
        if self.network.key_counter % ezsp_setup.COUNTER_STEP == 0:
            self.store()
        self.ram.aps_sequence = self.ram.aps_sequence + 1 & 0xFF
        return self.ram.aps_sequence

    def delivered(self, message: Message, aps_sequence: int, ok: bool) -> None:
        """messageSentHandler: what became of a message of the host."""
        status = Status.OK if ok else Status.ZIGBEE_DELIVERY_FAILED
        contents = message.payload if ezsp_setup.wants_contents(self.ram.policies) else b""
        self.count("TX_UNICAST_SUCCESS" if ok else "TX_UNICAST_FAILED", message.kind <= Outgoing.BINDING)
        dialect = self.dialect
        self.hand_packed(
            sent(dialect.new, self.ram.sequence, message, aps_sequence, dialect.status(status), contents)
        )

    def count(self, event: str, happened: bool = True) -> None:
        """One more of an event that `readCounters` reports."""
        if happened:
            self.ram.counters[ezsp_setup.COUNTER[event]] += 1
