"""How the node and its machine are, told to the operator: figures in its status, faults where it must act.

What is told depends on the time that passes and never on what is heard: it is looked at each minute, and goes
out only if a figure is another than before. So neither its bytes nor its moments tell of who lives here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from homenode.delivery import NodeFault
from homenode.health.machine import Seen, look
from homenode.health.record import Record, Setting
from homenode.health.verdicts import SOURCES

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.health")

LOOK_S = 60.0
"""At what the node itself knows."""
MACHINE_EACH = 10
"""So many looks later at the machine: what happens there in minutes happens for hours."""
KEEP_EACH = 144
"""So many looks at the machine later what is known of it is written down: once a day."""
NAME = "health.json"


class Health:
    """Works for one node.

    Attributes:
        figures: What is told; empty before the first look.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.figures: dict[str, Any] = {}
        self._record: Record | None = None
        self._seen: Seen | None = None
        self._booted = ""

    async def run(self) -> None:
        """Until cancelled."""
        apart = asyncio.get_running_loop().run_in_executor
        self._record = Record(await apart(None, self._kept))
        looks = 0
        while True:
            if looks % MACHINE_EACH == 0:
                self._seen = await apart(None, self._look)
                self._record.add(self._seen, self._node.clock.now())
                self._judge(self._record, self._seen)
                if looks % (MACHINE_EACH * KEEP_EACH) == 0:
                    await apart(None, self._keep, self._record.kept())
            self._tell()
            looks += 1
            await asyncio.sleep(LOOK_S)

    def stop(self) -> None:
        """What is known of the machine goes on with the next start."""
        if self._record is not None and self._seen is not None:
            self._keep(self._record.kept())

    def _look(self) -> Seen:
        broker = self._node.home.broker
        return look(self._node.data, broker.cert if broker is not None else None)

    @property
    def _setting(self) -> Setting:
        home = self._node.home
        return Setting(home.endurance_tb, home.clock_trusted)

    def _judge(self, record: Record, seen: Seen) -> None:
        clock = self._node.clock
        found = record.verdicts(seen, self._setting, clock.now(), clock.trusted_wall())
        open_now = {one.source for one in found}
        for source in SOURCES:  # also what was open before a restart
            if source not in open_now and source in self._node.judge.troubled:
                self._node.outcomes.well(source)
        for one in found:
            self._node.outcomes.fault(NodeFault(one.source, one.text))

    def _tell(self) -> None:
        node, figures = self._node, self._figures()
        if figures == self.figures:
            return
        self.figures = figures
        if node.home.broker is not None:
            node.outbox.add(node.judge.delivery.figures(figures, node.clock.now()))
            node.uplink.wake()

    def _figures(self) -> dict[str, Any]:
        """Silence and blindness as they were told as faults, and no sooner than these."""
        assert self._record is not None
        assert self._seen is not None
        node, seen = self._node, self._seen
        trusted = node.clock.trusted()
        return {
            **self._record.figures(seen, self._setting, node.judge.zone, trusted=trusted),
            "booted": self._boot_time(seen) if trusted else None,
            "started": node.judge.zone.text(node.time.up + node.judge.offset_ms) if trusted else None,
            "radios": {name: works for name in node.home.radios if (works := self._works(name)) is not None},
            "devices": len(node.home.devices),
            "silent": len(node.judge.silent),
            "configuration": (node.judge.delivery.configuration or {}).get("number"),
            "blind": sum(alert.fault for alert in node.judge.engine.open_alerts()),
        }

    def _works(self, name: str) -> bool | None:
        """None while it starts."""
        driver = self._node.crew.drivers.get(name)
        if name in self._node.judge.troubled or driver is None:
            return False
        return None if driver.state == "starting" else driver.state in ("running", "ended")

    def _boot_time(self, seen: Seen) -> str | None:
        """To the minute, and the same for as long as the machine runs."""
        if not self._booted and seen.up_s is not None:
            at_ms = self._node.clock.wall() - int(seen.up_s * 1000)
            self._booted = self._node.judge.zone.text(at_ms // 60_000 * 60_000)
        return self._booted or None

    # -- through a restart

    def _kept(self) -> Mapping[str, Any]:
        try:
            kept = json.loads((self._node.data / NAME).read_bytes())
            Record(kept)
        except (OSError, ValueError, TypeError, AttributeError):  # none, or half a file: it begins anew
            return {}
        return dict(kept)

    def _keep(self, kept: Mapping[str, Any]) -> None:
        """A disk that takes nothing is a fault of its own."""
        file = self._node.data / NAME
        fresh = file.with_suffix(".new")
        with suppress(OSError):
            fresh.write_text(json.dumps(kept))
            os.replace(fresh, file)
