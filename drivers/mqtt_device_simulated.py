"""A door sensor behind zigbee2mqtt, simulated: what `homenode driver test mqtt_device` plays with."""

from __future__ import annotations

import json

from homenode.kit.simulated import MqttDevice

NOISE = (b"\xff\xfe", b"{", b"[" * 30_000, b"7", b"x" * 200_000, b'{"contact": "ajar"}', b"", b"null")


class FrontDoor(MqttDevice):
    """Says what zigbee2mqtt 2 says of one; the embedded broker speaks MQTT 3.1.1."""

    topic = "zigbee2mqtt/front_door"
    home = f"""
radios: {{local: {{driver: mqtt_device, broker: BROKER, version: "3"}}}}
devices:
  front_door:
    {{via: local, family: zigbee2mqtt, topic: {topic}, points: [contact, battery],
      at_most_every: 0 s, room: hall}}"""
    heavy = ("paho", "yaml", "asyncio")

    def sends(self, nth: int) -> bytes:
        """Open and closed in turn."""
        return json.dumps({"contact": nth % 2 == 0, "battery": 50 + nth % 40, "linkquality": 87}).encode()

    def garbage(self) -> None:
        """No JSON, no object, nesting, a huge message, a word that is no state."""
        for payload in NOISE:
            self.write(payload)
