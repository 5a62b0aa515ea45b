"""A ConBee II and a CC2652 as far as their start: the frames of their protocols, over a PTY, in a thread."""

from __future__ import annotations

import os
import struct
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

CONBEE_II = 0x26780700
"""Its firmware of 2023."""
CONNECTED, CONFIRM, INDICATION, FREE = 0x02, 0x04, 0x08, 0x20
"""Device state: network state, then flags (deCONZ serial protocol 1.14)."""
ENDPOINT, SLOTS = 0x13, 3
NODE_DESCRIPTOR, SIMPLE_DESCRIPTOR, ACTIVE_ENDPOINTS, NOT_SUPPORTED = 0x0002, 0x0004, 0x0005, 0x84
UNSUPPORTED = 0x04


class FakePort:
    """A PTY whose other end answers.

    Attributes:
        heard: Everything that the host has sent.
        silent: It answers nothing.
    """

    def __init__(self, port: Path) -> None:
        self.port = port
        self.heard: list[bytes] = []
        self.silent = False
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self._slave = slave
        port.symlink_to(os.ttyname(slave))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._slave)
        os.close(self._master)
        self._thread.join(5)

    def _run(self) -> None:
        rest = b""
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:
                return
            rest = self._frames(rest + data)

    def _frames(self, data: bytes) -> bytes:
        """Answer the whole frames; what is left."""
        raise NotImplementedError

    def _say(self, data: bytes) -> None:
        if not self.silent:
            os.write(self._master, data)


class ConBee(FakePort):
    """A ConBee II that has formed a network before."""

    def __init__(self, port: Path) -> None:
        super().__init__(port)
        self._confirms: list[int] = []
        self._said: list[tuple[int, bytes]] = []
        empty = struct.pack("<HHBBB", 0x0104, 0x0005, 0, 0, 0)
        self._endpoints = {slot: bytes((slot, 10 + slot)) + empty for slot in range(SLOTS)}
        self._parameters: dict[int, bytes] = {
            0x01: bytes.fromhex("0102030405060708"),
            0x05: struct.pack("<H", 0x1A62),
            0x07: b"\x00\x00",
            0x08: bytes(range(8)),
            0x09: b"\x01",
            0x0A: struct.pack("<I", 1 << 15),
            0x0B: bytes(range(8)),
            0x0E: bytes.fromhex("0102030405060708"),
            0x10: b"\x03",
            0x18: b"\x00" + bytes(range(16)),
            0x19: bytes.fromhex("0102030405060708") + b"ZigBeeAlliance09",
            0x1C: b"\x0f",
            0x21: b"\x00",
            0x22: struct.pack("<H", 0x010E),
            0x24: b"\x00",
            0x27: struct.pack("<I", 1000),
        }

    def _frames(self, data: bytes) -> bytes:
        *frames, rest = data.split(b"\xc0")
        for frame in frames:
            frame = frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
            if len(frame) > 2:
                self.heard.append(frame[:-2])
                self._answer(frame[:-2])
        return rest

    def _answer(self, frame: bytes) -> None:
        command, sequence = frame[0], frame[1]
        answer = self._ANSWERS.get(command, ConBee._unknown)(self, frame)
        status, payload = answer
        body = bytes((command, sequence, status)) + struct.pack("<H", 5 + len(payload)) + payload
        total = -sum(body) & 0xFFFF
        body += struct.pack("<H", total)
        self._say(b"\xc0" + body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0")

    @property
    def _state(self) -> bytes:
        flags = (CONFIRM if self._confirms else 0) | (INDICATION if self._said else 0)
        return bytes((CONNECTED | FREE | flags,))

    def _unknown(self, frame: bytes) -> tuple[int, bytes]:
        return UNSUPPORTED, b""

    def _version(self, frame: bytes) -> tuple[int, bytes]:
        return 0, struct.pack("<I", CONBEE_II)

    def _device_state(self, frame: bytes) -> tuple[int, bytes]:
        return 0, self._state + b"\x00\x00"

    def _change(self, frame: bytes) -> tuple[int, bytes]:
        return 0, frame[5:6]

    def _read(self, frame: bytes) -> tuple[int, bytes]:
        value = self._parameters.get(frame[7])
        if frame[7] == ENDPOINT:
            value = self._endpoints.get(frame[8])
        if value is None:
            return UNSUPPORTED, struct.pack("<HB", 1, frame[7])
        return 0, struct.pack("<HB", 1 + len(value), frame[7]) + value

    def _write(self, frame: bytes) -> tuple[int, bytes]:
        if frame[7] == ENDPOINT:
            self._endpoints[frame[8]] = frame[8:]
        else:
            self._parameters[frame[7]] = frame[8:]
        return 0, struct.pack("<HB", 1, frame[7])

    def _send(self, frame: bytes) -> tuple[int, bytes]:
        self._confirms.append(frame[7])
        to_itself = frame[9:13] == b"\x02\x00\x00\x00"
        profile, cluster = struct.unpack_from("<HH", frame, 13)
        if to_itself and profile == 0:
            self._said.append((cluster | 0x8000, self._of_itself(cluster, frame[20])))
        return 0, struct.pack("<H", 2) + self._state + frame[7:8]

    def _confirm(self, frame: bytes) -> tuple[int, bytes]:
        request = self._confirms.pop(0)
        payload = self._state + bytes((request, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0, 0, 0, 0))
        return 0, struct.pack("<H", len(payload)) + payload

    def _of_itself(self, cluster: int, sequence: int) -> bytes:
        """Answers to ZDO requests to itself."""
        if cluster == NODE_DESCRIPTOR:
            return bytes((sequence, 0, 0, 0)) + bytes.fromhex("00408e35112b52800000002c2b520000"[:26])
        if cluster == ACTIVE_ENDPOINTS:
            return bytes((sequence, 0, 0, 0, 1, 1))
        if cluster == SIMPLE_DESCRIPTOR:
            return bytes((sequence, 0, 0, 0, 8, 1)) + struct.pack("<HHBBB", 0x0104, 0x0005, 0, 0, 0)
        return bytes((sequence, NOT_SUPPORTED, 0, 0))

    def _indication(self, frame: bytes) -> tuple[int, bytes]:
        cluster, asdu = self._said.pop(0)
        itself = struct.pack("<BHB", 2, 0, 0)
        payload = self._state + itself + itself + struct.pack("<HHH", 0, cluster, len(asdu)) + asdu
        payload += bytes((0, 0xAF, 0xFF, 0, 0, 0, 0, 0xC4))
        return 0, struct.pack("<H", len(payload)) + payload

    _ANSWERS: dict[int, Callable[[ConBee, bytes], tuple[int, bytes]]] = {  # noqa: RUF012 - a table
        0x04: _confirm,
        0x07: _device_state,
        0x08: _change,
        0x0A: _read,
        0x0B: _write,
        0x0D: _version,
        0x12: _send,
        0x17: _indication,
    }


class CC2652(FakePort):
    """A CC2652 with Z-Stack 3.30 until its version is known: ping, version, and nothing in its flash."""

    def _frames(self, data: bytes) -> bytes:
        while (start := data.find(b"\xfe")) >= 0 and len(data) >= start + 5 + data[start + 1]:
            end = start + 5 + data[start + 1]
            frame, data = data[start + 1 : end - 1], data[end:]
            self.heard.append(frame)
            self._answer(frame)
        return data

    def _answer(self, frame: bytes) -> None:
        kind, command = frame[1], frame[2]
        if (kind, command) == (0x21, 0x01):
            self._frame(0x61, 0x01, struct.pack("<H", 0x0779))
        elif (kind, command) == (0x21, 0x02):
            self._frame(0x61, 0x02, bytes((2, 1, 2, 7, 1)) + struct.pack("<I", 20211217))
        else:
            self._frame(0x60, 0x00, bytes((0x02, kind, command)))

    def _frame(self, kind: int, command: int, payload: bytes) -> None:
        body = bytes((len(payload), kind, command)) + payload
        check = 0
        for byte in body:
            check ^= byte
        self._say(b"\xfe" + body + bytes((check,)))
