"""Every message of a running node, judged by the AsyncAPI document: topic, payload, QoS, retain flag.

A client of MQTT 5, as only there a subscriber is told the retain flag as it was sent.
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.contract import CONTRACT

_PATIENCE_S = 5.0


class Watch:
    """Listens at a broker on loopback from now on, whenever it is there.

    Attributes:
        complaints: What is wrong with the messages so far.
        judged: How many there were.
    """

    def __init__(self, port: int, home: str) -> None:
        self.complaints: list[str] = []
        self.judged = 0
        self._judging = False
        self._not_asked: set[tuple[str, str]] = set()
        self._end, self._ready, self._ended = f"watch/{uuid.uuid4()}", threading.Event(), threading.Event()
        how = SubscribeOptions(qos=1, retainAsPublished=True)
        client = self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=self._end, protocol=mqtt.MQTTv5
        )
        topics = (f"hn1/{home}/#", f"+/+/+/{home}/+/config", self._end)
        client.on_connect = lambda *_: client.subscribe([(topic, how) for topic in topics])
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._came
        client.reconnect_delay_set(1, 1)
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 3600
        client.connect_async("127.0.0.1", port, clean_start=False, properties=kept)
        client.loop_start()

    def ready(self) -> None:
        """Wait until it listens, if the broker is there."""
        try:
            socket.create_connection(("127.0.0.1", self._client.port), timeout=1).close()
        except OSError:
            return
        self._ready.wait(_PATIENCE_S)

    def _came(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic == self._end:
            self._ended.set()
            return
        self.judged += 1
        self._judging = True
        self._judge(message)
        self._judging = False

    def _judge(self, message: mqtt.MQTTMessage) -> None:
        why = CONTRACT.why_not(message.topic, message.payload, qos=message.qos, retain=bool(message.retain))
        party, _, what = message.topic.rpartition("/")
        if what == "command":  # anybody may ask anything: the node must not do what the contract doesn't have
            self._asked(party, message.payload, why)
            return
        if why:
            self.complaints.append(why)
        elif what == "reply" and json.loads(message.payload).get("ok"):  # a sealed one says nothing
            asked = party, json.loads(message.payload)["id"]
            if asked in self._not_asked:
                self.complaints.append(f"{party}: done, though the contract has no such command: {asked}")

    def _asked(self, party: str, payload: bytes, why: str) -> None:
        try:
            asked = party, str(json.loads(payload)["id"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return  # nobody to answer
        if why:
            self._not_asked.add(asked)
        else:
            self._not_asked.discard(asked)

    def close(self) -> list[str]:
        """Hang up, when all that the broker had by now is judged, and return `complaints`."""
        if self._client.is_connected():
            self._client.publish(self._end, b"", qos=1)
            self._ended.wait(_PATIENCE_S)
        gone = Properties(PacketTypes.DISCONNECT)
        gone.SessionExpiryInterval = 0
        self._client.disconnect(properties=gone)
        self._client.loop_stop()
        if self._judging:
            self.complaints.append("the watch ended in the middle of a message")
        return self.complaints
