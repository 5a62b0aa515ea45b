"""What differs between two configurations, and whose signature each difference needs (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from homenode.configure.facts import ENTRIES, ORDERED, Fact

CARE, OPERATOR = "care", "operator"
SIGNED_BY: Mapping[str, str] = {
    "home": OPERATOR,
    "timezone": CARE,  # hours of rules and of decisions are read by it
    "language": CARE,
    "board": OPERATOR,
    "hats": OPERATOR,
    "drivers": CARE,  # code that sees everything
    "broker": CARE,  # without one nobody hears anything
    "broker.encrypted": CARE,
    "broker.url": OPERATOR,
    "broker.username": OPERATOR,
    "broker.password_file": OPERATOR,
    "broker.ca": OPERATOR,
    "broker.cert": OPERATOR,
    "broker.key": OPERATOR,
    "broker.interfaces": OPERATOR,
    "broker.heartbeat": OPERATOR,
    "broker.lost": CARE,  # what the resident is told when nobody is reached
    "radios.*": OPERATOR,
    "radios.*.driver": OPERATOR,
    "radios.*.options": OPERATOR,
    "machine.endurance_tb": OPERATOR,
    "devices.*": OPERATOR,  # one that a rule, a mode or a list of `share` names changes these, too
    "devices.*.via": OPERATOR,
    "devices.*.driver": OPERATOR,
    "devices.*.options": OPERATOR,
    "devices.*.model": OPERATOR,
    "devices.*.room": CARE,  # an alert sends people there
    "devices.*.is": CARE,
    "devices.*.stale_after": CARE,  # how long a silent sensor is believed
    "rules": CARE,
    "share": CARE,
    "keys": CARE,
    "modes": CARE,
    "clock": CARE,
    "resident": CARE,
    "voice": CARE,
    "cameras": CARE,
    "video": CARE,
    "panel": CARE,
    "ice": CARE,
    "export": CARE,
}
"""Kind of place to whose it is; a section stands for what is in it and not named."""


def signer_of(kind: str) -> str:
    """Whose signature a difference of this kind needs. Nobody has thought of it: care's."""
    return SIGNED_BY.get(kind, CARE)


class Difference(NamedTuple):
    """One thing that two configurations say otherwise.

    Attributes:
        place: Such as ``devices.stove.ieee``.
        kind: As of `Fact`.
        before, after: None if it isn't there.
        signer: The party whose signature it needs.
    """

    place: str
    kind: str
    before: Any
    after: Any
    signer: str

    @property
    def how(self) -> str:
        """``new``, ``gone`` or ``changed``."""
        return "new" if self.before is None else "gone" if self.after is None else "changed"


def differences(before: Mapping[str, Fact], after: Mapping[str, Fact]) -> list[Difference]:
    """What differs, in the order of the new one."""
    places = [*after, *(place for place in before if place not in after)]
    found: list[Difference] = []
    entries: set[str] = set()
    for place in places:
        old, new = before.get(place), after.get(place)
        kind = (new or old or Fact("", None)).kind
        if old == new or any(place.startswith(f"{entry}.") for entry in entries):
            continue
        if (old is None or new is None) and kind in ENTRIES:
            entries.add(place)
        was: Any = old.value if old else None
        now: Any = new.value if new else None
        if place in ORDERED and old and new and _order(was, now) == _order(now, was):
            continue  # those that came or went are told by themselves
        found.append(Difference(place, kind, was, now, signer_of(kind)))
    return found


def _order(names: Sequence[str], others: Sequence[str]) -> list[str]:
    return [name for name in names if name in others]


def needed(found: Iterable[Difference]) -> frozenset[str]:
    """The parties that must sign; empty if the configurations mean the same, and any trusted one will do."""
    return frozenset(one.signer for one in found)
