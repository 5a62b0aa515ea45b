"""What a ZCL frame of a known device says, told to the gateway: where both paths end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from drivers.zigbee import tuya, xiaomi, zcl
from drivers.zigbee.meanings import NotOfItsType
from drivers.zigbee.plan import Facts, Plan, Zone
from drivers.zigbee.rows import Place
from drivers.zigbee.standard import (
    BATTERY_LOW,
    FILLED,
    MULTISTATE_RELEASE,
    MULTISTATE_VALUE,
    TAMPER,
    TROUBLE,
    Cluster,
)
from drivers.zigbee.supervision import believed
from homenode.driver import Host
from homenode.reading import Instant, Value

log = logging.getLogger("homenode.zigbee")

REPEAT_MS = 10_000
"""A frame that comes again within so long is the same frame (zigpy drops repeats for as long)."""
REMEMBERED = 12
"""Frames remembered per device for that."""
OVERTAKEN_MS = 2_000
"""A frame whose sequence number is the one before the last is older, if it comes so soon after it."""
TOLD_AGAIN_MS = 10 * 60_000
"""Tamper and link quality ride along with every frame; told when they change, else so often."""
LQI_STEP = 30
STILL_KNOWN_MS = 15 * 60_000
"""The default `bridge`: after a longer silence of the radio a value from before it is believed by nobody."""
MALFORMED_LOG_MS = 60_000
GARBLED = 5
"""So many frames in a row that can't be read are told as a fault of the device."""
DO = "pair it again; if that doesn't help, replace it"
FLOOD, FLOOD_MS = 300, 10_000
"""So many frames within so long are told as a fault; the busiest meters say a tenth of that."""
ZONE_STATUS_CHANGED, ZONE_ENROLL_REQUEST = 0x00, 0x01

MULTISTATE_INPUT = (Cluster.MULTISTATE_INPUT, MULTISTATE_VALUE)

MAKERS_OWN = 0xFC00
"""Clusters from here on are a manufacturer's own (2.3.1.2): only a row knows their commands."""

Told = list[tuple[Place, zcl.AttributeValue]]
"""Values, and where they are."""


@dataclass(slots=True)
class Known:
    """A device that was interviewed.

    Attributes:
        ieee: As home.yaml writes it; `number` is the same as the stick writes it.
        name: In home.yaml; "" while unassigned: then it feeds nothing, and an installer sees what it says.
        device: zigpy's own object of it.
        sleepy: It answers only right after it has spoken.
        asked: Whether it was asked for its state since the start.
        tries: How often our part of its interview was begun.
        garbled: Frames in a row that could not be read.
        frames: Heard since `counted_from`, whatever they are.
        refused: It is not heard often enough for what it is for: that nothing is wrong is not believed.
        pending: What waits until it is awake, by kind.
        heard_at: When any frame of it was heard last.
        battery_low: None until it has said so: whatever was told before this run may be over.
    """

    ieee: str
    number: int
    name: str
    plan: Plan
    facts: Facts
    device: Any
    sleepy: bool
    asked: bool = False
    tries: int = 0
    recent: dict[tuple[int, int, int, bytes], tuple[Instant, bool]] = field(default_factory=dict)
    last: dict[tuple[int, int], tuple[bytes, Instant]] = field(default_factory=dict)
    last_taken: dict[tuple[int, int], bool] = field(default_factory=dict)
    order: dict[tuple[int, int], tuple[int, Instant]] = field(default_factory=dict)
    told: dict[str, tuple[Value, Instant]] = field(default_factory=dict)
    seen_at: Instant = 0
    malformed: int = 0
    garbled: int = 0
    frames: int = 0
    counted_from: Instant = 0
    malformed_logged: Instant = -MALFORMED_LOG_MS
    battery_low: bool | None = None
    refused: bool = False
    pending: dict[str, bool] = field(default_factory=dict)
    heard_at: Instant = 0

    @property
    def waits(self) -> bool:
        """Whether there is something to be asked or told once it is awake."""
        return not self.facts.complete or not self.asked or bool(self.pending)


class Ear:
    """Turns frames into readings.

    Args:
        host: The gateway.
        later: Call something in so many seconds, cancelling what was to be called for the same key.
        appeared: A device showed a point it was not known to have.
    """

    def __init__(
        self,
        host: Host,
        later: Callable[[tuple[str, str], float, Callable[[], None]], None],
        appeared: Callable[[Known, str], None],
    ) -> None:
        self._host, self._later, self._appeared = host, later, appeared
        self._at: Instant | None = None

    @staticmethod
    def named(known: Known, name: str) -> None:
        """It has another name, or none any more; nothing was told under this one."""
        known.name, known.asked = name, False
        known.battery_low, known.counted_from, known.garbled = None, 0, 0
        known.told.clear()
        if not name:
            known.pending.clear()

    def hear(
        self, known: Known, endpoint: int, cluster: int, payload: bytes, sequence: int, lqi: int | None
    ) -> bool:
        """Tell what a frame says. True if it needs nothing more but perhaps a default response."""
        now = known.heard_at = self._host.now()
        self._count(known, now)
        # a press that comes again under a new APS counter is still the same press
        press = (
            bool(payload) and payload[0] & (zcl.CLUSTER_SPECIFIC | zcl.FROM_SERVER) == zcl.CLUSTER_SPECIFIC
        )
        key = (endpoint, cluster, 0 if press else sequence, payload)
        recent = known.recent
        before = recent.get(key)
        if before is not None and now - before[0] < REPEAT_MS:
            return before[1]
        recent[key] = (now, False)
        if len(recent) > REMEMBERED:
            del recent[next(iter(recent))]
        last = known.last.get((endpoint, cluster))
        known.last[endpoint, cluster] = (payload, now)
        if last is not None and last[0] == payload and now - last[1] < REPEAT_MS and not press:
            # word for word what it said last, its sequence number too: sent twice
            if known.name:
                self._host.alive(known.name)
            return known.last_taken.get((endpoint, cluster), False)
        try:
            frame = zcl.parse(payload)
            self._at = None if press else self._overtaken(known, endpoint, cluster, frame, now)
            taken, spoke = self._tell(known, endpoint, cluster, frame)
            if spoke and cluster == Cluster.IAS_ZONE:
                self._readable(known)
        except (zcl.Malformed, NotOfItsType) as fault:
            self.malformed(known, cluster, str(fault), now)
            taken, spoke = False, False
        known.recent[key] = (now, taken)
        known.last_taken[endpoint, cluster] = taken
        if lqi is not None:
            self._now_and_then(known, "link_quality", lqi, now, LQI_STEP)
        if known.name and not spoke:
            self._host.alive(known.name)
        return taken

    def _count(self, known: Known, now: Instant) -> None:
        """One that speaks without end takes the air from all others."""
        if now - known.counted_from >= FLOOD_MS:
            if not known.counted_from and known.name:  # what was told of it before a restart
                for what in ("flood", "garbled"):
                    self._host.back(f"{known.name} {what}")
            known.counted_from, known.frames = now, 0
        known.frames += 1
        if known.frames == FLOOD and known.name:
            text = f"{known.name} speaks without end ({FLOOD} frames in {FLOOD_MS // 1000} s)"
            do = f"take its power away, and {DO}"
            self._host.lost(f"{known.name} flood", f"{text}; {do}", (known.name,))
            self._later((known.name, "flood"), FLOOD_MS / 1000, lambda: self._calm(known))

    def _calm(self, known: Known) -> None:
        if known.frames >= FLOOD // 2 and self._host.now() - known.counted_from < FLOOD_MS:
            self._later((known.name, "flood"), FLOOD_MS / 1000, lambda: self._calm(known))
        else:
            self._host.back(f"{known.name} flood")

    def _overtaken(
        self, known: Known, endpoint: int, cluster: int, frame: zcl.Frame, now: Instant
    ) -> Instant | None:
        """The instant of a frame that a newer one of its cluster has overtaken on the air, else None."""
        if not frame.of_cluster and frame.command != zcl.REPORT:
            return None
        last = known.order.get((endpoint, cluster))
        if last is not None and frame.sequence == (last[0] - 1) & 0xFF and now - last[1] < OVERTAKEN_MS:
            return last[1] - 1
        known.order[endpoint, cluster] = (frame.sequence, now)
        return None

    def _tell(self, known: Known, endpoint: int, cluster: int, frame: zcl.Frame) -> tuple[bool, bool]:
        """(needs nothing more, told a reading)"""
        if frame.control & zcl.RESERVED:
            raise zcl.Malformed("a frame type that ZCL doesn't have")
        if not frame.of_cluster:
            if frame.command == zcl.REPORT:
                own = frame.manufacturer is not None
                told: Told
                if cluster in xiaomi.CLUSTERS:
                    every = xiaomi.values(cluster, frame.body)
                    told = [(Place(endpoint, cluster, a, item), v) for a, item, v in every]
                else:
                    told = [(Place(endpoint, cluster, a), v) for a, v in zcl.reports(frame.body)]
                return not own, self._attributes(known, told, reported=True, own=own)
            if frame.manufacturer is None and frame.command == zcl.READ_ANSWER:
                answers = zcl.read_answers(frame.body)
                told = [(Place(endpoint, cluster, a), v) for a, status, v in answers if status == zcl.SUCCESS]
                return False, self._attributes(known, told, reported=False)
            return False, False
        if cluster >= MAKERS_OWN and known.plan.presses:
            return self._press(known, endpoint, cluster, frame)
        if cluster == tuya.CLUSTER and frame.command in tuya.TOLD:
            told = [(Place(endpoint, cluster, point), v) for point, v in tuya.records(frame.body)]
            return True, self._attributes(known, told, reported=True)
        if frame.manufacturer is not None:
            return False, False
        if frame.from_server:
            if cluster == Cluster.IAS_ZONE and frame.command == ZONE_STATUS_CHANGED:
                if len(frame.body) < 2:
                    raise zcl.Malformed("a zone status cut short")
                status = frame.body[0] | frame.body[1] << 8
                return True, self._zone(known, endpoint, status, notified=True)
            return False, False
        return self._press(known, endpoint, cluster, frame)

    def _press(self, known: Known, endpoint: int, cluster: int, frame: zcl.Frame) -> tuple[bool, bool]:
        presses = known.plan.presses
        if not presses:
            return False, False
        first = frame.body[0] if frame.body else -1
        kind = presses.get((endpoint, cluster, frame.command, None))
        kind = kind or presses.get((endpoint, cluster, frame.command, first))
        if kind is None:
            return False, False
        self._say(known, kind, True)
        return cluster != Cluster.IAS_ACE, True

    def _attributes(self, known: Known, values: Told, *, reported: bool, own: bool = False) -> bool:
        """`own`: a manufacturer's own ones: only a row says what they are, whatever number they have."""
        spoke = False
        unread: NotOfItsType | None = None
        plan = known.plan
        for place, value in values:
            sense = plan.senses.get(place)
            if sense is not None:
                if (own and sense.attribute is not None) or (sense.event and not reported):
                    continue
                if value is None and sense.optional and not known.facts.complete:
                    continue
                try:
                    said = sense.meaning(value)
                    self._readable(known)
                except NotOfItsType as fault:
                    said, unread = None, fault  # it said something, nobody knows what: no more the old value
                self._say(known, sense.kind, said)
                spoke = True
            elif own:
                continue
            elif place.cluster == Cluster.IAS_ZONE and place.attribute == 0x0002 and isinstance(value, int):
                spoke |= self._zone(known, place.endpoint, value, notified=False)
            elif reported and (place.cluster, place.attribute) == MULTISTATE_INPUT:
                number = value if isinstance(value, int) else MULTISTATE_RELEASE
                kind = plan.multistate.get((place.endpoint, number))
                if kind is not None and number != MULTISTATE_RELEASE:
                    self._say(known, kind, True)
                    spoke = True
        if unread is not None:
            raise unread
        return spoke

    def _zone(self, known: Known, endpoint: int, status: int, *, notified: bool) -> bool:
        """An alarm is believed of a detector in trouble too; that there is none, only of a sound one."""
        zone: Zone | None = known.plan.zones.get(endpoint)
        if zone is None:
            return False
        trouble = bool(status & TROUBLE) and status & FILLED != FILLED
        spoke = False
        for kind, mask in zone.bits:
            if not zone.momentary:
                self._say(known, kind, True if status & mask else None if trouble else False)
                spoke = True
            elif status & mask and notified:
                self._say(known, kind, True)
                spoke = True
        for kind, mask in zone.later:
            if status & mask:
                self._appeared(known, kind)
                self._say(known, kind, True)
        if self._at is not None:  # a newer status has told how it stands
            return spoke
        if zone.tamper and known.name:
            self._now_and_then(known, zone.tamper, bool(status & TAMPER), self._host.now())
        if known.plan.battery_by_bit and known.name:
            self._battery(known, bool(status & BATTERY_LOW))
        return spoke

    def _battery(self, known: Known, low: bool) -> None:
        if low == known.battery_low:
            return
        known.battery_low = low
        if low:
            why = f"the battery of {known.name} is low"
            self._host.lost(f"{known.name} battery", why, (known.name,), battery=True)
        else:
            self._host.back(f"{known.name} battery")

    def _readable(self, known: Known) -> None:
        if known.garbled >= GARBLED and known.name:
            self._host.back(f"{known.name} garbled")
        known.garbled = 0

    def switched(self, known: Known, kind: str, to: bool) -> None:
        """An output that does not say itself how it stands was switched."""
        self._at = None
        self._say(known, kind, to)

    def _say(self, known: Known, kind: str, value: Value) -> None:
        if not known.name:
            self._host.noticed(known.ieee, kind, value)
            return
        if known.refused:
            value = believed(kind, value)
        self._host.heard(known.name, kind, value, self._at)
        clears_ms = known.plan.clears_ms.get(kind)
        if clears_ms is not None and value is True and self._at is None:
            name, heard = known.name, self._host.heard
            self._later((name, kind), clears_ms / 1000, lambda: heard(name, kind, False))

    def clear_later(self, known: Known) -> None:
        """What was seen shortly before a restart or a loss of the stick ends when it would have ended."""
        for kind, clears_ms in known.plan.clears_ms.items():
            last, now = self._host.last_heard(known.name, kind), self._host.now()
            if last is None or last[0] is not True or now - last[1] > STILL_KNOWN_MS:
                continue
            told = partial(self._host.heard, known.name, kind, False)
            self._later((known.name, kind), max(0, last[1] + clears_ms - now) / 1000, told)

    def _now_and_then(self, known: Known, kind: str, value: bool | int, now: Instant, step: int = 1) -> None:
        told = known.told.get(kind)
        if told is not None and now - told[1] < TOLD_AGAIN_MS:
            before = told[0]
            if before is None or abs(value - before) < step:
                return
        known.told[kind] = (value, now)
        if known.name:
            self._host.heard(known.name, kind, value)
        else:
            self._host.noticed(known.ieee, kind, value)

    def malformed(self, known: Known, cluster: int, why: str, now: Instant) -> None:
        """Count a frame that can't be; one line in the log a minute and device."""
        known.malformed += 1
        known.garbled += 1
        if known.garbled == GARBLED and known.name:
            text = f"{known.name} sends what can't be read (cluster 0x{cluster:04x}: {why}); {DO}"
            self._host.lost(f"{known.name} garbled", text, (known.name,))
        if now - known.malformed_logged >= MALFORMED_LOG_MS:
            known.malformed_logged = now
            log.warning(
                "malformed frame",
                extra={
                    "device": known.name or known.ieee,
                    "cluster": f"0x{cluster:04x}",
                    "why": why,
                    "count": known.malformed,
                },
            )
