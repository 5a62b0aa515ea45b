"""Meters that give pulses: what was counted survives a restart, and nothing is counted twice.

A count is stored in the meter's own unit, each `STORE_S` and when the driver ends. The node's journal has
what was told last, at most 40 s late; the larger of the two is what to go on from, as both are what was
really counted. So a power cut costs at most the pulses of its last 40 s, and those that came while the node
was off.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from homenode.config.model import Device
from homenode.driver import Host

TELL_S = 10.0
"""A meter of 10,000 pulses a kWh gives 28 a second at 10 kW; nobody needs a reading for each."""
STORE_S = 600.0
"""The journal has it within 40 s; the file is for when it has a null instead, as of a driver that was
lost."""
FILE = "counts.json"


class Meter:
    """One meter."""

    def __init__(self, device: Device, stored: float | None, host: Host) -> None:
        options = device.options
        self.name, self.kind = device.name, str(options["kind"])
        self.per_unit = int(options["pulses"])
        self._host, self._one_at_a_time = host, threading.Lock()
        last = host.last_heard(device.name, self.kind)
        journal = last[0] if last else None
        known = [float(options.get("start") or 0)]
        known += [float(value) for value in (stored, journal) if value is not None]
        self._count = round(max(known) * self.per_unit)
        self._told: int | None = None

    @property
    def value(self) -> float:
        """kWh or m³."""
        return round(self._count / self.per_unit, 6)

    def pulse(self) -> None:
        """One more; called on the pin library's thread."""
        with self._one_at_a_time:
            self._count += 1

    def tell(self) -> None:
        """Tell it if it has changed."""
        with self._one_at_a_time:
            if self._count != self._told:
                self._told = self._count
                self._host.heard(self.name, self.kind, self.value)


class Meters:
    """All meters of a home, and the file that remembers them."""

    def __init__(self, devices: Sequence[Device], host: Host) -> None:
        self._file = host.data / FILE
        self._kept = read(self._file)
        self._stored = dict(self._kept)
        self.meters = {device.name: Meter(device, self._kept.get(_key(device)), host) for device in devices}

    async def run(self) -> None:
        """Tell and store, until cancelled."""
        ticks = 0
        while True:
            self.tell()
            await asyncio.sleep(TELL_S)
            ticks += 1
            if ticks % round(STORE_S / TELL_S) == 0:
                await asyncio.to_thread(self.store)

    def tell(self) -> None:
        """What has changed."""
        for meter in self.meters.values():
            meter.tell()

    def store(self) -> None:
        """Put what was counted into the file, whole or not at all; on a full disk the older one stays."""
        counts = self._kept | {f"{meter.name}.{meter.kind}": meter.value for meter in self.meters.values()}
        if counts == self._stored:
            return
        beside = self._file.with_suffix(".new")
        with suppress(OSError):
            with beside.open("w", encoding="ascii") as stream:
                json.dump(counts, stream)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(self._file)
            self._stored = counts


def read(file: Path) -> dict[str, float]:
    """Point to what its meter had; empty if there is no such file, or it is damaged."""
    try:
        counts = json.loads(file.read_text(encoding="ascii"))
        return {str(name): float(value) for name, value in counts.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def forget(folder: Path) -> int:
    """Erase what meters counted; how many there were. May raise OSError."""
    counts = read(folder / FILE)
    for name in (FILE, "counts.new"):
        (folder / name).unlink(missing_ok=True)
    return len(counts)


def _key(device: Device) -> str:
    return f"{device.name}.{device.options['kind']}"
