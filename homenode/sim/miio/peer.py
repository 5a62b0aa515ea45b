"""One miIO device on the network: greets, opens what was made with its token, answers methods.

As the real ones it says nothing to a packet made with another token, to one for another device, and to one
whose stamp is far from its own clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from typing import Any

from homenode.errors import Refused, SetupError
from homenode.sim.miio.cipher import HELLO, Deaf, greeting, opened, sealed

PORT = 54321
STAMP_SLACK_S = 60
"""How far the stamp of a request may be from the device's clock."""
LATE_S = 4.0
ERRORS = {"method": (-32601, "Method not found."), "busy": (-9999, "user ack timeout")}

FAULTS = {
    "late": f"answers after {LATE_S:g} s",
    "garbage": "answers with noise",
    "other_id": "answers under the number of another question",
    "replay": "sends what it answered to the first question, as somebody who recorded it would",
    "old": "answers as it did long ago to a question with this number (they begin anew after 9,999)",
    "spoof": "somebody at another address answers, with the right token",
    "mute": "greets, and answers no question",
    "busy": "answers every question with an error",
    "wrong_types": "answers with values of other types",
    "cut": "answers half a packet",
}
"""What `misbehave` knows."""

Methods = Callable[[str, Any], Any]


class NoMethod(Exception):
    """The device doesn't know the method."""


class MiioPeer(asyncio.DatagramProtocol):
    """A device.

    Args:
        address: Its own; on this machine any of 127.0.0.0/8.
        answers: Result of a method with its parameters; NoMethod if there is none such.
    """

    def __init__(self, address: str, token: bytes, model: str, device: int, answers: Methods) -> None:
        self.address, self.token, self.model, self.device = address, token, model, device
        self._answers = answers
        self.fault = ""
        self.reachable = True
        self.questions = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._started_s = self._now()
        self._first: bytes | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            SetupError: Something listens there already.
        """
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self, local_addr=(self.address, PORT)
            )
        except OSError as error:
            raise SetupError(
                f"UDP port {PORT} can't be opened: {error.strerror}",
                where=self.address,
                do="give each miIO device an address of its own in 127.0.0.0/8",
            ) from error

    def stop(self) -> None:
        """Power away."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def restart(self) -> None:
        """Power back: its clock begins anew."""
        self._started_s = self._now()

    @property
    def stamp_s(self) -> int:
        """Seconds since it started."""
        return int(self._now() - self._started_s) + 1

    def misbehave(self, fault: str) -> None:
        """One of FAULTS; "" ends it."""
        if fault and fault not in FAULTS:
            raise Refused(f"can't {fault!r}", where=self.model, do=f"one of {', '.join(FAULTS)}, or no")
        self.fault = fault

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See `asyncio.DatagramProtocol`."""
        if not self.reachable:
            return
        if data == HELLO:
            self._send(greeting(self.device, self.stamp_s), addr)
            return
        try:
            device, stamp_s, body = opened(data, self.token)
        except Deaf:
            return
        if device != self.device or abs(stamp_s - self.stamp_s) > STAMP_SLACK_S:
            return
        self.questions += 1
        if self.fault != "mute":
            self._answer(body, addr)

    def _answer(self, body: dict[str, Any], addr: tuple[str, int]) -> None:
        number = body.get("id")
        if self.fault == "other_id" and isinstance(number, int):
            number += 1
        said: dict[str, Any]
        try:
            if self.fault == "busy":
                raise NoMethod
            result = self._result(body)
            said = {"result": _wrong(result) if self.fault == "wrong_types" else result, "id": number}
        except NoMethod:
            code, message = ERRORS["busy" if self.fault == "busy" else "method"]
            said = {"error": {"code": code, "message": message}, "id": number}
        stamp_s = 0 if self.fault == "old" else self.stamp_s
        raw = sealed(self.device, stamp_s, json.dumps(said).encode(), self.token)
        self._first = self._first or raw
        loop = asyncio.get_running_loop()
        match self.fault:
            case "late":
                loop.call_later(LATE_S, self._send, raw, addr)
            case "garbage":
                self._send(os.urandom(80), addr)
            case "replay":
                self._send(self._first, addr)
            case "cut":
                self._send(raw[: len(raw) // 2], addr)
            case "spoof":
                self._from_elsewhere(raw, addr)
            case _:
                self._send(raw, addr)

    def _result(self, body: dict[str, Any]) -> Any:
        method, params = body.get("method"), body.get("params")
        if method == "miIO.info":
            return {
                "life": self.stamp_s,
                "model": self.model,
                "token": self.token.hex(),
                "mac": "28:6C:07:00:00:01",
                "fw_ver": "1.2.4_16",
                "hw_ver": "MW300",
                "ap": {"ssid": "home", "bssid": "28:6C:07:00:00:02", "rssi": -55},
                "netif": {"localIp": self.address, "mask": "255.0.0.0", "gw": "127.0.0.1"},
            }
        return self._answers(str(method), params)

    def _from_elsewhere(self, raw: bytes, addr: tuple[str, int]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            other.sendto(raw, addr)

    def _send(self, raw: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(raw, addr)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _wrong(result: Any) -> Any:
    """The same with values of another type."""
    if isinstance(result, list):
        return [_wrong(one) for one in result]
    if isinstance(result, dict):
        return {name: _wrong(one) if name in ("value", "model") else one for name, one in result.items()}
    return {"was": str(result)}
