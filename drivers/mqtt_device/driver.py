"""Listens at the broker of the local network, and tells what is news."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from drivers.mqtt_device.connection import Connection, Inbound, Lost
from drivers.mqtt_device.rows import NOTHING, Mistaken, Point, Said, points, there
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import DriverLost, Refused
from homenode.kinds import Shape, kind_of
from homenode.pace import Pace
from homenode.reading import Instant, Value

log = logging.getLogger("homenode.mqtt_device")

GRACE_S = 5.0
"""A broker that is back so soon changes nothing; without it for longer its points are unknown."""
FRESH_MS = 60_000
"""A message that says when the device was heard is news of a point never heard if that is no longer ago."""
FOLLOWS_S, ASKED_S = 2.0, 3.0
"""A device says its new state within a second or so; then it is asked, if it can be."""
TURN = 50
"""Messages after which others in the loop get their turn."""
_ALARMS = ("water", "smoke", "co", "gas", "heat", "tamper")


class _Thing:
    """A device at work.

    Attributes:
        gone: Topics that say it isn't there.
        follows: Who waits for a state, by kind.
        counts: How often a button was pressed, as it says.
    """

    def __init__(self, device: Device) -> None:
        self.name, self.options = device.name, device.options
        self.points, self.there = tuple(points(device.options)), tuple(there(device.options))
        self.gone: set[str] = set()
        self.pace = Pace(device.options)
        self.follows: dict[str, asyncio.Queue[bool]] = {}
        self.counts: dict[str, Any] = {}


class MqttDevices:
    """The devices at one broker."""

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self._name, self._options, self._host = name, options, host
        self._things = {device.name: _Thing(device) for device in devices}
        self._topics: dict[str, list[tuple[_Thing, Point, bool]]] = {}
        for thing in self._things.values():
            for point in thing.points:
                self._topics.setdefault(point.topic, []).append((thing, point, False))
            for sign in thing.there:
                self._topics.setdefault(sign.topic, []).append((thing, sign, True))
        self._connection: Connection | None = None
        self._unreadable: set[str] = set()
        self._asked_ms: Instant | None = None

    async def run(self) -> None:
        """See `Driver.run`."""
        loop = asyncio.get_running_loop()
        lost_at = loop.time()
        while True:
            try:
                async with Connection(self._name, self._options) as connection:
                    await connection.subscribe(list(self._topics))
                    self._connection = connection
                    log.info(f"listens to {len(self._topics)} topics", extra={"driver": self._name})
                    self._ask()
                    lost_at = await self._listen(connection)
            except Lost as lost:
                if loop.time() - lost_at >= GRACE_S:
                    for thing in self._things.values():
                        self._unknown(thing)
                    raise DriverLost(lost.why, where=str(self._options["broker"]), do=lost.do) from lost
            finally:
                self._connection = None
            await asyncio.sleep(0.5)

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`; the device must say that it followed."""
        thing = self._things.get(device)
        point = next((p for p in thing.points if p.kind == kind and p.on), None) if thing else None
        if thing is None or point is None or point.on is None or point.off is None:
            raise Refused(
                "is no output", where=f"{device}.{kind}", do="name a switch or light of this driver"
            )
        if self._connection is None:
            raise DriverLost("there is no connection to its broker", where=f"{device}.{kind}")
        if thing.gone:
            raise Refused(
                "is not there, as its broker says", where=f"{device}.{kind}", do="look at its power"
            )
        states = thing.follows[kind] = asyncio.Queue()
        try:
            self._connection.publish(point.on if to else point.off)
            if not await _followed(states, to, FOLLOWS_S):
                if point.ask is not None:
                    self._connection.publish(point.ask)
                if not await _followed(states, to, ASKED_S):
                    do = "look at the device and its topic"
                    raise Refused("didn't say that it followed", where=f"{device}.{kind}", do=do)
        finally:
            del thing.follows[kind]

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("devices at another broker are paired there", do="then name them in home.yaml")

    def _ask(self) -> None:
        """What was missed meanwhile is asked for, once each."""
        self._asked_ms = self._host.now()
        asks = {point.ask for thing in self._things.values() for point in thing.points if point.ask}
        for ask in sorted(asks):
            self._say(ask)

    def _say(self, said: Said) -> None:
        if self._connection is not None:
            self._connection.publish(said)

    async def _listen(self, connection: Connection) -> float:
        """Until the connection is lost; when it was."""
        nth = 0
        while (message := await connection.next(self._due_s())) is not Lost:
            nth += 1
            if isinstance(message, Inbound):
                self._take(message)
            self._tell_what_waited()
            if nth % TURN == 0:
                await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    def _take(self, message: Inbound) -> None:
        for thing, point, is_sign in self._topics.get(message.topic, ()):
            try:
                value = point.value(message.payload)
            except Mistaken as error:
                if not is_sign and not message.retained:
                    self._wrong(thing, point.kind, error)
                continue
            except ValueError as error:
                self._unread(message.topic, error)
                continue
            if self._old_press(thing, point, message) or value is NOTHING:
                continue
            if is_sign:
                self._sign(thing, point, value)
            elif not message.retained or point.seen_ms(message.payload) is not None:
                self._news(thing, point, value, message)
            else:
                self._kept(thing, point, value)

    def _old_press(self, thing: _Thing, point: Point, message: Inbound) -> bool:
        """A button that counts its presses says its last one again with each status, and when asked."""
        count = point.counted(message.payload)
        if count is NOTHING:
            return False
        known = thing.counts.get(point.kind)
        thing.counts[point.kind] = count
        if known is None and self._asked_ms is not None:
            return self._host.now() - self._asked_ms < ASKED_S * 1000
        return bool(known == count)

    def _news(self, thing: _Thing, point: Point, value: Value, message: Inbound) -> None:
        seen_ms, at = point.seen_ms(message.payload), None
        if seen_ms is not None:
            at = min(self._host.wall_to_instant(seen_ms), self._host.now())
            last = self._host.last_heard(thing.name, point.kind)
            told = thing.pace.told(point.kind)
            newest = max((known[1] for known in (last, told) if known is not None), default=None)
            if at < (self._host.now() - FRESH_MS if newest is None else newest):
                self._kept(thing, point, value)
                return
        self._host.back(f"{thing.name}.{point.kind} value")
        if isinstance(value, bool) and point.kind in thing.follows:
            thing.follows[point.kind].put_nowait(value)
        self._offer(thing, point.kind, value, at)

    def _kept(self, thing: _Thing, point: Point, value: Value) -> None:
        """From a time that nobody knows: no news. An alarm in it is no all-clear either: a person looks."""
        known = kind_of(point.kind)
        last = thing.pace.told(point.kind) or self._host.last_heard(thing.name, point.kind)
        if value is True and known and known.name in _ALARMS and (last is None or last[0] is not True):
            why = f"the broker keeps {point.kind}: true from before; look there, and have it say it again"
            self._host.lost(f"{thing.name}.{point.kind} value", f"{thing.name}: {why}", (thing.name,))

    def _unread(self, topic: str, error: ValueError) -> None:
        if topic not in self._unreadable:
            self._unreadable.add(topic)
            fields = {"driver": self._name, "topic": topic, "why": str(error)[:200]}
            log.warning("not used: a message that can't be read", extra=fields)

    def _wrong(self, thing: _Thing, kind: str, error: Mistaken) -> None:
        source = f"{thing.name}.{kind}"
        self._host.lost(f"{source} value", f"{source}: {error}; the value was not used", (thing.name,))
        self._offer(thing, kind, None, None)

    def _sign(self, thing: _Thing, sign: Point, is_there: Value) -> None:
        source = f"{thing.name} answers"
        if is_there is False:
            if not thing.gone:
                self._host.lost(source, f"{thing.name} is not there: {sign.topic} says so", (thing.name,))
                self._unknown(thing)
            thing.gone.add(sign.topic)
        elif is_there is True:
            was = bool(thing.gone)
            thing.gone.discard(sign.topic)
            if not thing.gone:
                self._host.back(source)
                if was:
                    for ask in sorted({point.ask for point in thing.points if point.ask}):
                        self._say(ask)

    def _offer(self, thing: _Thing, kind: str, value: Value, at: Instant | None) -> None:
        known = kind_of(kind)
        pressed = known is not None and known.shape is Shape.MOMENTARY
        if thing.pace.offer(kind, value, self._host.now()) or pressed:
            self._host.heard(thing.name, kind, value, at)

    def _due_s(self) -> float | None:
        """Until a number that waits may be told."""
        dues = [due for thing in self._things.values() if (due := thing.pace.due_at()) is not None]
        return max(0.0, (min(dues) - self._host.now()) / 1000) if dues else None

    def _tell_what_waited(self) -> None:
        for thing in self._things.values():
            for kind, value in thing.pace.due(self._host.now()):
                self._host.heard(thing.name, kind, value)

    def _unknown(self, thing: _Thing) -> None:
        """Its points are what nobody knows, also those from before a restart; a button isn't pressed."""
        for kind in [point.kind for point in thing.points]:
            last = thing.pace.told(kind) or self._host.last_heard(thing.name, kind)
            if last is not None and last[0] is not None:
                self._host.heard(thing.name, kind, None)
        thing.pace.forget()


async def _followed(states: asyncio.Queue[bool], to: bool, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            while await states.get() is not to:
                pass
    except TimeoutError:
        return False
    return True
