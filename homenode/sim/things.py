"""The devices of the apartment under their names, Zigbee or wired, with the same verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from homenode.errors import Refused
from homenode.sim.apartment import GpioPlan, ZigbeePlan
from homenode.sim.gpio.board import Board
from homenode.sim.zigbee.device import VirtualDevice

PULSE_S, MOST_PULSES = 0.04, 10_000
"""A meter's pulse, and the pause after it, are a little longer than S0's 30 ms."""

Tell = Callable[[str, str, object], None]
"""(device, kind, value) of whatever happens, for whoever watches."""


class Thing:
    """One device. A verb that makes no sense for it is refused.

    Attributes:
        kinds: What it senses, measures or drives.
        outputs: State of what it drives, by kind.
        sensed: What it last sensed, by kind.
    """

    def __init__(self, name: str, room: str, between: tuple[str, ...], tell: Tell) -> None:
        self.name, self.room, self.between = name, room, between
        self.kinds: tuple[str, ...] = ()
        self.sensed: dict[str, bool | float] = {}
        self._tell = tell

    @property
    def outputs(self) -> Mapping[str, bool]:
        """State of what it drives, by kind."""
        return {}

    def sense(self, on: bool, kind: str = "") -> None:
        """It senses something, or no longer."""
        raise self._cannot("sense")

    def press(self, way: str = "single") -> None:
        """Somebody presses it."""
        raise self._cannot("be pressed")

    def measure(self, kind: str, value: float) -> None:
        """What its meter reads."""
        raise self._cannot("measure")

    def operate(self, kind: str, on: bool) -> None:
        """Somebody moves its output by hand."""
        raise self._cannot("be operated by hand")

    def status(self) -> dict[str, object]:
        """What a person wants to see of it."""
        return {"room": self.room, **self.sensed, **self.outputs}

    def _noted(self, kind: str, value: bool | float) -> None:
        self.sensed[kind] = value
        self._tell(self.name, kind, value)

    def _cannot(self, what: str) -> Refused:
        return Refused(f"can't {what}", where=self.name, do=f"it has {', '.join(self.kinds)}")


class ZigbeeThing(Thing):
    """A Zigbee device."""

    def __init__(self, plan: ZigbeePlan, device: VirtualDevice, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, plan.between, tell)
        self.device = device
        thing = device.spec.thing
        battery = ("battery",) if device.spec.battery_powered else ()
        self.kinds = tuple(dict.fromkeys((thing, *device.outputs, *device.measures, *battery)))

    @property
    def outputs(self) -> Mapping[str, bool]:
        """See `Thing.outputs`."""
        return self.device.outputs

    def sense(self, on: bool, kind: str = "") -> None:
        """See `Thing.sense`; something that only drives is operated by hand."""
        word = kind or self.device.spec.thing
        if word in self.device.outputs:
            self.device.operate(word, on)
        else:
            self.device.trip(on, kind or None)
        self._noted(word, on)

    def press(self, way: str = "single") -> None:
        """See `Thing.press`."""
        self.device.press(way)
        self._tell(self.name, self.device.spec.thing, way)

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        self.device.measure(kind, value)
        self._noted(kind, value)

    def operate(self, kind: str, on: bool) -> None:
        """See `Thing.operate`."""
        self.device.operate(kind, on)
        self._noted(kind, on)

    def status(self) -> dict[str, object]:
        """See `Thing.status`."""
        device = self.device
        where = "joined" if device.present else "silent" if device.on_network else "not joined"
        more = {"fault": device.faults.kind} if device.faults.kind else {}
        return {
            "model": device.spec.name,
            "ieee": _colons(device.ieee),
            "network": where,
            **super().status(),
            **more,
        }


class WiredThing(Thing):
    """Something with a cable."""

    bounce_ms: tuple[float, ...] = ()

    def stick(self, level: bool | None) -> None:
        """Short the line to a level; None repairs it."""
        raise NotImplementedError

    def cut_wire(self, cut: bool) -> None:
        """Cut the wire, or mend it."""
        raise NotImplementedError


class GpioThing(WiredThing):
    """Something on a pin."""

    def __init__(self, plan: GpioPlan, board: Board, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, plan.between, tell)
        self.plan, self._board = plan, board
        self.kinds = (plan.kind,)
        self.cut = False
        self.bounce_ms = plan.bounce_ms
        self._edges = 0
        if plan.wiring.is_output:
            board.watch(self._moved)
        else:
            self.sensed[plan.kind] = 0.0 if plan.pulses else False
            board.drive(plan.pin, plan.wiring.drives(False))

    @property
    def outputs(self) -> Mapping[str, bool]:
        """See `Thing.outputs`; a line that nobody drives lets its relay fall."""
        if not self.plan.wiring.is_output:
            return {}
        return {self.plan.kind: self._on()}

    def sense(self, on: bool, kind: str = "") -> None:
        """See `Thing.sense`."""
        if self.plan.wiring.is_output:
            raise self._cannot("sense: the node drives it")
        if not self.cut:
            self._board.drive(self.plan.pin, self.plan.wiring.drives(on), self.bounce_ms)
        self._noted(self.plan.kind, on)

    def press(self, way: str = "single") -> None:
        """See `Thing.press`: a fifth of a real second, twice for ``double``, two seconds for ``hold``."""
        if self.plan.kind != "button":
            raise self._cannot("be pressed")
        presses = {"single": (0.2,), "double": (0.15, 0.15), "hold": (2.0,)}.get(way)
        if presses is None:
            raise Refused(f"can't be pressed {way!r}", where=self.name, do="single, double or hold")
        at_s = 0.0
        for held_s in presses:
            self._board.later(at_s, lambda: self.sense(True))
            self._board.later(at_s + held_s, lambda: self.sense(False))
            at_s += held_s + 0.2

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`: a meter goes on to what it shall show, a pulse of 40 ms for each step."""
        more = round((value - float(self.sensed[self.plan.kind])) * self.plan.pulses)
        if kind != self.plan.kind or not 0 <= more <= MOST_PULSES:
            raise self._cannot(f"measure {kind} {value:g}")
        self._edges, idle = self._edges + 2 * more, not self._edges
        if more and idle:
            self._edge()
        self._noted(kind, value)

    def _edge(self) -> None:
        """The next edge, one after the other however late each is, so that none is too short to count."""
        if not self.cut:
            closed = self._edges % 2 == 0
            self._board.drive(self.plan.pin, self.plan.wiring.drives(closed), self.bounce_ms)
        self._edges -= 1
        if self._edges:
            self._board.later(PULSE_S, self._edge)

    def stick(self, level: bool | None) -> None:
        """Short the line to a level; None repairs it."""
        self._board.stick(self.plan.pin, level)

    def cut_wire(self, cut: bool) -> None:
        """Cut the wire, or mend it."""
        self.cut = cut
        active = bool(self.sensed.get(self.plan.kind)) and not self.plan.pulses
        self._board.drive(self.plan.pin, None if cut else self.plan.wiring.drives(active))

    def status(self) -> dict[str, object]:
        """See `Thing.status`."""
        line = self._board.lines[self.plan.pin]
        wire = {"wire": "cut"} if self.cut else {"stuck": line.stuck} if line.stuck is not None else {}
        return {"pin": self.plan.pin, "level": int(line.level()), **super().status(), **wire}

    def _on(self) -> bool:
        return self.plan.wiring.on(self._board.lines[self.plan.pin].level()) and bool(
            self._board.lines[self.plan.pin].mode
        )

    def _moved(self, pin: int, _: bool) -> None:
        if pin == self.plan.pin:
            self._tell(self.name, self.plan.kind, self._on())


def _colons(ieee: int) -> str:
    return ":".join(f"{ieee:016x}"[at : at + 2] for at in range(0, 16, 2))


def misfit(thing: Thing, wanted: type[Any]) -> Refused:
    """A verb for the other sort of device."""
    sort = "a Zigbee device" if wanted is ZigbeeThing else "wired"
    return Refused(f"is not {sort}", where=thing.name)
