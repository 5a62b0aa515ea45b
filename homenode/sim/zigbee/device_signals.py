"""What a device senses, by point kind: which attribute, zone bit or command carries it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from homenode.errors import Refused
from homenode.sim.zigbee.clusters.cluster import Attribute, Cluster
from homenode.sim.zigbee.clusters.door_lock import DoorLock
from homenode.sim.zigbee.clusters.ias_wd import WarningDevice
from homenode.sim.zigbee.clusters.ias_zone import ALARM_1, ALARM_2, BATTERY, MAINS_LOST, TAMPER, TYPE, Zone
from homenode.sim.zigbee.clusters.on_off import OnOff
from homenode.sim.zigbee.clusters.poll_control import PollControl
from homenode.sim.zigbee.device_spec import Press
from homenode.sim.zigbee.zcl import Data

if TYPE_CHECKING:
    from homenode.sim.zigbee.device import VirtualDevice

ZONE_TYPES: dict[int, str] = {
    0x000D: "motion",
    0x0015: "contact",
    0x0016: "contact",
    0x0028: "smoke",
    0x002A: "water",
    0x002B: "co",
    0x002C: "button",
    0x002D: "vibration",
    0x010F: "button",
    0x0115: "button",
    0x0226: "vibration",
}
"""Zone type to what it senses (ZCL table 8-5)."""
LOW_BATTERY_PERCENT = 15
_MOMENT_S = 0.5
_POWER_CONFIGURATION, _BASIC, _POLL_CONTROL, _OCCUPANCY = 0x0001, 0x0000, 0x0020, 0x0406
_ON_OFF, _BINARY_INPUT, _MULTISTATE_INPUT, _ZONE = 0x0006, 0x000F, 0x0012, 0x0500
_PRESENT_VALUE = 0x0055
_METERING, _ELECTRICAL, _WATER_UNIT = 0x0702, 0x0B04, 0x01
_AQARA, _AQARA_HEARTBEAT = 0x115F, 0xFF01

Convert = Callable[[float], float]
Measured = tuple[Cluster, Attribute, Convert]


def _times(factor: float) -> Callable[[Cluster], Convert]:
    return lambda cluster: lambda value: value * factor


def _ratio(divisor: int, multiplier: int, unit: float = 1.0) -> Callable[[Cluster], Convert]:
    def bind(cluster: Cluster) -> Convert:
        def convert(value: float) -> float:
            return value * unit * (cluster.number(divisor, 1) or 1) / (cluster.number(multiplier, 1) or 1)

        return convert

    return bind


def _lux(cluster: Cluster) -> Convert:
    """10,000 log10(lux) + 1; 0 is "too dark to measure" (ZCL 4.2.2.2.1)."""
    return lambda value: 10_000 * math.log10(value) + 1 if value >= 1 else 0


def _plain(cluster: Cluster) -> Convert:
    return lambda value: value


_MEASURES: dict[str, tuple[tuple[int, int, Callable[[Cluster], Convert]], ...]] = {
    "temperature": ((0x0402, 0x0000, _times(100)),),
    "humidity": ((0x0405, 0x0000, _times(100)),),
    "illuminance": ((0x0400, 0x0000, _lux),),
    "power": (
        (_ELECTRICAL, 0x050B, _ratio(0x0605, 0x0604)),
        (_METERING, 0x0400, _ratio(0x0302, 0x0301, 0.001)),
        (0x000C, _PRESENT_VALUE, _plain),
    ),
    "voltage": ((_ELECTRICAL, 0x0505, _ratio(0x0601, 0x0600)),),
    "current": ((_ELECTRICAL, 0x0508, _ratio(0x0603, 0x0602)),),
    "energy": ((_METERING, 0x0000, _ratio(0x0302, 0x0301)),),
    "flow_volume": ((_METERING, 0x0000, _ratio(0x0302, 0x0301)),),
}
"""Point kind to where it may be measured, the first a device has: cluster, attribute, conversion."""

_STANDARD_PRESSES: dict[int, dict[str, tuple[int, ...]]] = {
    _ON_OFF: {"single": (0x02,), "on": (0x01,), "off": (0x00,), "toggle": (0x02,)}
}
_MULTISTATE: dict[str, int] = {"hold": 0, "single": 1, "double": 2, "triple": 3, "release": 255}
"""Present value of a button with a multistate input (Aqara, Third Reality)."""


class Signals:
    """The senses of one device."""

    def __init__(self, device: VirtualDevice) -> None:
        self._device = device
        self._measured: dict[str, Measured] = dict(self._find_measures())
        self._clearing: Callable[[], None] | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """Point kinds that `measure` takes."""
        return tuple(self._measured)

    # ---- verbs --------------------------------------------------------------------------------------

    def measure(self, kind: str, value: float, *, at_once: bool) -> None:
        """See `VirtualDevice.measure`."""
        if kind == "battery":
            self.battery(value)
            return
        if kind == "mains":
            self._zone("mains").raise_bits(MAINS_LOST, not value)
            return
        if kind not in self._measured:
            raise self._refuse(f"measures no {kind}", f"it measures {', '.join(self._measured) or 'nothing'}")
        cluster, attribute, convert = self._measured[kind]
        raw = convert(value)
        new: Data = raw if attribute.type in (0x38, 0x39, 0x3A) else round(raw)
        if at_once:
            attribute.value = new
            cluster.report(attribute)
        else:
            cluster.set(attribute.id, new)

    def trip(self, on: bool, kind: str | None) -> None:
        """See `VirtualDevice.trip`."""
        spec = self._device.spec
        if self._clearing is not None:
            self._clearing()
            self._clearing = None
        if spec.never_clears:
            if not on:
                return
            for zone in self._zones():  # so that it tells each time that somebody walks past
                zone.raise_bits(spec.zone_bit & (ALARM_1 | ALARM_2), False, tell=False)
        self._sense(on, kind)
        if on and spec.clears_s:
            self._clearing = self._device.after(spec.clears_s, lambda: self._sense(False, kind))

    def press(self, kind: str) -> None:
        """See `VirtualDevice.press`."""
        presses = self._device.spec.presses
        if presses:
            if kind not in presses:
                raise self._refuse(f"can't be pressed {kind!r}", f"it can be pressed {', '.join(presses)}")
            for one in presses[kind]:
                self._send_press(one)
            return
        for cluster in self._servers(_MULTISTATE_INPUT):
            attribute = cluster.attributes.get(_PRESENT_VALUE)
            if attribute is not None and kind in _MULTISTATE:
                attribute.value = _MULTISTATE[kind]
                cluster.report(attribute)
                return
        for (_, id_), cluster in self._device.clients.items():
            for command in _STANDARD_PRESSES.get(id_, {}).get(kind, ()):
                self._device.notify(cluster, b"", command=command)
                return
        for zone in self._zones():
            if kind == "single" and ZONE_TYPES.get(zone.number(TYPE)) == "button":
                self._moment(zone)
                return
        raise self._refuse(f"can't be pressed {kind!r}")

    def _moment(self, zone: Zone) -> None:
        zone.raise_bits(ALARM_1, True)
        self._device.after(_MOMENT_S, lambda: zone.raise_bits(ALARM_1, False), real=True)

    def tamper(self, on: bool) -> None:
        """See `VirtualDevice.tamper`."""
        self._zone("tamper").raise_bits(TAMPER, on)

    def test(self, on: bool) -> None:
        """See `VirtualDevice.test`."""
        self._zone("a test").raise_bits(self._device.spec.test_bits, on)

    def battery(self, percent: float) -> None:
        """See `VirtualDevice.battery`. Coin cells: 3.0 V full, 2.1 V empty."""
        if not self._device.spec.battery_powered:
            raise self._refuse("has no battery")
        percent = max(0.0, min(100.0, percent))
        for cluster in self._servers(_POWER_CONFIGURATION):
            cluster.set(0x0020, round(21 + 9 * percent / 100))
            cluster.set(0x0021, round(percent * 2))
        for zone in self._zones():
            zone.raise_bits(BATTERY, percent < LOW_BATTERY_PERCENT)
        self._battery_percent = percent

    def operate(self, kind: str, on: bool) -> None:
        """See `VirtualDevice.operate`."""
        for cluster in self._device.servers.values():
            if (
                isinstance(cluster, OnOff)
                and cluster.kind
                and self._device.output_name(cluster.kind, cluster) == kind
            ):
                cluster.switch(on)
                return
            if isinstance(cluster, DoorLock) and cluster.is_lock and kind == "lock":
                cluster.move(on)
                return
            if isinstance(cluster, WarningDevice) and kind == "siren":
                cluster.sound(on)
                return
        raise self._refuse(f"has no {kind}", f"it has {', '.join(self._device.outputs) or 'no outputs'}")

    # ---- signs of life ------------------------------------------------------------------------------

    def start(self) -> None:
        """On the network: begin to check in."""
        for cluster in self._servers(_POLL_CONTROL):
            if isinstance(cluster, PollControl) and cluster.interval_s:
                self._poll_control(cluster)
        if self._device.spec.check_in_s:
            self._every(lambda: self._device.spec.check_in_s, self.check_in)

    def check_in(self) -> None:
        """A sign of life, now."""
        how = self._device.spec.check_in
        if how == "zone":
            for zone in self._zones():
                zone.tell()
        elif how == "aqara":
            self._aqara_heartbeat()
        elif how == "battery":
            for cluster in self._servers(_POWER_CONFIGURATION):
                known = [cluster.attributes[id_] for id_ in (0x0021, 0x0020) if id_ in cluster.attributes]
                if known:
                    cluster.report(known[0])
        elif how == "values":
            for cluster, attribute, _ in self._measured.values():
                cluster.report(attribute)

    def _poll_control(self, cluster: PollControl) -> None:
        self._every(lambda: cluster.interval_s, cluster.check_in)

    def _every(self, seconds: Callable[[], float], call: Callable[[], None]) -> None:
        def due() -> None:
            call()
            self._every(seconds, call)

        self._device.after(seconds(), due)

    def _aqara_heartbeat(self) -> None:
        """Attribute 0xFF01 of basic: a string of (tag, type, value); 1: battery mV, 3: °C, 0x64: state."""
        millivolts = round(2850 + 3 * self._battery_percent)
        body = bytes((0x01, 0x21)) + millivolts.to_bytes(2, "little") + bytes((0x03, 0x28, 21))
        for cluster in self._servers(_ON_OFF):
            body += bytes((0x64, 0x10, int(bool(cluster.value(0)))))
        for basic in self._servers(_BASIC):
            basic.report(Attribute(_AQARA_HEARTBEAT, 0x42, body, manufacturer=_AQARA))
            return

    # ---- inside -------------------------------------------------------------------------------------

    _battery_percent = 100.0

    def _servers(self, id_: int) -> Iterator[Cluster]:
        return (cluster for (_, one), cluster in self._device.servers.items() if one == id_)

    def _zones(self) -> Iterator[Zone]:
        return (cluster for cluster in self._servers(_ZONE) if isinstance(cluster, Zone))

    def _zone(self, sense: str) -> Zone:
        for zone in self._zones():
            return zone
        raise self._refuse(f"doesn't notice {sense}")

    def _refuse(self, what: str, do: str = "") -> Refused:
        spec = self._device.spec
        return Refused(what, where=f"{spec.manufacturer} {spec.model}", do=do)

    def _sense(self, on: bool, kind: str | None) -> None:
        """The way that a device of this model tells: occupancy, an on/off report, its zone, an input."""
        unbound = self._device.spec.reports_unbound
        zones = [] if unbound else [z for z in self._zones() if kind in (None, self._zone_kind(z))]
        for zone in zones:
            bits = self._device.spec.zone_bit
            zone.raise_bits(bits & (ALARM_1 | ALARM_2), on)
            return
        for cluster in self._servers(_OCCUPANCY):
            attribute = cluster.attributes.get(0x0000)
            if attribute is not None:
                self._tell(cluster, attribute, int(on))
                return
        for id_, which in ((_ON_OFF, 0x0000), (_BINARY_INPUT, _PRESENT_VALUE)):
            for cluster in self._servers(id_):
                attribute = cluster.attributes.get(which)
                if attribute is not None and not (isinstance(cluster, OnOff) and cluster.kind):
                    self._tell(cluster, attribute, int(on))
                    return
        for zone in self._zones():
            zone.raise_bits(self._device.spec.zone_bit & (ALARM_1 | ALARM_2), on)
            return
        raise self._refuse(f"doesn't sense {kind or 'anything'}")

    def _zone_kind(self, zone: Zone) -> str:
        return self._device.spec.thing or ZONE_TYPES.get(zone.number(TYPE), "")

    def _tell(self, cluster: Cluster, attribute: Attribute, value: Data) -> None:
        """A sensor that reports unbound, or never clears, tells each time, another as it is configured."""
        if self._device.spec.reports_unbound or self._device.spec.never_clears:
            attribute.value = value
            cluster.report(attribute)
        else:
            cluster.set(attribute.id, value)

    def _send_press(self, press: Press) -> None:
        if press.attribute is None:
            cluster = self._device.clients[press.endpoint, press.cluster]
            self._device.notify(
                cluster, press.payload, command=press.command, manufacturer=press.manufacturer
            )
            return
        cluster = self._device.servers[press.endpoint, press.cluster]
        attribute = cluster.attributes[press.attribute]
        attribute.value = press.value
        cluster.report(attribute)

    def _find_measures(self) -> Iterator[tuple[str, Measured]]:
        for kind, places in _MEASURES.items():
            for id_, which, bind in places:
                found = [c for c in self._servers(id_) if which in c.attributes]
                if id_ == _METERING and kind in ("energy", "flow_volume"):
                    water = kind == "flow_volume"
                    found = [c for c in found if (c.number(0x0300) == _WATER_UNIT) is water]
                for nth, cluster in enumerate(found, 1):
                    name = kind if nth == 1 else f"{kind}_{nth}"
                    yield name, (cluster, cluster.attributes[which], bind(cluster))
                if found:
                    break
