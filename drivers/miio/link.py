"""Talks to one miIO device: a question, and its own answer or a word why there is none.

The socket is connected, so the kernel drops what comes from another address. An answer counts only with the
number of its question, and no older by the device's clock than its greeting: late, foreign and recorded ones
are not taken for it.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

from drivers.miio import packet
from homenode.errors import DriverLost

PORT = 54321
"""Fixed in all devices."""
ANSWER_S, TRIES = 1.2, 3
"""A plug answers within 50 ms in its own Wi-Fi; the vendor's app asks again after a second, too."""
LAST_ID = 9_999
"""Devices take larger numbers for malformed (python-miio, miioprotocol.py)."""
GREET_EVERY_S = 300.0
"""The device's clock is learnt anew so often: it drifts, and a plug may have lost power unnoticed."""


class Offline(DriverLost):
    """Nobody answers at the address."""


class WrongToken(DriverLost):
    """Somebody answers, but not to this token."""


class Asked(DriverLost):
    """It has the right token, and what it answers is no use: that it can't, or to another question."""


class Link(asyncio.DatagramProtocol):
    """One device; questions go one at a time.

    Args:
        address: IPv4 address.
        token: 16 bytes. Never shown.
    """

    def __init__(self, address: str, token: bytes) -> None:
        self.address, self._token = address, token
        self._transport: asyncio.DatagramTransport | None = None
        self._id = random.randrange(1, LAST_ID)
        self._waits: asyncio.Future[packet.Packet] | None = None
        self._wanted = 0
        self._device, self._stamp_s, self._greeted_s = 0, 0, -GREET_EVERY_S
        self._foreign = self._ours = False
        self._one = asyncio.Lock()

    async def open(self) -> None:
        """The socket; nothing is sent."""
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self, remote_addr=(self.address, PORT), family=socket.AF_INET
            )
        except OSError as error:
            raise Offline(f"can't be reached ({error.strerror or error})", where=self.address) from error

    def close(self) -> None:
        """Let go of the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def ask(self, method: str, params: Any = ()) -> Any:
        """The result of a method.

        Raises:
            Offline, WrongToken, Asked: In words, with what to do.
        """
        async with self._one:
            if self._transport is None or self._transport.is_closing():
                await self.open()
            self._foreign = self._ours = False
            for _ in range(TRIES):
                if self._now() - self._greeted_s >= GREET_EVERY_S:
                    await self._greet()
                answer = await self._exchange(method, params)
                if answer is not None:
                    return self._result(method, answer)
                self._greeted_s = -GREET_EVERY_S  # as after a restart of the device
            raise self._silent()

    def _silent(self) -> DriverLost:
        """It greeted, and then gave no answer: a device drops what another token made."""
        if self._ours:
            return Asked(
                "answers too late, or to another question than it was asked",
                where=self.address,
                do="take it off the mains once; look for a weak Wi-Fi, or somebody who repeats what it said",
            )
        seen = "answers with another token" if self._foreign else "answers a hello, but no question"
        return WrongToken(
            f"{seen}: the token is not (or no longer) its own",
            where=self.address,
            do="read it from the vendor's account again: whoever adds the device to the app anew changes it",
        )

    async def _greet(self) -> None:
        for _ in range(TRIES):
            hello = await self._send(packet.HELLO, 0)
            if hello is not None:
                # A restarted device counts from 0 again; who could replay its hello could also stay silent.
                self._device, self._stamp_s, self._greeted_s = hello.device, hello.stamp_s, self._now()
                return
        raise Offline(
            "nothing answers there",
            where=self.address,
            do="see that it has power and is in this network, and that the router gives it always this"
            " address; some answer nobody while their token is a former one",
        )

    async def _exchange(self, method: str, params: Any) -> dict[str, Any] | None:
        self._id = self._id % LAST_ID + 1
        body = {"id": self._id, "method": method, "params": params}
        stamp_s = self._stamp_s + int(self._now() - self._greeted_s)
        answer = await self._send(packet.build(self._device, stamp_s, body, self._token), self._id)
        return None if answer is None else answer.body

    async def _send(self, raw: bytes, wanted: int) -> packet.Packet | None:
        assert self._transport is not None
        self._wanted = wanted
        self._waits = asyncio.get_running_loop().create_future()
        try:
            self._transport.sendto(raw)
            async with asyncio.timeout(ANSWER_S):
                return await self._waits
        except (TimeoutError, OSError):
            return None
        finally:
            self._waits = None

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """See `asyncio.DatagramProtocol`."""
        try:
            came = packet.read(data, self._token)
        except packet.OtherToken:
            self._foreign = True
            return
        except packet.Unreadable:
            return
        self._ours = self._ours or came.body is not None
        if self._waits is None or self._waits.done():
            return  # late
        if self._wanted == 0:
            mine = came.body is None
        else:
            mine = (
                came.body is not None
                and came.body.get("id") == self._wanted
                and came.stamp_s >= self._stamp_s
            )
        if mine:
            self._waits.set_result(came)

    def error_received(self, exc: Exception) -> None:
        """See `asyncio.DatagramProtocol`: the host says that nobody listens there; it may boot just now."""

    def _result(self, method: str, answer: dict[str, Any]) -> Any:
        if "result" in answer:
            return answer["result"]
        error = answer.get("error")
        code, text = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
        raise Asked(f"refuses {method} ({code}: {str(text)[:80]})", where=self.address)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
