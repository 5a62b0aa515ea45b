"""The USB socket of a stick: switched off and on through the kernel, where the hub can.

`…/1-1:1.0/1-1-port2/disable` (Linux 6.0; what uhubctl uses too) takes the power of a socket away on hubs
that can, and its connection on all; `authorized` only lets the device start anew. Both need the right to
write there: see `drivers/zigbee/README.md`.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys")
OFF_S = 2.0
"""Until the capacitors of a stick are empty; uhubctl waits as long."""
BACK_S = 6.0
"""Until udev has made its name again."""


@dataclass(frozen=True, slots=True)
class Socket:
    """Where a stick is plugged in.

    Attributes:
        name: As the kernel writes it: `1-1.2` is the second socket of the hub in the first one.
        switches: Files that take the power away when 1 is written; two where the socket has USB 3.
        device: Folder of the device, for `authorized`.
    """

    name: str
    switches: tuple[Path, ...]
    device: Path


def socket_of(port: str) -> Socket | None:
    """That of the stick behind a serial port; None for a soldered or a network one, or if it is gone."""
    if "://" in port or not os.path.exists(port):
        return None
    at = (SYSFS / "class/tty" / os.path.basename(os.path.realpath(port)) / "device").resolve()
    device = next((folder for folder in (at, *at.parents) if (folder / "authorized").exists()), None)
    if device is None or "-" not in device.name:
        return None
    hub, dot, number = device.name.rpartition(".")
    if dot:
        here = device.parent / f"{hub}:1.0" / f"{hub}-port{number}"
    else:
        bus, _, number = device.name.partition("-")
        here = device.parent / f"{bus}-0:1.0" / f"usb{bus}-port{number}"
    both = (here, (here / "peer").resolve())
    switches = tuple(folder / "disable" for folder in both if (folder / "disable").exists())
    return Socket(device.name, switches, device)


async def cycle(socket: Socket, port: str) -> None:
    """Off, on, and wait for the port to be there again.

    Raises:
        OSError: It can't be switched, or not by this user.
    """
    for word, wait_s in (("1", OFF_S), ("0", 0.0)):
        if socket.switches:
            for switch in socket.switches:
                await asyncio.to_thread(_write, switch, word)
        else:
            await asyncio.to_thread(_write, socket.device / "authorized", "0" if word == "1" else "1")
        await asyncio.sleep(wait_s)
    for _ in range(int(BACK_S / 0.2)):
        if await asyncio.to_thread(os.path.exists, port):
            return
        await asyncio.sleep(0.2)


def _write(file: Path, word: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(descriptor, word.encode())
    finally:
        os.close(descriptor)
