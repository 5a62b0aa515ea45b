"""What only MQTT 5 has words for: a broker that doesn't take a message, or has it for nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from homenode.config.model import Broker
from homenode.contract import topics
from homenode.link import Told, link, refusals
from homenode.message import Class, Message
from tests.contract import an_alert
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.test_link import Desk, Node, run, running

pytestmark = needs_mosquitto
CARE, PROPERTY = topics.alerts("h1", "care"), topics.alerts("h1", "property")


def told(node: Node, key: str, party: str, size: int = 0) -> None:
    payload = an_alert("h1", key, text={"en": "x" * (size + 1)})
    node.outbox.add(Message(key, party, topics.alerts("h1", party), payload, Class.ALERT, 0, key))
    node.link.wake()


def test_what_the_access_list_denies_waits_is_told_and_holds_up_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "DENIED_FIRST_S", 0.5)
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite hn1/h1/care/#\ntopic readwrite hn1/h1/link\ntopic read #\n")
    known: list[Told] = []

    async def scene() -> None:
        with Mosquitto(tmp_path / "broker", f"acl_file {acl}") as broker:
            async with (
                Desk(broker.port) as desk,
                running(Broker((broker.url,)), on_refusals=known.append) as node,
            ):
                await node.online()
                told(node, "p1", "property")
                told(node, "p2", "property")
                told(node, "c1", "care")
                await desk.until(lambda: [body["id"] for body in desk.alerts()] == ["c1"])
                await node.until(lambda: len(node.gone) == 1)
                assert known == [Told({PROPERTY: "not authorized"}, ())]
                assert node.outbox.pending().alerts == 2
                with acl.open("a") as lines:
                    lines.write("topic readwrite hn1/h1/property/#\n")
                broker.reload()
                await desk.until(lambda: [body["id"] for body in desk.alerts()] == ["c1", "p1", "p2"])
                await node.until(lambda: len(node.gone) == 3)
                assert known[1:] == [Told({}, ())]

    run(scene)


def test_an_alert_waits_for_who_was_there_before_a_broker_that_forgot_them_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker without persistence takes an alert for nobody until its receivers are back."""
    monkeypatch.setattr(refusals, "UNHEARD_FIRST_S", 0.5)

    async def scene() -> None:
        broker = Mosquitto(tmp_path / "broker", persistent=False).start()
        async with running(Broker((broker.url,))) as node:
            async with Desk(broker.port) as desk:
                told(node, "a", "care")
                await desk.until(lambda: len(desk.alerts()) == 1)
                await node.until(lambda: len(node.gone) == 1)
            await asyncio.to_thread(desk.client.disconnect)
            broker.kill()
            await node.until(lambda: not node.link.state.online)
            broker.start()
            await node.online()
            told(node, "b", "care")
            told(node, "c", "care")
            await asyncio.sleep(1.5)  # nobody is there: nothing comes that could be waited for
            assert len(node.gone) == 1
            async with Desk(broker.port) as late:
                await late.until(lambda: [body["id"] for body in late.alerts()] == ["b", "c"])
                await node.until(lambda: len(node.gone) == 3)
        broker.kill()

    run(scene)


def test_where_nobody_listens_alerts_wait_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "UNHEARD_FIRST_S", 0.2)
    monkeypatch.setattr(refusals, "TOLD_AFTER_S", 1.0)
    monkeypatch.setattr(link, "_KEPT_FOR_NOBODY", 30)
    known: list[Told] = []

    async def scene() -> None:
        with Mosquitto(tmp_path / "broker") as broker:
            async with running(Broker((broker.url,)), on_refusals=known.append) as node:
                await node.online()
                told(node, "p", "property")
                for nth in range(40):
                    told(node, f"a{nth}", "care")
                await node.until(lambda: known == [Told({}, (CARE,))] or len(known) == 2)
                await node.until(lambda: known[-1] == Told({}, (CARE, PROPERTY)))
                await node.until(lambda: len(node.gone) == 10)  # the oldest of too many
                async with Desk(broker.port) as desk:
                    told(node, "b", "care")
                    kept = [f"a{nth}" for nth in range(10, 40)] + ["b"]
                    await desk.until(lambda: len(desk.alerts()) == 32)
                    bodies = desk.alerts()
                    assert [body["id"] for body in bodies if body["id"] != "p"] == kept
                    await node.until(lambda: known[-1] == Told({}, ()))
                    await node.until(lambda: len(node.gone) == 42)

    run(scene)


def test_a_broker_that_takes_few_at_once_gets_no_more(tmp_path: Path) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path / "broker", "max_inflight_messages 5") as broker:
            async with Desk(broker.port) as desk, running(Broker((broker.url,))) as node:
                await node.online()
                for nth in range(50):
                    told(node, f"a{nth}", "care")
                node.readings(500)
                await node.until(lambda: len(node.gone) == 550)
                await desk.until(lambda: len(desk.alerts()) == 50)
                assert len([state for state in node.states if not state.online]) == 0

    run(scene)


def test_a_message_larger_than_the_broker_takes_is_told_and_the_others_go(tmp_path: Path) -> None:
    known: list[Told] = []

    async def scene() -> None:
        with Mosquitto(tmp_path / "broker", "max_packet_size 1000") as broker:
            async with (
                Desk(broker.port) as desk,
                running(Broker((broker.url,)), on_refusals=known.append) as node,
            ):
                await node.online()
                told(node, "large", "property", 2000)
                told(node, "small", "care")
                await desk.until(lambda: [body["id"] for body in desk.alerts()] == ["small"])
                assert known == [Told({PROPERTY: "at most 1000 bytes"}, ())]
                assert node.link.state.online

    run(scene)


def test_the_broker_says_how_often_it_wants_a_sign_of_life(tmp_path: Path) -> None:
    """Server Keep Alive: mosquitto hangs up on who is silent for 1.5 times as long."""

    async def scene() -> None:
        with Mosquitto(tmp_path / "broker", "max_keepalive 10") as broker:
            async with running(Broker((broker.url,))) as node:
                await node.online()
                await asyncio.sleep(16)  # the time itself is what is tried
                assert [state.online for state in node.states] == [True]

    run(scene)
