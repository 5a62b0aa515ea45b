"""A gateway that keeps what it is told, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from homenode.driver import Joined
from homenode.reading import Instant, Value


class Gateway:
    """A `homenode.driver.Host`."""

    data = Path()

    def __init__(self) -> None:
        self.time_ms = 1_000_000
        self.readings: list[tuple[str, str, Value]] = []
        self.past: list[tuple[str, Value, Instant]] = []
        self.living: list[str] = []
        self.strange: list[tuple[str, str, Value]] = []
        self.faults: dict[str, str] = {}
        self.batteries: set[str] = set()

    def told(self, kind: str) -> list[Value]:
        return [value for _, what, value in self.readings if what == kind]

    def now(self) -> Instant:
        return self.time_ms

    def wall_to_instant(self, wall_ms: int) -> Instant:
        return wall_ms

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        self.readings.append((device, kind, value))
        if at is not None:
            self.past.append((kind, value, at))

    def alive(self, device: str) -> None:
        self.living.append(device)

    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None:
        self.faults[source] = why
        if battery:
            self.batteries.add(source)

    def noticed(self, address: str, kind: str, value: Value) -> None:
        self.strange.append((address, kind, value))

    def back(self, source: str) -> None:
        self.faults.pop(source, None)

    def joined(self, device: Joined) -> None:
        pass

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return None

    def waiting(self) -> int:
        return 0
