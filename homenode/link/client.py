"""paho, which connects, subscribes, pings and hears; what is published goes past it (`packets`)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from homenode.link.buffered import BufferedSocket
from homenode.link.wire import connected
from homenode.paho import mqtt

_LONGEST_B = 2 << 20
"""Twice the longest message that anything here reads."""


class Client(mqtt.Client):
    """paho, on a `BufferedSocket`."""

    interface = ""
    answered: Callable[[int, ReasonCode], None]

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())  # type: ignore[arg-type]  # TCP or TLS, no websocket

    def _create_socket_connection(self) -> socket.socket:
        if not self.interface:
            return super()._create_socket_connection()
        return connected(self._host, self._port, self.interface)

    def _packet_read(self) -> Any:
        """MQTT allows 256 MB, and paho gathers them: of a longer one the beginning is kept, to be refused."""
        result = super()._packet_read()
        del self._in_packet["packet"][_LONGEST_B:]
        return result

    @property
    def between_packets(self) -> bool:
        """Whether what comes next is the beginning of a packet."""
        return not self._in_packet["command"]

    def _handle_pubackcomp(self, cmd: Any) -> Any:
        """An answer that says more than "taken". paho doesn't know of what was published past it."""
        packet = self._in_packet["packet"]
        if cmd != "PUBACK" or len(packet) < 2:
            return mqtt.MQTT_ERR_PROTOCOL
        code = packet[2] if len(packet) > 2 else 0
        self.answered(packet[0] << 8 | packet[1], ReasonCode(PacketTypes.PUBACK, identifier=code))
        return mqtt.MQTT_ERR_SUCCESS
