"""Each dump as a virtual device behind the simulated stick: joined, interviewed, driven over the real stack.

What a point ought to say is worked out by the simulator's own conversions; only for places that a row names
(data points, a maker's attributes) it is the row's meaning of a raw value that went over the air.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drivers.zigbee import tuya, xiaomi
from drivers.zigbee.ear import Known
from drivers.zigbee.plan import Sense
from drivers.zigbee.rows import Place, row_for
from homenode.errors import Refused
from homenode.reading import Value
from homenode.sim.zigbee.clusters.ias_zone import ALARM_1, TAMPER, Zone
from homenode.sim.zigbee.clusters.tuya import VALUE
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.zcl import Malformed, encode
from tests.system.zigbee_bed import Interviewed, stick_at
from tests.unit.zigbee.devices_at_hand import spec_of
from tests.zigbee_dumps.table import Line, expectations, line

TOLD_S = 8.0
INTERVIEW_S = 60.0
MEASURED: dict[str, float] = {
    "temperature": 21.5, "humidity": 45.0, "illuminance": 100.0, "power": 1230.0, "current": 3.0,
    "voltage": 228.0, "energy": 3.5, "flow_volume": 1.5,
}  # fmt: skip
CLOSE = 0.02
"""A lux reading is rounded on its way through a logarithm; a volt or a tenth by the device's divisor."""
RAW = 42
_AQARA_REPORT = b"\x1c\x5f\x11"
_BOOLEAN, _UINT16, _SINGLE = 0x10, 0x21, 0x39


@dataclass
class Driven:
    """What became of one device.

    Attributes:
        line: Its kinds beside what they ought to be.
        silent: Kinds that did not say what was done to the device.
    """

    line: Line
    seconds: float = 0.0
    silent: list[str] = field(default_factory=list)
    driven: int = 0
    notes: str = ""

    @property
    def sound(self) -> bool:
        """Right points, and each says what happens."""
        return self.line.right and not self.silent

    def __str__(self) -> str:
        silent = f"; says nothing or wrong: {', '.join(self.silent)}" if self.silent else ""
        return f"{self.line}  {self.driven} points driven{silent}  {self.seconds:.1f} s"


async def drive_all(
    folder: Path, files: Sequence[Path], tell: Callable[[str], object] = lambda text: None
) -> list[Driven]:
    """Join, interview and drive them one after the other, in one network."""
    expected, found = expectations(), list[Driven]()
    async with _home(folder, files) as home:
        await home.radio.pair(3600)
        for number in range(len(files)):
            spec = home[str(number)].spec
            model = f"{spec.manufacturer}/{spec.model}"
            begun = time.perf_counter()
            kinds, notes = await _interviewed(home, str(number))
            one = Driven(line(model, kinds, expected.get(model)), notes=notes)
            await _drive(home, str(number), one)
            one.seconds = time.perf_counter() - begun
            found.append(one)
            tell(str(one))
    right = sum(one.sound for one in found)
    tell(
        f"{right} of {len(found)} joined, interviewed and driven right; {sum(o.driven for o in found)} points"
    )
    return found


@contextlib.asynccontextmanager
async def _home(folder: Path, files: Sequence[Path]) -> AsyncIterator[Interviewed]:
    async with stick_at(folder) as stick:
        home = Interviewed(folder, stick)
        for number, file in enumerate(files):
            home.add_spec(spec_of(file), str(number))
        await home.start(channel=15)
        try:
            yield home
        finally:
            await home.stop()


async def _interviewed(home: Interviewed, name: str) -> tuple[tuple[str, ...], str]:
    """Kinds and note of a device that joins now."""
    assert home[name].join()
    devices = home.radio._devices
    assert devices is not None
    with contextlib.suppress(TimeoutError):
        await home.host.until(lambda: devices.is_complete(home.ieee(name)), INTERVIEW_S)
    known = home.host.known[home.ieee(name)]
    return known.kinds, known.note


async def _drive(home: Interviewed, name: str, one: Driven) -> None:
    devices = home.radio._devices
    assert devices is not None
    known = devices.named(name)
    if known is None:
        one.silent.append("everything: it was not interviewed")
        return
    for kind in known.plan.kinds:
        home.host.readings.clear()
        known.recent.clear()
        try:
            wanted = await _do(home, name, kind, known)
            if wanted is not None:
                await home.host.until(lambda: _said(home, name, kind, wanted), TOLD_S)  # noqa: B023 - awaited here
                one.driven += 1
        except (TimeoutError, Refused) as fault:
            one.silent.append(f"{kind} ({fault or home.host.values(name, kind)})")


def _said(home: Interviewed, name: str, kind: str, wanted: Value) -> bool:
    for value in home.host.values(name, kind):
        if isinstance(wanted, bool) or value is None or isinstance(value, bool):
            if value is wanted:
                return True
        elif wanted is not None and abs(value - wanted) <= CLOSE * abs(wanted) + 0.01:
            return True
    return False


async def _do(home: Interviewed, name: str, kind: str, known: Known) -> Value:
    """Do to the device what this kind is for; what it ought to say, or None if there is nothing to do."""
    device, plan = home[name], known.plan
    here = {endpoint.number for endpoint in device.spec.endpoints}
    said = [(p, s) for p, s in plan.senses.items() if s.kind == kind and p.endpoint in here]
    by_row = next((one for one in said if one[1].attribute is None), None)
    if kind in plan.outputs:
        return await _switched(home, name, kind, plan.outputs[kind])
    if said and kind in row_for(known.device.manufacturer or "", known.device.model or "").scale:
        by_row = said[0]  # the device gives another scale, or none
    if by_row is not None:
        return _told_by_row(device, *by_row)
    if kind in plan.presses.values() or kind in plan.multistate.values():
        _pressed(device, kind, known)
        return True
    if kind == "battery":
        _standard(device, said[0][0], 100)
        return said[0][1].meaning(100)
    if kind in MEASURED and kind in device.measures:
        for value in (MEASURED[kind], MEASURED[kind] / 10):  # W by 100 in 16 bits end at 327
            with contextlib.suppress(Malformed):
                device.measure(kind, value, at_once=True)
                return value
    for number, zone in plan.zones.items():
        masks = {**dict(zone.bits), zone.tamper: TAMPER}
        if kind in masks and not _by_occupancy(kind, known):
            cluster = device.servers.get((number, 0x0500))
            if isinstance(cluster, Zone):
                bit = masks[kind] & (ALARM_1 | TAMPER) or masks[kind]
                cluster.raise_bits(bit, False)
                cluster.raise_bits(bit, True)
                return True
    if _by_occupancy(kind, known):
        _standard(device, said[0][0], 1)
        return True
    return None


def _by_occupancy(kind: str, known: Known) -> bool:
    return any(s.kind == kind and p.cluster == 0x0406 for p, s in known.plan.senses.items())


async def _switched(home: Interviewed, name: str, kind: str, place: Place) -> Value:
    device = home[name]
    on = next((value for out, value in device.outputs.items() if out == kind), False)
    await home.radio.switch(name, kind, not on)
    if place.cluster not in (tuya.CLUSTER, 0x0502):
        cluster = device.servers[place.endpoint, place.cluster]
        if kind.startswith("lock"):
            assert device.locked is (not on)
        else:
            assert bool(cluster.value(0)) is (not on)
    return not on


def _told_by_row(device: VirtualDevice, place: Place, sense: Sense) -> Value:
    raw = next(raw for raw in (RAW, 3000, 2, 1, 0) if _value(sense, raw) is not None)
    if place.cluster == tuya.CLUSTER:  # some don't list the cluster
        record = bytes((place.attribute, VALUE, 0, 4)) + raw.to_bytes(4, "big")
        head = bytes((0x09, device.next_sequence(), 0x02, 0, 1))
        device.send(0, place.endpoint, 1, place.cluster, head + record)
    elif place.item is not None:
        _tagged(device, place, raw)
    else:
        _standard(device, place, raw)
    return _value(sense, raw)


def _value(sense: Sense, raw: int) -> Value:
    return sense.meaning(raw)


def _tagged(device: VirtualDevice, place: Place, raw: int) -> None:
    if (place.cluster, place.attribute) == xiaomi.LISTED:
        value = b"\x02\x00\x10\x01\x21" + raw.to_bytes(2, "little")
        payload = b"\x02\xff\x4c" + value
    else:
        value = bytes((place.item or 0, 0x21)) + raw.to_bytes(2, "little")
        payload = place.attribute.to_bytes(2, "little") + bytes((0x42, len(value))) + value
    head = _AQARA_REPORT + bytes((device.next_sequence(), 0x0A))
    device.send(0, place.endpoint, 1, place.cluster, head + payload)


def _standard(device: VirtualDevice, place: Place, raw: int) -> None:
    """Report an attribute, of whichever side or unlisted cluster it is."""
    here = place.endpoint, place.cluster
    cluster = device.servers.get(here) or device.clients.get(here)
    known = cluster.attributes.get(place.attribute) if cluster is not None else None
    kind = known.type if known is not None else _BOOLEAN if place.cluster == 0x0006 else _UINT16
    payload = place.attribute.to_bytes(2, "little") + bytes((kind,)) + encode(kind, _typed(kind, raw))
    head = _AQARA_REPORT if place.cluster >= 0xFC00 else b"\x18"
    data = head + bytes((device.next_sequence(), 0x0A)) + payload
    device.send(0, place.endpoint, 1, place.cluster, data)


def _typed(kind: int, raw: int) -> bool | int | float:
    return bool(raw) if kind == _BOOLEAN else float(raw) if kind == _SINGLE else raw


def _pressed(device: VirtualDevice, kind: str, known: Known) -> None:
    for (number, value), which in known.plan.multistate.items():
        if which == kind and known.device.endpoints.get(number) is not None:
            _standard(device, Place(number, 0x0012, 0x0055), value)
            return
    for (number, cluster, command, first), which in known.plan.presses.items():
        if which == kind:
            body = b"" if first is None else bytes((first, 0, 0))
            head = b"\x01" if cluster < 0xFC00 else b"\x0d\x5f\x11"
            data = head + bytes((device.next_sequence(), command)) + body
            device.send(0, number, 1, cluster, data)
            return


def subset(files: Sequence[Path]) -> Iterator[Path]:
    """A few devices that have, taken together, every kind that all of them have."""
    wanted: set[str] = set()
    expected = expectations()
    for file in files:
        spec = spec_of(file)
        one = expected.get(f"{spec.manufacturer}/{spec.model}")
        if one is not None and not set(one.must) <= wanted:
            wanted |= set(one.must)
            yield file
