"""Run in the gateway's sandbox, before it: what may be done there, what not. Exit status 1: not so."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path


def refused(what: Callable[[], object], *numbers: int) -> bool:
    """Whether it ends with one of these errors."""
    try:
        what()
    except OSError as error:
        return error.errno in numbers
    return False


def opened(path: str, flags: int = os.O_RDWR | os.O_NONBLOCK) -> bool:
    """Whether it can be."""
    os.close(os.open(path, flags))
    return True


def every(pattern: str) -> bool:
    """Whether there are such devices and each can be opened."""
    devices = [str(path) for path in Path("/dev").glob(pattern)]
    return bool(devices) and all(map(opened, devices))


def switches() -> list[Path]:
    """Those of USB sockets, and of the stick that is plugged in."""
    ports = Path("/sys/bus/usb/devices").glob("*/*:1.0/*-port*/disable")
    devices = (
        tty.resolve().parents[2] / "authorized" for tty in Path("/sys/bus/usb-serial/devices").glob("*")
    )
    return [*ports, *devices]


def _clock() -> int:
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))


def may() -> dict[str, bool]:
    """What a node needs."""
    return {
        "whether the clock is synchronised": _clock() >= 0,
        "sound": every("snd/controlC*"),
        "sockets of sticks": bool(switches()) and all(opened(str(file), os.O_WRONLY) for file in switches()),
        "sticks": every("ttyUSB*"),
        "I2C": every("i2c-*"),
        "its folders": all(os.access(folder, os.W_OK) for folder in ("/etc/homenode", "/var/lib/homenode")),
        "memory for files": os.access("/dev/shm", os.W_OK),
        "network interfaces": bool(socket.if_nameindex()),
    }


def may_not() -> dict[str, bool]:
    """What nobody should by it."""
    denied = errno.EPERM, errno.EACCES, errno.EROFS
    return {
        "memory that is written and run": refused(
            lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC), *denied
        ),
        "files of the system": all(
            not os.access(path, os.W_OK) for path in ("/usr", "/etc", "/var", "/boot")
        ),
        "cameras": all(refused(lambda at=at: opened(str(at)), *denied) for at in Path("/dev").glob("video*")),
        "disks": refused(lambda: opened("/dev/vda"), *denied, errno.ENOENT),
        "packets as they are": refused(
            lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW), *denied, errno.EAFNOSUPPORT
        ),
        "processes of others": not Path("/proc/1").exists(),
        "the clock": refused(
            lambda: time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME)), *denied
        ),
    }


if __name__ == "__main__":
    wrong = [name for asked in (may(), may_not()) for name, well in asked.items() if not well]
    print("probe:", ", ".join(wrong) or "well")
    sys.exit(bool(wrong))
