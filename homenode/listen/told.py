"""What a receiver itself has to say about a home, as a CloudEvent with words (pure)."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Any

from homenode.contract import topics
from homenode.contract.times import Zone
from homenode.listen.event import SEALED

time = Zone("UTC").text
"""ms since 1970 as the contract writes times."""

ALL = "*"
"""In place of a home: the receiver itself hears nothing."""


class Kind(Enum):
    """Why something is handed over."""

    ALERT = "alert"
    ESCALATED = "escalated"
    HOLE = "hole"
    FILLED = "filled"
    SILENT = "silent"
    BACK = "back"
    REFUSED = "refused"
    NOBODY = "nobody"
    SOMEBODY = "somebody"


def event(home: str, kind: Kind, now: int, text: dict[str, str], **data: Any) -> dict[str, Any]:
    """A message of the receiver's own, in the form of those that nodes send."""
    at = time(now)
    what = f"{home} {kind.value} {at} {sorted(data.items())}"
    return {
        "specversion": "1.0",
        "type": f"{topics.VERSION}.listen.{kind.value}",
        "source": topics.root(home),
        "id": f"{kind.value}.{digest(what, 12)}",
        "subject": "link",
        "time": at,
        "datacontenttype": "application/json",
        "data": {"event": kind.value, "at": at, "text": text, **data},
    }


def digest(text: str, size: int = 6) -> str:
    """Of an id, short enough to remember hundreds in each home."""
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def missing(home: str, now: int, epoch: str, first: int, last: int) -> dict[str, Any]:
    """Messages that should have come."""
    text = {
        "sv": f"meddelandena {first} till {last} har inte kommit fram",
        "en": f"messages {first} to {last} have not arrived",
    }
    if first == last:
        text = {
            "sv": f"meddelande {first} har inte kommit fram",
            "en": f"message {first} has not arrived",
        }
    return event(home, Kind.HOLE, now, text, epoch=epoch, first=first, last=last)


def filled(home: str, now: int, epoch: str, number: int) -> dict[str, Any]:
    """One of them came after all."""
    text = {"sv": f"meddelande {number} kom till slut", "en": f"message {number} came after all"}
    return event(home, Kind.FILLED, now, text, epoch=epoch, first=number, last=number)


def silent(home: str, now: int, since: int, why: str) -> dict[str, Any]:
    """A home is not heard of, or none is."""
    at = f"{time(since)[11:19]} UTC"
    text = {
        "sv": f"noden hörs inte sedan {at}: larm härifrån når ingen",
        "en": f"the node is silent since {at}: an alert from here reaches nobody",
    }
    if home == ALL:
        text = {
            "sv": f"mottagaren har ingen förbindelse sedan {at}: larm når den inte",
            "en": f"the receiver has no connection since {at}: no alert reaches it",
        }
    return event(home, Kind.SILENT, now, text, since=time(since), why=why)


def back(home: str, now: int, since: int) -> dict[str, Any]:
    """It is heard again."""
    text = {"sv": "noden hörs igen", "en": "the node is heard again"}
    if home == ALL:
        text = {"sv": "mottagaren hör igen", "en": "the receiver hears again"}
    return event(home, Kind.BACK, now, text, since=time(since))


def nobody(now: int) -> dict[str, Any]:
    """Nobody is on duty (console)."""
    text = {
        "sv": "ingen är i tjänst: larm väntar på att någon tar dem",
        "en": "nobody is on duty: alerts wait for somebody to take them",
    }
    return event(ALL, Kind.NOBODY, now, text, since=time(now))


def somebody(now: int, since: str) -> dict[str, Any]:
    """Somebody is again; `since` as `nobody` said."""
    text = {"sv": "någon är i tjänst igen", "en": "somebody is on duty again"}
    return event(ALL, Kind.SOMEBODY, now, text, since=since)


def unopened(home: str, now: int, name: str, why: str, jwe: str) -> dict[str, Any]:
    """A message that is sealed for another key, or was changed on its way."""
    text = {
        "sv": "ett krypterat meddelande som inte kan öppnas här: det kan vara ett larm",
        "en": "a sealed message that can't be opened here: it may be an alarm",
    }
    said = {"event": SEALED, "alert": name, "severity": "alarm", "why": why, "jwe": jwe}
    made = event(home, Kind.ALERT, now, text, **said)
    return made | {"type": f"{topics.VERSION}.alert.{SEALED}", "id": name, "subject": SEALED}


def refused(home: str, now: int, alert: str, by: str, why: str) -> dict[str, Any]:
    """The home does not know that somebody has an alert."""
    text = {
        "sv": f"kvittering från {by} togs inte emot: {why}",
        "en": f"the acknowledgement of {by} was not taken: {why}",
    }
    return event(home, Kind.REFUSED, now, text, alert=alert, by=by, why=why)
