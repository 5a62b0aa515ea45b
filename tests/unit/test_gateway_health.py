"""The edge of health: what can't be looked at is unknown, a disk that hangs takes one thread."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from homenode.contract.times import Zone
from homenode.delivery import Delivery
from homenode.gateway import health
from homenode.gateway.health import NAME, Health
from tests.unit.health_seen import SEEN

UTC = Zone("UTC")
WALL = 1_790_000_000_000


class Node:
    """As much of a node as its health needs."""

    def __init__(self, data: Path) -> None:
        self.data, self.told, self.faults = data, list[dict[str, Any]](), dict[str, Any]()
        delivery = Delivery("h", UTC, {}, {}, {"homenode": "0"})
        engine = SimpleNamespace(open_alerts=lambda: ())
        self.judge = SimpleNamespace(
            delivery=delivery, troubled={}, zone=UTC, offset_ms=0, silent={"eye"}, engine=engine
        )
        broker = SimpleNamespace(cert=None)
        self.home = SimpleNamespace(
            broker=broker,
            endurance_tb=0,
            clock_trusted=False,
            radios={"zigbee": 1, "new": 1},
            devices={"eye": 1},
        )
        drivers = {"zigbee": SimpleNamespace(state="running"), "new": SimpleNamespace(state="starting")}
        self.crew = SimpleNamespace(drivers=drivers, posts={})
        self.clock = SimpleNamespace(
            now=lambda: 0, wall=lambda: WALL, trusted=lambda: True, trusted_wall=lambda: WALL
        )
        self.time = SimpleNamespace(up=WALL)
        self.stopping = asyncio.Event()
        self.outbox = SimpleNamespace(
            add=lambda message: self.told.append(json.loads(message.payload)["health"])
        )
        outage = SimpleNamespace(gaps=[SimpleNamespace(until=5), SimpleNamespace(until=None)])
        self.uplink = SimpleNamespace(wake=lambda: None, outage=outage)
        self.outcomes = SimpleNamespace(fault=self.faults_add, well=lambda source: None)

    def faults_add(self, fault: Any, *, retell: bool) -> None:
        assert retell
        self.faults[fault.source] = fault


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    for name, value in (("LOOK_S", 0.001), ("MACHINE_EACH", 1), ("HANGS_S", 1.0)):
        monkeypatch.setattr(health, name, value)
    return Node(tmp_path)


def looked(node: Node, until: Any) -> Health:
    made = Health(node)  # type: ignore[arg-type]  # as much of one as it needs

    async def scene() -> None:
        task = asyncio.ensure_future(made.run())
        async with asyncio.timeout(20):
            while True:
                if until():
                    break
                await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(scene())
    return made


def test_figures_go_out_once_for_as_long_as_they_are_the_same(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(health, "look", lambda *_: looks.append(1) or SEEN)
    looked(node, lambda: len(looks) > 5)
    assert len(node.told) == 1
    told = node.told[0]
    assert (told["silent"], told["blind"], told["devices"], told["slot"]) == (1, 0, 1, "A")
    assert told["gaps"] == 1, "one that lasts is not over"
    assert told["radios"] == {"zigbee": True}, "one that starts is unknown"
    assert told["started"] == UTC.text(WALL)
    assert told["booted"].endswith(":00.000+00:00"), "to the minute"


def test_a_node_that_stops_has_no_radio_any_more_and_tells_nothing_of_it(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def stops(*_: Any) -> Any:
        looks.append(1)
        if len(looks) == 3:
            node.stopping.set()
            node.crew.drivers["zigbee"] = SimpleNamespace(state="stopped")
        return SEEN

    monkeypatch.setattr(health, "look", stops)
    looked(node, lambda: len(looks) > 5)
    assert [told["radios"] for told in node.told] == [{"zigbee": True}]


def test_what_is_wired_to_a_driver_that_is_lost_is_silent(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "look", lambda *_: SEEN)
    for name, state in (
        ("gpio", "lost: no lgpio"),
        ("p1", "running"),
        ("modbus", "starting"),
        ("new", "lost"),
    ):
        node.crew.drivers[name] = SimpleNamespace(state=state)
        devices = (SimpleNamespace(name=f"{name}_1"), SimpleNamespace(name=f"{name}_2"))
        node.crew.posts[name] = SimpleNamespace(name=name, devices=devices)
    node.crew.posts["gpio"].devices += (SimpleNamespace(name="eye"),)
    looked(node, lambda: node.told)
    assert node.told[0]["silent"] == 3, "eye, which counts once, and two more; a radio is told as such"
    assert node.told[0]["radios"] == {"zigbee": True, "new": False}


@pytest.mark.parametrize("state", ["starting", "not yet there: no such port"])
def test_while_drivers_start_nothing_is_known_of_what_they_hear(
    node: Node, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(health, "look", lambda *_: SEEN)
    node.crew.drivers = {name: SimpleNamespace(state=state) for name in node.home.radios}
    looked(node, lambda: node.told)
    assert [node.told[0][name] for name in ("radios", "silent", "blind")] == [None, None, None]
    assert not node.faults


def test_a_home_without_drivers_has_nothing_to_wait_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "look", lambda *_: SEEN)
    node.crew.drivers, node.home.radios = {}, {}
    looked(node, lambda: node.told)
    assert [node.told[0][name] for name in ("radios", "silent", "blind")] == [{}, 1, 0]


def test_a_radio_that_is_lost_just_after_the_start_is_told_before_a_minute_has_passed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(health, "look", lambda *_: looks.append(1) or SEEN)
    for name, value in (("LOOK_S", 60.0), ("START_LOOK_S", 0.001), ("MACHINE_EACH", 10)):
        monkeypatch.setattr(health, name, value)

    def until() -> bool:
        if node.told:
            node.crew.drivers["zigbee"].state = "lost: no such port"
        return len(node.told) == 2

    looked(node, until)
    assert [told["radios"] for told in node.told] == [{"zigbee": True}, {"zigbee": False}]
    assert len(looks) == 1, "the machine is looked at as seldom as ever"


def test_what_cant_be_looked_at_is_unknown_and_told_again_when_it_can(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[int] = []

    def look(*_: Any) -> Any:
        looks.append(1)
        if 2 <= len(looks) <= 5:
            raise ValueError("odd")
        return SEEN

    monkeypatch.setattr(health, "look", look)
    looked(node, lambda: len(node.told) >= 3)
    assert [len(one) > 1 for one in node.told[:3]] == [True, False, True]
    assert node.told[1] == {"state": "good"}
    assert len([one for one in caplog.records if one.message == "health can't be looked at"]) == 1


def test_a_disk_that_hangs_takes_one_thread_and_what_was_known_is_not_any_more(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, begun = threading.Event(), []

    def look(*_: Any) -> Any:
        begun.append(1)
        if len(begun) == 2:
            hangs.wait(20)
        return SEEN

    monkeypatch.setattr(health, "look", look)

    def until() -> bool:
        if len(node.told) == 2 and not hangs.is_set():
            assert len(begun) == 2
            hangs.set()
        return len(node.told) >= 3

    looked(node, until)
    assert [len(one) > 1 for one in node.told[:3]] == [True, False, True]


def test_what_is_known_of_the_machine_outlives_a_restart_and_half_a_file(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "look", lambda *_: SEEN)
    for restarts in (0, 1, 2):
        node.told.clear()
        looked(node, lambda: node.told).stop()
        assert node.told[0]["restarts"] == restarts
    for damaged in ('{"starts": ', "[]", '{"starts": "x"}', '{"undervolted": 5}'):
        (node.data / NAME).write_text(damaged)
        node.told.clear()
        looked(node, lambda: node.told)
        assert node.told[0]["restarts"] == 0
    assert [file.name for file in node.data.iterdir()] == [NAME]
