"""A USB device that is a program: Linux's vhci-hcd speaks USB/IP to it, over any stream socket.

The kernel's Documentation/usb/usbip_protocol.rst describes it.
"""

from __future__ import annotations

import select
import socket
import struct
from dataclasses import dataclass
from errno import ECONNRESET, EPIPE
from pathlib import Path
from typing import Protocol

ATTACH = Path("/sys/devices/platform/vhci_hcd.0/attach")
PORT, DEVICE, HIGH_SPEED = 0, 1, 3
SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
ASKED = struct.Struct(">5I Iiiii 8s")
"""Command, number, device, inward, endpoint; flags, length, first frame, packets, interval, setup."""
TOLD = struct.Struct(">2I 12x iiiii 8x")
"""Command, number; status, length, first frame, packets, errors."""
PACKET = struct.Struct(">4i")
"""Offset, length, length in fact, status."""
LOOKED_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Setup:
    """Of a control request (USB 2.0, 9.3)."""

    kind: int
    request: int
    value: int
    index: int
    length: int

    @classmethod
    def of(cls, eight: bytes) -> Setup:
        return cls(*struct.unpack("<2B3H", eight))


class Device(Protocol):
    """Behind the plug."""

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        """What is answered; None: it stalls."""

    def payload(self, at_most: int) -> bytes | None:
        """The next isochronous packet; None: it has nothing to say yet."""


class Plug:
    """Plugged in from the beginning, and out when this process ends."""

    def __init__(self, device: Device) -> None:
        self._device = device
        kernel, self._line = socket.socketpair()
        with kernel:
            ATTACH.write_text(f"{PORT} {kernel.fileno()} {DEVICE} {HIGH_SPEED}")
        self._waiting: dict[int, tuple[bytes, int]] = {}
        """Isochronous requests that are not answered: their packets, and the first frame."""

    def serve(self) -> None:
        """Until the kernel lets go of it."""
        while True:
            if select.select([self._line], [], [], LOOKED_EVERY_S)[0] and not self._hear():
                return
            while self._waiting and self._fill(next(iter(self._waiting))):
                pass

    def _hear(self) -> bool:
        if not (head := self._read(ASKED.size)):
            return False
        command, number, _, inward, endpoint, flags, length, first, packets, _, setup = ASKED.unpack(head)
        if command == UNLINK:  # `flags` is which
            status = -ECONNRESET if self._waiting.pop(flags, None) else 0
            self._line.sendall(TOLD.pack(UNLINKED, number, status, 0, 0, 0, 0))
        elif endpoint:
            self._waiting[number] = self._read(packets * PACKET.size), first
        else:
            asked = Setup.of(setup)
            answer = self._device.control(asked, b"" if inward else self._read(length))
            told = (answer or b"")[: asked.length] if inward else b""
            status, done = (-EPIPE, 0) if answer is None else (0, len(told) if inward else length)
            self._line.sendall(TOLD.pack(SUBMITTED, number, status, done, 0, 0, 0) + told)
        return True

    def _fill(self, number: int) -> bool:
        """Whether the device had something for it."""
        packets, first = self._waiting[number]
        said, told = b"", b""
        for offset, length, _, _ in PACKET.iter_unpack(packets):
            payload = self._device.payload(length)
            if payload is None and not said:
                return False
            said += payload or b""
            told += PACKET.pack(offset, length, len(payload or b""), 0)
        del self._waiting[number]
        head = TOLD.pack(SUBMITTED, number, 0, len(said), first, len(packets) // PACKET.size, 0)
        self._line.sendall(head + said + told)
        return True

    def _read(self, count: int) -> bytes:
        """Less, if it is gone."""
        return self._line.recv(count, socket.MSG_WAITALL) if count else b""
