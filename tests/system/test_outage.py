"""No link: said and shown at home, told as a gap when it is over; seen from within a node."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from homenode.contract import topics
from homenode.gateway import outage
from homenode.gateway.node import Node
from homenode.journal.journal import Journal
from homenode.message import Class, Message
from tests.contract import an_alert
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.node_inside import HOME, Panel, node_inside, panel, quiet, until, written
from tests.system.test_link import Desk

pytestmark = needs_mosquitto


class Lamps(Panel):
    """A lamp that remembers what it was told; the first time it doesn't answer."""

    told: list[tuple[str, bool]]

    async def switch(self, device: str, kind: str, to: bool) -> None:
        self.told.append((f"{device}.{kind}", to))
        if len(self.told) == 1:
            raise TimeoutError("no answer")
        await super().switch(device, kind, to)


def home(port: int, more: str) -> str:
    return HOME + f'broker: {{url: "mqtt://127.0.0.1:{port}", lost: {more}}}\n'


def test_a_lost_link_is_a_fault_with_a_lamp_and_a_gap_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "LAMP_AGAIN_S", 0.1)

    async def play() -> None:
        broker = Mosquitto(tmp_path / "broker").start()
        lamps = panel(lambda host: Lamps(host, quiet))
        Lamps.told = []
        text = home(broker.port, "{after: 10 s, lamp: lamp.light}")
        async with node_inside(tmp_path, lamps, home=text) as node:
            await until(lambda: _online(node), "the link")
            broker.kill()
            await until(lambda: not _online(node), "the loss")
            await until(lambda: "link" in node.judge.troubled, "the fault", 15)
            assert "no link to the broker since" in node.judge.troubled["link"][1]["en"]
            await until(lambda: Lamps.told[-1:] == [("lamp.light", True)] and len(Lamps.told) > 1, "the lamp")
            broker.start()
            async with Desk(broker.port, "hn1/inside-1/#") as desk:
                await until(lambda: _online(node), "the link", 20)
                await until(lambda: Lamps.told[-1] == ("lamp.light", False), "the lamp off")
                await desk.until(lambda: len(_operator(desk)) == 2)
                assert [body["type"] for body in _operator(desk)] == [
                    "hn1.alert.fault",
                    "hn1.alert.recovered",
                ]
            gaps = list(node.uplink.outage.gaps)
            assert [gap.why for gap in gaps] == ["nothing listens there"]
            assert gaps[0].until is not None
            assert gaps[0].until - gaps[0].since > 10_000
        broker.kill()

    asyncio.run(play())
    assert [record["source"] for record in written(tmp_path, "fault")] == ["link"]


def test_a_short_loss_is_no_fault_and_lights_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        broker = Mosquitto(tmp_path / "broker").start()
        Lamps.told = []
        text = home(broker.port, "{after: 10 s, lamp: lamp.light}")
        async with node_inside(tmp_path, panel(lambda host: Lamps(host, quiet)), home=text) as node:
            await until(lambda: _online(node), "the link")
            broker.kill()
            await until(lambda: not _online(node), "the loss")
            broker.start()
            await until(lambda: _online(node), "the link", 15)
        broker.kill()

    asyncio.run(play())
    assert written(tmp_path, "fault") == []
    assert Lamps.told == []


def test_the_operator_sets_how_often_the_node_says_that_it_lives_and_is_told_how_it_is(
    tmp_path: Path,
) -> None:
    def asked(desk: Desk, command_id: str, party: str, **args: str) -> None:
        body = {"id": command_id, "do": "report", "by": "Nils", "expires": _soon(), "args": args}
        desk.client.publish(f"hn1/inside-1/{party}/command", json.dumps(body), 1)

    def answers(desk: Desk) -> dict[str, dict[str, object]]:
        replies = [json.loads(body) for topic, body, _ in desk.messages if topic.endswith("/reply")]
        return {reply["id"]: reply for reply in replies}

    async def play() -> None:
        with Mosquitto(tmp_path / "broker") as broker:
            text = home(broker.port, "{}")
            for life in (1, 2):
                async with (
                    Desk(broker.port, "hn1/inside-1/#") as desk,
                    node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=text) as node,
                ):
                    await until(lambda: _online(node), "the link")
                    if life == 1:
                        asked(desk, "1", "operator", heartbeat="5 s")
                        asked(desk, "2", "operator", heartbeat="1 s")
                        asked(desk, "3", "property", heartbeat="5 s")
                        asked(desk, "4", "property")
                        await desk.until(lambda: len(answers(desk)) == 4)
                        told = answers(desk)
                        assert told["1"]["ok"], told
                        assert told["1"]["result"]["link"]["heartbeat_s"] == 5
                        assert "5 s to 10 min" in told["2"]["error"]["text"]
                        assert not told["3"]["ok"]
                        assert told["4"]["result"]["devices"] == {"door": "unknown", "lamp": "unknown"}
                        assert "link" not in told["4"]["result"]
                    assert node.uplink.beats_each_s == 5
                    wanted = len(_beats(desk)) + 2
                    await desk.until(lambda wanted=wanted: len(_beats(desk)) >= wanted, 14)  # type: ignore[misc]  # a default binds the loop's value

    asyncio.run(play())


def test_few_alerts_come_again_after_a_power_cut_behind_a_long_outage(tmp_path: Path) -> None:
    """A commit with the places of the next ones takes the acknowledgements of those before."""

    def on_disk() -> int:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "data" / "journal", copy / "journal")
        with Journal.open(copy) as journal:
            return sum(len(record["ids"]) for _, record in journal.read() if record["t"] == "got")

    async def play() -> None:
        with Mosquitto(tmp_path / "broker") as broker:
            text = HOME + f'broker: {{url: "mqtt://127.0.0.1:{broker.port}"}}\n'
            drivers = panel(lambda host: Panel(host, quiet))
            async with (
                Desk(broker.port, "hn1/inside-1/#") as desk,
                node_inside(tmp_path, drivers, home=text) as node,
            ):
                for nth in range(450):
                    payload = an_alert("inside-1", f"a{nth}")
                    topic = topics.alerts("inside-1", "care")
                    node.outbox.add(Message(f"a{nth}", "care", topic, payload, Class.ALERT, 0, "a"))
                node.uplink.wake()
                await desk.until(lambda: len(desk.alerts()) == 450)
                await until(lambda: not node.outbox.pending().alerts, "an empty outbox")
                await until(lambda: on_disk() >= 400, "acknowledgements on the disk", 5)

    asyncio.run(play())


def test_what_is_answered_as_done_a_power_cut_does_not_take_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = []

    def slow(file: int, flush: Callable[[int], None] = os.fdatasync) -> None:
        time.sleep(0.3)
        flush(file)
        flushes.append(time.monotonic())  # noqa: TID251 - as the test sees it

    async def play() -> None:
        with Mosquitto(tmp_path / "broker") as broker:
            drivers = panel(lambda host: Panel(host, quiet))
            desk = Desk(broker.port, "hn1/inside-1/#")
            async with desk, node_inside(tmp_path, drivers, home=home(broker.port, "{}")) as node:
                await until(lambda: _online(node), "the link")
                await asyncio.wrap_future(node.journal.commit())
                monkeypatch.setattr(os, "fdatasync", slow)
                body = {"id": "1", "do": "mode", "by": "Eva", "expires": _soon(), "args": {"mode": "away"}}
                asked = time.monotonic()  # noqa: TID251 - likewise
                desk.client.publish("hn1/inside-1/care/command", json.dumps(body), 1)
                await desk.until(lambda: any(topic.endswith("/reply") for topic, _, _ in desk.messages))
                assert [at for at in flushes if at > asked + 0.3]
                monkeypatch.undo()

    asyncio.run(play())


def _soon() -> str:
    now = datetime.now(UTC)  # noqa: TID251 - as the party's clock says
    return (now + timedelta(hours=1)).isoformat(timespec="milliseconds")


def _beats(desk: Desk) -> list[str]:
    return [topic for topic, _, _ in desk.messages if topic.endswith("/link")]


def _online(node: Node) -> bool:
    return node.uplink.link is not None and node.uplink.link.state.online


def _operator(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(body) for topic, body, _ in desk.messages if topic.endswith("operator/alerts")]
