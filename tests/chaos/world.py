"""What happens in a home, and therefore must be raised: known here, whatever becomes of the node."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.chaos.home import SENSORS, Sensor

TICK_S = 0.02
SEEN_S = 1.5
"""A node that has run so long beyond what the rule asks for, with the sensor as it is, has decided."""


@dataclass
class Occasion:
    """Something that must become one alert. Instants of `time.perf_counter`.

    Attributes:
        on, off: When the sensor turned; `off` 0 while it is on.
        raised, resolved: When the node must have decided so, at the latest; 0 until then.
    """

    sensor: Sensor
    on: float
    raised: float = 0.0
    off: float = 0.0
    resolved: float = 0.0


class World:
    """Sensors that turn on and off by chance, each long enough for a node that runs to notice.

    A sensor that is on stays so until a node has been told and has run for long enough since, without being
    started anew: so each turn is one alert, no more and no fewer.
    """

    def __init__(self, at: Path, seed: str, pause_s: tuple[float, float] = (0.5, 6.0)) -> None:
        self.occasions: list[Occasion] = []
        self.at, self._dice, self._pause_s = at, random.Random(seed), pause_s
        self._lock = threading.RLock()
        self._node: socket.socket | None = None
        self._since = 0.0
        self._asleep = False
        self._open: dict[str, Occasion] = {}
        now = time.perf_counter()
        self._turn = {one.device: now + self._dice.uniform(*pause_s) for one in SENSORS}
        self._told: dict[str, float] = {}
        self._end = threading.Event()
        self._calm = False

    def __enter__(self) -> Self:
        self.at.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.at))
        self._server.listen()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._accept, self._live)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    # --- what the rig says

    def asleep(self) -> None:
        """The node is frozen, or about to be ended."""
        with self._lock:
            self._since, self._asleep = 0.0, True

    def awake(self) -> None:
        """It goes on."""
        with self._lock:
            self._since, self._asleep = time.perf_counter(), False

    def calm(self) -> None:
        """Nothing more turns on."""
        with self._lock:
            self._calm = True

    def storm(self, device: str, per_s: int, seconds: float) -> None:
        """Readings of a meter."""
        self._say([device, "power", per_s, seconds])

    @property
    def watched(self) -> bool:
        """Whether a node runs and was told how everything is."""
        with self._lock:
            return self._since > 0 and len(self._told) == len(SENSORS)

    @property
    def over(self) -> bool:
        """Whether all that turned on has turned off, and a node has seen it."""
        with self._lock:
            return not self._open and all(one.resolved for one in self.occasions)

    def due(self) -> list[Occasion]:
        """Copies of all that must have been raised by now."""
        with self._lock:
            return [Occasion(**vars(one)) for one in self.occasions if one.raised]

    # --- threads

    def _accept(self) -> None:
        while True:
            try:
                node, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(node,), daemon=True).start()
            with self._lock:
                self._node, self._since, self._asleep = node, 0.0, False
                self._told.clear()
            for one in SENSORS:
                self._tell(one)

    def _hear(self, node: socket.socket) -> None:
        """What the driver told the gateway comes back."""
        try:
            with node, node.makefile() as lines:
                for line in lines:
                    device, _, value = json.loads(line)
                    with self._lock:
                        if node is not self._node:
                            return
                        if not self._asleep:  # else it said so before
                            self._since = self._since or time.perf_counter()
                        if value == self._value(device):
                            self._told[device] = time.perf_counter()
        except OSError:
            pass  # killed
        finally:
            with self._lock:
                if node is self._node:
                    self._node, self._since = None, 0.0

    def _value(self, device: str) -> bool | float:
        one = next(one for one in SENSORS if one.device == device)
        return one.on if device in self._open else one.off

    def _tell(self, one: Sensor) -> None:
        with self._lock:
            self._told.pop(one.device, None)
            self._say([one.device, one.kind, self._value(one.device)])

    def _say(self, words: list[object]) -> None:
        with self._lock:
            if self._node is not None:
                try:
                    self._node.sendall(json.dumps(words).encode() + b"\n")
                except OSError:
                    self._node, self._since = None, 0.0

    def _live(self) -> None:
        while not self._end.wait(TICK_S):
            with self._lock:
                for one in SENSORS:
                    self._consider(one, time.perf_counter())

    def _consider(self, one: Sensor, now: float) -> None:
        told = self._told.get(one.device)
        seen_s = now - max(told, self._since) if told and self._since else 0.0
        open_ = self._open.get(one.device)
        if open_ is None:
            last = next((o for o in reversed(self.occasions) if o.sensor is one), None)
            if last is not None and not last.resolved:
                if seen_s <= SEEN_S:
                    return
                last.resolved = now
                self._turn[one.device] = now + self._dice.uniform(*self._pause_s)
            if now >= self._turn[one.device] and not self._calm:
                self._open[one.device] = Occasion(one, now)
                self.occasions.append(self._open[one.device])
                self._tell(one)
        elif not open_.raised:
            if seen_s > one.hold_s + SEEN_S:
                open_.raised = now
                self._turn[one.device] = now + self._dice.uniform(*self._pause_s)
        elif now >= self._turn[one.device] or self._calm:
            del self._open[one.device]
            open_.off = now
            self._tell(one)
