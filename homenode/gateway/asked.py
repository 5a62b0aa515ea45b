"""What may be asked on the local socket: requests and their fields, checked before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homenode.config.model import PARTIES
from homenode.errors import Refused

NUMBER = (int, float)
FIELDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "status": {},
    "devices": {},
    "reload": {},
    "pair": {"for_s": NUMBER, "radio": str, "install_code": str, "ieee": str},
    "dismiss": {"address": str},
    "ack": {"party": str, "alert": str, "by": str},
    "mode": {"mode": str},
    "speed": {"speed": NUMBER},
    "switch": {"point": str, "to": str},
    "say": {"text": str, "language": str},
    "panel": {},
    "ok": {"seen": str},
    "looks": {},
    "answer_look": {"to": str},
    "stop_looks": {},
    "proof": {},
    "keep": {},
}
"""``watch`` is answered by the socket itself."""
MAY_LACK = ("radio", "install_code", "ieee", "by", "language")
LONGEST = 200
"""Characters of a field: names, ids and persons are shorter."""


def asked(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request with the fields it needs, each of its type; others are left out.

    Raises:
        Refused: There is no such request, or what of it is missing or of the wrong type.
    """
    do = request.get("do")
    if not isinstance(do, str) or do not in FIELDS:
        shown = repr(do)[:60]
        raise Refused(f"the node doesn't know the request {shown}", do=f"known: {', '.join(FIELDS)}, watch")
    found: dict[str, Any] = {"do": do}
    for name, kind in FIELDS[do].items():
        value = request.get(name)
        if value is None and name in MAY_LACK:
            continue
        word = "a text" if kind is str else "a number"
        if name not in request:
            raise Refused(f"the request {do} lacks {name}", do=f"{name} is {word}")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Refused(f"{name} of the request {do} is {repr(value)[:60]}", do=f"{name} is {word}")
        if isinstance(value, str) and len(value) > LONGEST:
            raise Refused(f"{name} of the request {do} has {len(value)} characters", do=f"at most {LONGEST}")
        found[name] = value
    if found.get("party", PARTIES[0]) not in PARTIES:
        raise Refused(f"there is no party {found['party']}", do=f"parties: {', '.join(PARTIES)}")
    return found
