"""A party at the broker for one question and its answers: `homenode listen ack`, `homenode configure`."""

from __future__ import annotations

import queue
import secrets
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from homenode.config.model import Broker
from homenode.errors import HomenodeError, Refused
from homenode.gateway.clock import Clock
from homenode.link.address import Address, address
from homenode.link.wire import identify
from homenode.link.words import NoLink, failed, refused
from homenode.paho import mqtt

NOTHING_SHOWN = (
    "the broker shows nothing of it: check whose certificate or user this is, and the broker's ACL"
)
"""What to do where nothing came: some brokers, mosquitto is one, don't say what they let nobody hear."""

T = TypeVar("T")


class Line:
    """A connection for as long as the block lasts.

    Args:
        broker: Of its URLs the first where somebody is.
        name: Begins the id of the client.
        topics: What is to be heard.
        newest: MQTT 5, in which a broker says what it doesn't take.

    Attributes:
        came: Whether anything did; brokers keep each home's status.

    Raises:
        NoLink: The broker can't be reached, or what says who we are can't be read.
    """

    def __init__(self, broker: Broker, name: str, topics: Sequence[str], *, newest: bool = False) -> None:
        self._broker, self._name = broker, name
        self._version = MQTTProtocolVersion.MQTTv5 if newest else MQTTProtocolVersion.MQTTv311
        self.came, self._accepted = False, False
        self._came: queue.SimpleQueue[tuple[str, bytes] | HomenodeError] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[HomenodeError | None] = queue.SimpleQueue()
        self._sent: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()
        self._topics = [(topic, 1) for topic in topics]

    def _client_for(self, where: Address) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, f"{self._name}-{secrets.token_hex(4)}", protocol=self._version
        )
        client.on_connect = self._connected
        client.on_disconnect = self._hung_up
        client.on_subscribe = self._subscribed
        client.on_publish = lambda _client, _data, mid, reason, _properties: self._sent.put(
            (mid, reason.is_failure)
        )
        client.on_message = lambda _client, _data, message: self._came.put(
            (message.topic, bytes(message.payload))
        )
        identify(client, self._broker, where)
        return client

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._in_vain(refused(int(reason.value), self._where.url))
        else:
            self._accepted = True
            if self._topics:
                client.subscribe(self._topics)
            else:
                self._heard.put(None)

    def _hung_up(self, *_: object) -> None:
        """Before we were accepted; from TLS 1.3 on a certificate is refused only now."""
        if not self._accepted:
            why = ssl.SSLEOFError() if self._where.tls else ConnectionResetError()
            self._in_vain(failed(why, self._where.url, was_up=False))

    def _subscribed(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        asked = zip(self._topics, reasons, strict=False)
        if denied := [topic for (topic, _), reason in asked if reason.is_failure]:
            what = f"the broker does not let us hear {', '.join(denied)}"
            do = "check whose certificate or user this is, and the broker's ACL"
            self._in_vain(Refused(what, where=self._where.url, do=do))
        else:
            self._heard.put(None)

    def _in_vain(self, why: HomenodeError) -> None:
        """Nothing will be heard: for `ready` and `first`, whoever waits."""
        self._heard.put(why)
        self._came.put(why)

    def __enter__(self) -> Self:
        away: NoLink | None = None
        for url in self._broker.urls:
            self._where = address(url)
            self._client = self._client_for(self._where)
            try:
                self._client.connect(self._where.host, self._where.port)
            except OSError as error:
                lost = failed(error, url, was_up=False)
                if not lost.away:
                    raise lost from error
                away = away or lost
            else:
                self._client.loop_start()
                return self
        assert away is not None, "a broker has a url"
        raise away

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def ready(self, within_s: float) -> None:
        """Wait until the topics are heard.

        Raises:
            NoLink: The broker doesn't want us, or doesn't answer.
            Refused: It doesn't let us hear one of them.
        """
        try:
            why = self._heard.get(timeout=within_s)
        except queue.Empty:
            raise failed(TimeoutError("no answer"), self._where.url, was_up=True) from None
        self._heard.put(why)
        if why is not None:
            raise why

    def say(self, topic: str, payload: bytes, within_s: float) -> None:
        """Publish once the answer can be heard, QoS 1. Raises as `ready`."""
        self.ready(within_s)
        self._client.publish(topic, payload, 1)

    def keep_nothing(self, topics: Sequence[str], within_s: float) -> None:
        """Have the broker keep nothing under these topics; returns when it has acknowledged that.

        Raises:
            NoLink: The broker doesn't answer.
            Refused: It doesn't let us write one of them, if it says so (MQTT 5).
        """
        clock, denied = Clock(), list[str]()
        until = clock.now() + int(within_s * 1000)
        waiting = {self._client.publish(topic, b"", 1, retain=True).mid: topic for topic in topics}
        while waiting:
            try:
                mid, fails = self._sent.get(timeout=max(0, until - clock.now()) / 1000)
            except queue.Empty:
                raise failed(TimeoutError("no answer"), self._where.url, was_up=True) from None
            topic = waiting.pop(mid, "")
            denied += [topic] if fails and topic else []
        if denied:
            what = f"the broker does not let us empty {denied[0]}"
            what += f" and {len(denied) - 1} more" if denied[1:] else ""
            raise Refused(what, where=self._where.url, do="check the broker's ACL")

    def first(self, fits: Callable[[str, bytes], T | None], within_s: float) -> T | None:
        """What `fits` makes of the first message that fits; None if none comes. Raises as `ready`."""
        clock = Clock()
        until = clock.now() + int(within_s * 1000)
        while (left_ms := until - clock.now()) > 0:
            try:
                message = self._came.get(timeout=left_ms / 1000)
            except queue.Empty:
                return None
            if isinstance(message, HomenodeError):
                raise message
            self.came = True
            if found := fits(*message):
                return found
        return None
