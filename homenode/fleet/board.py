"""What is known of each home by what its node tells the operator (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import combining, east_asian_width, normalize

from homenode.config.model import HOME_ID
from homenode.config.rows import LONGEST_HEARTBEAT_MS
from homenode.contract.figures import taken
from homenode.contract.times import wall_ms
from homenode.errors import Refused

LONGEST_B = 1 << 16
MOST_HOMES = 100_000
LONGEST_WORD, LONGEST_TEXT, MOST_FAULTS = 80, 500, 100
LATE_MS = LONGEST_HEARTBEAT_MS + 30_000
"""A node that goes is told by its will within a minute; this is for a broker that lost the will itself."""


@dataclass(slots=True)
class Home:
    """One home.

    Attributes:
        online: As its link says; None before anything came.
        beat_ms: Wall time of its last word on the link: by our clock if we heard it, else by its own.
        heard_ms: When we heard that word, by our clock.
        status_ms: That of its status.
        version: Of its image, or of homenode where it is none.
        changed_ms: When it came or went, if that was seen.
        figures: As `homenode.contract.figures` lists them; what is missing is unknown.
        update: Of its last update: ``version``, ``state``, ``why``, ``at``.
        faults: Language to text, of each open fault.
        untold: It has a fault, and tells of none yet.
        odd: Why its last status can't be read; "" if it can.
    """

    name: str
    online: bool | None = None
    beat_ms: int | None = None
    heard_ms: int = 0
    status_ms: int | None = None
    changed_ms: int | None = None
    version: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    update: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Mapping[str, str], ...] = ()
    untold: bool = False
    odd: str = ""

    @property
    def seen_ms(self) -> int | None:
        """The last sign of life."""
        return max((at for at in (self.beat_ms, self.status_ms) if at is not None), default=None)

    @property
    def faults_open(self) -> int | None:
        """None if its status was not heard, or doesn't say what ails it: a fault is told a minute later."""
        return None if self.status_ms is None or self.untold else len(self.faults)

    @property
    def radios_down(self) -> int | None:
        """None if it doesn't tell of radios."""
        radios = self.figures.get("radios")
        return None if radios is None else sum(not works for works in radios.values())


class Board:
    """All homes, by name."""

    def __init__(self) -> None:
        self.homes: dict[str, Home] = {}

    def _of(self, name: str) -> Home | None:
        home = self.homes.get(name)
        if home is None and len(self.homes) < MOST_HOMES and re.fullmatch(HOME_ID, name):
            home = self.homes[name] = Home(name)
        return home

    def link(self, name: str, payload: bytes, now_ms: int, *, retained: bool = False) -> Home | None:
        """A word on a home's link; returns the home if it can be read."""
        body = _body(payload)
        home = self._of(name)
        if home is None or not isinstance(body.get("online"), bool):
            return None
        if home.online is not None and home.online is not body["online"]:
            home.changed_ms = None if retained else now_ms  # nobody saw when
        home.online, home.heard_ms = body["online"], now_ms
        if not retained:
            home.beat_ms = now_ms if home.online else home.beat_ms
        elif home.online or home.beat_ms is None:  # a will's time is that of its connection's beginning
            home.beat_ms = _time(body.get("at"))
        return home

    def status(self, name: str, payload: bytes) -> Home | None:
        """The operator's status of a home; returns the home."""
        home = self._of(name)
        if home is None:
            return None
        body = _body(payload)
        if not body:
            home.odd = "its status is no JSON object" if payload else ""
            return home
        home.odd = ""
        home.status_ms = _time(body.get("at"))
        versions = body.get("versions")
        known = versions if isinstance(versions, dict) else {}
        home.version = word(known.get("image")) or word(known.get("homenode"))
        home.figures = taken(body.get("health"))
        update = body.get("update")
        home.update = _update(update) if isinstance(update, dict) else {}
        opened = body.get("open")
        entries = opened[:MOST_FAULTS] if isinstance(opened, list) else []
        home.faults = tuple(_texts(one.get("text")) for one in entries if isinstance(one, dict))
        health = body.get("health")
        home.untold = not home.faults and isinstance(health, dict) and health.get("state") == "fault"
        return home


def no_home(name: str) -> Refused:
    """The error of who asks for a home that nobody has heard of."""
    return Refused(f"there is no home {name}", do="homenode fleet list shows all")


def _body(payload: bytes) -> dict[str, Any]:
    return json_object(payload) if len(payload) <= LONGEST_B else {}


def json_object(payload: bytes) -> dict[str, Any]:
    """What a home says; empty if it is none."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _time(value: object) -> int | None:
    try:
        return wall_ms(value)  # type: ignore[arg-type]  # refused if it is no text
    except (TypeError, ValueError, OverflowError):
        return None


def word(value: object, longest: int = LONGEST_WORD) -> str:
    """A text that a terminal can show, each sign in one column; "" if it is none."""
    if not isinstance(value, str):
        return ""
    return "".join(sign if _is_narrow(sign) else "�" for sign in normalize("NFC", value[:longest]))


def _is_narrow(sign: str) -> bool:
    return sign.isprintable() and not combining(sign) and east_asian_width(sign) not in "WF"


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    return {language: word(value[language], LONGEST_TEXT) for language in ("sv", "en") if language in value}


def _update(told: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: word(told.get(name)) for name in ("version", "state", "at")}
    return {**found, "why": _texts(told.get("why"))}
