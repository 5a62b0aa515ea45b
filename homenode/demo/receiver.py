"""A receiver as care has one: a client of its own that knows only the broker."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Receiver:
    """Hears what the node publishes for one party.

    Attributes:
        alerts: Bodies of all alert messages, in the order they came.
        recent: Topic and payload of the last messages, for the screen.
        readings: How many readings came.
    """

    def __init__(self, port: int, party: str) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.recent: deque[tuple[str, dict[str, Any]]] = deque(maxlen=12)
        self.readings = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"demo-{party}")
        self._client.on_connect = lambda client, *_: client.subscribe(f"hn1/+/{party}/#", qos=1)
        self._client.on_message = self._came
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _came(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload)
        kind = message.topic.split("/")[3]
        if kind == "readings":
            self.readings += 1
        elif kind == "alerts":
            self.alerts.append(body)
            self.recent.append((message.topic, body))

    def told(self, rule: str, event: str) -> bool:
        """Whether such a message came, such as ``notified`` of ``stove_left_on``."""
        return any(a["subject"] == rule and a["data"]["event"] == event for a in self.alerts)

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()
