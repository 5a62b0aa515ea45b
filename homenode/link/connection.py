"""One connection to one broker, from CONNECT to its loss. A new one gets a new paho client.

So paho, which keeps its own queue and resends it, never has a message that the outbox doesn't know.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from homenode.config.model import Broker
from homenode.link import packets
from homenode.link.address import Address
from homenode.link.client import Client
from homenode.link.wire import CONNECT_S, identify
from homenode.link.words import NoLink, failed, hung_up, refused
from homenode.paho import mqtt

_CONNACK_5_S = 2.5
"""CONNACK in MQTT 5; a broker that is slower than that is asked in 3.1.1, with more patience."""

_USER_TIMEOUT_MS = 20_000
"""The kernel gives up on a peer that acknowledges no byte for so long: a half-open connection."""

_SESSION_S = 7 * 86_400
"""MQTT 5: how long the broker keeps commands for a node that is away; they expire by then."""


class Inbound(NamedTuple):
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool
    mid: int = 0


class Refused(NamedTuple):
    """A message that the broker answered and didn't take, or took for nobody; MQTT 3.1.1 has no words for it.

    Attributes:
        unheard: Nobody was there to pass it on to.
    """

    mid: int
    why: str
    unheard: bool = False


_NOBODY = 0x10
"""MQTT 5, table 3.9: no matching subscribers."""


class Connection:
    """One connection.

    Args:
        address: Which broker.
        broker: User, password and keys.
        client_id: The same for every connection of a home: the broker keeps its session.
        will: Topic and payload that the broker publishes (retained) when the node is gone, if any.
        keepalive_s: A PINGREQ after so long without traffic.
        version: Of MQTT, ``mqtt.MQTTv311`` or ``mqtt.MQTTv5``.
        on_progress: Called after something was read, outside paho.
        takes_itself: What comes is acknowledged by `take`, not when it is read.
        keeps_session: The broker keeps for this client what comes while it is away.

    Attributes:
        acknowledged, refused, inbound, denied: What came since somebody emptied them: messages that the
            broker has or doesn't take, messages from it, topics that it doesn't let us subscribe to.
        window: How many messages the broker takes at once, 0 if it doesn't say.
        largest: Bytes of the largest packet that it takes, 0 if it doesn't say.
    """

    def __init__(
        self,
        address: Address,
        broker: Broker,
        *,
        client_id: str,
        will: tuple[str, bytes] | None,
        keepalive_s: int,
        version: int,
        on_progress: Callable[[], None],
        takes_itself: bool = False,
        keeps_session: bool = True,
    ) -> None:
        self.address, self._broker, self._newest = address, broker, version == mqtt.MQTTv5
        self._keepalive_s, self._on_progress = keepalive_s, on_progress
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[NoLink] = self._loop.create_future()
        self._answer: asyncio.Future[int] = self._loop.create_future()
        self._sock: Any = None
        self._fd = -1
        self._next_mid = packets.FIRST_ID
        self._writing = False
        self.acknowledged: list[int] = []
        self.refused: list[Refused] = []
        self.window = self.largest = 0
        self.inbound: list[Inbound] = []
        self.denied: list[str] = []
        self._asked: dict[int, list[str]] = {}
        client = self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=MQTTProtocolVersion(version),
            clean_session=None if self._newest else not keeps_session,
            reconnect_on_failure=False,
            manual_ack=takes_itself,
        )
        client.interface = address.interface
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(0)  # the outbox bounds what is in flight
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.answered = self._answered_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe

    async def open(self) -> None:
        """Connect. Raises NoLink."""
        try:
            identify(self._client, self._broker, self.address)
            await self._in_thread()
            self._attach()
            code = await self._answered()
        except (OSError, ssl.SSLError, ValueError) as error:
            self.close()
            raise failed(error, str(self.address), was_up=False) from error
        except BaseException:
            self.close()
            raise
        if code:
            self.close()
            raise refused(code, str(self.address))

    async def _answered(self) -> int:
        """The CONNACK's code. Some brokers say nothing to a CONNECT of a later MQTT than theirs."""
        try:
            async with asyncio.timeout(_CONNACK_5_S if self._newest else CONNECT_S):
                return await self._answer
        except TimeoutError as error:
            why = failed(error, str(self.address))
            raise NoLink(why.what, where=why.where, do=why.do, older=self._newest) from error

    async def _in_thread(self) -> None:
        """DNS, TCP and TLS block, so they have a thread, which nobody waits for at the end of the process."""
        done: asyncio.Future[None] = self._loop.create_future()
        properties = None
        if self._newest:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
            properties.SessionExpiryInterval = _SESSION_S

        def finish(error: Exception | None) -> None:
            if done.cancelled():
                self._drop()
            elif error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def connect() -> None:
            error: Exception | None = None
            clean: bool | Literal[3] = False if self._newest else mqtt.MQTT_CLEAN_START_FIRST_ONLY
            try:
                self._client.connect(
                    self.address.host,
                    self.address.port,
                    self._keepalive_s,
                    clean_start=clean,
                    properties=properties,
                )
            except Exception as raised:  # noqa: BLE001 - told in the loop's thread
                error = raised
            try:
                self._loop.call_soon_threadsafe(finish, error)
            except RuntimeError:  # the loop is gone, and so is everybody who asked
                self._drop()

        threading.Thread(target=connect, name="link-connect", daemon=True).start()
        await done

    def _attach(self) -> None:
        sock: Any = self._client.socket()
        if sock is None:
            raise ConnectionResetError("the broker closed the connection")
        self._sock = sock
        sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # an answer waits 40 ms for Nagle otherwise
        patience_ms = min(_USER_TIMEOUT_MS, self._keepalive_s * 667)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
        self._fd = sock.fileno()
        self._loop.add_reader(self._fd, self._readable)
        self.flush()

    # --- in use

    def take(self, message: Inbound) -> None:
        """Acknowledge a message of QoS 1: the broker need not keep it any more. `flush` afterwards."""
        self._client.ack(message.mid, 1)

    def publish(self, topic: str, payload: bytes, retain: bool) -> int:
        """Publish at QoS 1; returns the id that `acknowledged` will name. `flush` afterwards."""
        mid = self._next_mid
        self._next_mid = mid + 1 if mid < packets.LAST_ID else packets.FIRST_ID
        if self._sock is not None:
            self._sock.send(packets.publish(mid, topic, payload, retain=retain, with_properties=self._newest))
        return mid

    def subscribe(self, topics: list[str], qos: int = 1) -> None:
        """Ask for these; what the broker denies is in `denied`."""
        _, mid = self._client.subscribe([(topic, qos) for topic in topics])
        if mid is not None:
            self._asked[mid] = topics
        self.flush()

    @property
    def answered(self) -> bool:
        """Whether the broker has answered every wish to subscribe."""
        return not self._asked

    def flush(self) -> None:
        """Write what was published."""
        sock = self._sock
        if sock is None:
            return
        try:
            if self._client.want_write():
                self._client.loop_write()
            done = sock.flush()
        except OSError as error:
            self.lose(failed(error, str(self.address), was_up=self._answer.done()))
            return
        if done == self._writing:
            if done:
                self._loop.remove_writer(self._fd)
            else:
                self._loop.add_writer(self._fd, self.flush)
            self._writing = not done

    def tick(self) -> None:
        """Once a second: keep-alive."""
        if self._sock is not None:
            self._client.loop_misc()
            self.flush()

    def _readable(self) -> None:
        sock = self._sock
        if sock is None:
            return
        try:
            sock.fill()
            while sock.unread():
                if self._client.between_packets and (taken := sock.taken()):
                    self.acknowledged += taken
                    continue
                before = sock.pending()
                self._client.loop_read()
                if sock.pending() == before:
                    break
        except OSError as error:
            self.lose(failed(error, str(self.address), was_up=self._answer.done()))
        except Exception as error:  # noqa: BLE001 - whatever paho makes of bytes that are no MQTT
            self.lose(NoLink(f"the broker sent what is not MQTT ({error})", where=str(self.address)))
        self.flush()
        self._on_progress()

    def lose(self, why: NoLink) -> None:
        """Give the connection up."""
        if not self.lost.done():
            self.lost.set_result(why)
        if not self._answer.done():
            self._answer.set_exception(why)
        self.close()

    def close(self, *, politely: bool = False) -> None:
        """Leave. Politely sends DISCONNECT, so that the will is not published."""
        if politely and self._sock is not None:
            self._client.disconnect()
            self.flush()
        self._detach()
        self._drop()
        if not self._answer.done():
            self._answer.cancel()

    def _detach(self) -> None:
        """Take the socket off the loop, by the number it had: paho may have closed it already."""
        if self._sock is not None:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._sock = None

    def _drop(self) -> None:
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    # --- what paho tells

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, properties: Any) -> None:
        self.window = getattr(properties, "ReceiveMaximum", 0)
        self.largest = getattr(properties, "MaximumPacketSize", 0)
        if getattr(properties, "MaximumQoS", 1) < 1:
            what = "the broker acknowledges nothing (its highest QoS is 0)"
            do = "have it allow QoS 1, or use another broker"
            self.lose(NoLink(what, where=str(self.address), do=do, person=True))
        if not self._answer.done():
            self._answer.set_result(int(reason.value))

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._detach()
        if not self._answer.done() and str(reason) == "Protocol error":
            what = "the broker's answer is not MQTT, or not this version of it"
            do = "check host and port, use MQTT 3.1.1"
            self.lose(NoLink(what, where=str(self.address), do=do, older=True))
            return
        named = f" ({reason})" if getattr(reason, "value", 0) >= 0x80 and self._newest else ""
        self.lose(hung_up(str(self.address), was_up=self._answer.done(), named=named))

    def _answered_publish(self, mid: int, reason: ReasonCode) -> None:
        if reason.is_failure:
            self.refused.append(Refused(mid, str(reason).lower()))
        elif reason.value == _NOBODY:
            self.refused.append(Refused(mid, "", unheard=True))
        else:
            self.acknowledged.append(mid)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self.inbound.append(
            Inbound(topic, bytes(message.payload), message.retain, message.mid if message.qos else 0)
        )

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        asked = self._asked.pop(mid, [])
        self.denied += [topic for topic, reason in zip(asked, reasons, strict=False) if reason.is_failure]
