"""Commands from outside: what may be asked, by whom, and why one is refused. Bytes in, one of two out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homenode.config.model import LOOKERS, PARTIES
from homenode.contract import shapes
from homenode.contract.plain_json import read_json
from homenode.contract.times import wall_ms
from homenode.update import versions
from homenode.update.order import LARGEST_B

LONGEST_B = 65_536
"""A WebRTC offer is about 10 kB; more than this is no command."""

DEEPEST = 6
"""Levels of nesting; the contract itself needs two."""

LONGEST_TEXT = 500
"""Characters of a refusal's text."""

FURTHEST_MS = 7 * 86_400_000
"""An id is remembered until its command expires, so it must expire some day."""

MAY: Mapping[str, tuple[str, ...]] = {
    "acknowledge": PARTIES,
    "mode": ("care",),
    "video": LOOKERS,
    "switch": ("care",),
    "pair": ("property", "operator"),
    "report": ("property", "operator"),
    "update": ("operator",),
    "configure": ("care", "operator"),
}
"""Who may do what (design section 5)."""

_WORD = {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"}
_DURATION = {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)? ?(s|min|h|d) ?)+$", "maxLength": 40}
_TRUE = {"const": True}
_VERSION = {"type": "string", "pattern": versions.PATTERN, "maxLength": versions.LONGEST}
_URL = {"type": "string", "pattern": "^https://[!-.0-~]+/[!-~]*$", "maxLength": 500}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SESSION = shapes.text(80)

ARGS: Mapping[str, tuple[shapes.Schema, ...]] = {
    "acknowledge": (shapes.mapping({"alert": shapes.text(120)}),),
    "mode": (shapes.mapping({"mode": _WORD}, {"for": _DURATION}),),
    "switch": (shapes.mapping({"point": shapes.POINT, "to": {"type": "boolean"}}),),
    "video": (
        shapes.mapping(
            {"camera": _WORD, "view": _WORD, "reason": shapes.text(200), "sdp": shapes.text(60_000)}
        ),
        shapes.mapping({"session": _SESSION, "sdp": shapes.text(60_000)}, {"view": _WORD}),
        shapes.mapping({"session": _SESSION, "renew": _TRUE}),
        shapes.mapping({"session": _SESSION, "end": _TRUE}),
    ),
    "pair": (shapes.mapping({}, {"for": _DURATION, "radio": _WORD}),),
    "report": (shapes.mapping({}, {"heartbeat": _DURATION, "diagnose": _TRUE}),),
    "update": (
        shapes.mapping(
            {"version": _VERSION, "url": _URL, "sha256": _SHA256},
            {
                "size": {"type": "integer", "minimum": 1, "maximum": LARGEST_B},
                "window": {"type": "string", "pattern": r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"},
                "not_before": {"type": "string", "format": "date-time", "maxLength": 40},
                "exception": shapes.text(8_000),
            },
        ),
        shapes.mapping({"cancel": _TRUE}),
    ),
    "configure": (
        shapes.mapping({"jws": shapes.text(60_000) | {"pattern": r"^[ -~\n]+$"}}, {"over": _TRUE}),
    ),
}
"""The accepted forms of ``args``."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request that its party may make; whether it can be done is for the one who does it.

    Attributes:
        id: Chosen by the sender; a repeated one is answered, not done again.
        party: On whose branch it came.
        expires_ms: Wall time from which it is too late.
        by: The person, as the party names them.
    """

    id: str
    do: str
    party: str
    expires_ms: int
    by: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command is not done, in `LONGEST_TEXT` characters at most: the text may quote what was asked.

    `id` is "" if none could be read: then there is nobody to answer. `mistakes`: in files that came, each.
    """

    id: str
    code: str
    text: str
    mistakes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _short(self.text))
        object.__setattr__(self, "mistakes", tuple(map(_short, self.mistakes)))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def parse_command(
    payload: bytes, party: str, now_wall_ms: int | None, *, retained: bool = False
) -> Command | Refusal:
    """What `party` asks.

    Args:
        payload: As it came.
        party: From the topic.
        now_wall_ms: The wall clock; None while it is untrusted, when only acknowledging and asking
            how the node is are safe.
        retained: It was stored at the broker, so nobody asks it now.
    """
    if len(payload) > LONGEST_B:
        return Refusal("", "too_long", f"{len(payload)} bytes; at most {LONGEST_B} are read")
    try:
        body = read_json(payload)
        deep = _depth(body) > DEEPEST
    except RecursionError:
        return Refusal("", "nested", f"nested deeper than {DEEPEST} levels")
    except (ValueError, UnicodeDecodeError) as error:
        return Refusal("", "not_json", f"not JSON: {error}")
    if not isinstance(body, dict):
        return Refusal("", "malformed", "a command is a JSON object")
    command_id = body.get("id")
    if not isinstance(command_id, str) or not 1 <= len(command_id) <= 80 or not command_id.isprintable():
        return Refusal("", "malformed", "id must be a text of 1 to 80 printable characters")

    def refuse(code: str, text: str) -> Refusal:
        return Refusal(command_id, code, text)

    if retained:
        return refuse("retained", "a retained command is not done; send it without the retain flag")
    if deep:
        return refuse("nested", f"nested deeper than {DEEPEST} levels")
    return _checked(body, command_id, party, now_wall_ms, refuse)


def _checked(
    body: dict[str, Any],
    command_id: str,
    party: str,
    now_wall_ms: int | None,
    refuse: Callable[[str, str], Refusal],
) -> Command | Refusal:
    do, by, args = body.get("do"), body.get("by"), body.get("args", {})
    if unknown := sorted(body.keys() - {"id", "do", "expires", "by", "args"}):
        return refuse(
            "malformed", f"unknown field {unknown[0]!r}; a command has id, do, expires, by and args"
        )
    if not isinstance(do, str) or do not in MAY:
        return refuse("unknown_command", f"do must be one of {', '.join(MAY)}")
    if party not in MAY[do]:
        return refuse("not_allowed", f"{party} may not {do}; that is for {', '.join(MAY[do])}")
    if not isinstance(by, str) or not 1 <= len(by) <= 120:
        return refuse("malformed", "by must name who asks, in 1 to 120 characters")
    try:
        expires_ms = wall_ms(body["expires"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return refuse("malformed", "expires must be a time like 2026-01-05T06:12:03.250+01:00")
    if now_wall_ms is None:
        asks_only = do == "report" and isinstance(args, dict) and "heartbeat" not in args
        if do != "acknowledge" and not asks_only:
            return refuse("clock", "the node's clock is not set, so it can't tell whether this is too late")
    elif expires_ms <= now_wall_ms:
        return refuse("expired", f"expired at {body['expires']}")
    elif expires_ms > now_wall_ms + FURTHEST_MS:
        return refuse("malformed", "expires must be within 7 days")
    if complaint := why_not_args(do, args):
        return refuse("malformed", complaint)
    return Command(command_id, do, party, expires_ms, by, args)


def why_not_args(do: str, args: object) -> str:
    """What is wrong with the arguments of a command, "" if nothing."""
    if not isinstance(args, dict):
        return "args must be a JSON object"
    complaints = [_why_not(form, args) for form in ARGS[do]]
    return "" if "" in complaints else complaints[0]


def _why_not(form: shapes.Schema, args: dict[str, Any]) -> str:
    properties: dict[str, shapes.Schema] = form["properties"]
    for name in form["required"]:
        if name not in args:
            return f"args.{name} is missing"
    for name, value in args.items():
        if name not in properties:
            return f"args.{name} is not known; accepted: {', '.join(properties) or 'nothing'}"
        if complaint := _why_not_value(properties[name], value):
            return f"args.{name} {complaint}"
    return ""


def _why_not_value(form: shapes.Schema, value: object) -> str:
    """The part of JSON Schema that `ARGS` uses, so that the published schema is what is enforced."""
    if "const" in form:
        return "" if value is form["const"] else f"must be {json.dumps(form['const'])}"
    if form["type"] == "boolean":
        return "" if isinstance(value, bool) else "must be true or false"
    if form["type"] == "integer":
        fits = type(value) is int and form["minimum"] <= value <= form["maximum"]
        return "" if fits else f"must be a whole number from {form['minimum']} to {form['maximum']}"
    if not isinstance(value, str):
        return "must be a text"
    if len(value) > form.get("maxLength", LONGEST_B) or len(value) < form.get("minLength", 0):
        return f"must have {form.get('minLength', 0)} to {form.get('maxLength', LONGEST_B)} characters"
    if "pattern" in form and not re.search(form["pattern"].replace("$", r"\Z"), value):
        return f"must look like {form['pattern']}"
    return ""


def schema(party: str) -> shapes.Schema:
    """JSON Schema of the payload on ``command`` of a party."""
    may = [do for do, parties in MAY.items() if party in parties]
    envelope: dict[str, shapes.Schema] = {
        "id": shapes.text(80),
        "expires": {"type": "string", "format": "date-time"},
        "by": shapes.text(120),
    }
    forms = []
    for do in may:
        args = shapes.either(*ARGS[do]) if len(ARGS[do]) > 1 else ARGS[do][0]
        asked: dict[str, shapes.Schema] = {"do": shapes.exactly(do)}
        if all(form["required"] for form in ARGS[do]):
            forms.append(shapes.mapping({**envelope, **asked, "args": args}))
        else:
            forms.append(shapes.mapping({**envelope, **asked}, {"args": args}))
    return shapes.either(*forms)
