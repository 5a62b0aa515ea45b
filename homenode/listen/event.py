"""What comes from a node, as a receiver reads it: bytes in, one of these out, or why not (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homenode.config.model import PARTIES
from homenode.contract.command import LONGEST_TEXT
from homenode.contract.topics import VERSION

LONGEST_B = 1 << 16
"""A list of all faults of a large home is some 20 kB."""

LEVELS = 20
"""Of lists and objects in each other; the contract has 4. What is far deeper is read but can't be written."""

LONGEST_ID, LONGEST_EPOCH = 300, 64
LONGEST_ALERT = 120
"""What an acknowledgement may name."""

SEALED = "sealed"
"""Told by a message that can't be opened."""

BEGINS = ("notified", "fault", SEALED)
ENDS = ("resolved", "recovered")


@dataclass(frozen=True, slots=True)
class Event:
    """A message of an alert.

    Attributes:
        id: The same at each resend.
        place: Epoch and number on its topic; None if the sender numbers nothing.
        alert: What its messages have in common.
        told: ``notified``, ``acknowledged``, ``resolved``, ``fault``, ``recovered`` or ``sealed``.
        body: All of it, as it came.
    """

    home: str
    id: str
    place: tuple[str, int] | None
    alert: str
    told: str
    severity: str
    test: bool
    body: Mapping[str, Any]

    def taken_by(self, party: str) -> bool:
        """Whether somebody of this party takes care of it."""
        return self.told == "acknowledged" and of_party(str(self.body["data"].get("by", "")), party)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command.

    Attributes:
        why: In words, why it was refused.
        result: What came of it.
        code: Why it was refused, as a word of the contract.
    """

    id: str
    ok: bool
    why: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""


def of_party(by: str, party: str) -> bool:
    """Whether an acknowledgement is by somebody of this party; of another one only the party is named."""
    others = set(PARTIES) - {party}
    return any(name not in others for name in by.split(", "))


def parse_alert(home: str, payload: bytes) -> Event | str:
    """A message on ``alerts``; a text says why it is none. What is odd in it but readable is let pass."""
    body = _object(payload)
    if isinstance(body, str):
        return body
    event_id, data = body.get("id"), body.get("data")
    if not isinstance(event_id, str) or not 1 <= len(event_id) <= LONGEST_ID:
        return f"it has no id of 1 to {LONGEST_ID} characters"
    alert = data.get("alert") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(alert, str) or len(alert) > LONGEST_ALERT:
        return f"it has no data.alert of at most {LONGEST_ALERT} characters"
    told, severity = str(body.get("type", "")).rpartition(".")[2], data.get("severity")
    return Event(home, event_id, place_of(body), alert, told, str(severity), data.get("test") is True, body)


def parse_link(payload: bytes) -> bool | None:
    """Whether the node says that it is online; None if it says nothing that can be read."""
    body = _object(payload)
    online = body.get("online") if isinstance(body, dict) else None
    return online if isinstance(online, bool) else None


def parse_reply(payload: bytes) -> Reply | None:
    """A message on ``reply``; None if it can't be read."""
    body = _object(payload)
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        return None
    error, result = body.get("error"), body.get("result")
    said = error if isinstance(error, dict) else {}
    why, code = (str(said.get(name, ""))[:LONGEST_TEXT] for name in ("text", "code"))
    return Reply(body["id"], body.get("ok") is True, why, result if isinstance(result, dict) else {}, code)


def parse_status(payload: bytes) -> dict[str, Any] | None:
    """A message on ``status``; None if it can't be read."""
    body = _object(payload)
    return body if isinstance(body, dict) and isinstance(body.get("open"), list) else None


def parse_reading(payload: bytes) -> dict[str, Any] | None:
    """A message on ``readings``; None if it can't be read."""
    body = _object(payload)
    return body if isinstance(body, dict) else None


def split(topic: str) -> tuple[str, str, str] | None:
    """Home, party ("" for ``link``) and word of a topic of the contract; of a reading ``readings`` alone."""
    match topic.split("/"):
        case [version, home, "link"] if version == VERSION and home:
            return home, "", "link"
        case [version, home, party, word] if version == VERSION and home:
            return home, party, word
        case [version, home, party, "readings", _, _] if version == VERSION and home:
            return home, party, "readings"
    return None


def _object(payload: bytes) -> dict[str, Any] | str:
    if len(payload) > LONGEST_B:
        return f"it has {len(payload)} bytes"
    try:
        body = json.loads(payload)
        # What Python reads and can't write again: half a surrogate pair, NaN, 1e999.
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"
    if _deeper(body, LEVELS):
        return f"it has more than {LEVELS} levels"
    return body if isinstance(body, dict) else "it is no JSON object"


def _deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(inner) and (not levels or any(_deeper(one, levels - 1) for one in inner))


def place_of(body: Mapping[str, Any]) -> tuple[str, int] | None:
    """Epoch and number of a message, if it has them."""
    number, epoch = body.get("sequence"), body.get("epoch")
    if not isinstance(number, str) or not isinstance(epoch, str):
        return None
    if not 1 <= len(epoch) <= LONGEST_EPOCH:
        return None
    if not number.isascii() or not number.isdigit() or len(number) > 18 or int(number) < 1:
        return None
    return epoch, int(number)
