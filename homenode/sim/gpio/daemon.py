"""A pigpio daemon in front of the board: what gpiozero's PiGPIOFactory and python's pigpio talk to.

The protocol (pigpio's "Socket Command Codes"): a request is four little-endian 32-bit words (command, p1,
p2, length of what follows), its answer the same four words with the result as the last, negative for an
error. A socket that sends NOIB gets, beside answers, 12-byte reports: sequence, flags, tick (µs), levels.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from enum import IntEnum

from homenode.errors import SetupError
from homenode.sim.gpio.adc import Converters
from homenode.sim.gpio.board import BANK_1, Board, Line, Mode, Pull
from homenode.sim.gpio.buses import BusCmd, Buses

REQUEST = struct.Struct("<IIII")
REPORT = struct.Struct("<HHII")
LONGEST_EXTENT = 65_536
"""Bytes after a request that are taken (MAX_EXTENT of pigpio's command.h is of this order)."""
KEEP_ALIVE_S = 60.0
"""pigpiod sends a report with the alive flag each minute."""
ALIVE = 1 << 6

VERSION = 79
"""What `pigpiod -v` of Debian and Raspberry Pi OS says."""
ZERO_2_W = 0x902120
"""Revision code of a Raspberry Pi Zero 2 W 1.0, from which gpiozero knows the header."""

PWM_RANGE, PWM_HZ = 255, 800
"""pigpio's defaults for a GPIO that was never told."""


class Cmd(IntEnum):
    """Commands answered; numbers of pigpio.h (PI_CMD_…)."""

    MODES = 0
    MODEG = 1
    PUD = 2
    READ = 3
    WRITE = 4
    PWM = 5
    PRS = 6
    PFS = 7
    BR1 = 10
    BR2 = 11
    BC1 = 12
    BS1 = 14
    TICK = 16
    HWVER = 17
    NB = 19
    NP = 20
    NC = 21
    PRG = 22
    PFG = 23
    PRRG = 24
    PIGPV = 26
    GDC = 83
    FG = 97
    NOIB = 99


class Bad(IntEnum):
    """Errors, as pigpio.h numbers them."""

    USER_GPIO = -2
    GPIO = -3
    MODE = -4
    LEVEL = -5
    PUD = -6
    DUTYCYCLE = -8
    DUTYRANGE = -21
    HANDLE = -25
    UNKNOWN_COMMAND = -88
    NOT_PWM = -92
    FILTER = -125


class _Client(asyncio.Protocol):
    """One connection; it may carry commands, reports or both."""

    def __init__(self, daemon: PigpioDaemon) -> None:
        self._daemon = daemon
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._mask = 0
        self._seen = 0
        self._sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._daemon.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._daemon.clients.discard(self)
        self._daemon.forget(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= REQUEST.size:
            command, p1, p2, extent = REQUEST.unpack_from(self._buffer)
            if extent > LONGEST_EXTENT:
                self.close()  # as pigpiod does: the stream can't be followed any more
                return
            if len(self._buffer) < REQUEST.size + extent or self._daemon.wedged:
                return
            data = self._buffer[REQUEST.size : REQUEST.size + extent]
            self._buffer = self._buffer[REQUEST.size + extent :]
            answer, more = self._daemon.answer(self, command, p1, p2, data)
            self.send(REQUEST.pack(command, p1, p2, answer & 0xFFFFFFFF) + more)

    def again(self) -> None:
        """Answer what came while the daemon was wedged."""
        self.data_received(b"")

    def follow(self, mask: int, levels: int) -> None:
        """Report from now on what changes among these GPIOs; what changed before is not told."""
        self._mask, self._seen = mask, levels

    def report(self, tick: int, levels: int, flags: int = 0) -> None:
        """One report if a GPIO this client follows has changed."""
        if flags or (levels ^ self._seen) & self._mask:
            self._seen = levels
            self.send(REPORT.pack(self._sequence, flags, tick, levels))
            self._sequence = (self._sequence + 1) & 0xFFFF

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class PigpioDaemon:
    """The daemon, on a TCP port of this machine only.

    Attributes:
        wedged: While true it accepts connections and answers nothing.
        port: The port it listens on, once started.
    """

    def __init__(self, board: Board, converters: Converters | None = None) -> None:
        self.board = board
        self.buses = Buses(converters or Converters(lambda: 0.0))
        self.clients: set[_Client] = set()
        self.wedged = False
        self.port = 0
        self._handles: dict[int, _Client] = {}
        self._pwm_range = dict.fromkeys(BANK_1, PWM_RANGE)
        self._pwm_hz = dict.fromkeys(BANK_1, PWM_HZ)
        self._server: asyncio.Server | None = None
        self._keeper: asyncio.TimerHandle | None = None
        board.listen(self._changed)

    async def start(self, port: int = 0) -> int:
        """Listen; 0 takes any free port. Returns the port.

        Raises:
            SetupError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", port)
        except OSError as error:
            raise SetupError(
                f"port {port} is taken by another program",
                where="--gpio",
                do="choose another port, or stop pigpiod",
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self._keeper = loop.call_later(KEEP_ALIVE_S, self._keep_alive)
        return self.port

    async def stop(self) -> None:
        """Go as a killed daemon does: every connection breaks, outputs stay as they are."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._server is not None:
            self._server.close()
            for client in tuple(self.clients):
                client.close()
            await self._server.wait_closed()
            self._server = None

    def wedge(self, wedged: bool) -> None:
        """Answer nothing from now on, or answer again, beginning with what waits."""
        self.wedged = wedged
        for client in tuple(self.clients):
            client.again()

    def forget(self, client: _Client) -> None:
        """A connection is gone, and with it its notification handle."""
        for handle in [handle for handle, owner in self._handles.items() if owner is client]:
            del self._handles[handle]

    def _tick(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e6) & 0xFFFFFFFF

    def _changed(self, bits: int) -> None:
        if not self.wedged:
            self._tell(0)

    def _keep_alive(self) -> None:
        self._tell(ALIVE)
        self._keeper = asyncio.get_running_loop().call_later(KEEP_ALIVE_S, self._keep_alive)

    def _tell(self, flags: int) -> None:
        tick, levels = self._tick(), self.board.bank(filtered=True)
        for client in tuple(self._handles.values()):
            client.report(tick, levels, flags)

    def answer(self, client: _Client, command: int, p1: int, p2: int, data: bytes) -> tuple[int, bytes]:
        """Do one command: its result, and the bytes that follow it."""
        if command in _ON_BUSES:
            return self.buses.command(BusCmd(command), p1, p2, data)
        return self.command(client, command, p1, p2), b""

    def command(self, client: _Client, command: int, p1: int, p2: int) -> int:
        """Do one command; the result, negative for an error."""
        if command in _ON_A_LINE:
            if p1 not in BANK_1:
                return Bad.USER_GPIO if command in _USER_GPIO else Bad.GPIO
            line = self.board.lines[p1]
            answer = _ON_A_LINE[command](self, line, p2)
            self.board.settle(line)
            return answer
        match command:
            case Cmd.BR1:
                return self.board.bank()
            case Cmd.BR2:
                return 0
            case Cmd.BC1 | Cmd.BS1:
                for line in self.board.lines:
                    if p1 >> line.pin & 1:
                        _write(self, line, int(command == Cmd.BS1))
                        self.board.settle(line)
                return 0
            case Cmd.TICK:
                return self._tick()
            case Cmd.HWVER:
                return ZERO_2_W
            case Cmd.PIGPV:
                return VERSION
            case Cmd.NOIB:
                handle = next(
                    number for number in range(len(self._handles) + 1) if number not in self._handles
                )
                self._handles[handle] = client
                return handle
            case Cmd.NB | Cmd.NP | Cmd.NC:
                return self._notifications(command, p1, p2)
        return Bad.UNKNOWN_COMMAND

    def _notifications(self, command: int, handle: int, bits: int) -> int:
        listener = self._handles.get(handle)
        if listener is None:
            return Bad.HANDLE
        if command == Cmd.NC:
            del self._handles[handle]
            return 0
        listener.follow(bits if command == Cmd.NB else 0, self.board.bank(filtered=True))
        return 0

    # What is done to one GPIO: each takes the line and p2, and answers the result.

    def set_range(self, line: Line, steps: int) -> int:
        """PRS: a duty cycle counts from 0 to `steps`."""
        if not 25 <= steps <= 40_000:
            return Bad.DUTYRANGE
        self._pwm_range[line.pin] = steps
        return steps

    def set_frequency(self, line: Line, hertz: int) -> int:
        """PFS. The real daemon rounds to what its sample rate allows; here any frequency is kept."""
        self._pwm_hz[line.pin] = hertz
        return hertz

    def set_duty(self, line: Line, duty: int) -> int:
        """PWM."""
        if duty > self._pwm_range[line.pin]:
            return Bad.DUTYCYCLE
        line.mode, line.duty = Mode.OUTPUT, duty / self._pwm_range[line.pin]
        return 0

    def duty(self, line: Line, _: int) -> int:
        """GDC."""
        return Bad.NOT_PWM if line.duty is None else round(line.duty * self._pwm_range[line.pin])

    def range(self, line: Line, _: int) -> int:
        """PRG and PRRG."""
        return self._pwm_range[line.pin]

    def frequency(self, line: Line, _: int) -> int:
        """PFG."""
        return self._pwm_hz[line.pin]


def _set_mode(_: PigpioDaemon, line: Line, mode: int) -> int:
    if mode > 7:
        return Bad.MODE
    line.mode, line.duty = mode, None
    return 0


def _set_pull(_: PigpioDaemon, line: Line, pull: int) -> int:
    if pull > Pull.UP:
        return Bad.PUD
    line.pull = Pull(pull)
    return 0


def _write(_: PigpioDaemon, line: Line, level: int) -> int:
    if level > 1:
        return Bad.LEVEL
    line.mode, line.written, line.duty = Mode.OUTPUT, bool(level), None
    return 0


def _filter(_: PigpioDaemon, line: Line, steady_us: int) -> int:
    if steady_us > 300_000:
        return Bad.FILTER
    line.steady_us = steady_us
    return 0


_ON_A_LINE: dict[int, Callable[[PigpioDaemon, Line, int], int]] = {
    Cmd.MODES: _set_mode,
    Cmd.MODEG: lambda _, line, __: line.mode,
    Cmd.PUD: _set_pull,
    Cmd.READ: lambda _, line, __: int(line.level()),
    Cmd.WRITE: _write,
    Cmd.FG: _filter,
    Cmd.PWM: PigpioDaemon.set_duty,
    Cmd.PRS: PigpioDaemon.set_range,
    Cmd.PFS: PigpioDaemon.set_frequency,
    Cmd.GDC: PigpioDaemon.duty,
    Cmd.PRG: PigpioDaemon.range,
    Cmd.PRRG: PigpioDaemon.range,
    Cmd.PFG: PigpioDaemon.frequency,
}
_ON_BUSES = frozenset(BusCmd)
_USER_GPIO = frozenset({Cmd.PWM, Cmd.PRS, Cmd.PFS, Cmd.GDC, Cmd.PRG, Cmd.PRRG, Cmd.PFG, Cmd.FG})
