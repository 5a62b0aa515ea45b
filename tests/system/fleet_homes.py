"""Homes that say and do what a test wants, for `homenode fleet`: many, or in states that no node here has."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from paho.mqtt import client as mqtt

from tests.contract import CONTRACT
from tests.system.nodes import PATIENCE_S

WELL = {"state": "good", "radios": {"zigbee": True}, "devices": 12, "silent": 0, "blind": 0}


def now(later_s: float = 0) -> str:
    """As the contract has times."""
    return (datetime.now(UTC) + timedelta(seconds=later_s)).isoformat(timespec="milliseconds")  # noqa: TID251 - no node


class Homes:
    """All of them, on one connection."""

    def __init__(self, port: int, *names: str) -> None:
        self.complaints: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.states: dict[str, dict[str, Any]] = {
            name: {"home": name, "open": [], "health": {**WELL}, "versions": {"homenode": "1.0"}}
            for name in names
        }
        self._news = threading.Condition()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="homes")
        self._client.max_inflight_messages_set(1000)
        ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe("hn1/+/operator/command", 1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = self._came
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(PATIENCE_S)
        for name in names:
            self.link(name)
            self.say(name)

    def link(self, name: str, *, online: bool = True) -> None:
        """Come or go."""
        body = json.dumps({"online": online, "at": now()})
        self._client.publish(f"hn1/{name}/link", body, 1, True)

    def say(self, name: str, **more: Any) -> None:
        """Its status, with something of it changed; ``update`` gets the time."""
        state = self.states[name]
        state |= more
        body = json.dumps({**state, "at": now()})
        self._client.publish(f"hn1/{name}/operator/status", body, 1, True).wait_for_publish(PATIENCE_S)

    def update(self, name: str, state: str, version: str = "2.0", **why: str) -> None:
        """Its updater has a word; one that is good runs the version."""
        told = {"version": version, "state": state, "at": now(), "why": why}
        versions = {"homenode": version} if state == "good" else self.states[name]["versions"]
        self.say(name, update=told, versions=versions)

    def _came(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if why := CONTRACT.why_not(message.topic, message.payload, retain=message.retain):
            self.complaints.append(why)
        home, body = message.topic.split("/")[1], json.loads(message.payload)
        if home not in self.states:  # a real one
            return
        reply = {"id": body["id"], "ok": True, "result": {"state": "ordered"}}
        self._client.publish(f"hn1/{home}/operator/reply", json.dumps(reply), 1)
        with self._news:
            self.asked.append((home, body))
            self._news.notify_all()

    def ordered(self, *names: str) -> None:
        """Wait until these were asked since the last wait, and no others."""
        self._until(lambda: {home for home, body in self.asked if "url" in body["args"]} >= set(names), names)
        found = {home for home, body in self.asked if "url" in body["args"]}
        assert found == set(names), self.asked
        self.asked.clear()

    def cancelled(self, name: str) -> None:
        """Wait until its order was called off."""
        self._until(
            lambda: (name, {"cancel": True}) in [(home, body["args"]) for home, body in self.asked], (name,)
        )

    def _until(self, fits: Callable[[], bool], what: tuple[str, ...]) -> None:
        with self._news:
            assert self._news.wait_for(fits, PATIENCE_S), f"never asked: {what}; {self.asked}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        assert not self.complaints, "\n".join(self.complaints)
