"""Every byte that a real node publishes: no mark of what a party may not know is on its branch."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import PATIENCE_S, NodeProcess, in_an_hour

pytestmark = needs_mosquitto

HOME = """\
home: flow-1
timezone: Europe/Stockholm
language: sv
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
radios: {{tape: {{driver: recording, file: tape.jsonl}}}}
devices:
  sinkmark:  {{via: tape, sensor: sink, kind: water, room: kitchen}}
  eyemark:   {{via: tape, sensor: eye, kind: motion, room: hall}}
  stovemark: {{via: tape, sensor: stove, kind: power, room: kitchen}}
  coldmark:  {{via: tape, sensor: cold, kind: temperature, room: cellar}}
rules:
  - {{use: stoverule, bind: {{stove: stovemark.power}}}}
  - {{use: leakrule, bind: {{sink: sinkmark.water, eye: eyemark.motion}}}}
share: {{{share}}}
"""
RULES = {
    "stoverule": "rule: stoverule\nto: [care]\nroles: {stove: {kind: power}}\nwhen: stove > 50 W\n"
    "says: {en: It is on}\n",
    "leakrule": "rule: leakrule\nto: [property, care]\nroles: {sink: {kind: water}, eye: {kind: motion}}\n"
    "when: sink == true or (sink == true and eye == true)\nsays: {en: It leaks}\n",
}
VALUES = {"stove": 1234.5678, "cold": 3.14159, "eye": True, "sink": True}


class Everything:
    """Every message, as bytes."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._news = threading.Condition()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="everything")
        ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._came
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(PATIENCE_S)

    def _came(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._news:
            self.messages.append((message.topic, message.payload))
            self._news.notify_all()

    def until(self, topic: str, words: bytes, after: int = 0) -> None:
        """Wait for a message under a topic that has these words."""

        def came() -> bool:
            return any(one == topic and words in payload for one, payload in self.messages[after:])

        with self._news:
            assert self._news.wait_for(came, PATIENCE_S), f"never came: {topic} {words!r}"

    def ask(self, party: str, command_id: str, do: str, **args: Any) -> None:
        body = {"id": command_id, "do": do, "by": f"{party}person", "expires": in_an_hour(), "args": args}
        self.client.publish(f"hn1/flow-1/{party}/command", json.dumps(body), 1)
        self.until(f"hn1/flow-1/{party}/reply", f'"{command_id}"'.encode())

    def of(self, party: str) -> bytes:
        """All that is on a party's branch, and what every party may read; but not what it said itself."""
        return b"\n".join(
            topic.encode() + b" " + payload
            for topic, payload in self.messages
            if topic.startswith((f"hn1/flow-1/{party}/", "hn1/flow-1/link"))
            and not topic.endswith("/command")
        )


def written(folder: Path, port: int, share: str) -> Path:
    (folder / "rules").mkdir(exist_ok=True)
    for name, text in RULES.items():
        (folder / "rules" / f"{name}.yaml").write_text(text)
    lines = [
        {"at": f"2026-01-05T06:00:0{nth}.000+01:00", "point": point, "value": value}
        for nth, (point, value) in enumerate(VALUES.items())
    ]
    (folder / "tape.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "home.yaml").write_text(HOME.format(port=port, share=share))
    return folder / "home.yaml"


def test_a_day_with_alerts_commands_a_reload_a_kill_and_a_restart(tmp_path: Path, broker: Mosquitto) -> None:
    home = written(tmp_path, broker.port, "property: [coldmark.temperature]")
    everything = Everything(broker.port)
    care, landlord = "hn1/flow-1/care", "hn1/flow-1/property"
    with NodeProcess(home, tmp_path / "data") as node:
        everything.until(f"{care}/alerts", b"stoverule")
        everything.until(f"{landlord}/alerts", b"leakrule")
        for party in ("property", "operator", "resident"):
            everything.ask(party, f"a-{party}", "acknowledge", alert="stoverule")
        everything.ask("care", "a-care", "acknowledge", alert="stoverule")
        everything.ask("care", "b-care", "acknowledge", alert="leakrule")
        everything.ask("care", "m-care", "mode", mode="away")
        for party in ("property", "operator"):
            everything.ask(party, f"r-{party}", "report")
        written(tmp_path, broker.port, "resident: [coldmark.temperature]")
        before = len(everything.messages)
        assert node.ask("reload").returncode == 0
        everything.until(f"{landlord}/readings/coldmark/temperature", b"", before)
        node.kill()
    with NodeProcess(home, tmp_path / "data") as node:
        before = len(everything.messages)
        everything.until("hn1/flow-1/resident/readings/coldmark/temperature", b"restored")
        for party in ("property", "operator"):
            everything.ask(party, f"s-{party}", "report")
        assert node.stop() == 0
    topics = {topic for topic, _ in everything.messages if topic.startswith("hn1/")}
    assert {topic.split("/")[2] for topic in topics} == {"care", "property", "resident", "operator", "link"}
    never = {
        "property": [b"1234.5678", b"stoverule", b"away", b"careperson", b"eyemark is", b"eyemark seen"],
        "resident": [b"1234.5678", b"stoverule:", b"leakrule", b"careperson", b"eyemark", b"stovemark"],
        "operator": [b"1234.5678", b"3.14159", b"stoverule:", b"leakrule", b"away", b"careperson", b"alarm"],
        "care": [b"3.14159", b"coldmark", b"propertyperson", b"operatorperson"],
    }
    for party, marks in never.items():
        got = everything.of(party).replace(b"no open alert 'stoverule' was sent to", b"")
        for mark in marks:
            assert mark not in got, (party, mark)
    for _, payload in everything.messages:
        body = json.loads(payload or b"{}")
        for one in body.get("data", {}).get("evidence", ()):
            if body["id"].endswith(".property.1") and one["point"] == "eyemark.motion":
                assert set(one) == {"point", "unit", "room"}
    everything.client.loop_stop()
