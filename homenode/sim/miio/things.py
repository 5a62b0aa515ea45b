"""A miIO device under its name, with the verbs of every other."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.errors import Refused
from homenode.sim.miio.gateway import LAN_FAULTS, TYPE_IDS, GatewayState
from homenode.sim.miio.peer import MiioPeer
from homenode.sim.miio.plan import MiioPlan
from homenode.sim.miio.plug import METERS, PlugState
from homenode.sim.things import Tell, Thing


class MiioThing(Thing):
    """Something with an address of its own."""

    def __init__(self, plan: MiioPlan, peer: MiioPeer, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, (), tell)
        self.plan, self.peer = plan, peer

    async def start(self) -> None:
        """Onto the network."""
        await self.peer.start()

    def stop(self) -> None:
        """Off it."""
        self.peer.stop()

    def silence(self) -> None:
        """Out of reach of the Wi-Fi."""
        self.peer.reachable = False

    def revive(self) -> None:
        """Within reach again."""
        self.peer.reachable = True

    def unplug(self) -> None:
        """No power."""
        self.silence()

    def plug_in(self) -> None:
        """Power again: it starts anew."""
        self.peer.restart()
        self.revive()

    def misbehave(self, fault: str) -> None:
        """A fault of the device; "" ends it."""
        self.peer.misbehave(fault)

    def status(self) -> dict[str, object]:
        """See `Thing.status`. The token is nobody's business."""
        there = "there" if self.peer.reachable else "silent"
        more = {"fault": self.peer.fault} if self.peer.fault else {}
        return {
            "model": self.plan.model,
            "address": self.plan.address,
            "network": there,
            **super().status(),
            **more,
        }


class PlugThing(MiioThing):
    """A plug."""

    def __init__(self, plan: MiioPlan, device: int, tell: Tell) -> None:
        self.state = PlugState(plan.model)
        super().__init__(plan, MiioPeer(plan.address, plan.token, plan.model, device, self._asked), tell)
        self.kinds = ("switch", "power") if plan.model in METERS else ("switch",)

    @property
    def outputs(self) -> Mapping[str, bool]:
        """See `Thing.outputs`."""
        return {"switch": self.state.on}

    def operate(self, kind: str, on: bool) -> None:
        """See `Thing.operate`."""
        if kind != "switch":
            raise self._cannot(f"operate {kind}")
        self.state.on = on
        self._noted(kind, on)

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        if kind != "power" or kind not in self.kinds:
            raise self._cannot(f"measure {kind}")
        self.state.power_w = value
        self._noted(kind, value)

    def stuck(self, stuck: bool) -> None:
        """Its relay doesn't move, or does again."""
        self.state.obeys = not stuck

    def _asked(self, method: str, params: object) -> object:
        before = self.state.on
        said: object = self.state.answer(method, params)
        if self.state.on != before:
            self._tell(self.name, "switch", self.state.on)
        return said


class GatewayThing(MiioThing):
    """A gateway."""

    def __init__(self, plan: MiioPlan, device: int, tell: Tell) -> None:
        self.state = GatewayState(plan.model, plan.address)
        peer = MiioPeer(plan.address, plan.token, plan.model, device, self.state.answer)
        super().__init__(plan, peer, tell)
        self.state.reachable = lambda: peer.reachable
        self.kinds = ("gateway",)

    async def start(self) -> None:
        """Onto the network."""
        await self.peer.start()
        await self.state.start()

    def stop(self) -> None:
        """Off it."""
        self.state.stop()
        self.peer.stop()

    def misbehave(self, fault: str) -> None:
        """A fault of the device, or of what it says on the local network."""
        self.state.fault = fault if fault in LAN_FAULTS else ""
        self.peer.misbehave("" if fault in LAN_FAULTS else fault)


_WORDS = {
    "magnet": ("contact", "status", "open", "close"),
    "motion": ("motion", "status", "motion", ""),
    "sensor_wleak": ("water", "status", "leak", "no_leak"),
    "smoke": ("smoke", "alarm", "1", "0"),
    "natgas": ("gas", "alarm", "1", "0"),
}
"""What it senses, under which key, and the words for yes and no."""
_PRESSES = {"single": "click", "double": "double_click", "hold": "long_click_press"}


class SensorThing(Thing):
    """A battery sensor of a gateway. It speaks when something happens, and about once an hour."""

    def __init__(self, plan: MiioPlan, gateway: GatewayThing, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, (), tell)
        self.plan, self._gateway, self._there, self._voltage_mv = plan, gateway.state, True, 3055
        family = plan.model.removeprefix("sensor_").partition(".")[0]
        self._words = _WORDS.get(f"sensor_{family}") or _WORDS.get(family)
        others = ("temperature", "humidity") if family in ("ht", "weather") else ("button",)
        self.kinds = (self._words[0],) if self._words else others
        assert plan.model in TYPE_IDS
        first: dict[str, object] = {"voltage": self._voltage_mv}
        if self._words and self._words[3]:
            first[self._words[1]] = self._words[3]
        self._gateway.known[plan.sid] = (plan.model, first)

    def sense(self, on: bool, kind: str = "") -> None:
        """See `Thing.sense`."""
        if self._words is None or kind not in ("", self._words[0]):
            raise self._cannot("sense that")
        _, key, yes, no = self._words
        self._say("report", **({key: yes if on else no} if on or no else {"no_motion": "120"}))
        self._noted(self._words[0], on)

    def press(self, way: str = "single") -> None:
        """See `Thing.press`."""
        if self.kinds != ("button",) or way not in _PRESSES:
            raise Refused(f"can't be pressed {way}", where=self.name, do=", ".join(_PRESSES))
        self._say("report", status=_PRESSES[way])

    def measure(self, kind: str, value: float) -> None:
        """See `Thing.measure`."""
        if kind not in self.kinds or kind not in ("temperature", "humidity"):
            raise self._cannot(f"measure {kind}")
        self._say("report", **{kind: str(round(value * 100))})
        self._noted(kind, value)

    def battery(self, percent: float) -> None:
        """Its cell has so much left; it tells that with its sign of life, which comes now."""
        self._voltage_mv = round(2800 + 5 * percent)
        self.beat()

    def beat(self) -> None:
        """Its hourly sign of life."""
        self._say("heartbeat", voltage=self._voltage_mv)

    def silence(self) -> None:
        """Out of reach of the gateway, which goes on telling what it heard last."""
        self._there = False

    def revive(self) -> None:
        """Within reach again."""
        self._there = True

    unplug, plug_in = silence, revive

    def misbehave(self, fault: str) -> None:
        """It has no faults of its own."""
        raise Refused(f"can't {fault!r}", where=self.name, do=f"misbehave {self.plan.under} FAULT")

    def status(self) -> dict[str, object]:
        """See `Thing.status`."""
        where = "there" if self._there else "silent"
        return {"model": self.plan.model, "sid": self.plan.sid, "network": where, **super().status()}

    def _say(self, command: str, **data: object) -> None:
        if self._there:
            self._gateway.say(command, self.plan.sid, **data)
