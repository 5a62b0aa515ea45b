"""Which lines of a node's log its operator may read: those known to tell nothing of a life (pure).

Whatever isn't listed stays at home, a new line too until somebody lists it, and so does how many these are:
that cameras were looked through forty times is told by forty hidden lines as well. Left out on purpose,
besides what is said, switched and looked at: lines written because somebody moved (a sensor that woke, a
frame of its), whom care asked what, and whatever quotes a value or a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WORD = r"[a-z0-9_-]{1,64}"
FIELDS: Mapping[str, str] = {
    "driver": _WORD,
    "radio": _WORD,
    "source": r"[a-z0-9_. -]{1,120}",
    "url": r"mqtts?://[A-Za-z0-9.:\[\]_-]{1,120}/?",
    "link_why": r"[^\n]{1,300}",
    "error": r"[A-Za-z_]{1,60}",
    "place": r"[a-z0-9_/.]{1,80}:[0-9]{1,5}",
    "part": r"[a-z]{1,20}",
    "stick": r"[A-Za-z0-9 ._-]{1,40}",
    "number": r"-?[0-9]{1,12}(\.[0-9]{1,3})?",
    "version": r"[A-Za-z0-9.+_~-]{0,40}",
    "flag": r"True|False",
}
"""How a field must look in full to be told, by its kind."""

EVENTS: Mapping[str, Mapping[str, str]] = {
    "ready": {"points": "number"},
    "fault": {"source": "source"},
    "fault over": {"source": "source"},
    "lost": {"driver": "driver", "source": "source"},
    "back": {"driver": "driver", "source": "source"},
    "link up": {"url": "url"},
    "link lost": {"url": "url", "why": "link_why"},
    "no link": {"url": "url", "why": "link_why"},
    "broker denies commands": {},
    "reloaded": {"devices": "number", "rules": "number", "drivers": "number"},
    "reload refused, the node keeps running on what it had": {},
    "ordered": {"version": "version", "cancel": "flag"},
    "configuration not kept": {},
    "a signed configuration was taken": {"number": "number"},
    "the new configuration was taken back": {"number": "number"},
    "snapshot left out": {},
    "driver did not stop": {"driver": "driver", "after_s": "number"},
    "takes no other devices": {"driver": "driver"},
    "files in memory": {"driver": "driver"},
    "no voice": {},
    "health can't be looked at": {"error": "error", "place": "place"},
    "socket without a file": {},
    "network formed": {"radio": "radio"},
    "network up": {"radio": "radio", "stick": "stick", "devices": "number"},
    "network backed up": {"radio": "radio"},
    "network not backed up": {"radio": "radio"},
    "its power is switched off and on": {"radio": "radio", "failures": "number"},
    "its power can't be switched: plug it out and in": {"radio": "radio", "failures": "number"},
    "the stick answers at another speed: write it into home.yaml": {"radio": "radio", "baud": "number"},
    "radio not closed in order": {"after_s": "number"},
    "failed": {"part": "part", "error": "error", "place": "place"},
    "command failed": {"error": "error", "place": "place"},
    "request failed": {"error": "error", "place": "place"},
    "thread failed": {"error": "error", "place": "place"},
    "clean-up failed": {"error": "error", "place": "place"},
    "task failed": {"error": "error", "place": "place"},
}
"""Event to the fields of it that are told, each with its kind."""

LEFT_OUT = {
    "sv": "avläsningar och larm, vad som sagts och slagits på och av, vem som sett genom kameror, vårdens "
    "frågor, och alla rader i loggen som kan visa att någon rört sig",
    "en": "readings and alerts, what was said and switched, who looked through cameras, what care asked, and "
    "every line of the log that may show that somebody moved",
}


def tellable(event: str, fields: Mapping[str, Any]) -> dict[str, str] | None:
    """The fields of an event that the operator may read; None if the event is none of theirs."""
    allowed = EVENTS.get(event)
    if allowed is None:
        return None
    told = {}
    for name, kind in allowed.items():
        if name in fields:
            value = str(fields[name])
            told[name] = value if re.fullmatch(FIELDS[kind], value) else "…"
    return told
