"""Receivers that nobody here wrote get what a real node sends, from brokers that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

import nats
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

from tests.contract import CONTRACT
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import PATIENCE_S, NodeProcess, in_an_hour
from tests.system.npm import needs_npm, node
from tests.system.receivers import Nats, needs_nats
from tests.system.test_node import a_home

SCRIPT = Path(__file__).with_name("mqtt_js.cjs")
CARE = "hn1/test-1/care/#"


class Message(NamedTuple):
    """As a receiver told it."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Broker(NamedTuple):
    """A broker, and the version of MQTT to speak with it (as CONNECT says it)."""

    port: int
    version: int


class Foreign:
    """A receiver as a process, which prints a line for each message.

    Args:
        process: With its standard output as a pipe of text.
        read: What a line says; None if it is no message.
    """

    def __init__(self, process: subprocess.Popen[str], read: Callable[[str], Message | None]) -> None:
        self.process, self._read = process, read
        self.messages: list[Message] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def until(self, fits: Callable[[Message], object], what: str) -> Message:
        """A message that fits, of all that came and come; each must keep the contract."""
        for message in self.messages:
            if fits(message):
                return message
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            assert line, f"ended without {what}"
            message = self._read(line)
            if message is not None:
                self.messages.append(message)
                topic, payload, qos, retain = message
                assert not CONTRACT.why_not(topic, payload, qos=qos, retain=retain, published=False)
                if fits(message):
                    return message

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()


def by_mosquitto_sub(broker: Broker) -> Foreign:
    """mosquitto_sub."""
    version = {4: "mqttv311", 5: "mqttv5"}[broker.version]
    words = ["-p", str(broker.port), "-V", version, "-q", "1", "-t", CARE, "-F", "%q %r %t %p"]
    process = subprocess.Popen(["mosquitto_sub", *words], stdout=subprocess.PIPE, text=True)

    def read(line: str) -> Message:
        qos, retain, topic, payload = line.rstrip("\n").split(" ", 3)
        return Message(topic, payload.encode(), int(qos), retain == "1")

    return Foreign(process, read)


def by_mqtt_js(broker: Broker) -> Foreign:
    """MQTT.js; the node's link as well, which it sees by itself."""

    def read(line: str) -> Message | None:
        told = json.loads(line)
        if "topic" not in told:
            return None
        return Message(told["topic"], told["payload"].encode(), told["qos"], told["retain"])

    return Foreign(node(SCRIPT, str(broker.port), str(broker.version), CARE, "hn1/test-1/link"), read)


@pytest.fixture(
    params=[
        pytest.param(("mosquitto", 4), marks=needs_mosquitto, id="mosquitto-3.1.1"),
        pytest.param(("mosquitto", 5), marks=needs_mosquitto, id="mosquitto-5"),
        pytest.param(("nats", 4), marks=needs_nats, id="nats-3.1.1"),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each that there is, in each version that it speaks."""
    name, version = request.param
    with ExitStack() as stack:
        if name == "nats":
            yield Broker(stack.enter_context(Nats(tmp_path / "nats", 1)).mqtt[0], version)
        else:
            yield Broker(stack.enter_context(Mosquitto(tmp_path / "broker")).port, version)


def notified(message: Message) -> bool:
    return message.topic.endswith("/alerts") and b"hn1.alert.notified" in message.payload


def is_cloudevent(payload: bytes) -> Any:
    """What the official SDK makes of an alert, as a web hook would get it."""
    event = from_structured_event(HTTPMessage({"content-type": "application/cloudevents+json"}, payload))
    plain = json.loads(payload)
    assert (event.get_id(), event.get_source(), event.get_type()) == (
        plain["id"],
        plain["source"],
        plain["type"],
    )
    assert event.get_time().isoformat(timespec="milliseconds") == plain["time"]
    assert event.get_subject() == plain["subject"]
    assert event.get_extension("sequence") == plain["sequence"]
    assert event.get_extension("epoch") == plain["epoch"]
    assert event.get_data() == plain["data"]
    return event


@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="mosquitto-clients are not installed")
def test_mosquitto_sub_gets_alert_reading_and_status(tmp_path: Path, broker: Broker) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with by_mosquitto_sub(broker) as foreign, NodeProcess(home, tmp_path / "data") as running:
        running.until("link up")
        assert is_cloudevent(foreign.until(notified, "the alert").payload)
        topics = {message.topic.removeprefix("hn1/test-1/care/") for message in foreign.messages}
        assert topics >= {"alerts", "readings/front_door/contact"}
        foreign.until(
            lambda message: message.topic.endswith("/status") and b'"door' in message.payload, "the status"
        )


@needs_npm
def test_mqtt_js_gets_the_alert_acknowledges_it_and_is_answered(tmp_path: Path, broker: Broker) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with by_mqtt_js(broker) as foreign, NodeProcess(home, tmp_path / "data") as running:
        running.until("link up")
        alert = json.loads(foreign.until(notified, "the alert").payload)["data"]["alert"]
        ask = {"id": "1", "do": "acknowledge", "by": "Eva", "expires": in_an_hour(), "args": {"alert": alert}}
        assert foreign.process.stdin is not None
        foreign.process.stdin.write(f"hn1/test-1/care/command {json.dumps(ask)}\n")
        foreign.process.stdin.flush()
        told = foreign.until(lambda message: b"hn1.alert.acknowledged" in message.payload, "acknowledged")
        assert is_cloudevent(told.payload).get_data()["by"] == "Eva"
        reply = foreign.until(lambda message: message.topic.endswith("/reply"), "the reply")
        assert json.loads(reply.payload) == {"id": "1", "ok": True, "result": {}}
        running.kill()
        gone = foreign.until(
            lambda message: message.topic.endswith("/link") and b"false" in message.payload, "the will"
        )
        assert json.loads(gone.payload)["online"] is False


@needs_nats
def test_a_receiver_of_nats_itself_gets_what_the_node_sends_by_mqtt(tmp_path: Path) -> None:
    async def scene(servers: Nats) -> list[Message]:
        client = await nats.connect(servers.url[0])
        heard = await client.subscribe("hn1.test-1.care.>")
        await client.flush()
        got: list[Message] = []
        while not any(map(notified, got)):
            message = await heard.next_msg(timeout=PATIENCE_S)
            got.append(Message(message.subject.replace(".", "/"), message.data))
        await client.close()
        return got

    with Nats(tmp_path / "nats", 1) as servers:
        home = a_home(tmp_path, servers.mqtt[0], [(2.0, True)])
        with NodeProcess(home, tmp_path / "data") as running:
            running.until("link up")
            got = asyncio.run(scene(servers))
    for topic, payload, *_ in got:
        assert not CONTRACT.why_not(topic, payload, retain=False, published=False)
    assert is_cloudevent(got[-1].payload)
