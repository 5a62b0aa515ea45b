"""The USB socket that a simulated stick is plugged into, as the kernel shows it under /sys.

Only what a host needs to find the socket and to switch it: `class/tty/NAME/device`, the device with
`authorized`, and the hub's `disable`, behind which a pipe takes the power away and gives it back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

HUB = "1-1"
"""The hub in the first socket: where those of a Raspberry Pi 4 hang."""


class UsbSocket:
    """Use as a context, while the stick is there.

    Args:
        sysfs: Folder that stands for /sys.
        port: The stick's name that hosts open, a link to its terminal.
        unplug, plug_in: What taking its power away and giving it back does to the stick.

        number: Of the socket of the hub.
        switchable: False: a hub that has no switch for its sockets, only `authorized`.

    Attributes:
        cycles: How often its power came back.
        empty: Nothing is plugged in, whatever the power does.
    """

    def __init__(
        self,
        sysfs: Path,
        port: Path,
        unplug: Callable[[], None],
        plug_in: Callable[[], Awaitable[None]],
        *,
        number: int = 2,
        switchable: bool = True,
    ) -> None:
        self._sysfs, self._port = sysfs, port
        self._unplug, self._plug_in = unplug, plug_in
        self.cycles, self.empty, self._switchable = 0, False, switchable
        bus = sysfs / "devices/pci0000:00/usb1" / HUB
        self._device = bus / f"{HUB}.{number}"
        switch = bus / f"{HUB}:1.0" / f"{HUB}-port{number}" / "disable"
        self._off, self._on = ("1", "0") if switchable else ("0", "1")
        self._file = switch if switchable else self._device / "authorized"
        self._pipe = -1
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> UsbSocket:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(self._file)
        self._pipe = os.open(self._file, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._pipe, self._written)
        self.show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
        if self._task is not None:
            self._task.cancel()

    def show(self) -> None:
        """The kernel has found the stick: its terminal has a number again."""
        name = os.path.basename(os.path.realpath(self._port))
        terminal = self._device / f"{self._device.name}:1.0" / f"tty{name}"
        terminal.mkdir(parents=True, exist_ok=True)
        if self._switchable:
            (self._device / "authorized").write_text("1")
        here = self._sysfs / "class/tty" / name
        here.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (here / "device").symlink_to(terminal)

    def _written(self) -> None:
        for word in os.read(self._pipe, 64).decode():
            if word == self._off:
                self._unplug()
            elif word == self._on:
                self._task = asyncio.ensure_future(self._powered())

    async def _powered(self) -> None:
        self.cycles += 1
        if self.empty:
            return
        await self._plug_in()
        self.show()
