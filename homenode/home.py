"""What is known of a home: the last value of every point, and whether it may be believed.

Pure: every method is given the instant. The engine decides on it; status and panel show it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from homenode.config.model import NEVER, Device
from homenode.kinds import Shape, kind_of
from homenode.reading import Instant, Quality, Value

if TYPE_CHECKING:
    from homenode.driver import DriverType


class Lane:
    """Points of one device that may be silent for the same time; nearly every device has one lane."""

    __slots__ = ("device", "limit_ms", "points")

    def __init__(self, device: DeviceState, limit_ms: int) -> None:
        self.device, self.limit_ms = device, limit_ms
        self.points: list[PointState] = []

    def stale_at(self) -> Instant | None:
        """The first instant at which the device has been silent too long; None if that never comes."""
        heard = self.device.heard
        return None if heard is None or self.limit_ms == NEVER else heard + self.limit_ms

    def is_silent(self, at: Instant) -> bool:
        """Whether the device was heard, but not in (at - limit, at]."""
        silent_from = self.stale_at()
        return silent_from is not None and at >= silent_from

    def latch(self) -> None:
        """Its good points are stale from now on, each until its own next reading."""
        for point in self.points:
            if not point.momentary and point.read and point.value is not None:
                point.stale = True


class DeviceState:
    """When a device was last heard, and how long it may be silent.

    Attributes:
        heard: Instant of its last sign of life; None if it was never heard.
        stale_after_ms: A good point of it is stale from ``heard + stale_after_ms`` on; NEVER. A point may
            have a limit of its own (`PointState.lane`).
        points: Its points heard or asked for so far.
    """

    __slots__ = ("heard", "lanes", "name", "points", "stale_after_ms")

    def __init__(self, name: str, stale_after_ms: int) -> None:
        self.name = name
        self.stale_after_ms = stale_after_ms
        self.heard: Instant | None = None
        self.points: list[PointState] = []
        self.lanes: list[Lane] = []

    def is_silent(self, at: Instant) -> bool:
        """Whether it was heard, but not in (at - stale_after, at]."""
        return (
            self.heard is not None and self.stale_after_ms != NEVER and at >= self.heard + self.stale_after_ms
        )

    @property
    def sleeps(self) -> bool:
        """Whether it runs on a battery, as far as its points tell: it speaks when it likes, not if asked."""
        kinds = (kind_of(point.name) for point in self.points)
        return self.stale_after_ms != NEVER and not any(kind and kind.name in OFTEN for kind in kinds)

    def lane(self, limit_ms: int) -> Lane:
        """Its lane with this limit."""
        for lane in self.lanes:
            if lane.limit_ms == limit_ms:
                return lane
        lane = Lane(self, limit_ms)
        self.lanes.append(lane)
        return lane

    def hear(self, at: Instant) -> None:
        """A sign of life. Points that went stale before it stay so until their own next reading."""
        heard = self.heard
        if heard is None:
            self.heard = at
        elif at > heard:
            for lane in self.lanes:
                if lane.limit_ms != NEVER and heard + lane.limit_ms < at:
                    lane.latch()
            self.heard = at


class PointState:
    """The last reading of one point.

    Attributes:
        value: Of its last reading; None before the first and after "fault". A button keeps its last press.
        known: The last value that was not a fault (what `changes` compares with).
        changed: Instant of the last reading that differed from `known`.
        at: Instant of its last reading.
        read: Whether there was one.
        fault: The device says fault.
        stale: It went stale and has not been read since (not for momentary points).
        pressed: Instant of the last press of a momentary point.
        since: Instant from which it has had this value, without having been stale or at fault in between, or
            the node down for too long for a rule that reads it; None if nobody knows.
        lane: How long its device may be silent before this point is stale.
    """

    __slots__ = (
        "at", "changed", "device", "fault", "known", "lane", "momentary", "name", "pressed", "read", "since",
        "stale", "value",
    )  # fmt: skip

    def __init__(self, name: str, device: DeviceState, limit_ms: int) -> None:
        self.name = name
        self.device = device
        self.lane = device.lane(limit_ms)
        self.lane.points.append(self)
        kind = kind_of(name)
        self.momentary = kind is not None and kind.shape is Shape.MOMENTARY
        self.value: Value = None
        self.known: Value = None
        self.at: Instant | None = None
        self.read = self.fault = self.stale = False
        self.changed: Instant | None = None
        self.pressed: Instant | None = None
        self.since: Instant | None = None

    def hear(self, value: Value, at: Instant) -> None:
        """A reading of it (its device is to be told first)."""
        self.read = True
        self.at = at
        if value != self.value or self.stale or self.since is None:
            self.since = at
            self.stale = False
        self.fault = value is None
        if self.momentary:
            if value:
                self.pressed = at
                self.value = True
        else:
            self.value = value
        if value is not None:
            if value != self.known and self.known is not None:
                self.changed = at
            self.known = value

    def quality(self, at: Instant) -> Quality:
        """Whether its value may be believed at `at`, which is not before anything it was told."""
        if self.momentary:
            if self.fault or self.device.heard is None:
                return Quality.UNKNOWN
            return Quality.STALE if self.lane.is_silent(at) else Quality.GOOD
        if not self.read or self.fault:
            return Quality.UNKNOWN
        return Quality.STALE if self.stale or self.lane.is_silent(at) else Quality.GOOD


class HomeState:
    """Every point and device heard so far.

    Attributes:
        cut_until: End of the last downtime that was too long for the standard `bridge` or of unknown length.

    Args:
        stale_after_ms: Per device, or per point where that differs from its device's; NEVER (-1) for what
            is believed however long it is silent. A device that isn't listed is never stale until
            `set_stale_after` says otherwise.
    """

    def __init__(self, stale_after_ms: Mapping[str, int] | None = None) -> None:
        self.devices: dict[str, DeviceState] = {}
        self.points: dict[str, PointState] = {}
        self.cut_until: Instant | None = None
        self._limits_ms: dict[str, int] = {}
        for name, limit_ms in (stale_after_ms or {}).items():
            if "." in name:
                self._limits_ms[name] = limit_ms
            else:
                self.devices[name] = DeviceState(name, limit_ms)

    def device(self, name: str) -> DeviceState:
        """The device, known from now on."""
        state = self.devices.get(name)
        if state is None:
            state = self.devices[name] = DeviceState(name, NEVER)
        return state

    def point(self, name: str) -> PointState:
        """The point, known (if only as unknown) from now on."""
        state = self.points.get(name)
        if state is None:
            device = self.device(name.partition(".")[0])
            limit_ms = self._limits_ms.get(name, device.stale_after_ms)
            state = self.points[name] = PointState(name, device, limit_ms)
            device.points.append(state)
        return state

    def quality(self, point: PointState, at: Instant) -> Quality:
        """Whether people may be shown its value: as a rule with the standard `bridge` sees it."""
        cut = self.cut_until is not None and point.at is not None and point.at < self.cut_until
        return Quality.UNKNOWN if cut and not point.momentary else point.quality(at)

    def hear(self, point: str, value: Value, at: Instant) -> PointState:
        """A reading. Values are checked at the edge (`homenode.kinds.why_not`)."""
        state = self.points.get(point) or self.point(point)
        state.device.hear(at)
        state.hear(value, at)
        return state

    def alive(self, device: str, at: Instant) -> None:
        """A sign of life that says nothing about a point."""
        self.device(device).hear(at)

    def set_stale_after(self, device: str, stale_after_ms: int, at: Instant) -> None:
        """From `at` on the device may be silent for so long; what is stale by then stays stale."""
        state = self.device(device)
        for lane in state.lanes:
            if lane.is_silent(at):
                lane.latch()
        state.stale_after_ms = stale_after_ms
        state.lanes = []
        for point in state.points:
            self._limits_ms.pop(point.name, None)
            point.lane = state.lane(stale_after_ms)
            point.lane.points.append(point)

    def shift(self, by_ms: int) -> None:
        """Everything was heard so much later (earlier if negative) than believed."""
        if self.cut_until is not None:
            self.cut_until += by_ms
        for device in self.devices.values():
            if device.heard is not None:
                device.heard += by_ms
        for point in self.points.values():
            for name in ("at", "changed", "pressed", "since"):
                instant = getattr(point, name)
                if instant is not None:
                    setattr(point, name, instant + by_ms)

    def limits_ms(self) -> dict[str, int]:
        """The limits in force, as the constructor takes them."""
        limits = {device.name: device.stale_after_ms for device in self.devices.values()}
        return limits | {point.name: point.lane.limit_ms for point in self.points.values()}

    def dump(self, points: Collection[str] | None = None) -> dict[str, Any]:
        """Everything, or what concerns some points, as JSON-able data for `restore`. Limits are not in it."""
        told = self.points.values() if points is None else [self.point(name) for name in points]
        devices = self.devices.values() if points is None else {point.device for point in told}
        return {
            "cut_until": self.cut_until,
            "devices": {d.name: d.heard for d in devices if d.heard is not None},
            "points": {
                p.name: [p.value, p.known, p.at, int(p.fault), int(p.stale), p.changed, p.pressed, p.since]
                for p in told
                if p.read
            },
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over what `dump` wrote."""
        self.cut_until = data.get("cut_until")
        for name, heard in data["devices"].items():
            self.device(name).heard = heard
        for name, (value, known, at, fault, stale, changed, pressed, *since) in data["points"].items():
            point = self.point(name)
            point.value, point.known, point.at = value, known, at
            point.read, point.fault, point.stale = True, bool(fault), bool(stale)
            point.changed, point.pressed = changed, pressed
            point.since = since[0] if since else at  # the first version did not know it: no longer than sure


OFTEN_MS = 3_600_000
SELDOM_MS = 4 * 3_600_000
OFTEN = frozenset(("power", "energy", "current", "voltage", "switch", "light", "siren"))
"""Kinds that a device on the mains reports at least every hour; others are asked for every four (design)."""


def silence_limits(
    devices: Iterable[Device],
    points: Iterable[str],
    types: Mapping[str, DriverType],
    rows_ms: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """How long devices, and some points of them, may be silent: what `HomeState` and the engine take.

    Args:
        devices: As home.yaml has them.
        points: Points to have a limit by their kind where nothing is said of their device.
        types: Drivers by name.
        rows_ms: Per device, what its row in the device table says, as its driver told.
    """
    limits_ms: dict[str, int] = {}
    said: set[str] = set()
    for device in devices:
        limit_ms = device.stale_after_ms
        driver = types.get(device.driver)
        if limit_ms is None:
            limit_ms = (rows_ms or {}).get(device.name)
        if limit_ms is None and driver is not None and device.model:
            limit_ms = driver.stale_after_ms(device.model)
        if limit_ms is None and driver is not None and driver.wired:
            limit_ms = NEVER
        if limit_ms is not None:
            said.add(device.name)
        limits_ms[device.name] = SELDOM_MS if limit_ms is None else limit_ms
    for point in points:
        name, _, kind = point.partition(".")
        found = kind_of(kind)
        if name in limits_ms and name not in said and found is not None and found.name in OFTEN:
            limits_ms[point] = OFTEN_MS
    return limits_ms
