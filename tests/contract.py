"""The AsyncAPI document as a judge of messages: does one fit its topic, its sender and how it was sent?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastjsonschema

import homenode.contract
from homenode.contract import alert

DOCUMENT = Path(homenode.contract.__file__).with_name("asyncapi.json")
"""The copy that others read."""


@dataclass
class _Channel:
    address: re.Pattern[str]
    publishes: str
    checks: dict[bool, Callable[[Any], object]] = field(default_factory=dict)
    """By the retain flag of the operation."""
    names: dict[bool, str] = field(default_factory=dict)
    """The schema, likewise."""
    may_be_empty: bool = False
    """Retained nothing takes back what was retained."""


class Contract:
    """What the document says.

    Args:
        document: As parsed.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.kinds: dict[str, Any] = document["x-kinds"]
        schemas = document["components"]["schemas"]
        messages = document["components"]["messages"]
        compiled = {name: fastjsonschema.compile(schema) for name, schema in schemas.items()}
        self.sealed = compiled["sealed"], compiled["sealed_alert"]
        self.channels = {
            name: _Channel(
                re.compile(re.sub(r"\{(\w+)\}", _group, channel["address"])), channel["x-publishes"]
            )
            for name, channel in document["channels"].items()
        }
        for operation in document["operations"].values():
            assert operation["bindings"]["mqtt"]["qos"] == 1
            channel = self.channels[_last(operation["channel"])]
            (message,) = operation["messages"]
            said, retain = messages[_last(message)], operation["bindings"]["mqtt"]["retain"]
            if "payload" in said:
                channel.names[retain] = _last(said["payload"])
                channel.checks[retain] = compiled[_last(said["payload"])]
            else:
                channel.may_be_empty = retain

    def name_of(self, topic: str, *, retain: bool) -> str:
        """The schema of what goes there."""
        return next(one for one in self.channels.values() if one.address.fullmatch(topic)).names[retain]

    def why_not(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool, published: bool = True
    ) -> str:
        """What is wrong with a message; "" if nothing.

        Args:
            published: `retain` is the flag as it was sent. Else it is as a subscriber of 3.1.1 gets it: set
                only on what was stored before it came.
        """
        for channel in self.channels.values():
            if match := channel.address.fullmatch(topic):
                break
        else:
            return f"no such topic: {topic}"
        if qos != 1:
            return f"{topic}: QoS {qos}"
        if retain not in channel.checks and (published or retain):
            return f"{topic}: retain flag {retain}"
        if not payload and channel.may_be_empty and retain == published:
            return ""
        checks = [channel.checks[retain]] if retain or published else list(channel.checks.values())
        try:
            body = json.loads(payload)
        except (ValueError, RecursionError) as error:
            return f"{topic}: {error}"
        if _is_sealed(body):
            return _complaint(self.sealed[topic.endswith("/alerts")], body)
        complaints = [why for check in checks if (why := _complaint(check, body))]
        if len(complaints) == len(checks):
            return f"{topic}: {complaints[0]}: {payload!r}"
        why = self._between(match.groupdict(), topic, body)
        return f"{topic}: {why}: {payload!r}" if why else ""

    def _between(self, named: Mapping[str, str], topic: str, body: Mapping[str, Any]) -> str:
        """What a schema can't say: that two fields, or a field and the topic, go together."""
        if "kind" in named:
            return self._why_no_value(named["kind"], body)
        if topic.endswith("/alerts"):
            if body["source"] != "/".join(topic.split("/")[:2]):
                return "source is not the home's root"
            if body["time"] != body["data"]["at"]:
                return "time is not data.at"
            seen = [(entry["point"].rpartition(".")[2], entry) for entry in body["data"]["evidence"]]
            return next((why for kind, entry in seen if (why := self._why_no_value(kind, entry))), "")
        if topic.endswith("/config"):
            return self._why_not_shown(named, topic, body)
        if topic.endswith("/status") and body["home"] != named["home"]:
            return "another home"
        return ""

    def _why_not_shown(self, named: Mapping[str, str], topic: str, body: Mapping[str, Any]) -> str:
        """Of Home Assistant: it shows the point of its topic, of the same party, by its kind."""
        home, device = named["home"], body["device"]["name"]
        party = topic.removeprefix(named["prefix"]).split("/")[1]
        name = named["point"].removeprefix(f"{device}_")
        kind = self.kinds.get(re.sub(r"_\d+$", "", name), {})
        told = {
            "unique_id": f"homenode_{home}_{named['point']}",
            "state_topic": f"hn1/{home}/{party}/readings/{device}/{name}",
            "availability_topic": f"hn1/{home}/link",
        }
        if wrong := [field for field, value in told.items() if body[field] != value]:
            return f"{wrong[0]} is another's"
        if body["device"]["identifiers"] != [f"homenode_{home}_{device}"]:
            return "another device"
        return "" if body.get("unit_of_measurement") == kind.get("unit") else "another unit"

    def _why_no_value(self, name: str, body: Mapping[str, Any]) -> str:
        kind = self.kinds.get(re.sub(r"_\d+$", "", name))
        if kind is None:
            return f"no such kind: {name}"
        if body["unit"] != kind["unit"]:
            return f"the unit of {name} is {kind['unit']}"
        value = body.get("value")
        if value is None:
            return ""
        if isinstance(value, bool) != (kind["type"] == "boolean"):
            return f"{name} is a {kind['type']}"
        if kind["type"] == "number" and not kind["minimum"] <= value <= kind["maximum"]:
            return f"{name} is out of range"
        return ""


def _is_sealed(body: Any) -> bool:
    """Whether it is a JWE for a party with a key."""
    return isinstance(body, dict) and ("jwe" in body or body.get("datacontenttype") == "application/jose")


def _group(parameter: re.Match[str]) -> str:
    return f"(?P<{parameter[1]}>.+)" if parameter[1] == "prefix" else f"(?P<{parameter[1]}>[^/]+)"


def _complaint(check: Callable[[Any], object], body: Any) -> str:
    try:
        check(body)
    except fastjsonschema.JsonSchemaException as error:
        return str(error)
    return ""


def _last(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def an_alert(home: str, message_id: str, **data: object) -> bytes:
    """A message of an alert as a node makes it, without its place in the order."""
    at = "2026-01-05T12:00:00.000+01:00"
    told: dict[str, object] = {
        "alert": "stove_left_on:1767610800000", "rule": "stove_left_on", "severity": "alarm",
        "event": "notified", "at": at, "room": "kitchen",
        "text": {"sv": "Spisen är på i 20 min", "en": "The stove is on"},
        "evidence": [], "test": False, "raised": at,
    }  # fmt: skip
    return alert.payload(
        home=home, message_id=message_id, told=alert.Told.NOTIFIED, subject="stove_left_on", time=at,
        data=told | data,
    )  # fmt: skip


CONTRACT = Contract(json.loads(DOCUMENT.read_text()))
