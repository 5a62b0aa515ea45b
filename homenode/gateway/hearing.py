"""What drivers say, taken batch by batch and told to the judge in the order it happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from homenode import records
from homenode.delivery import NodeFault
from homenode.driver import Joined
from homenode.engine.events import Heard, StaleAfter
from homenode.gateway.inbox import Alive, Inbox, Noticed, Trouble
from homenode.kinds import kind_of
from homenode.reading import How, Instant, Reading

if TYPE_CHECKING:
    from homenode.gateway.node import Node

BATCH = 500
"""Items of one driver taken at a time, so that a flood of one leaves room for the others."""
WIRED_GRACE_S = 10.0
"""A wired driver that is back so soon changes nothing: a blip must not restart a stove's timer."""
FLUSH_S = 0.02
"""What is to be on the disk at once is so at once; but of a burst, all that comes within so long is written
together: 50 flushes a second wear a card less than 200 do."""


def faults_of(driver: str) -> tuple[str, ...]:
    """The sources of the faults that are the driver's own."""
    return driver, f"{driver} answers", f"{driver} flood"


class Hearing:
    """The gateway's ears: one inbox per driver."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._inboxes: dict[str, Inbox] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._again: asyncio.TimerHandle | None = None
        self._floods: dict[str, int] = {}
        self._flushed: asyncio.TimerHandle | None = None
        self._unflushed = False

    def inbox(self, driver: str) -> Inbox:
        """A new inbox for a driver that is about to start."""
        inbox = self._inboxes[driver] = self.next_inbox()
        return inbox

    def next_inbox(self) -> Inbox:
        """One that is read from `exchange` on."""
        return Inbox(asyncio.get_running_loop(), self._wake)

    def exchange(self, driver: str, inbox: Inbox) -> None:
        """The driver speaks into another inbox now: the old one is emptied at once, that later."""
        self._empty(driver)
        self._inboxes[driver] = inbox
        asyncio.get_running_loop().call_soon(self._wake)

    def forget(self, driver: str) -> None:
        """The driver has stopped, or had its time to: take what it said last."""
        self._empty(driver)
        if timer := self._timers.pop(driver, None):
            timer.cancel()

    def _empty(self, driver: str) -> None:
        inbox = self._inboxes[driver]
        inbox.close()
        while inbox:
            self._take()
        del self._inboxes[driver]
        self._floods.pop(driver, None)

    def waiting(self) -> int:
        """Readings that no one has taken yet; from any thread."""
        return sum(len(inbox) for inbox in tuple(self._inboxes.values()))

    def _wake(self) -> None:
        """Take what waits; at most once per millisecond: what is timed at one instant is judged together."""
        if self._again is not None:
            return
        if self._node.clock.now() <= self._node.judge.engine.now:
            self._again = asyncio.get_running_loop().call_later(0.001, self._take)
        else:
            self._take()

    def _take(self) -> None:
        self._again = None
        now = max(self._node.clock.now(), self._node.judge.engine.now + 1)
        readings: list[Reading] = []
        alive: list[Alive] = []
        later: list[Callable[[], None]] = []
        for name, inbox in self._inboxes.items():
            if not inbox:
                continue
            items = inbox.take(BATCH)
            for item in items:
                if isinstance(item, Reading):
                    readings.append(item)
                elif isinstance(item, Alive):
                    alive.append(item)
                elif isinstance(item, Noticed):
                    noticed = {"noticed": item.address, "kind": item.kind, "value": item.value}
                    self._node.watchers.event(noticed)
                elif isinstance(item, Trouble):
                    later.append(lambda driver=name, trouble=item: self._trouble(driver, trouble))  # type: ignore[misc]  # a default binds the loop's value
                else:
                    later.append(lambda driver=name, joined=item: self._joined(driver, joined))  # type: ignore[misc]  # likewise
            if items:
                self._flood(name, inbox, later)
        self._hear(readings, alive, now)
        for call in later:
            call()

    def _hear(self, readings: list[Reading], alive: list[Alive], now: Instant) -> None:
        node, judge = self._node, self._node.judge
        if len(readings) > 1:
            readings.sort(key=_AT)
        urgent = False
        since = judge.engine.now
        for heard in readings:
            reading = judge.dated(heard, now)
            if reading.how is How.LIVE and reading.at <= since:
                reading = reading._replace(at=since + 1)
            number = node.journal.append(records.of_reading(reading), klass="reading")
            for message in judge.shared(reading, number):
                node.outbox.add(message)
            live = reading.how is How.LIVE
            if live:
                judge.feed(reading)
            kind = kind_of(reading.point)
            urgent = urgent or kind is None or kind.at_once
            if live and reading.value and reading.point == node.home.resident_ok:
                node.outcomes.carry_out(judge.answered(reading.at))
        for sign in alive:
            event = Heard(sign.device, max(sign.at, since + 1))
            if event.at > (judge.engine.home.device(sign.device).heard or 0):
                node.journal.append(records.of_event(event), klass="reading")
                judge.feed(event)
        if urgent:
            node.journal.flush()  # before it is sent: what a party has heard, kill -9 can't take back
            self._flush()
        node.uplink.wake()
        node.watchers.heard(readings)
        node.time.count(len(readings))
        node.outcomes.carry_out(judge.advance(now))

    def _flush(self) -> None:
        if self._flushed is not None:
            self._unflushed = True
            return
        self._node.journal.commit()
        self._flushed = asyncio.get_running_loop().call_later(FLUSH_S, self._flush_rest)

    def _flush_rest(self) -> None:
        self._flushed = None
        if self._unflushed:
            self._unflushed = False
            self._flush()

    def _flood(self, driver: str, inbox: Inbox, later: list[Callable[[], None]]) -> None:
        dropped, before = inbox.dropped, self._floods.get(driver, 0)
        self._floods[driver] = dropped
        source = f"{driver} flood"
        if dropped > before and source not in self._node.judge.troubled:
            text = {
                "sv": f"{driver} skickar mer än noden hinner ta emot; {dropped - before} värden kastades",
                "en": f"{driver} sends more than the node can take; {dropped - before} readings were dropped",
            }
            later.append(lambda: self._node.outcomes.fault(NodeFault(source, text, (driver,))))
        elif dropped == before and source in self._node.judge.troubled and not len(inbox):
            later.append(lambda: self._node.outcomes.well(source))

    def _trouble(self, driver: str, trouble: Trouble) -> None:
        node = self._node
        if trouble.why:
            text = {"sv": f"{trouble.source}: {trouble.why}", "en": f"{trouble.source}: {trouble.why}"}
            causes = trouble.devices or (trouble.source,)
            fault = NodeFault(trouble.source, text, causes, to_property=trouble.battery)
            node.outcomes.fault(fault, said=True)
            if driver not in self._timers and node.crew.is_wired(driver):
                self._look_again(driver)
        else:
            node.outcomes.well(trouble.source)

    def _look_again(self, driver: str) -> None:
        self._timers[driver] = asyncio.get_running_loop().call_later(WIRED_GRACE_S, self._unknown, driver)

    def _unknown(self, driver: str) -> None:
        """Wired inputs never go stale, so when nobody reads them any more they are unknown."""
        del self._timers[driver]
        troubled = self._node.judge.troubled
        hangs = f"{driver} answers" in troubled
        if not hangs and driver not in troubled:
            return
        self._look_again(driver)
        if not hangs and self._node.crew.drivers[driver].state == "running":
            return
        now = max(self._node.clock.now(), self._node.judge.engine.now + 1)
        points = self._node.judge.engine.home.points
        wired = (
            f"{device.name}.{kind}"
            for device in self._node.home.devices.values()
            if device.driver == driver
            for kind in device.kinds or ()
        )
        unread = [Reading(name, None, now) for name in wired if name not in points or not points[name].fault]
        self._hear(unread, [], now)

    def _joined(self, driver: str, joined: Joined) -> None:
        node = self._node
        node.radio_of[joined.address] = driver
        if node.joined.get(joined.address) != joined:
            model = f"{joined.manufacturer}/{joined.model}"
            about = {"points": joined.kinds, "note": joined.note}
            node.watchers.event({"joined": joined.address, "name": joined.name, "model": model, **about})
        node.joined[joined.address] = joined
        device = node.home.devices.get(joined.name)
        limit_ms = joined.stale_after_ms
        if device is None or device.stale_after_ms is not None or limit_ms is None:
            return
        if node.judge.rows_ms.get(joined.name) != limit_ms:
            event = StaleAfter(joined.name, node.judge.engine.now + 1, limit_ms)
            node.journal.append(records.of_event(event), klass="system")
            node.judge.feed(event)
            node.judge.silence_due = node.clock.now()
            node.outcomes.pass_time()
            node.showing.export()


def _AT(reading: Reading) -> Instant:
    return reading.at
