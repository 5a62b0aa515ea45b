"""Loops and clamps on converters: read in threads of their own, told when they change."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from drivers.gpio.chips import Chip, is_the_chips, open_chip
from drivers.gpio.clamp import ENOUGH, FEWEST, LONGEST_S, SAMPLE_S, NoClamp, amperes
from drivers.gpio.kinds import WIRINGS
from drivers.gpio.loop import Loop, Settled, state
from drivers.gpio.pins import drop
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import acted_on
from homenode.reading import Value

SCAN_S, BUTTONS_S = 0.25, 0.1
"""Between two looks at the loops; of buttons, so that a pull cord that is drawn for 0.2 s is seen."""
CLAMP_S = 10.0
"""Between two measurements of a clamp; a hob's thermostat is on for 40 s at least (tracebase)."""
AGAIN_S = 1.0
"""The same after one for which the machine had no time."""
PAUSE_S = 0.0025
"""Between two samples of a clamp, in which its thread leaves the processor alone."""
LEAST_A, LEAST_SHARE = 0.05, 0.05
"""A current is told anew when it differs by so much, and by so much of itself."""
OPENS_S = 0.2
"""A converter that is just being opened is waited for no longer when the driver ends."""
RETRY_S = 2.0
"""A converter that is gone is looked for so often."""

Which = tuple[str, int]
"""A converter: its word in home.yaml and its number."""


def which(device: Device) -> Which:
    """The converter that a device hangs on."""
    return str(device.options["adc"]), int(device.options.get("chip") or 0)


class _Loop:
    """One supervised loop."""

    def __init__(self, device: Device) -> None:
        options = device.options
        self.name, self.kind = device.name, str(options["kind"])
        self.chip, self.channel = which(device), int(options["channel"])
        high = (options.get("active") or WIRINGS[self.kind].active) == "high"
        self._true = Loop.OPEN if high else Loop.CLOSED
        self._probe = self.kind == "water" and not high
        self._settled = Settled(1 if self.kind == "button" else 2)
        self.source = f"{self.name} cable"

    def see(self, share: float | None) -> Loop | None:
        """The state that it is in now, if that is another than before."""
        seen = Loop.SILENT if share is None else state(share, probe=self._probe)
        return seen if self._settled.see(seen) else None

    @property
    def is_new(self) -> bool:
        """Nothing was told of it yet."""
        return self._settled.now is None

    def value(self, now: Loop, *, first: bool) -> bool:
        """What a state means; held down at start, a button is not pressed now."""
        return now is self._true and not (first and self.kind == "button")


class _Phase:
    """One clamp."""

    def __init__(self, device: Device, nth: int, kind: str) -> None:
        options = device.options
        self.name, self.kind = device.name, kind
        self.chip, self.channel = which(device), int(options["channel"]) + nth
        self.amps_per_volt = float(options.get("amps_per_volt") or 30)
        self.source = f"{device.name}.{kind} cable"
        self.told: Value = None
        self.is_new = True

    def differs(self, current_a: float) -> bool:
        """Whether it is worth telling."""
        if self.told is None:
            return True
        return abs(current_a - self.told) > max(LEAST_A, LEAST_SHARE * self.told)


class Analog:
    """All that hangs on converters."""

    def __init__(self, devices: Sequence[Device], host: Host) -> None:
        self._host = host
        loops = [_Loop(device) for device in devices if device.options["kind"] != "current"]
        self._buttons = [loop for loop in loops if loop.kind == "button"]
        self._loops = [loop for loop in loops if loop.kind != "button"]
        self._phases = [
            _Phase(device, nth, kind)
            for device in devices
            if device.options["kind"] == "current"
            for nth, kind in enumerate(device.kinds or ("current",))
        ]
        parts: list[_Loop | _Phase] = [*loops, *self._phases]
        self._on = {
            chip: sorted({part.name for part in parts if part.chip == chip})
            for chip in {part.chip for part in parts}
        }
        self._chips: dict[Which, Chip] = {}
        self._gone: dict[Which, float] = {}
        self._factory: Any = None
        self._time: Callable[[], float] = float
        self._threads = ThreadPoolExecutor(2, "gpio adc")
        self._opening = threading.Lock()
        self._stopped = False

    async def run(self, factory: Any) -> None:
        """Until cancelled. Raises what the pin library raises when the way to all pins is gone."""
        self._factory, self._time = factory, asyncio.get_running_loop().time
        try:
            async with asyncio.TaskGroup() as group:
                for loops, every_s in ((self._buttons, BUTTONS_S), (self._loops, SCAN_S)):
                    if loops:
                        group.create_task(self._repeat(partial(self._look, loops), self._tell_loops, every_s))
                if self._phases:
                    group.create_task(self._repeat(self._measure, self._tell_phases, CLAMP_S), name="clamps")
        except BaseExceptionGroup as several:
            raise acted_on(several) from several

    def close(self) -> None:
        """Let go of the buses; whoever reads one notices it at its next sample.

        A daemon that doesn't answer keeps nobody waiting: its connection is cut.
        """
        self._stopped = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        if not self._opening.acquire(timeout=OPENS_S):
            drop(self._factory)
            return
        for chip in self._chips.values():
            try:
                chip.close()
            except Exception:  # noqa: BLE001 - each library raises its own; the bus is gone either way
                drop(self._factory)
        self._opening.release()

    async def _repeat(self, look: Callable[[], Any], tell: Callable[[Any], bool], every_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            done = tell(await loop.run_in_executor(self._threads, look))
            await asyncio.sleep(every_s if done else AGAIN_S)

    # ---- in a thread of the pool ---------------------------------------------------------------------

    def _look(self, loops: Sequence[_Loop]) -> list[tuple[_Loop, float | None]]:
        return [(loop, self._read(loop)) for loop in loops]

    def _measure(self) -> list[tuple[_Phase, list[float]]]:
        return [(phase, self._stretch(phase)) for phase in self._phases]

    def _stretch(self, phase: _Phase) -> list[float]:
        """Samples of ten periods; none if the converter is gone."""
        samples: list[float] = []
        start_s = self._time()
        while self._time() - start_s < (SAMPLE_S if len(samples) >= ENOUGH else LONGEST_S):
            share = self._read(phase)
            if share is None:
                return []
            samples.append(share)
            time.sleep(PAUSE_S)
        return samples

    def _read(self, part: _Loop | _Phase) -> float | None:
        """The share of the supply; None while its converter is gone. Raises where all pins are gone."""
        chip = part.chip
        again_s = self._gone.get(chip)
        if self._stopped or (again_s is not None and self._time() < again_s):
            return None
        adc, number = chip
        source = f"{adc} {number}"
        try:
            with self._opening:
                if self._stopped:
                    return None
                if chip not in self._chips:
                    self._chips[chip] = open_chip(adc, number, self._factory)
            share = self._chips[chip].share(part.channel)
        except Exception as error:
            if self._stopped:
                return None
            if not is_the_chips(error, self._factory):
                raise
            self._gone[chip] = self._time() + RETRY_S
            self._host.lost(source, f"no answer from the converter {source} ({error})", self._on[chip])
            return None
        if again_s is not None:
            self._gone.pop(chip, None)
        self._host.back(source)
        return share

    # ---- in the driver's loop ------------------------------------------------------------------------

    def _tell_loops(self, seen: list[tuple[_Loop, float | None]]) -> bool:
        for loop, share in seen:
            first = loop.is_new
            now = loop.see(share)
            if now is None:
                continue
            if now.is_fault:
                self._host.heard(loop.name, loop.kind, None)
                if share is not None:
                    self._host.lost(loop.source, f"{now.value} ({share:.0%} of the supply)", (loop.name,))
            else:
                self._host.heard(loop.name, loop.kind, loop.value(now, first=first))
                self._host.back(loop.source)
        return True

    def _tell_phases(self, found: list[tuple[_Phase, list[float]]]) -> bool:
        """Whether there was time to measure each."""
        done = True
        for phase, samples in found:
            if 0 < len(samples) < FEWEST:
                done = False
                continue  # nothing is known that wasn't before
            try:
                current_a = amperes(samples, phase.amps_per_volt) if samples else None
                why = ""
            except NoClamp as error:
                current_a, why = None, str(error)
            if current_a is None:
                if phase.told is not None or phase.is_new:
                    self._host.heard(phase.name, phase.kind, None)
                if why:
                    self._host.lost(phase.source, why, (phase.name,))
                phase.told = None
            elif phase.differs(current_a):
                self._host.heard(phase.name, phase.kind, current_a)
                self._host.back(phase.source)
                phase.told = current_a
            phase.is_new = False
        return done
