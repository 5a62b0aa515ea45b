"""One connection to the broker of the local network: paho's own thread, a bounded queue into the loop."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from drivers.mqtt_device.rows import Said
from homenode.errors import SetupError

log = logging.getLogger("homenode.mqtt_device")

LARGEST = 65_536
"""Bytes of a message; zigbee2mqtt's of a device are below 2,000."""
WAITING_MOST = 5_000
"""Messages that wait; of a flood the oldest are lost."""
CONNECT_S, KEEPALIVE_S = 5.0, 20
_NOT_ALLOWED = (4, 5, 134, 135)
"""Bad user name or password, not authorised: CONNACK of MQTT 3.1.1 and 5."""


class Inbound(NamedTuple):
    """A message. `retained`: kept by the broker, from a time that nobody knows."""

    topic: str
    payload: bytes
    retained: bool


class Lost(Exception):
    """There is no connection. `why` and `do` in plain words."""

    def __init__(self, why: str, do: str) -> None:
        self.why, self.do = why, do
        super().__init__(why)


class Connection:
    """Open while the `async with` lasts. Entering raises Lost, or SetupError where a person must act."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name, self._options = name, options
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[int | None] = self._loop.create_future()
        self._came: deque[Inbound] = deque(maxlen=WAITING_MOST)
        self._news, self._lost = asyncio.Event(), False
        newest = options.get("version") != "3"
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv5 if newest else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._properties = None
        if newest:
            self._properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
            self._properties.MaximumPacketSize = LARGEST
        self._client.on_connect = lambda client, data, flags, reason, properties: self._tell(
            self._answered, int(reason.value)
        )
        self._client.on_disconnect = lambda *_: self._tell(self._hung_up)
        self._granted: asyncio.Future[list[int] | None] = self._loop.create_future()
        self._client.on_subscribe = lambda client, data, mid, reasons, properties: self._tell(
            self._grant, [int(reason.value) for reason in reasons]
        )
        self._client.on_message = self._on_message
        self.dropped = 0

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._close()

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Hear these. Raises Lost, SetupError."""
        if not topics:
            return
        self._granted = self._loop.create_future()
        self._client.subscribe([(topic, 1) for topic in topics])
        try:
            async with asyncio.timeout(CONNECT_S):
                codes = await self._granted
        except TimeoutError as error:
            raise Lost("its broker doesn't answer", "see that it runs") from error
        if codes is None:
            raise _hung_up()
        if denied := [topic for topic, code in zip(topics, codes, strict=False) if code >= 128]:
            raise SetupError(
                f"the broker lets nobody of this user read {denied[0]}",
                where=str(self._options["broker"]),
                do="give it a user that may, in its access list",
            )

    def publish(self, said: Said) -> None:
        """Say this."""
        self._client.publish(said.topic, said.payload, qos=1)

    async def next(self, within_s: float | None) -> Inbound | type[Lost] | None:
        """The next message, None if there is none within that time, Lost at the end."""
        while not self._came:
            if self._lost:
                return Lost
            self._news.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._came.popleft()

    async def _connect(self) -> None:
        where = urlsplit(str(self._options["broker"]))
        tls = where.scheme == "mqtts"
        self._keys(tls)
        host, port = where.hostname or "", where.port or (8883 if tls else 1883)
        self._client.connect_timeout = CONNECT_S
        try:
            await asyncio.to_thread(
                self._client.connect, host, port, KEEPALIVE_S, properties=self._properties
            )
            self._client.loop_start()
            async with asyncio.timeout(CONNECT_S):
                code = await self._answer
        except ssl.SSLError as error:
            raise self._not_trusted(error) from error
        except ConnectionResetError as error:
            raise _hung_up() from error
        except (OSError, ValueError) as error:
            why = f"its broker doesn't answer: {error or 'no word in 5 s'}"
            raise Lost(why, "see that it runs") from error
        if code is None:
            raise _hung_up()
        if code:
            raise self._refused(code)

    def _keys(self, tls: bool) -> None:
        where = f"radios.{self._name}"
        if self._options.get("username"):
            file = self._options.get("password_file")
            try:
                password = file.read_text().strip() if file else None
            except (OSError, UnicodeDecodeError) as error:
                raise SetupError(f"{file} can't be read: {error}", where=where) from error
            self._client.username_pw_set(str(self._options["username"]), password)
        if tls:
            try:
                context = ssl.create_default_context(cafile=self._options.get("ca"))
            except (OSError, ssl.SSLError) as error:
                raise SetupError(f"ca can't be used: {error}", where=where, do="name a PEM file") from error
            self._client.tls_set_context(context)

    def _not_trusted(self, error: ssl.SSLError) -> Exception:
        if isinstance(error, ssl.SSLCertVerificationError):
            return SetupError(
                f"the broker's certificate is not accepted: {error.verify_message}",
                where=str(self._options["broker"]),
                do="name in ca: who signed it, and the broker by a name that the certificate has",
            )
        return Lost(
            f"no TLS with its broker: {error.reason or error}", "see that mqtts:// and the port are right"
        )

    def _refused(self, code: int) -> Exception:
        broker = str(self._options["broker"])
        if code in _NOT_ALLOWED:
            do = "check username and password_file"
            return SetupError("the broker refuses this user or password", where=broker, do=do)
        if code in (1, 132):
            return SetupError("the broker doesn't speak MQTT 5", where=broker, do='set version: "3"')
        return Lost(f"its broker refuses the connection (code {code})", "see what its log says")

    async def _close(self) -> None:
        if self.dropped:
            log.warning(f"{self.dropped} messages of a flood were dropped", extra={"driver": self._name})
        client = self._client
        client.on_disconnect = None
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
        client.on_connect = client.on_subscribe = client.on_message = None  # a ring would keep its sockets

    # -- in paho's thread

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if len(message.payload) <= LARGEST:
            self.dropped += len(self._came) == WAITING_MOST
            self._came.append(Inbound(message.topic, bytes(message.payload), message.retain))
            self._tell(self._news.set)

    def _tell(self, what: Any, *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            return  # the loop is closed: nobody listens

    # -- in the loop

    def _answered(self, code: int) -> None:
        if not self._answer.done():
            self._answer.set_result(code)

    def _grant(self, codes: list[int]) -> None:
        if not self._granted.done():
            self._granted.set_result(codes)

    def _hung_up(self) -> None:
        self._lost = True
        self._news.set()
        for waiting in (self._answer, self._granted):
            if not waiting.done():
                waiting.set_result(None)


def _hung_up() -> Lost:
    return Lost("its broker hangs up", "see that mqtt:// or mqtts:// and the port are right")
