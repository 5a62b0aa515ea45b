"""How the node and its machine are, told to the operator: figures in its status, faults where it must act.

What is told depends on the time that passes and never on what is heard: it is looked at each minute, and goes
out only if a figure is another than before. So neither its bytes nor its moments tell of who lives here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from homenode.delivery import NodeFault
from homenode.gateway.logbook import of_error
from homenode.health.machine import Seen, look
from homenode.health.record import Record, Setting
from homenode.health.verdicts import SOURCES

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.health")

LOOK_S = 60.0
"""At what the node itself knows."""
START_S, START_LOOK_S = 60.0, 2.0
"""So long after its start it looks that often: a driver that is lost at once was no good one for a minute."""
MACHINE_EACH = 10
"""So many looks later at the machine: what happens there in minutes happens for hours."""
KEEP_EACH = 144
"""So many looks at the machine later what is known of it is written down: once a day."""
HANGS_S = 20.0
"""A card that takes longer to answer is one of which nothing is known."""
NAME = "health.json"
T = TypeVar("T")


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
        self._thread: asyncio.Future[Any] | None = None
        self._failed = False

    async def run(self) -> None:
        """Until cancelled. What can't be looked at is unknown, and not as it was."""
        looks, until_s = 0, asyncio.get_running_loop().time() + START_S
        while True:
            try:
                async with asyncio.timeout(HANGS_S):
                    await self._once(looks)
                self._failed = False
            except Exception as fault:
                if not self._failed:
                    log.error("health can't be looked at", extra={"why": repr(fault), **of_error(fault)})
                    log.debug("health can't be looked at", exc_info=True)
                self._failed = True
                self._tell({})
            early = asyncio.get_running_loop().time() < until_s
            looks = 1 if early else looks + 1  # early ones are none at the machine
            await asyncio.sleep(min(LOOK_S, START_LOOK_S) if early else LOOK_S)

    async def _once(self, looks: int) -> None:
        if self._record is None:
            self._record = Record(await self._apart(self._kept))
        if looks % MACHINE_EACH == 0 or self._seen is None:
            self._seen = None  # if it fails, the last look is none of now
            self._seen = seen = await self._apart(self._look)
            self._record.add(seen, self._node.clock.now())
            self._judge(self._record, seen)
            if looks % (MACHINE_EACH * KEEP_EACH) == 0:
                await self._apart(self._keep, self._record.kept())
        self._tell(self._figures(self._record, self._seen))

    async def _apart(self, work: Callable[..., T], *args: Any) -> T:
        """In a thread, one at a time: on a disk that hangs no second one is lost."""
        if self._thread is not None and not self._thread.done():
            raise TimeoutError("the disk does not answer")
        self._thread = asyncio.get_running_loop().run_in_executor(None, work, *args)
        return cast(T, await asyncio.shield(self._thread))

    def stop(self) -> None:
        """What is known of the machine goes on with the next start."""
        if self._record is not None and self._seen is not None and not self._failed:
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
            self._node.outcomes.fault(NodeFault(one.source, one.text), retell=True)

    def _tell(self, figures: dict[str, Any]) -> None:
        node = self._node
        if figures == self.figures or node.stopping.is_set():  # then no radio works, and that is no news
            return
        self.figures = figures
        if node.home.broker is not None:
            node.outbox.add(node.judge.delivery.figures(figures, node.clock.now()))
            node.uplink.wake()

    def _figures(self, record: Record, seen: Seen) -> dict[str, Any]:
        """Silence and blindness are the faults that were raised: nothing here is heard sooner than there.

        While no driver has begun yet, nobody knows what it will hear.
        """
        node = self._node
        states = [self._works(name) for name in node.crew.drivers]
        begun = not states or any(works is not None for works in states)
        radios = {name: works for name in node.home.radios if (works := self._works(name)) is not None}
        trusted = node.clock.trusted()
        return {
            **record.figures(seen, self._setting, node.judge.zone, trusted=trusted),
            "booted": self._boot_time(seen) if trusted else None,
            "started": node.judge.zone.text(node.time.up + node.judge.offset_ms) if trusted else None,
            "gaps": sum(gap.until is not None for gap in node.uplink.outage.gaps),
            "radios": radios if radios or not node.home.radios else None,
            "devices": len(node.home.devices),
            "silent": len(node.judge.silent | self._cut_off()) if begun else None,
            "configuration": (node.judge.delivery.configuration or {}).get("number"),
            "blind": sum(alert.fault for alert in node.judge.engine.open_alerts()) if begun else None,
        }

    def _cut_off(self) -> set[str]:
        """Devices of a wired driver that doesn't work: a device without a time of its own is never silent by
        itself, and the driver is no radio that would be told.
        """
        posts = self._node.crew.posts.values()
        lost = (post for post in posts if post.name not in self._node.home.radios)
        return {device.name for post in lost if self._works(post.name) is False for device in post.devices}

    def _works(self, name: str) -> bool | None:
        """None while it starts, or waits for what the machine has not brought up yet."""
        driver = self._node.crew.drivers.get(name)
        if name in self._node.judge.troubled or driver is None:
            return False
        if driver.state == "starting" or driver.state.startswith("not yet there"):
            return None
        return driver.state in ("running", "ended")

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
