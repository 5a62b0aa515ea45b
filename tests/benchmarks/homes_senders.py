"""Simulated homes in a process of their own: a bare MQTT connection each, which sends what a node sends.

``python -m tests.benchmarks.homes_senders HOMES SECONDS ALERTS_A_SECOND STORM SUBSCRIBES PORT…`` prints
``ready`` when all homes are online and have sent their first heartbeat, begins at a line on standard input,
and prints at the end what was sent and acknowledged, as JSON: id → [sent, acknowledged], in ns of
CLOCK_MONOTONIC.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import struct
import sys
import time
from collections.abc import Callable

from homenode.contract import alert, status, topics
from homenode.contract.times import Zone

HEARTBEAT_S = 60.0
CONNECTING = 64
"""Connections that are made at the same time."""

ZONE = Zone("Europe/Stockholm")
now_ns = time.monotonic_ns  # the same clock as the one that reads what was handed over


def _text(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


class Home(asyncio.Protocol):
    """One home's connection; after a loss a new one, and what was not acknowledged again."""

    def __init__(self, name: str, port: int, subscribes: bool) -> None:
        self.name, self._port, self._subscribes = name, port, subscribes
        self.online = asyncio.get_running_loop().create_future()
        self.lost = 0
        self.times: dict[str, list[int]] = {}
        self._number = self._mid = 0
        self._owed: dict[int, tuple[str, bytes]] = {}
        self._transport: asyncio.Transport | None = None
        self._unread = b""

    async def connect(self) -> None:
        """Until it is connected."""
        while True:
            try:
                await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
                return
            except OSError:
                await asyncio.sleep(random.uniform(0, 3))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._unread = transport, b""
        will = status.link_payload(False, ZONE.text(time.time_ns() // 1_000_000))
        flags = (
            0x04 | 0x08 | 0x20 | (0 if self._subscribes else 0x02)
        )  # a will, QoS 1, retained; clean session
        body = (
            _text(b"MQTT")
            + bytes([4, flags])
            + struct.pack("!H", 120)
            + _text(f"homenode-{self.name}".encode())
        )
        transport.write(_packet(0x10, body + _text(topics.link(self.name).encode()) + _text(will)))

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self.lost += 1
        asyncio.get_running_loop().call_later(
            random.uniform(0, 5), lambda: asyncio.ensure_future(self.connect())
        )

    def data_received(self, data: bytes) -> None:
        data = self._unread + data
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            kind, body, data = data[0], data[2 : 2 + data[1]], data[2 + data[1] :]
            if kind == 0x20:
                self._accepted()
            elif kind == 0x40 and (owed := self._owed.pop(body[0] << 8 | body[1], None)) and owed[0]:
                self.times[owed[0]][1] = now_ns()
        self._unread = data

    def _accepted(self) -> None:
        assert self._transport is not None
        if self._subscribes:
            wanted = [
                topics.command(self.name, party) for party in ("care", "property", "resident", "operator")
            ]
            body = b"".join(_text(topic.encode()) + b"\x01" for topic in wanted)
            self._transport.write(_packet(0x82, b"\xff\xff" + body))
        for _, packet in self._owed.values():
            self._transport.write(bytes([packet[0] | 0x08]) + packet[1:])
        self.beat()
        if not self.online.done():
            self.online.set_result(None)

    def beat(self) -> None:
        """The heartbeat."""
        beat = status.link_payload(True, ZONE.text(time.time_ns() // 1_000_000))
        self._publish(topics.link(self.name), beat, "", retain=True)

    def alert(self) -> None:
        """An alert for care, such as a rule's."""
        self._number += 1
        at = ZONE.text(time.time_ns() // 1_000_000)
        occasion = f"stove_left_on:{time.time_ns() // 1_000_000}"
        text = {
            "sv": "Spisen har varit på i 20 min utan att någon setts i köket",
            "en": "The stove has been on",
        }
        reading = {
            "point": "stove.power",
            "value": 1420.0,
            "unit": "W",
            "quality": "good",
            "at": at,
            "since": at,
        }
        data = {
            "alert": occasion, "rule": "stove_left_on", "severity": "alarm", "event": "notified", "at": at,
            "room": "kitchen", "text": text, "test": False, "version": 1, "thresholds": {"alone": "20 min"},
            "evidence": [reading, {**reading, "point": "kitchen_eye.motion", "value": False, "unit": None}],
        }  # fmt: skip
        key = f"{occasion}.{self.name}.{self._number}"
        told = alert.Told.NOTIFIED
        message = alert.payload(
            home=self.name, message_id=key, told=told, subject="stove_left_on", time=at, data=data
        )
        self.times[key] = [now_ns(), 0]
        self._publish(topics.alerts(self.name, "care"), alert.numbered(message, self._number, self.name), key)

    def _publish(self, topic: str, payload: bytes, key: str, *, retain: bool = False) -> None:
        self._mid = self._mid % 60_000 + 1
        body = _text(topic.encode()) + struct.pack("!H", self._mid) + payload
        packet = _packet(0x32 | retain, body)
        if key or self._transport is not None:
            self._owed[self._mid] = key, packet
        if self._transport is not None:
            self._transport.write(packet)


async def _spread(actions: list[Callable[[], None]], seconds: float) -> None:
    """Do them evenly over that time."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for nth, action in enumerate(actions):
        due = start + seconds * nth / len(actions)
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        action()


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(1_500):
        if true():
            return
        await asyncio.sleep(0.2)
    raise TimeoutError("the broker owes an acknowledgement")


async def _beats(homes: list[Home]) -> None:
    while True:
        await _spread([home.beat for home in homes], HEARTBEAT_S)


async def main() -> None:
    number, seconds, rate, storm, subscribes = (int(word) for word in sys.argv[1:6])
    ports = [int(word) for word in sys.argv[6:]]
    homes = [Home(f"home-{nth}", ports[nth % len(ports)], bool(subscribes)) for nth in range(number)]
    for begin in range(0, number, CONNECTING):
        some = homes[begin : begin + CONNECTING]
        await asyncio.gather(*(home.connect() for home in some))
        await asyncio.gather(*(home.online for home in some))
    await _until(lambda: not any(home._owed for home in homes))
    gc.freeze()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    chance = random.Random(1)
    async with asyncio.TaskGroup() as group:
        beats = group.create_task(_beats(homes))
        await _spread([chance.choice(homes).alert for _ in range(seconds * rate)], seconds)
        print("storm", now_ns(), flush=True)
        for home in chance.sample(homes, min(storm, number)):
            home.alert()
        await _until(lambda: all(times[1] for home in homes for times in home.times.values()))
        beats.cancel()
    sent = {key: times for home in homes for key, times in home.times.items()}
    print(json.dumps({"sent": sent, "lost": sum(home.lost for home in homes)}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
