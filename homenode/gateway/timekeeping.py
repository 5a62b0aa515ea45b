"""Deadlines, signs of life, snapshots, the worth of the clock: what the node does because time passes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from homenode import records
from homenode.delivery import NodeFault
from homenode.engine.events import ClockSet, Event, NodeDown, NodeUp
from homenode.gateway import systemd
from homenode.language.bound import DEFAULT_BRIDGE_MS
from homenode.reading import Instant

if TYPE_CHECKING:
    from homenode.gateway.node import Node
    from homenode.gateway.recovery import Recovered

BEAT_S = 60.0
"""Sign of life in the journal; the design asks for one each 2 min."""
CLOCK_S = 5.0
STEP_MS = 500
"""A wall clock that moved by more than this against the steady one was set."""
JITTER_MS = 5
"""Between reading the one clock and the other; no move of either."""
SNAPSHOT_INPUTS, SNAPSHOT_S = 2000, 6 * 3600.0
"""A start replays at most so many inputs (about 0.1 s of work)."""
A_PART = 50
"""Alerts, or answers. A record holds 1 MiB, an alert takes 1 to 10 KB; after days without a link thousands
wait."""
CLOCK_FAULT = NodeFault(
    "clock",
    {
        "sv": "klockan är inte ställd: nätets tid svarar inte; regler med klockslag vilar, och "
        "kameror visar inget (home.yaml: clock: {trust: always}, om den går rätt ändå)",
        "en": "the clock is not set: no time service answers; rules with times of day rest, and "
        "cameras show nothing (home.yaml: clock: {trust: always}, if it is right all the same)",
    },
)


log = logging.getLogger("homenode.node")


class Timekeeping:
    """Works for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._timer: asyncio.TimerHandle | None = None
        self._due: Instant | None = None
        self._inputs = 0
        self._slept_from: int | None = None
        self.up: Instant = 0
        self.measured = True
        """Whether it is known how long the node was down."""

    def up_again(self, found: Recovered) -> None:
        """Go on after the downtime, with what the last run decided but perhaps didn't write, send or do."""
        node, last = self._node, self._node.journal.last
        if found.down is not None:
            node.outbox.unsent_in_journal(node.journal.marks().get("readings", 0) + 1, last)
        now = self._begin(found)
        node.showing.apply()
        node.outcomes.carry_out(found.decided)
        if found.down is not None:
            # What came by the last sign of life has been judged, that instant is closed.
            self._tell(NodeDown(node.judge.engine.now + 1))
        # Behind `down`: a start that reads this again would let the time run on to it as if the node was up.
        self._tell_clock(now)
        if found.down is not None:
            self._tell(NodeUp(now, self.measured))
        node.actions.expect(found.undone)
        for action in found.undone:
            node.actions.do(action)
        node.outcomes.carry_out(node.judge.advance(now))
        self.remember()
        for message in (*node.judge.restored(now, now), *node.judge.delivery.statuses(now)):
            node.outbox.add(message)
        if found.down is not None and self.measured:
            self._tell_restart(now - found.down)
        node.outcomes.tell_early()

    def _begin(self, found: Recovered) -> Instant:
        """Set the steady clock after a start; returns now."""
        node = self._node
        clock, judge = node.clock, node.judge
        now = clock.now()
        if found.down is not None:
            down_wall_ms = found.down_wall_ms if judge.engine.wall.trusted else None
            self.measured = clock.resume(found.down, down_wall_ms, found.boot)
            now = max(clock.now(), judge.engine.now + 1)
            if not self.measured:
                self._slept_from = down_wall_ms
        self.up = now
        judge.silence_due = now
        return now

    def _tell_clock(self, at: Instant, slept_ms: int | None = None) -> None:
        node = self._node
        offset_ms = node.clock.wall_offset_ms()
        if abs(offset_ms - node.judge.offset_ms) <= JITTER_MS:
            offset_ms = node.judge.offset_ms
        self._tell(ClockSet(at, offset_ms, node.clock.trusted(), slept_ms))

    def _tell(self, event: Event) -> None:
        self._node.journal.append(records.of_event(event), klass="system")
        self._node.judge.feed(event)

    def instant(self) -> Instant:
        """Now, as an instant that is not yet closed."""
        return max(self._node.clock.now(), self._node.judge.engine.now)

    def arm(self, *, anew: bool = False) -> None:
        """Wake up at the next deadline. `anew`: the clock runs at another speed."""
        due = self._node.judge.next_deadline()
        if due == self._due and self._timer is not None and not anew:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            delay_s = self._node.clock.real_seconds(due)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._timer = self._due = None
        self._node.outcomes.pass_time()

    def count(self, inputs: int) -> None:
        """So many inputs came since the last snapshot."""
        self._inputs += inputs
        if self._inputs >= SNAPSHOT_INPUTS:
            self.remember()

    def remember(self, *, anyway: bool = False) -> None:
        """Write everything down, so that a start has little to read; amid actions only `anyway`."""
        node = self._node
        if node.outcomes.waiting and not anyway:
            return
        self._inputs = 0
        now = self.instant()
        wall = now + node.judge.offset_ms
        alerts, answers = node.outbox.waiting(), node.requests.answered.dump(wall)
        lists: tuple[tuple[str, Sequence[Any]], ...] = (("alerts", alerts), ("answers", answers))
        parts = [
            {"t": "part", "at": now, name: rows[first : first + A_PART]}
            for name, rows in lists
            for first in range(0, len(rows), A_PART)
        ]
        state = {
            "t": "state",
            "at": now,
            "wall": wall,
            "boot": node.clock.boot(),
            "judge": node.judge.dump(),
            "outbox": node.outbox.dump(),
            "shown": node.showing.shown.dump(),
            "looks": node.looks.log.dump(),
            "heartbeat_s": node.uplink.heartbeat_s,
            "undone": [records.of_action(action) for action in node.actions.unfinished],
            "parts": len(parts),
        }
        try:
            node.journal.append(state, klass="state")
        except ValueError as error:  # a start reads from an older one
            log.error("snapshot left out", extra={"why": str(error)})
            return
        for part in parts:
            node.journal.append(part, klass="part")
        node.uplink.mark_sent()

    async def run(self) -> None:
        """Until cancelled: the sign of life, the clock, snapshots."""
        node = self._node
        loop = asyncio.get_running_loop()
        beat = loop.time() + BEAT_S
        snapshot = loop.time() + SNAPSHOT_S
        trusted = node.clock.trusted()
        if not trusted:
            node.outcomes.fault(CLOCK_FAULT)
        elif CLOCK_FAULT.source in node.judge.troubled:
            node.outcomes.well(CLOCK_FAULT.source)
        while True:
            await asyncio.sleep(CLOCK_S)
            if (
                abs(node.clock.wall_offset_ms() - node.judge.offset_ms) > STEP_MS
                or node.clock.trusted() != trusted
            ):
                trusted = node.clock.trusted()
                self._clock_moved(trusted)
            node.outcomes.pass_time()
            node.uplink.mark_sent()
            node.refill.consider()
            if loop.time() >= beat:
                beat = loop.time() + BEAT_S
                node.journal.append({"t": "beat", "at": self.instant()}, klass="system")
            if loop.time() >= snapshot:
                snapshot = loop.time() + SNAPSHOT_S
                self.remember()

    def _clock_moved(self, trusted: bool) -> None:
        node = self._node
        slept_ms = None
        if trusted and self._slept_from is not None:
            down_wall_ms = self._slept_from
            wall_up_ms = node.clock.wall() - (node.clock.now() - self.up)
            slept_ms = max(0, wall_up_ms - down_wall_ms)
            self._slept_from = None
        at = self.instant() + 1
        self._tell_clock(at, slept_ms)
        if trusted:
            node.outcomes.well(CLOCK_FAULT.source)
        if slept_ms is not None:
            node.outcomes.carry_out(node.judge.advance(at))
            for message in node.judge.restored(self.up, at):
                node.outbox.add(message)
            node.uplink.wake()
            self._tell_restart(slept_ms)

    async def watchdog(self) -> None:
        """Tell systemd that the loop lives."""
        every_s = systemd.watchdog_s()
        while every_s is not None:
            systemd.notify("WATCHDOG=1")
            await asyncio.sleep(every_s)

    def _tell_restart(self, slept_ms: int) -> None:
        """After a long downtime the operator hears at once which devices are not yet heard."""
        if slept_ms <= DEFAULT_BRIDGE_MS:
            return
        node, known = self._node, self._node.judge.engine.home
        minutes = round(slept_ms / 60_000)
        unheard = (name for name in node.home.devices if (known.device(name).heard or 0) < self.up)
        names = ", ".join(sorted(unheard)) or "-"
        text = {
            "sv": f"startade om efter {minutes} min, ännu inte hörda: {names}",
            "en": f"restarted after {minutes} min, not yet heard: {names}",
        }
        node.outcomes.fault(NodeFault("downtime", text, ("downtime",), at_once=True))
        asyncio.get_running_loop().call_later(60.0, node.outcomes.well, "downtime")
