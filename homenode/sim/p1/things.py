"""What the flat's loads take on each phase, as telegrams at the meter's customer port.

Text of the Swedish branch's recommendation 1.3 (DSMR 5 with a checksum): a telegram each 10 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from homenode.recordings.telegrams import crc16
from homenode.sim.p1.plan import MeterPlan
from homenode.sim.things import Tell, Thing
from homenode.sim.timeline import Cancel, Timeline
from homenode.sim.zigbee.serial_line import Pty

MAINS_V = 230.0
LEAST_REAL_S = 0.1
"""However fast the apartment's clock runs, a telegram isn't sent sooner than this after the last."""
_CODES = (("21.7.0", "31.7.0", "32.7.0"), ("41.7.0", "51.7.0", "52.7.0"), ("61.7.0", "71.7.0", "72.7.0"))
"""Power, current and voltage of each phase (OBIS: IEC 62056-6-1)."""


def telegram(when: datetime, watts: Sequence[float], energy_kwh: float) -> bytes:
    """What the meter sends at a time with so much on L1, L2 and L3; negative is fed in."""
    total = sum(watts)
    lines = [
        f"0-0:1.0.0({when:%y%m%d%H%M%S}{'S' if when.dst() else 'W'})",
        f"1-0:1.8.0({energy_kwh:012.3f}*kWh)",
        "1-0:2.8.0(00000000.000*kWh)",
        f"1-0:1.7.0({max(total, 0) / 1000:08.3f}*kW)",
        f"1-0:2.7.0({max(-total, 0) / 1000:08.3f}*kW)",
    ]
    for (power, current, voltage), taken in zip(_CODES, watts, strict=True):
        feeds = power.replace("1.7", "2.7", 1)
        lines += [
            f"1-0:{power}({max(taken, 0) / 1000:08.3f}*kW)",
            f"1-0:{feeds}({max(-taken, 0) / 1000:08.3f}*kW)",
            f"1-0:{voltage}({MAINS_V:05.1f}*V)",
            f"1-0:{current}({abs(taken) / MAINS_V:05.1f}*A)",
        ]
    body = ("/SIM5 homenode\r\n\r\n" + "".join(f"{line}\r\n" for line in lines) + "!").encode()
    return body + f"{crc16(body):04X}\r\n".encode()


class LoadThing(Thing):
    """An appliance that is wired to a phase, with no plug of its own."""

    def __init__(self, name: str, room: str, tell: Tell) -> None:
        super().__init__(name, room, (), tell)
        self.kinds = ("power",)

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        self._noted(kind, value)


class MeterThing(Thing):
    """The meter. `measure METER power_2 W` is what else L1 takes; power_3 and power_4 are L2 and L3."""

    def __init__(self, plan: MeterPlan, things: Mapping[str, Thing], timeline: Timeline, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, (), tell)
        self.plan, self._things, self._timeline = plan, things, timeline
        self.kinds = ("power_2", "power_3", "power_4")
        self._port = Pty(plan.port, lambda _: None)  # it listens to nobody
        self._energy_kwh, self._counted_ms = plan.energy_kwh, timeline.clock.now()
        self._next: Cancel | None = None

    def start(self) -> None:
        """Plug the cable in. Raises SetupError."""
        self._port.open()
        self._send()

    def stop(self) -> None:
        """Pull it out."""
        if self._next is not None:
            self._next()
        self._port.close()

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        if kind not in self.kinds:
            raise self._cannot(f"measure {kind}")
        self._noted(kind, value)

    def watts(self) -> list[float]:
        """What each phase takes now."""
        return [
            float(self.sensed.get(kind, 0))
            + sum(float(self._things[load].sensed.get("power", 0)) for load in loads)
            for kind, loads in zip(self.kinds, self.plan.loads, strict=True)
        ]

    def _send(self) -> None:
        watts, now_ms = self.watts(), self._timeline.clock.now()
        self._energy_kwh += max(sum(watts), 0) / 1000 * (now_ms - self._counted_ms) / 3_600_000
        self._counted_ms = now_ms
        self._port.write(telegram(self._timeline.now(), watts, self._energy_kwh))
        self._next = self._timeline.after(self.plan.every_s, self._send, real_s=LEAST_REAL_S)
