"""Whatever comes from the broker: refused, counted, told once a minute, and nothing else is held up by it."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt import publish

from homenode.gateway.status import status
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.hostile import HostileBroker
from tests.system.node_inside import HOME, Panel, node_inside, panel, quiet, until
from tests.system.nodes import NodeProcess, Receiver, in_an_hour
from tests.system.test_bad_input_storage import stops_in_time
from tests.system.test_node import a_home

pytestmark = needs_mosquitto

CARE = "hn1/test-1/care/command"
FLOOD_RATE = 10_000
"""A second."""


def send(broker: Mosquitto, topic: str, payload: bytes, *, retain: bool = False) -> None:
    publish.single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=broker.port)


def command(**more: Any) -> bytes:
    """A mode that care sets, with some of it otherwise."""
    good = {"id": "1", "do": "mode", "by": "Eva", "expires": in_an_hour(), "args": {"mode": "away"}}
    return json.dumps(good | more).encode()


def rss_kb(node: NodeProcess, what: str = "VmRSS") -> int:
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what)))


def replies(receiver: Receiver, command_id: str) -> list[dict[str, Any]]:
    return [
        body for topic, body, _ in receiver.messages if topic.endswith("reply") and body["id"] == command_id
    ]


class Patient(Receiver):
    """Passes over the garbage of a test."""

    def _came(self, client: Any, data: Any, message: mqtt.MQTTMessage) -> None:
        if b"garbage" not in message.payload:
            super()._came(client, data, message)


REFUSED: list[tuple[bytes, str]] = [
    (command(version=2), "unknown field 'version'"),
    (command(hn="hn2", home="test-2"), "unknown field"),
    (command(args={"mode": "away", "force": True}), "args.force is not known"),
    (command(args={"mode": {"a": {"b": {"c": {"d": {"e": {}}}}}}}), "nested deeper"),
    (command(args=[]), "args must be a JSON object"),
    (command(do=["mode"]), "do must be one of"),
    (command(by=""), "by must name"),
    (command(by="x" * 121), "by must name"),
    (command(expires=1), "expires must be a time"),
    (command(expires="2026-01-05T06:12:03"), "expires must be a time"),
    (command(expires=in_an_hour(-0.01)), "expired"),
]


def test_what_care_asks_wrongly_is_answered_counted_and_in_the_log_once(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False)])
    with (
        Receiver(broker.port, "hn1/test-1/#", name="everybody") as everybody,
        NodeProcess(home, tmp_path / "data") as node,
    ):
        node.until("link up")
        for nth, (payload, _) in enumerate(REFUSED):
            body = json.loads(payload) | {"id": f"r{nth}"}
            send(broker, CARE, json.dumps(body).encode())
        send(broker, CARE, command(id="last", args={"mode": "nowhere"}))  # can be read and can't be done
        everybody.until(lambda seen: replies(seen, "last"), "the last answer")
        for nth, (_, told) in enumerate(REFUSED):
            (answer,) = replies(everybody, f"r{nth}")
            assert told in answer["error"]["text"], answer
        status = node.status()
        assert status["refused_commands"] == {"care": len(REFUSED) + 1}
        assert status["mode"] == "home"
        assert len([line for line in node.lines if "command refused" in line]) == 1, node.log
        last = {topic: body for topic, body, _ in everybody.messages if topic.endswith("/status")}
        assert last["hn1/test-1/care/status"]["refused_commands"] == 1, "told with the line in the log"
        for party in ("property", "resident", "operator"):
            assert "refused_commands" not in last[f"hn1/test-1/{party}/status"]
        stops_in_time(node)


def test_a_command_comes_again_is_answered_again_and_done_once(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False)])
    with Receiver(broker.port, "hn1/test-1/#", name="everybody") as everybody:
        with NodeProcess(home, tmp_path / "data") as node:
            node.until("link up")
            for _ in range(3):
                send(broker, CARE, command(id="once"))
            everybody.until(lambda seen: len(replies(seen, "once")) == 3, "three answers")
            assert node.status()["mode"] == "away"
            send(broker, CARE, command(id="back", args={"mode": "home"}))
            everybody.until(lambda seen: replies(seen, "back"), "the answer")
            send(broker, CARE, command(id="once"))  # somebody has recorded it
            everybody.until(lambda seen: len(replies(seen, "once")) == 4, "a fourth answer")
            send(broker, "hn1/test-1/property/command", command(id="once"))  # on another branch
            everybody.until(lambda seen: len(replies(seen, "once")) == 5, "property's answer")
            assert node.status()["mode"] == "home"
            node.kill()
        with NodeProcess(home, tmp_path / "data") as node:
            node.until("link up")
            send(broker, CARE, command(id="once"))
            everybody.until(lambda seen: len(replies(seen, "once")) == 6, "an answer after kill -9")
            assert node.status()["mode"] == "home"
    oks = [body["ok"] for body in replies(everybody, "once")]
    assert oks == [True, True, True, True, False, True]


def test_retained_garbage_on_our_own_topics_and_commands_for_another_home_change_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    for home_id in ("test-1", "test-2"):
        for topic in ("care/alerts", "care/status", "care/reply", "care/readings/front_door/contact", "link"):
            send(broker, f"hn1/{home_id}/{topic}", b"\x00garbage", retain=True)
    send(broker, CARE, command(id="kept"), retain=True)
    send(broker, "hn1/test-2/care/command", command(id="other"), retain=True)
    send(broker, "hn2/test-1/care/command", command(id="later"), retain=True)
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    home.write_text(home.read_text().replace("127.0.0.1", "localhost"))  # where nobody judges the garbage
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("link up")
        with Patient(broker.port, "hn1/test-1/care/reply", name="desk") as desk:
            send(broker, CARE, command(id="now"))
            desk.until(lambda seen: replies(seen, "now"), "the answer")
            assert [body["ok"] for body in replies(desk, "now")] == [True]
            assert not replies(desk, "other")
            assert not replies(desk, "later")
        status = node.status()
        assert status["mode"] == "away"
        assert status["refused_commands"] == {"care": 1}, "the retained one"
        assert status["unasked"] == 0
        stops_in_time(node)
    words = ["mosquitto_sub", "-p", str(broker.port), "-t", "hn1/test-1/#", "-v", "-W", "1"]
    kept = subprocess.run(words, capture_output=True, check=False, timeout=30).stdout.splitlines()
    garbage = {line.split()[0] for line in kept if b"garbage" in line}
    assert garbage == {b"hn1/test-1/care/alerts", b"hn1/test-1/care/reply"}, "what nothing of ours replaces"


class Flood:
    """Bad commands, so many a second, as bytes made before: paho can't publish as fast."""

    def __init__(self, broker: Mosquitto, payloads: list[bytes]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", broker.port))
        self._socket.sendall(_packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood"))
        assert self._socket.recv(4) == b"\x20\x02\x00\x00"
        packets = [_packet(0x30, len(CARE).to_bytes(2) + CARE.encode() + one) for one in payloads]
        self._batch, self._many = b"".join(packets), len(packets)
        self.sent, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        began = time.monotonic()  # noqa: TID251 - the flood's own pace
        while not self._over.wait(0.005):
            due = (time.monotonic() - began) * FLOOD_RATE  # noqa: TID251 - as above
            while self.sent < due:
                self._socket.sendall(self._batch)
                self.sent += self._many

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


def _packet(head: int, body: bytes) -> bytes:
    """Of MQTT, of less than 16 KiB."""
    length = len(body)
    return (
        bytes([head, length & 0x7F | 0x80, length >> 7]) + body
        if length > 127
        else bytes([head, length]) + body
    )


def test_an_alert_goes_out_within_a_second_of_a_flood_of_bad_commands(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False), (5.0, True)])  # its alert is due a second later
    home.write_text(home.read_text().replace("127.0.0.1", "localhost"))  # nobody judges each command of it
    with (
        Receiver(broker.port, "hn1/test-1/care/alerts", name="desk") as desk,
        NodeProcess(home, tmp_path / "data") as node,
    ):
        node.until("link up")
        before_kb = rss_kb(node)
        flood = Flood(broker, [command(id="f", do="launch"), b"x" * 200, command(id="g", by=""), b"[" * 500])
        desk.until(lambda seen: seen.alerts("notified"), "the alert")
        alert = desk.alerts("notified")[0]
        flood.stop()
        after_kb = rss_kb(node)
        late_s = time.time() - _seconds(alert["time"])  # noqa: TID251 - the receiver's clock
        assert flood.sent > 0.5 * 3 * FLOOD_RATE, "too slow a flood to say anything"
        assert late_s < 1.0, f"{late_s:.2f} s"
        assert after_kb - before_kb < 60_000, f"{before_kb} to {after_kb} KB after {flood.sent}"
        print(f"{flood.sent} sent, alert after {late_s * 1000:.0f} ms, {before_kb} to {after_kb} KB")
        assert len([line for line in node.lines if "command refused" in line]) <= 1
        stops_in_time(node)


def test_a_command_of_30_mb_is_refused_and_never_in_memory(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False)])
    home.write_text(home.read_text().replace("127.0.0.1", "localhost"))
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("link up")
        before_kb = rss_kb(node)
        send(broker, CARE, b"x" * 30_000_000)
        assert "at most 65536" in node.until("command refused")
        assert rss_kb(node, "VmHWM") - before_kb < 12_000
        assert node.status()["link"]["state"] == "up"
        stops_in_time(node)


def test_what_a_broker_sends_that_nobody_asked_for_is_counted_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stray = [
        "hn1/other/care/command",
        "hn1/inside-1/care/status",
        "hn1/inside-1/press/command",
        "$SYS/uptime",
        "x",
    ]
    sent = b"".join(_packet(0x30, len(topic).to_bytes(2) + topic.encode() + command()) for topic in stray * 5)

    async def play() -> None:
        async with HostileBroker(unasked=sent) as broker:
            home = f'{HOME}broker: {{url: "{broker.url}"}}\n'
            async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
                await until(lambda: status(node)["unasked"] == 25, "all of it")
                assert status(node)["refused_commands"] == {}
                assert status(node)["mode"] == "home"
                assert status(node)["link"]["state"] == "up"

    asyncio.run(play())
    assert len([record for record in caplog.records if "nobody asked for" in record.message]) == 1


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
