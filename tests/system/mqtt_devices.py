"""Devices that speak MQTT at a real broker, as far as their firmware does, and the driver that listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from paho.mqtt import client as mqtt

from drivers.mqtt_device import DRIVER
from homenode.config.fields import filled
from homenode.config.model import Device
from homenode.kit.listener import Listener, running
from tests.system.brokers import Mosquitto


def device(name: str, family: str, topic: str, *kinds: str, **options: Any) -> Device:
    given = {"family": family, "topic": topic, "points": kinds, "at_most_every": 0, **options}
    said = filled(DRIVER.device_fields, **given)
    return Device(name, "mqtt_device", "hall", "local", options=said, kinds=kinds)


class Sender:
    """What a device's firmware does at the broker (paho)."""

    def __init__(self, port: int, user: tuple[str, str] | None = None, ca: Path | None = None) -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(*user)
        if ca:
            self._client.tls_set(str(ca))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.asked: list[tuple[str, str]] = []

    def say(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        self._client.publish(topic, text, qos=1, retain=retain).wait_for_publish(10)

    def burst(self, topic: str, payloads: list[Any]) -> None:
        for payload in payloads:
            last = self._client.publish(topic, json.dumps(payload))
        last.wait_for_publish(10)

    def follows(self, command: str, topic: str, then: Callable[[str], Any]) -> None:
        """Say on `topic` what `then` makes of a command, if anything."""

        def came(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
            self.asked.append((message.topic, message.payload.decode()))
            if (answer := then(message.payload.decode())) is not None:
                self._client.publish(topic, answer if isinstance(answer, str) else json.dumps(answer))

        self._client.message_callback_add(command, came)
        self._client.subscribe(command, 1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def sender(broker: Mosquitto, **keys: Any) -> Iterator[Sender]:
    """Connected while the `with` lasts."""
    made = Sender(broker.port, **keys)
    try:
        yield made
    finally:
        made.close()


def play(
    folder: Path,
    broker: Mosquitto,
    scene: Callable[[Listener, Sender, Any], Any],
    *devices: Device,
    keys: Mapping[str, Any] = MappingProxyType({}),
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Listener:
    """A scene with the driver connected; `keys` of the sender, `options` of the driver."""

    async def body() -> Listener:
        host = Listener(folder)
        with sender(broker, **keys) as it:
            driver: Any = DRIVER.open(
                "local", {"broker": broker.url, "version": "5", **options}, devices, host
            )
            async with running(driver):
                async with asyncio.timeout(10):
                    while driver._connection is None:  # noqa: ASYNC110 - it tells nobody that it is connected
                        await asyncio.sleep(0.01)
                await scene(host, it, driver)
        return host

    return asyncio.run(asyncio.wait_for(body(), 60))
