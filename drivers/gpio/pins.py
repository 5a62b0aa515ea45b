"""Which library moves the pins: never a silent fallback to another one.

gpiozero tries one library after the other and takes whatever loads, down to one that only pretends. Here it
is the one that GPIOZERO_PIN_FACTORY names, else lgpio, and if that doesn't work the node says why.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from homenode.boards import Board, board_here, boards
from homenode.errors import DriverLost, SetupError

FACTORIES = {
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory"),
    "native": ("gpiozero.pins.native", "NativeFactory"),
}
"""gpiozero's own names for them."""

GPIO_GET_CHIPINFO, CHIPINFO = 0x8044B401, struct.Struct("=32s32sI")
"""linux/gpio.h: struct gpiochip_info has name, label, and how many lines."""

ANSWER_S = 1.0
"""How long pigpiod may take; it answers in less than 1 ms, and stopping the node may take 2 s in all."""


def open_factory(pulls: Mapping[int, str]) -> Any:
    """The pin factory.

    Args:
        pulls: Pin to pull (gpiozero's words) of each input.

    Raises:
        SetupError: The library is unknown, not installed, or finds no pins here.
        DriverLost: The pigpio daemon doesn't answer.
    """
    name = _factory_name()
    if name not in FACTORIES:
        raise SetupError(
            f"{name!r} is no pin library",
            where="GPIOZERO_PIN_FACTORY",
            do=f"use one of {', '.join(FACTORIES)}",
        )
    if why := why_not_on(board_here(), name):
        raise SetupError(why, where="GPIOZERO_PIN_FACTORY", do="leave it out, or name a daemon elsewhere")
    module, attribute = FACTORIES[name]
    try:
        factory = getattr(import_module(module), attribute)
    except ImportError as error:
        missing = "gpiozero" if error.name == "gpiozero" else f"the pin library {name}"
        extra = "pip install 'homenode[gpio]'"
        do = extra if error.name == "gpiozero" else f"{extra} or apt install python3-{name}"
        raise SetupError(
            f"{missing} is not installed ({error})",
            where="gpio",
            do=f"{do}, or name another library in GPIOZERO_PIN_FACTORY",
        ) from error
    if name == "pigpio":
        return _open_pigpio(factory, pulls)
    chip = header_chip(chip_labels()) if name == "lgpio" else None
    try:
        return factory() if chip is None else factory(chip=chip)
    except Exception as error:  # each pin library raises its own
        raise SetupError(
            f"no GPIO pins here through {name} ({error})",
            where="gpio",
            do="run on a Raspberry Pi in group gpio, or set GPIOZERO_PIN_FACTORY=pigpio and PIGPIO_ADDR",
        ) from error


def why_not_on(board: Board | None, name: str) -> str:
    """Why a library can't move the pins of this machine; "" if it can, or if they are another's."""
    if board is None or name in board.libraries or (name == "pigpio" and "PIGPIO_ADDR" in os.environ):
        return ""
    return f"{name} can't move the pins of a {board.name}; {' and '.join(board.libraries)} can"


def chip_labels(folder: Path = Path("/dev")) -> dict[int, str]:
    """Number of each gpiochip to what the kernel calls it."""
    labels = {}
    for device in folder.glob("gpiochip[0-9]*"):
        with suppress(OSError):
            fd = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
            try:
                info = fcntl.ioctl(fd, GPIO_GET_CHIPINFO, bytes(CHIPINFO.size))
            finally:
                os.close(fd)
            label = CHIPINFO.unpack(info)[1].rstrip(b"\0").decode()
            labels[int(device.name.removeprefix("gpiochip"))] = label
    return labels


def header_chip(labels: Mapping[int, str]) -> int | None:
    """The gpiochip that has the header's pins; None if there is none of a board that is known.

    gpiozero goes by the number, which is another on a Pi 5 with each kernel (gpiozero issue 1166).
    """
    known = {board.chip for board in boards().boards.values()}
    return min((number for number, label in labels.items() if label in known), default=None)


def place() -> str:
    """Where the pins are: a device of the kernel's, or HOST:PORT of a pigpiod."""
    if _factory_name() == "pigpio":
        return ":".join(_pigpiod())
    return f"/dev/gpiochip{header_chip(chip_labels()) or 0}"


def _factory_name() -> str:
    return os.environ.get("GPIOZERO_PIN_FACTORY", "lgpio")


def _pigpiod() -> tuple[str, str]:
    """Where its daemon is: host, port."""
    return os.environ.get("PIGPIO_ADDR", "localhost"), os.environ.get("PIGPIO_PORT", "8888")


def _open_pigpio(factory: Any, pulls: Mapping[int, str]) -> Any:
    host, port = _pigpiod()
    where = f"pigpio daemon at {host}:{port}"
    if not port.isdigit():
        raise SetupError(f"{port!r} is no port", where="PIGPIO_PORT", do="give a number such as 8888")
    try:
        # Asked first, because python's pigpio prints a page of its own when nobody is there.
        with socket.create_connection((host, int(port)), ANSWER_S) as probe:
            probe.settimeout(ANSWER_S)
            probe.sendall(bytes([16, *[0] * 15]))  # PI_CMD_TICK
            if not probe.recv(16):
                raise ConnectionResetError("it hung up")
        # Reports are compared with the levels at the time of connecting, so an input that only its pull
        # holds would lose its first edge: a first connection sets the pulls, a second one stays.
        _end_reports_quietly()
        first = factory(host, int(port))
        for pin, pull in pulls.items():
            first.pin(pin).pull = pull
        drop(first)
        opened = factory(host, int(port))
        opened.connection.sl.s.settimeout(ANSWER_S)
    except (OSError, AttributeError) as error:  # AttributeError: pigpio's way to say that it isn't connected
        raise DriverLost(
            f"no answer ({error})", where=where, do="start pigpiod, or set PIGPIO_ADDR"
        ) from error
    return opened


class _Ended(Exception):
    """The connection for reports is over."""


class _Reports:
    """The socket of pigpio's report thread, which by itself spins or prints a traceback at its end."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def recv(self, size: int) -> bytes:
        """What comes. Raises _Ended at the end of the connection."""
        with suppress(OSError):
            if data := bytes(self._real.recv(size)):
                return data
        raise _Ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _end_reports_quietly() -> None:
    import pigpio

    thread = pigpio._callback_thread  # pigpio offers no other way to its thread
    run = thread.run
    if run.__module__ == __name__:
        return

    def run_on_reports(self: Any) -> None:
        self.sl.s = _Reports(self.sl.s)
        with suppress(_Ended):
            run(self)

    thread.run = run_on_reports


def drop(factory: Any) -> None:
    """Cut the connection to pigpiod without a word to it; does nothing for other libraries.

    When pigpiod wedges, pigpio's report thread would wait for ever: it ends with its socket. Pins of a
    dropped factory close without touching the wire.
    """
    connection = getattr(factory, "connection", None)
    if connection is None:
        return
    atexit.unregister(connection.stop)
    reports, connection._notify = connection._notify, None  # there is no public way to end its thread
    if reports is not None:
        reports.go = False
        with suppress(OSError):
            reports.sl.s.shutdown(socket.SHUT_RDWR)
        reports.join(ANSWER_S)
        reports.sl.s.close()
    connection.stop()
