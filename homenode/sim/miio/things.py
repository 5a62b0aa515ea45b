"""A miIO device under its name, with the verbs of every other."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.sim.miio.peer import MiioPeer
from homenode.sim.miio.plan import MiioPlan
from homenode.sim.miio.plug import METERS, PlugState
from homenode.sim.things import Tell, Thing


class MiioThing(Thing):
    """Something with an address of its own."""

    def __init__(self, plan: MiioPlan, peer: MiioPeer, tell: Tell) -> None:
        super().__init__(plan.name, plan.room, (), tell)
        self.plan, self.peer = plan, peer

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
