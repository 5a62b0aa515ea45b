"""`homenode listen ack ALERT`: whoever has an alert says so to the home that sent it."""

from __future__ import annotations

import json
import secrets
from typing import TextIO

from homenode.contract import topics
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.listen.event import Reply, parse_reply, split
from homenode.listen.intake import payload
from homenode.listen.line import NOTHING_SHOWN, Line
from homenode.listen.opening import Opening
from homenode.listen.settings import Settings
from homenode.listen.watch import Command

PATIENCE_S = 10.0
"""For the homes' statuses, and again for the answer."""

TRAVELS_MS = 60_000


def acknowledge(settings: Settings, alert: str, by: str, out: TextIO) -> int:
    """Find the home where `alert` is open, tell it, and wait for its answer.

    Raises:
        SetupError: There is no broker to go over.
        NoLink: The broker can't be reached.
        Refused: No home has it open, or it does not take that, or the broker doesn't let us hear it.
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

    with Line(broker, "listen-ack", (topics.status("+", party), topics.reply("+", party))) as line:
        home = line.first(lambda topic, body: _open_in(topic, plain(topic, body), alert), PATIENCE_S)
        if home is None:
            do = "the alert's id stands in data.alert" if line.came else NOTHING_SHOWN
            if closed:
                do += f"; homes whose status no key given opens: {len(closed)}"
            raise Refused(f"no home has {alert!r} open for {party}", do=do)
        command = Command(f"ack-{secrets.token_hex(8)}", alert, by, Clock().wall() + TRAVELS_MS)
        line.say(topics.command(home, party), payload(command), PATIENCE_S)
        reply = line.first(lambda topic, body: _answer(plain(topic, body), command.id), PATIENCE_S)
    if reply is None:
        raise Refused(f"{home} does not answer", do="it may be offline; try again")
    if not reply.ok:
        raise Refused(f"{home} refuses: {reply.why}")
    print(f"{home}: {alert} is taken by {by}", file=out)
    return 0


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
