"""A gateway: over miIO it tells whom it knows; what its sensors say it tells on the local network.

`lumi.gateway.v3` sends JSON to a multicast group and answers ``read`` on UDP port 9898, as the vendor's
aqara/aiot-gateway-local-api has it. `lumi.gateway.mgl03` speaks miIO only.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from typing import Any

from homenode.errors import SetupError
from homenode.sim.miio.peer import NoMethod

GROUP, PORT = "224.0.0.50", 9898
INTERFACE = "127.0.0.1"
BEAT_S = 10.0
"""The gateway's sign of life."""

TYPE_IDS = {
    "sensor_switch.aq2": 51,
    "sensor_motion.aq2": 52,
    "sensor_magnet.aq2": 53,
    "sensor_wleak.aq1": 55,
    "weather.v1": 19,
    "smoke": 15,
    "natgas": 18,
    "switch": 1,
    "motion": 2,
    "magnet": 3,
    "sensor_ht": 10,
}
"""Model to its number in ``device_list`` (python-miio, miio/gateway/devices/subdevices.yaml)."""

LAN_FAULTS = {
    "lan_off": "the local network protocol is off in the app",
    "lossy": "what it sends to the group gets lost; it answers questions",
    "noise": "sends garbage between its messages",
    "forged": "somebody at another address reports in its name",
}


class GatewayState:
    """What a gateway knows.

    Args:
        model: Of the gateway.
        address: Its own.
    """

    def __init__(self, model: str, address: str) -> None:
        self.model, self.address = model, address
        self.known: dict[str, tuple[str, dict[str, object]]] = {}
        self.fault = ""
        self.reachable: Callable[[], bool] = lambda: True
        self._transport: asyncio.DatagramTransport | None = None
        self._beat: asyncio.TimerHandle | None = None

    @property
    def has_lan(self) -> bool:
        """Whether this model speaks on the local network."""
        return self.model == "lumi.gateway.v3"

    def answer(self, method: str, params: Any) -> Any:
        """The result of a miIO method.

        Raises:
            NoMethod: It has none such.
        """
        if self.has_lan and method == "get_device_prop" and params == ["lumi.0", "device_list"]:
            rows = [(f"lumi.{sid}", TYPE_IDS[model], 1, 0, 4) for sid, (model, _) in self.known.items()]
            return [part for row in rows for part in row]
        if not self.has_lan and method == "get_device_list":
            total = len(self.known)
            return [
                {"did": f"lumi.{sid}", "model": f"lumi.{model}", "num": number, "total": total}
                for number, (sid, (model, _)) in enumerate(self.known.items(), 1)
            ]
        raise NoMethod

    async def start(self) -> None:
        """Speak on the local network.

        Raises:
            SetupError: Something listens there already.
        """
        if not self.has_lan:
            return
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((self.address, PORT))
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(INTERFACE))
        except OSError as error:
            made.close()
            raise SetupError(
                f"UDP port {PORT} can't be opened: {error.strerror}", where=self.address
            ) from error
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Asked(self), sock=made)
        self._beats()

    def stop(self) -> None:
        """Power away."""
        if self._beat is not None:
            self._beat.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def say(self, command: str, sid: str, **data: object) -> None:
        """A report or heartbeat of a sensor, to the group; what it says of its state is kept."""
        model, state = self.known[sid]
        state.update({name: value for name, value in data.items() if name != "no_motion"})
        if not self.reachable():
            return
        if self.fault == "forged":
            self._forge(_message(command, model, sid, data))
        elif self.fault == "noise":
            self._to_group(os.urandom(40))
            self._to_group(b'{"cmd":"report","sid":"' + sid.encode() + b'","data":"{')
            self._to_group(b'{"cmd":"report","sid":"' + sid.encode() + b'","data":"[1]"}')
            self._to_group(_message(command, model, sid, data))
        elif self.fault not in ("lan_off", "lossy"):
            self._to_group(_message(command, model, sid, data))

    def read(self, raw: bytes, addr: tuple[str, int]) -> None:
        """A question of somebody."""
        try:
            asked = json.loads(raw)
            sid = str(asked["sid"])
        except (ValueError, KeyError, TypeError):
            return
        if self.fault == "lan_off" or not self.reachable() or asked.get("cmd") != "read":
            return
        model, state = self.known.get(sid, ("", {"error": "No device"}))
        kept = {"voltage": state["voltage"]} if model in ("motion", "sensor_motion.aq2") else state
        if self._transport is not None:
            self._transport.sendto(_message("read_ack", model, sid, kept), addr)

    def _beats(self) -> None:
        if self.reachable() and self.fault not in ("lan_off", "lossy"):
            own = {"cmd": "heartbeat", "model": "gateway", "sid": "7811dcb00001", "short_id": "0"}
            self._to_group(json.dumps({**own, "data": json.dumps({"ip": self.address})}).encode())
        self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._beats)

    def _to_group(self, raw: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(raw, (GROUP, PORT))

    @staticmethod
    def _forge(raw: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(INTERFACE))
            other.sendto(raw, (GROUP, PORT))


class _Asked(asyncio.DatagramProtocol):
    def __init__(self, gateway: GatewayState) -> None:
        self._gateway = gateway

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._gateway.read(data, addr)


def _message(command: str, model: str, sid: str, data: dict[str, object]) -> bytes:
    said = {"cmd": command, "model": model, "sid": sid, "short_id": 4343, "data": json.dumps(data)}
    return json.dumps(said).encode()
