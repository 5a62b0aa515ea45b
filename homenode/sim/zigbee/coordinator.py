"""A Zigbee coordinator in software: to its host an EFR32 stick on a serial port, to devices the air.

async with Coordinator(Path("stick.json"), pty=Path("/tmp/stick")) as coordinator:
    coordinator.join(device)
    coordinator.faults.reset()
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from homenode.errors import StorageError
from homenode.sim.zigbee.air import Aps, Node
from homenode.sim.zigbee.ash import CANCEL, Reset
from homenode.sim.zigbee.ash_link import TX_K, AshLink
from homenode.sim.zigbee.coordinator_faults import Faults
from homenode.sim.zigbee.coordinator_radio import CoordinatorRadio
from homenode.sim.zigbee.coordinator_station import Neighbour
from homenode.sim.zigbee.coordinator_stick import Stick
from homenode.sim.zigbee.ezsp import Dialect
from homenode.sim.zigbee.network import Network, load, save
from homenode.sim.zigbee.serial_line import SerialLine

DEFAULT_IEEE = 0x000D6F0012345678
"""An address from Silicon Labs' range, as sticks have."""

_LOG = logging.getLogger(__name__)
_RST = b"\xc0\x38\xbc\x7e"


class Coordinator:
    """See the module. Implements `Air`; everything runs in the event loop it was entered in.

    Args:
        state_file: Where the network is kept through a restart of the process (the stick's flash).
        version: EZSP protocol version: 13, 14, 16, 17, 18 or 19.
        pty: Path of the link behind which the serial port is; None for none.
        tcp: TCP port on 127.0.0.1 (0: any, see `tcp_port`); None for none.
        ieee: IEEE address of a stick that has no state yet.
        window: DATA frames the stick sends ahead of the host's acknowledgements, 1 to 7.

    Raises:
        SetupError: No such version, a state file that is none, a path or port that can't be used.
    """

    def __init__(
        self,
        state_file: Path,
        *,
        version: int = 13,
        pty: Path | None = None,
        tcp: int | None = None,
        ieee: int = DEFAULT_IEEE,
        window: int = TX_K,
    ) -> None:
        self._state_file = state_file
        self.network: Network = load(state_file, ieee)
        self.radio = CoordinatorRadio()
        self._link = AshLink(self._command, self._reset_by_host, window=window)
        self._stick = Stick(
            Dialect(version), self.network, self.radio, self._to_host, self._store, self._restart_asked
        )
        self._line = SerialLine(pty, tcp, self._from_host)
        self.faults = Faults(self._line, self.radio, self._restart, self._unplug, self._plug_in)
        self._stick.faults = self.faults
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self._in_hand = False

    # --- life -----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Coordinator:
        self._loop = asyncio.get_running_loop()
        self.radio.attach(self._stick)
        await self._plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unplug()
        self._store()

    async def run(self) -> None:
        """Be there until cancelled."""
        async with self:
            await asyncio.Event().wait()

    @property
    def tcp_port(self) -> int | None:
        """The TCP port it listens on."""
        return self._line.tcp.port if self._line.tcp else None

    @property
    def plugged(self) -> bool:
        """Whether the stick is in its socket."""
        return self._line.plugged

    @property
    def version(self) -> int:
        """EZSP protocol version."""
        return self._stick.dialect.version

    @property
    def network_up(self) -> bool:
        """Whether the host has started the network."""
        return self._stick.ram.network_up

    @property
    def permitting(self) -> bool:
        """Whether devices may join now."""
        return self.radio.permitting

    @property
    def neighbours(self) -> list[Neighbour]:
        """All devices of the network."""
        return self.radio.neighbours

    @property
    def unsent(self) -> int:
        """EZSP frames that the host has not acknowledged yet."""
        return self._link.waiting

    # --- Air ------------------------------------------------------------------------------------------

    def join(self, node: Node, *, rejoin: bool = False, key: bytes | None = None) -> bool:
        """See `Air.join`."""
        return self.radio.join(node, rejoin=rejoin, key=key)

    def restore(self, node: Node) -> bool:
        """A device of the stored network is on the air as before, without traffic; False if it is none."""
        return self.radio.restore(node)

    def leave(self, node: Node, *, silently: bool = False) -> None:
        """See `Air.leave`."""
        self.radio.leave(node, silently=silently)

    def send(self, node: Node, frame: Aps, *, link_quality: int = 200, rssi: int = -50) -> bool:
        """See `Air.send`."""
        return self.radio.send(node, frame, link_quality=link_quality, rssi=rssi)

    def poll(self, node: Node) -> None:
        """See `Air.poll`."""
        self.radio.poll(node)

    def time(self) -> float:
        """See `Air.time`."""
        return self.radio.time()

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """See `Air.later`."""
        return self.radio.later(seconds, call)

    def move(self, ieee: int, parent: int | None) -> None:
        """A device now hangs under another router; None for directly under the coordinator."""
        self.radio.move(ieee, parent)

    # --- between the wire, ASH and EZSP ---------------------------------------------------------------

    def _from_host(self, data: bytes) -> None:
        if self.faults.wedged:
            if not (self.faults.until_reset and _RST in data):
                return
            self.faults.unwedge()
            data = bytes((CANCEL,)) + _RST
        data = self.faults.from_host(data)
        if data:
            self._in_hand = True
            self._link.received(data, self._loop.time())
            self._in_hand = False
            self._flush()

    def _command(self, ezsp: bytes) -> None:
        self._stick.command(ezsp)

    def _to_host(self, ezsp: bytes) -> None:
        if not self.plugged or self.faults.wedged:
            return
        self._link.send(ezsp, self._loop.time())
        if not self._in_hand:
            self._flush()

    def _flush(self) -> None:
        """Write what ASH has ready, and be back when it next wants to."""
        frames = self._link.take()
        if frames and not self.faults.wedged:
            self._line.write(self.faults.to_host.apply(frames))
        due = self._link.deadline()
        if due is not None and (self._timer is None or due < self._timer.when()):
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._link.tick(self._loop.time())
        self._flush()

    # --- resets ---------------------------------------------------------------------------------------

    def _reset_by_host(self) -> None:
        self.faults.was_reset()
        self._stick.reset()

    def _restart_asked(self) -> None:
        self._restart(Reset.SOFTWARE)

    def _restart(self, code: Reset) -> None:
        """The stick has reset by itself."""
        if self.plugged:
            self._stick.reset()
            self._link.restart(code)
            self._flush()

    async def swap(self, state_file: Path, ieee: int) -> None:
        """Another stick in the same socket. The devices stay in the network that they know."""
        self._unplug()
        self._store()
        self.radio.forget_all()
        self._state_file, self.network = state_file, load(state_file, ieee)
        self._stick.network = self.network
        await self._plug_in()

    async def _plug_in(self) -> None:
        await self._line.plug_in()
        self.radio.powered = True
        self.faults.unwedge()
        self._restart(Reset.POWER_ON)

    def _unplug(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._stick.reset()
        self.radio.powered = False
        self._line.unplug()

    def _store(self) -> None:
        try:
            save(self._state_file, self.network)
        except StorageError as error:  # the stick goes on without its flash, as a worn-out one does
            _LOG.error("%s", error)
