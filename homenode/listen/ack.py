"""`homenode listen ack ALERT`: whoever has an alert says so to the home that sent it."""

from __future__ import annotations

import json
import queue
import secrets
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from homenode.contract import topics
from homenode.errors import HomenodeError, Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.link.address import address
from homenode.link.wire import tls_context
from homenode.link.words import failed, refused
from homenode.listen.event import Reply, parse_reply, split
from homenode.listen.intake import payload
from homenode.listen.opening import Opening
from homenode.listen.settings import Settings
from homenode.listen.watch import Command

PATIENCE_S = 10.0
"""For the homes' statuses, and again for the answer."""

TRAVELS_MS = 60_000

Message = tuple[str, bytes]
T = TypeVar("T")


def acknowledge(settings: Settings, alert: str, by: str, out: TextIO) -> int:
    """Find the home where `alert` is open, tell it, and wait for its answer.

    Raises:
        SetupError: There is no broker to go over.
        NoLink: The broker can't be reached.
        Refused: No home has it open, or it does not take that.
    """
    broker, party = settings.broker, settings.party
    if broker is None:
        raise SetupError("ack goes over MQTT", do="give --broker with the MQTT port of NATS")
    opening, closed = Opening(party, settings.keys), set[str]()

    def plain(topic: str, body: bytes) -> bytes:
        try:
            return opening.plain(topic, body)
        except Refused:
            closed.add(topic.split("/")[1])
            return b""

    where = address(broker.urls[0])
    came: queue.SimpleQueue[Message | HomenodeError] = queue.SimpleQueue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, f"listen-ack-{secrets.token_hex(4)}")

    def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            came.put(refused(int(reason.value), where.url))
        client.subscribe([(topics.status("+", party), 1), (topics.reply("+", party), 1)])

    client.on_connect = connected
    client.on_message = lambda _client, _data, message: came.put((message.topic, bytes(message.payload)))
    if broker.username:
        secret = broker.password_file.read_text().strip() if broker.password_file else None
        client.username_pw_set(broker.username, secret)
    if where.tls:
        client.tls_set_context(tls_context(broker))
    try:
        client.connect(where.host, where.port)
    except OSError as error:
        raise failed(error, where.url, was_up=False) from error
    client.loop_start()
    try:
        home = _first(came, lambda topic, body: _open_in(topic, plain(topic, body), alert))
        if home is None:
            do = "the alert's id stands in data.alert"
            if closed:
                do += f"; homes whose status no key given opens: {len(closed)}"
            raise Refused(f"no home has {alert!r} open for {party}", do=do)
        command = Command(f"ack-{secrets.token_hex(8)}", alert, by, Clock().wall() + TRAVELS_MS)
        client.publish(topics.command(home, party), payload(command), 1)
        reply = _first(came, lambda topic, body: _answer(plain(topic, body), command.id))
    finally:
        client.disconnect()
        client.loop_stop()
    if reply is None:
        raise Refused(f"{home} does not answer", do="it may be offline; try again")
    if not reply.ok:
        raise Refused(f"{home} refuses: {reply.why}")
    print(f"{home}: {alert} is taken by {by}", file=out)
    return 0


def _first(came: queue.SimpleQueue[Message | HomenodeError], fits: Callable[[str, bytes], Any]) -> Any:
    """What `fits` makes of the first message that fits; None if none comes."""
    clock = Clock()
    until = clock.now() + int(PATIENCE_S * 1000)
    while (left_ms := until - clock.now()) > 0:
        try:
            message = came.get(timeout=left_ms / 1000)
        except queue.Empty:
            return None
        if isinstance(message, HomenodeError):
            raise message
        if found := fits(*message):
            return found
    return None


def _answer(body: bytes, command_id: str) -> Reply | None:
    reply = parse_reply(body)
    return reply if reply is not None and reply.id == command_id else None


def _open_in(topic: str, body: bytes, alert: str) -> str | None:
    """The home whose status this is, if the alert is open there."""
    where = split(topic)
    if where is None or where[2] != "status":
        return None
    try:
        entries = json.loads(body)["open"]
        return where[0] if any(entry["alert"] == alert for entry in entries) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
