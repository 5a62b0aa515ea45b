"""Loops, clamps and thermometers of the apartment under their names, with the same verbs as the others."""

from __future__ import annotations

from homenode.errors import Refused
from homenode.sim.gpio.adc import ENDLESS_OHM, TAP_WATER_OHM, Clamp, Converters, Loop
from homenode.sim.gpio.one_wire import FAULTS, OneWireBus
from homenode.sim.gpio.plan import AdcPlan, W1Plan
from homenode.sim.things import Tell, WiredThing

CABLE_OHM = 2.0
ROOM_C = 21.0


class LoopThing(WiredThing):
    """A contact or probe at the end of a supervised loop."""

    def __init__(self, plan: AdcPlan, converters: Converters, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, plan.between, tell)
        self.plan, self.kinds = plan, (plan.kind,)
        self._loop = Loop(cable_ohm=CABLE_OHM)
        self.sensed[plan.kind] = False
        self._turn(False)
        converters.connect(plan.adc, plan.chip, plan.channel, self._loop)

    def sense(self, on: bool, kind: str = "") -> None:
        """See `Thing.sense`."""
        self._turn(on)
        self._noted(self.plan.kind, on)

    def _turn(self, on: bool) -> None:
        closed = TAP_WATER_OHM if self.plan.kind == "water" and self.plan.closes else 0.0
        self._loop.contact_ohm = closed if on is self.plan.closes else ENDLESS_OHM

    def cut_wire(self, cut: bool) -> None:
        """See `WiredThing.cut_wire`."""
        self._loop.cable_ohm = ENDLESS_OHM if cut else CABLE_OHM

    def stick(self, level: bool | None) -> None:
        """See `WiredThing.stick`: low is a short circuit."""
        if level:
            raise Refused("a loop can't stick high", where=self.name, do="low, or cut it")
        self._loop.shorted = level is False

    def status(self) -> dict[str, object]:
        """See `Thing.status`."""
        place = f"{self.plan.adc} {self.plan.chip} channel {self.plan.channel}"
        return {"adc": place, "share": round(self._loop.share(0.0), 3), **super().status()}


class ClampThing(WiredThing):
    """One clamp, or three."""

    def __init__(self, plan: AdcPlan, converters: Converters, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, plan.between, tell)
        self.plan = plan
        self.kinds = tuple(f"current_{nth}" if nth > 1 else "current" for nth in range(1, plan.phases + 1))
        self._clamps = {kind: Clamp(turn=nth / 3) for nth, kind in enumerate(self.kinds)}
        for nth, clamp in enumerate(self._clamps.values()):
            converters.connect(plan.adc, plan.chip, plan.channel + nth, clamp)

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        if kind not in self._clamps or value < 0:
            raise self._cannot(f"measure {kind} {value:g}")
        self._clamps[kind].current_a = value
        self._noted(kind, value)

    def cut_wire(self, cut: bool) -> None:
        """See `WiredThing.cut_wire`: its plugs are out."""
        for clamp in self._clamps.values():
            clamp.plugged = not cut

    def stick(self, level: bool | None) -> None:
        """See `WiredThing.stick`."""
        raise self._cannot("stick")


class ThermometerThing(WiredThing):
    """A DS18B20."""

    def __init__(self, plan: W1Plan, bus: OneWireBus, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, (), tell)
        self.plan, self._bus, self._fault = plan, bus, ""
        self.kinds = ("temperature",)
        self.sensed["temperature"] = ROOM_C
        self._show()

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        if kind != "temperature" or not -55 <= value <= 125:
            raise self._cannot(f"measure {kind} {value:g}")
        self._noted(kind, value)
        self._show()

    def cut_wire(self, cut: bool) -> None:
        """See `WiredThing.cut_wire`."""
        self.fault("gone" if cut else "")

    def stick(self, level: bool | None) -> None:
        """See `WiredThing.stick`: low is a short circuit, high the checksum of noise."""
        self.fault({None: "", False: "shorted", True: "noisy"}[level])

    def fault(self, fault: str) -> None:
        """One of FAULTS, or well ("")."""
        assert not fault or fault in FAULTS
        self._fault = fault
        self._show()

    def _show(self) -> None:
        self._bus.show(self.plan.sensor, float(self.sensed["temperature"]), self._fault)
