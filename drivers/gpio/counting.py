"""Meters that give pulses: the count survives a restart, nothing is counted twice, no reading steps back.

Before a reading is told the file has it: it reserves some pulses ahead, so that it is written seldom. After a
power cut the count goes on from the larger of what the file and the journal have (at most 40 s late), which
were really counted; but what was reserved may have been told, and nothing is told until the count is beyond
it. So a power cut costs at most the pulses of its last 40 s, those that came while the node was off, and a
gap in which the meter uses what was reserved: about what it used in the ten minutes before.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from homenode.config.model import Device
from homenode.driver import Host

TELL_S = 10.0
"""A meter of 10,000 pulses a kWh gives 28 a second at 10 kW; nobody needs a reading for each."""
STORE_S = 600.0
"""The pulses of so many seconds are reserved, at the pace since it was stored last; at most twice those."""
FIRST = 2
"""Pulses that are reserved when no pace is known."""
FILE = "counts.json"


class Kept(NamedTuple):
    """What the file has of a meter, in its own unit. `most`: what may have been told."""

    counted: float
    most: float


class Meter:
    """One meter."""

    def __init__(self, device: Device, kept: Kept | None, host: Host) -> None:
        options = device.options
        self.name, self.kind = device.name, str(options["kind"])
        self.per_unit = int(options["pulses"])
        self._host, self._one_at_a_time = host, threading.Lock()
        last = host.last_heard(device.name, self.kind)
        journal = last[0] if last else None
        known = [float(options.get("start") or 0)]
        known += [float(value) for value in (kept and kept.counted, journal) if value is not None]
        self._count = self._stored = round(max(known) * self.per_unit)
        self._most = self._silent_below = max(self._count, round((kept.most if kept else 0) * self.per_unit))
        self._stored_s = 0.0
        self._told: int | None = None

    @property
    def is_due(self) -> bool:
        """It is to be stored: its count is beyond what is reserved, or is told to nobody yet."""
        return self._count > self._most or self._stored < self._count < self._silent_below

    def pulse(self) -> None:
        """One more; called on the pin library's thread."""
        with self._one_at_a_time:
            self._count += 1

    def reserve(self, now_s: float, *, ahead: bool) -> Kept:
        """What is to be stored."""
        with self._one_at_a_time:
            if not ahead:
                self._most = max(self._count, self._silent_below)
            elif self._count > self._most:
                pulses, took_s = self._count - self._stored, max(now_s - self._stored_s, TELL_S)
                self._most = self._count + max(FIRST, round(pulses * min(2.0, STORE_S / took_s)))
            self._stored, self._stored_s = self._count, now_s
            return Kept(round(self._count / self.per_unit, 6), round(self._most / self.per_unit, 6))

    def tell(self) -> None:
        """Tell it if it has changed, and no more than is reserved."""
        with self._one_at_a_time:
            count = min(self._count, self._most)
            if count != self._told and count >= self._silent_below:
                self._told = count
                self._host.heard(self.name, self.kind, round(count / self.per_unit, 6))


class Meters:
    """All meters of a home, and the file that remembers them."""

    def __init__(self, devices: Sequence[Device], host: Host) -> None:
        self._file = host.data / FILE
        self._kept = read(self._file)
        self._stored = dict(self._kept)
        self.meters = {device.name: Meter(device, self._kept.get(_key(device)), host) for device in devices}

    async def run(self) -> None:
        """Store and tell, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            if any(meter.is_due for meter in self.meters.values()):
                await asyncio.to_thread(self.store, loop.time())
            self.tell()
            await asyncio.sleep(TELL_S)

    def tell(self) -> None:
        """What has changed."""
        for meter in self.meters.values():
            meter.tell()

    def store(self, now_s: float = 0.0, *, ahead: bool = True) -> None:
        """Put what was counted into the file, whole or not at all; on a full disk the older one stays.

        Args:
            ahead: With a reserve, so that it needn't be done before each reading.
        """
        counts = self._kept | {
            f"{meter.name}.{meter.kind}": meter.reserve(now_s, ahead=ahead) for meter in self.meters.values()
        }
        if counts == self._stored:
            return
        beside = self._file.with_suffix(".new")
        with suppress(OSError):
            with beside.open("w", encoding="ascii") as stream:
                json.dump({point: kept._asdict() for point, kept in counts.items()}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(self._file)
            self._stored = counts


def read(file: Path) -> dict[str, Kept]:
    """Point to what is kept of its meter; empty if there is no such file, or it is damaged."""
    try:
        counts = json.loads(file.read_text(encoding="ascii"))
        return {str(point): _kept(kept) for point, kept in counts.items()}
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return {}


def _kept(said: Mapping[str, object]) -> Kept:
    kept = Kept(*(float(str(said[field])) for field in Kept._fields))
    if not all(math.isfinite(value) for value in kept):
        raise ValueError("no number")
    return kept


def forget(folder: Path) -> int:
    """Erase what meters counted; how many there were. May raise OSError."""
    counts = read(folder / FILE)
    for name in (FILE, "counts.new"):
        (folder / name).unlink(missing_ok=True)
    return len(counts)


def _key(device: Device) -> str:
    return f"{device.name}.{device.options['kind']}"
