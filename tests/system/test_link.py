"""The link against mosquitto, amqtt, and brokers that misbehave: nothing is lost, words are plain."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from homenode.config.model import NEVER, Broker
from homenode.contract import reading, topics
from homenode.contract.times import Zone
from homenode.demo.broker import EmbeddedBroker
from homenode.link import Link, LinkState
from homenode.link import link as link_module
from homenode.message import Class, Message
from homenode.outbox import Acknowledged, Limits, Numbered, Outbox
from homenode.reading import How, Quality
from tests.contract import CONTRACT, an_alert
from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.hostile import HostileBroker

NOON = 1_767_610_800_000
ZONE = Zone("Europe/Stockholm")


class Node:
    """An outbox and its link, with everything they told."""

    def __init__(self, broker: Broker, **more: Any) -> None:
        self.outbox = Outbox("epoch", more.pop("limits", Limits()))
        self.states: list[LinkState] = []
        self.gone: list[Acknowledged] = []
        self.commands: list[tuple[str, bytes, bool]] = []
        self.on_disk: list[Numbered] = []
        self.disk = True
        self.changed = asyncio.Condition()
        self.link = Link(
            broker,
            "h1",
            self.outbox,
            zone=ZONE,
            wall=lambda: NOON,
            on_command=lambda *command: self._told(self.commands, command),
            on_state=lambda state: self._told(self.states, state),
            on_acknowledged=lambda gone: self._told(self.gone, gone),
            write_numbers=self._write,
            random=random.Random(7),
            **more,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    def _told(self, where: list[Any], what: Any) -> None:
        where.append(what)
        task = asyncio.ensure_future(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def _write(self, numbers: list[Numbered]) -> None:
        self.on_disk += numbers
        if self.disk:
            self.outbox.written(numbers)
            self.link.wake()

    def disk_answers(self) -> None:
        self.disk = True
        self.outbox.written(self.on_disk)
        self.link.wake()

    async def until(self, true: Callable[[], bool], within_s: float = 20) -> None:
        try:
            async with asyncio.timeout(within_s), self.changed:
                await self.changed.wait_for(true)
        except TimeoutError:
            raise AssertionError(f"{self.link.state} {self.outbox.pending()} {len(self.gone)} gone") from None

    async def online(self, within_s: float = 20) -> None:
        await self.until(lambda: self.link.state.online, within_s)

    def alert(self, key: str, klass: Class = Class.ALERT) -> None:
        self.outbox.add(Message(key, "care", topics.alerts("h1", "care"), an_alert("h1", key), klass, 0, key))
        self.link.wake()

    def readings(self, number: int, first: int = 0) -> None:
        for at in range(first, first + number):
            topic = topics.reading("h1", "care", f"d{at % 5}.power")
            payload = reading.payload(ZONE, at, '"W"', NOON, NEVER, Quality.GOOD, How.LIVE)
            self.outbox.add(Message("", "care", topic, payload, Class.READING, at, "", True, at + 1))
        self.link.wake()


@asynccontextmanager
async def running(broker: Broker, **more: Any) -> AsyncIterator[Node]:
    node = Node(broker, **more)
    task = asyncio.ensure_future(node.link.run())
    try:
        yield node
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Desk:
    """A subscriber with a session of its own, by paho's own thread."""

    def __init__(self, port: int, topic: str = "hn1/h1/#", **more: Any) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self.complaints: list[str] = []
        self.ready = asyncio.Event()
        self.changed = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, "desk", clean_session=False, **more)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = self._subscribed
        self.client.on_message = self._message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _subscribed(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self.ready.set)

    def _message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        told = (message.topic, bytes(message.payload), message.retain)
        why = CONTRACT.why_not(*told[:2], qos=message.qos, retain=message.retain, published=False)
        if why and not message.topic.endswith("/command"):
            self.complaints.append(why)
        asyncio.run_coroutine_threadsafe(self._got(told), self._loop)

    async def _got(self, message: tuple[str, bytes, bool]) -> None:
        async with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    async def until(self, true: Callable[[], bool], within_s: float = 20) -> None:
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(true)

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for topic, body, _ in self.messages if topic.endswith("/alerts")]

    async def __aenter__(self) -> Desk:
        await asyncio.wait_for(self.ready.wait(), 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.client.loop_stop)
        assert not self.complaints


def shell(*command: str | Path) -> bytes:
    """A tool of mosquitto's, at rest while it runs: nothing else in the loop matters then."""
    return subprocess.run(command, capture_output=True, check=True).stdout


def run(scene: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


@needs_mosquitto
@pytest.mark.parametrize("version", [mqtt.MQTTv311, mqtt.MQTTv5])
def test_alerts_reach_a_real_broker_in_order_with_their_places(tmp_path: Path, version: int) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            async with Desk(broker.port) as desk, running(Broker((broker.url,)), version=version) as node:
                await node.online()
                for nth in range(50):
                    node.alert(f"a{nth}")
                await desk.until(lambda: len(desk.alerts()) == 50)
                assert [one["id"] for one in desk.alerts()] == [f"a{nth}" for nth in range(50)]
                assert [one["sequence"] for one in desk.alerts()] == [str(nth) for nth in range(1, 51)]
                await node.until(lambda: len(node.gone) == 50)
                assert [number.id for number in node.on_disk] == [f"a{nth}" for nth in range(50)]

    run(scene)


def test_an_embedded_broker_serves_as_well() -> None:
    async def scene() -> None:
        async with (
            EmbeddedBroker() as broker,
            Desk(broker.port) as desk,
            running(Broker((broker.url,))) as node,
        ):
            await node.online()
            node.alert("a")
            node.readings(20)
            await desk.until(lambda: len(desk.messages) >= 22)
            await node.until(lambda: len(node.gone) == 21)
            desk.client.publish("hn1/h1/care/command", b"{}", 1)
            await node.until(lambda: node.commands == [("care", b"{}", False)])

    run(scene)


@needs_mosquitto
def test_what_waits_while_the_broker_is_killed_and_restarted_is_not_lost(tmp_path: Path) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            async with Desk(broker.port) as desk, running(Broker((broker.url,))) as node:
                broker.save()  # so that the desk's session outlives it
                excused: set[str] = set()  # acknowledged by mosquitto and then lost by it
                for nth in range(5):
                    await node.online()
                    node.alert(f"before{nth}")
                    node.readings(300, nth * 1000)
                    broker.kill()
                    await node.until(lambda: not node.link.state.online)
                    excused |= {one.id for one in node.gone}
                    node.alert(f"while{nth}")
                    node.readings(300, nth * 1000 + 300)
                    broker.start()
                everything = {f"{when}{nth}" for when in ("before", "while") for nth in range(5)}
                await node.until(lambda: not sum(node.outbox.pending()))
                await desk.until(lambda: {one["id"] for one in desk.alerts()} >= everything - excused)
                assert {number.id: number.sequence for number in node.on_disk}.keys() == everything
                assert sorted(number.sequence for number in node.on_disk) == list(range(1, 11))
                assert sum(one.klass is Class.READING for one in node.gone) == 3000

    run(scene)


def test_a_broker_that_dies_with_messages_in_hand_gets_them_again_in_order() -> None:
    chance = random.Random(3)

    async def dies_sometimes(_nth: int) -> bool:
        if chance.random() < 0.02:
            raise ConnectionResetError
        return True

    async def scene() -> None:
        async with (
            HostileBroker(acknowledges=dies_sometimes) as broker,
            running(Broker((broker.url,))) as node,
        ):
            for nth in range(300):
                node.alert(f"a{nth}")
                if nth % 30 == 0:
                    await node.online()
            await node.until(lambda: not sum(node.outbox.pending()))
            assert broker.connections > 3
            told = [json.loads(body) for body in broker.published if b"sequence" in body]
            assert len({(one["id"], one["sequence"]) for one in told}) == 300
            assert list(dict.fromkeys(one["id"] for one in told)) == [f"a{nth}" for nth in range(300)]
            assert sorted(one.id for one in node.gone) == sorted(f"a{nth}" for nth in range(300))

    run(scene)


@needs_mosquitto
def test_a_node_that_is_cut_off_is_told_offline_by_the_will(tmp_path: Path) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            async with Desk(broker.port, "hn1/h1/link") as desk:
                async with running(Broker((broker.url,))) as node:
                    await node.online()
                    await desk.until(lambda: len(desk.messages) == 1)
                    connection = node.link._connection
                    assert connection is not None
                    connection._client.socket().close()  # type: ignore[union-attr]  # as a power cut would
                    await desk.until(lambda: len(desk.messages) >= 2)
                beats = [json.loads(body)["online"] for _, body, _ in desk.messages]
                assert beats[:2] == [True, False]

    run(scene)


@needs_mosquitto
def test_the_link_beats_and_says_goodbye(tmp_path: Path) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            async with Desk(broker.port, "hn1/h1/link") as desk:
                async with running(Broker((broker.url,), heartbeat_s=1.0)) as node:
                    await node.online()
                    await desk.until(lambda: len(desk.messages) >= 3)
                await desk.until(lambda: json.loads(desk.messages[-1][1])["online"] is False)
            seen = shell("mosquitto_sub", "-p", str(broker.port), "-t", "hn1/h1/link", "-C", "1", "-W", "5")
            assert json.loads(seen) == {"online": False, "at": "2026-01-05T12:00:00.000+01:00"}

    run(scene)


@needs_mosquitto
def test_commands_sent_while_the_node_was_away_wait_for_it(tmp_path: Path) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            async with running(Broker((broker.url,))) as node:
                await node.online()
                await node.until(lambda: node.link.state.online)
            shell("mosquitto_pub", "-p", str(broker.port), "-t", "hn1/h1/care/command", "-m", "{}", "-q", "1")
            async with running(Broker((broker.url,))) as node:
                await node.until(lambda: node.commands == [("care", b"{}", False)])

    run(scene)


@needs_mosquitto
def test_retained_commands_and_other_topics_are_told_apart(tmp_path: Path) -> None:
    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            for topic in ("hn1/h1/care/command", "hn1/h2/care/command", "hn1/h1/care/alerts"):
                shell("mosquitto_pub", "-p", str(broker.port), "-t", topic, "-m", "x", "-r")
            async with running(Broker((broker.url,))) as node:
                await node.until(lambda: bool(node.commands))
                assert node.commands == [("care", b"x", True)]

    run(scene)


@needs_mosquitto
def test_a_frozen_broker_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_PATIENCE_S", 1.5)

    async def scene() -> None:
        with Mosquitto(tmp_path) as broker:
            async with Desk(broker.port) as desk, running(Broker((broker.url,))) as node:
                await node.online()
                broker.freeze()
                node.alert("a")
                await node.until(lambda: not node.link.state.online)
                assert "not acknowledged" in node.states[-1].why
                broker.thaw()
                await desk.until(lambda: [one["id"] for one in desk.alerts()][:1] == ["a"])
                await node.until(lambda: not sum(node.outbox.pending()))
                assert {(one["id"], one["sequence"]) for one in desk.alerts()} == {("a", "1")}

    run(scene)


@needs_mosquitto
def test_the_second_broker_takes_over_and_the_first_is_tried_first_again(tmp_path: Path) -> None:
    async def scene() -> None:
        first = Mosquitto(tmp_path / "first")
        with Mosquitto(tmp_path / "second") as second:
            async with running(Broker((first.url, second.url))) as node:
                await node.online()
                assert node.link.state.url == second.url
                first.start()
                second.kill()
                await node.until(lambda: node.link.state == LinkState(True, first.url))
                first.kill()

    run(scene)


@needs_mosquitto
def test_a_wrong_password_is_said_in_plain_words_once(tmp_path: Path) -> None:
    async def scene() -> None:
        users, password = tmp_path / "users", tmp_path / "password"
        shell("mosquitto_passwd", "-b", "-c", users, "node", "right")
        password.write_text("wrong\n")
        with Mosquitto(tmp_path / "m", "allow_anonymous false", f"password_file {users}") as broker:
            async with running(Broker((broker.url,), username="node", password_file=password)) as node:
                await node.until(lambda: bool(node.states))
                assert node.states[0].why == "the broker refuses this node"
                assert "user" in node.states[0].do
            password.write_text("right\n")
            async with running(Broker((broker.url,), username="node", password_file=password)) as node:
                await node.online()

    run(scene)


def test_a_port_where_nobody_listens_is_said_once_however_often_it_is_tried() -> None:
    async def scene() -> None:
        url = f"mqtt://127.0.0.1:{free_port()}"
        async with running(Broker((url,))) as node:
            await node.until(lambda: bool(node.states))
            tries = node.link._backoff
            while tries._tries < 3:
                await asyncio.wait([asyncio.ensure_future(node._notify())], timeout=0.05)
            assert [(state.url, state.why) for state in node.states] == [(url, "nothing listens there")]

    run(scene)


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        ({"connack": 4}, "refuses this user name and password"),
        ({"connack": 5}, "refuses this node"),
        ({"connack": 1}, "not this version"),
        ({"connack": 77}, "refuses the connection"),
        ({"hangs_up": True}, "closed the connection"),
        ({"first_bytes": b"HTTP/1.1 400 Bad Request\r\n\r\n", "connack": None}, ""),
        ({"first_bytes": bytes(range(256)) * 40, "connack": None}, ""),
    ],
)
def test_a_broker_that_refuses_is_told_in_plain_words(broker: dict[str, Any], words: str) -> None:
    async def scene() -> None:
        async with HostileBroker(**broker) as hostile, running(Broker((hostile.url,))) as node:
            await node.until(lambda: bool(node.states))
            assert not node.states[0].online
            assert words in node.states[0].why
            assert "Traceback" not in node.states[0].why

    run(scene)


def test_a_half_open_broker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homenode.link.connection.CONNECT_S", 0.5)
    monkeypatch.setattr("homenode.link.connection._CONNACK_5_S", 0.5)

    async def scene() -> None:
        async with HostileBroker(connack=None) as hostile, running(Broker((hostile.url,))) as node:
            await hostile.until(lambda: hostile.connections >= 3)
            assert [(s.url, s.why) for s in node.states] == [(hostile.url, "the broker does not answer")]

    run(scene)


def test_a_broker_that_acknowledges_late_is_slow_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_PATIENCE_S", 1.0)

    async def late(_nth: int) -> bool:
        await asyncio.sleep(2.5)  # the fault itself, not a wait for something
        return True

    async def scene() -> None:
        async with HostileBroker(acknowledges=late) as slow, running(Broker((slow.url,))) as node:
            await node.online()
            for nth in range(5):
                node.alert(f"a{nth}")
            await node.until(lambda: len(node.gone) == 5)
            assert slow.connections <= 4
            assert sorted({one.id for one in node.gone}) == [f"a{nth}" for nth in range(5)]
            assert len(node.gone) == 5

    run(scene)


def test_alarms_pass_a_broker_that_acknowledges_nothing_else() -> None:
    async def never(_nth: int) -> bool:
        return False

    async def scene() -> None:
        async with HostileBroker(acknowledges=never) as mute, running(Broker((mute.url,))) as node:
            await node.online()
            node.readings(500)
            await mute.until(lambda: len(mute.published) >= 80)
            node.alert("fire", Class.ALARM)
            await mute.until(lambda: any(b'"fire"' in body for body in mute.published))
            assert len(mute.published) <= 83

    run(scene)


def test_an_alert_is_on_the_disk_before_it_is_sent() -> None:
    async def scene() -> None:
        async with HostileBroker() as broker, running(Broker((broker.url,))) as node:
            node.disk = False
            await node.online()
            node.alert("a")
            node.readings(1)
            await broker.until(lambda: any(b"value" in body for body in broker.published))
            assert not any(b'"a"' in body for body in broker.published)
            node.disk_answers()
            await broker.until(lambda: any(b'"a"' in body for body in broker.published))

    run(scene)


def test_an_alert_that_got_its_place_goes_though_the_link_is_made_anew_before_the_disk_has_it() -> None:
    async def scene() -> None:
        async with HostileBroker() as broker:
            async with running(Broker((broker.url,))) as node:
                node.disk = False
                await node.online()
                node.alert("a", Class.ALARM)
                await node.until(lambda: bool(node.on_disk))
            task = asyncio.ensure_future(node.link.run())
            node.alert("b", Class.ALARM)
            node.disk_answers()
            wanted = (b'"id":"a"', b'"id":"b"')
            await broker.until(lambda: all(any(one in body for body in broker.published) for one in wanted))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(scene)


def test_the_end_of_the_process_waits_for_nobody() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        for url in ("mqtt://192.0.2.1:1883", "mqtt://127.0.0.1:1"):
            node = Node(Broker((url,)))
            task = asyncio.ensure_future(node.link.run())
            await asyncio.wait([task], timeout=0.2)
            before = loop.time()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert loop.time() - before < 2  # what SIGTERM allows; a connection is tried for 5 s

    run(scene)
