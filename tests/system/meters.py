"""The customer port of an electricity meter, on a pseudo-terminal, as a cable brings it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

RECORDED = Path(__file__).parents[3] / "shared/data/p1"
"""Telegrams of real meters."""

QUIET = {"1.7.0": "0000.244*kW", "2.7.0": "0000.000*kW", "21.7.0": "0000.070*kW", "41.7.0": "0000.032*kW",
         "61.7.0": "0000.142*kW", "31.7.0": "000.4*A", "51.7.0": "000.4*A", "71.7.0": "000.8*A",
         "32.7.0": "230.0*V", "52.7.0": "231.0*V", "72.7.0": "229.5*V", "1.8.0": "00060995.424*kWh",
         "2.8.0": "00000000.000*kWh"}  # fmt: skip
"""A flat in which nothing is on but the refrigerator."""
COOKING = {"1.7.0": "0002.202*kW", "21.7.0": "0001.947*kW", "31.7.0": "008.3*A"}


def crc16(data: bytes) -> int:
    """As the standard draws it: a shift register, bit by bit; not as the driver computes it."""
    register = 0
    for byte in data:
        for bit in range(8):
            out = (register ^ (byte >> bit)) & 1
            register = (register >> 1) ^ (0xA001 if out else 0)
    return register


def telegram(*changes: Mapping[str, str]) -> bytes:
    """What a Swedish meter sends, with some lines changed; an empty one is left out."""
    lines = {**QUIET}
    for change in changes:
        lines.update(change)
    text = "".join(f"1-0:{code}({value})\r\n" for code, value in lines.items() if value)
    body = f"/KAM5\r\n\r\n0-0:1.0.0(220408135021W)\r\n{text}!".encode()
    return body + f"{crc16(body):04X}\r\n".encode()


def at_another_speed(data: bytes, sent_baud: int, read_baud: int) -> bytes:
    """What a UART at `read_baud` makes of it: eight bits, no parity, sampled in the middle of each bit."""
    level = [1] * 20
    for byte in data:
        level += [0, *((byte >> bit) & 1 for bit in range(8)), 1]

    def at(read_bits: float) -> int:
        sent = int(read_bits * sent_baud / read_baud)
        return level[sent] if sent < len(level) else 1

    read, position, end = bytearray(), 0.0, len(level) * read_baud / sent_baud
    while position < end:
        if at(position):
            position += 0.25
            continue
        read.append(sum(at(position + 1.5 + bit) << bit for bit in range(8)))
        position += 9.5
        while position < end and not at(position):  # a framing error: the line must be idle again first
            position += 0.25
    return bytes(read)


class Meter:
    """Sends over and over; `say` changes what."""

    def __init__(self, port: Path, *sends: bytes, every_s: float = 0.1) -> None:
        self.port, self._every_s = port, every_s
        self._sends: tuple[bytes, ...] = sends or (telegram(),)
        self._again, self._stop = threading.Event(), threading.Event()
        self.sent = 0
        self._near = -1
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def say(self, *sends: bytes) -> None:
        """From now on these, one after the other."""
        self._sends = sends
        self._again.set()

    def plug_in(self) -> None:
        """The port is there."""
        near, far = os.openpty()
        os.set_blocking(near, False)
        name = os.ttyname(far)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(name)
        os.close(far)
        with self._lock:
            self._near = near

    def pull_out(self) -> None:
        """The port is gone, also for who has it open."""
        self.port.unlink(missing_ok=True)
        with self._lock:
            near, self._near = self._near, -1
        if near >= 0:
            os.close(near)

    def is_open(self) -> bool:
        """Whether somebody has the port open."""
        poll = select.poll()
        poll.register(self._near, select.POLLHUP)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._again.clear()
            for data in self._sends:
                self._write(data)
                self.sent += 1
                if self._again.is_set() or self._stop.wait(self._every_s):
                    break

    def _write(self, data: bytes) -> None:
        with self._lock:
            try:
                if self._near >= 0 and data and self.is_open():
                    os.write(self._near, data)
            except OSError:
                self.sent -= 1  # nobody reads

    def __enter__(self) -> Self:
        self.plug_in()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.pull_out()
