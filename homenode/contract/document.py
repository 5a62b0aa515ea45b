"""The contract as one AsyncAPI 3 document, made from the code that builds and reads the messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from homenode.config.model import PARTIES
from homenode.contract import alert, command, discovery, reading, reply, sealed, shapes, status, topics
from homenode.contract.shapes import Schema
from homenode.kinds import KINDS, Shape
from homenode.reading import How

EXAMPLES = Path(__file__).with_name("examples.json")
"""An afternoon of a node, by schema; `tests/unit/contract_examples.py` has the code say it again."""

_HOME, _POINT = "{home}", "{device}.{kind}"
TAKEN_BACK = "taken_back"
READERS = tuple(party for party in PARTIES if party != "operator")
"""Parties that readings may be shared with."""

_INFO = """\
What other systems see of a home node. A node publishes for four parties, each on a branch of its own, and
takes commands from them; which of them may do what stands in the schemas of `command`. `x-publishes` and
`x-subscribes` of a channel say who may use it: the node, or a party. Everything is QoS 1; the `mqtt`
binding of an operation says what is retained. `alerts` come at least once: `id` is the same in each copy.
`x-kinds` is the table of the kinds of points with their units. A party whose public key stands in
home.yaml gets `sealed_alert` and `sealed` in place of what stands here, and finds that in the JWE. `hn1`
in each topic is the version: what would break a reader gets another one, but fields may be added, so a
receiver passes over what it doesn't know.
"""


def _named(what: str, party: str) -> str:
    """The schema of a payload: parties whose payloads are the same share it."""
    makers = {"alert": alert.schema, "status": status.schema, "command": command.schema}
    made = makers[what](party)
    first = next(one for one in PARTIES if makers[what](one) == made)
    return what if first == PARTIES[0] else f"{what}_{first}"


def schemas() -> dict[str, Schema]:
    """The JSON Schema of every payload, by name."""
    made: dict[str, Schema] = {"link": status.link_schema()}
    for party in PARTIES:
        made.setdefault(_named("alert", party), alert.schema(party))
        made.setdefault(_named("status", party), status.schema(party))
        made.setdefault(_named("command", party), command.schema(party))
    made["reading"] = reading.schema(How.LIVE, How.RESTORED)
    made["late_reading"] = reading.schema(How.HISTORICAL)
    made["reply"] = reply.schema()
    made["sealed_alert"], made["sealed"] = sealed.alert_schema(), sealed.schema()
    made["discovery"] = discovery.schema()
    head = {"$schema": shapes.DIALECT}
    return {name: head | {"$id": f"urn:homenode:{topics.VERSION}:{name}"} | one for name, one in made.items()}


class _Document:
    """Channels and operations as they are added."""

    def __init__(self, examples: Mapping[str, list[Any]]) -> None:
        self.channels: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}
        self.messages: dict[str, Any] = {
            name: {
                "name": name,
                "contentType": "application/json",
                "payload": {"$ref": f"#/components/schemas/{name}"},
                "examples": [{"payload": one} for one in examples.get(name, [])],
            }
            for name in schemas()
        }
        self.messages[TAKEN_BACK] = {
            "name": TAKEN_BACK,
            "description": "Empty: what stood there is no longer shared. Forget it.",
        }
        for name, message in self.messages.items():
            if name.startswith("alert"):
                message["contentType"] = "application/cloudevents+json"
            elif "command" in name or name == "reply":
                message["correlationId"] = {"location": "$message.payload#/id"}

    def channel(
        self, name: str, address: str, what: str, payloads: list[str], publishes: str, subscribes: list[str]
    ) -> None:
        """A topic."""
        parameters = {"home": {"$ref": "#/components/parameters/home"}}
        more = [one for one in ("device", "kind", "prefix", "component", "point") if f"{{{one}}}" in address]
        parameters |= {one: {"$ref": f"#/components/parameters/{one}"} for one in more}
        self.channels[name] = {
            "address": address,
            "description": what,
            "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in payloads},
            "parameters": parameters,
            "x-publishes": publishes,
            "x-subscribes": subscribes,
        }

    def operation(
        self, name: str, action: str, channel: str, payload: str, *, retain: bool, answer: str = ""
    ) -> None:
        """What the node does on it."""
        self.operations[name] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{payload}"}],
            "bindings": {"mqtt": {"qos": 1, "retain": retain, "bindingVersion": "0.2.0"}},
        }
        if answer:
            self.operations[name]["reply"] = {"channel": {"$ref": f"#/channels/{answer}"}}


def document() -> dict[str, Any]:
    """The whole of it."""
    made = _Document(json.loads(EXAMPLES.read_text()))
    made.channel("link", topics.link(_HOME), "Whether the node is online: its heartbeat, and its will.",
                 ["link"], "node", list(PARTIES))  # fmt: skip
    made.operation("send_link", "send", "link", "link", retain=True)
    for party in PARTIES:
        _party(made, party)
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:homenode:{topics.VERSION}",
        "info": {
            "title": "homenode",
            "version": "1.0.0",
            "description": _INFO,
            "license": {"name": "GPL-3.0-or-later"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": made.channels,
        "operations": made.operations,
        "components": {
            "schemas": schemas(),
            "messages": made.messages,
            "parameters": {
                "home": {"description": "Id of the home: 1 to 40 of a-z, 0-9 and -."},
                "device": {"description": "Name of the device: 1 to 64 of a-z, 0-9, _ and -."},
                "kind": {
                    "description": "One of x-kinds; a second one of a device is KIND_2, a third KIND_3.",
                    "examples": ["contact", "current_2"],
                },
                "prefix": {"description": "`export.homeassistant` of home.yaml; may have slashes."},
                "component": {
                    "description": "Of Home Assistant.",
                    "enum": list(discovery.COMPONENTS.values()),
                },
                "point": {"description": "DEVICE_KIND.", "examples": ["stove_power"]},
            },
            "securitySchemes": {
                "certificate": {"type": "X509", "description": "TLS 1.2 or newer; each client its own."},
                "password": {"type": "userPassword"},
            },
        },
        "x-kinds": {kind.name: _kind(kind.name) for kind in KINDS.values()},
    }


def print_contract(what: str, out: TextIO) -> int:
    """Prints the document (``asyncapi``) or the JSON Schema of one message; returns the exit status."""
    told = document() if what == "asyncapi" else schemas()[what]
    print(json.dumps(told, indent=2, ensure_ascii=False), file=out)
    return 0


def _party(made: _Document, party: str) -> None:
    def add(name: str, topic: str, what: str, *payloads: str, retain: bool) -> None:
        made.channel(f"{party}_{name}", topic, what, list(payloads), "node", [party])
        made.operation(f"send_{party}_{name}", "send", f"{party}_{name}", payloads[0], retain=retain)

    add("alerts", topics.alerts(_HOME, party),
        f"Each message of an alert for {party}, a CloudEvent. `data.alert` is the same in all of one alert. "
        "`sequence` is one more each time; one that is missing 60 s after a higher one is lost. With another "
        "`epoch` it begins anew.",
        _named("alert", party), retain=False)  # fmt: skip
    add("status", topics.status(_HOME, party), f"What {party} was told of and is open now, and health.",
        _named("status", party), retain=True)  # fmt: skip
    if party in READERS:
        add("readings", topics.reading(_HOME, party, _POINT),
            f"Points that `share` of home.yaml lists for {party}. Late: older than one told before.",
            "reading", "late_reading", TAKEN_BACK, retain=True)  # fmt: skip
        made.operation(f"send_{party}_late", "send", f"{party}_readings", "late_reading", retain=False)
        made.operation(
            f"send_{party}_readings_taken_back", "send", f"{party}_readings", TAKEN_BACK, retain=True
        )
        add("homeassistant", f"{{prefix}}/{party}/{{component}}/{_HOME}/{{point}}/config",
            f"How Home Assistant shows what is shared with {party}; only if home.yaml has "
            "`export: {homeassistant: PREFIX}`.",
            "discovery", TAKEN_BACK, retain=True)  # fmt: skip
        made.operation(
            f"send_{party}_homeassistant_taken_back",
            "send",
            f"{party}_homeassistant",
            TAKEN_BACK,
            retain=True,
        )
    add("reply", topics.reply(_HOME, party), "Answers to commands, each with the id of its command.",
        "reply", retain=False)  # fmt: skip
    name, asked = f"{party}_command", _named("command", party)
    made.channel(name, topics.command(_HOME, party),
                 f"Requests of {party}. A repeated id is answered, not done again.",
                 [asked], party, ["node"])  # fmt: skip
    made.operation(f"receive_{name}", "receive", name, asked, retain=False, answer=f"{party}_reply")


def _server() -> dict[str, Any]:
    will = {"topic": topics.link(_HOME), "qos": 1, "retain": True, "message": '{"online":false,"at":…}'}
    node = {"clientId": "homenode-{home}", "cleanSession": False, "keepAlive": 30, "lastWill": will}
    return {
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "3.1.1",
        "description": "Any broker that speaks MQTT 3.1.1 or 5; the binding is the node's connection.",
        "security": [{"$ref": f"#/components/securitySchemes/{one}"} for one in ("certificate", "password")],
        "bindings": {"mqtt": {**node, "bindingVersion": "0.2.0"}},
    }


def _kind(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    told: dict[str, Any] = {"unit": kind.unit, "sv": kind.sv, "en": kind.en}
    if kind.shape is Shape.NUMBER:
        return told | {"type": "number", "minimum": kind.low, "maximum": kind.high}
    words = {"true": kind.true_word, "false": kind.false_word} if kind.true_word else {}
    return told | {"type": "boolean"} | words
