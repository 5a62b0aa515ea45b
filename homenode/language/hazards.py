"""Hazards that a home could notice and that no rule of it watches (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from homenode.config.model import Device, Home, RuleUse
from homenode.errors import Mistake
from homenode.kinds import kind_of
from homenode.language.bound import BoundRule, points_of


@dataclass(frozen=True, slots=True)
class Hazard:
    """What a point of a kind, or a thing by its name, is there for.

    Attributes:
        kind: Of the point.
        rule, role: The shipped rule that watches it, and the role that takes the point.
        many: Whether the role takes a list.
        words: A device called so (``is:``, or its name) is such a thing.
        by_kind: Whether any point of the kind is such a hazard, whatever its device is called.
        guessed: Whether a device called so has such a point though home.yaml doesn't show its kinds.
        presence: A role of the rule that takes who is there, "" if none.
    """

    kind: str
    rule: str
    role: str
    words: frozenset[str]
    many: bool = True
    by_kind: bool = True
    guessed: bool = True
    presence: str = ""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOVE = _words("stove hob cooker oven spis ugn")
HAZARDS = (
    Hazard("smoke", "smoke_alarm", "smoke", _words("smoke rok rökvarnare brandvarnare")),
    Hazard("heat", "heat_alarm", "heat", _words("heat_alarm varmevarnare värmevarnare")),
    Hazard("co", "co_alarm", "co", _words("co kolmonoxid")),
    Hazard("gas", "gas_alarm", "gas", _words("gas gasvarnare gaslarm")),
    Hazard("water", "water_leak", "water", _words("water leak vatten läcka lacka vattenlarm")),
    Hazard("button", "help_button", "button", _words("help help_button hjälp hjalp larmknapp trygghetslarm")),
    Hazard("power", "stove_left_on", "stove", _STOVE, many=False, by_kind=False, presence="presence"),
    Hazard("current", "cooker_left_on", "current", _STOVE, by_kind=False, guessed=False, presence="presence"),
    Hazard("contact", "door_open_at_night", "door",
           _words("front_door outer_door entrance ytterdörr ytterdorr"), many=False, by_kind=False),
    Hazard("occupancy", "out_of_bed_at_night", "bed", _words("bed säng sang"), by_kind=False),
    Hazard("mains", "power_cut", "mains", _words("mains elnät"), many=False),
)  # fmt: skip
"""What a home with such a thing has it for. What a device is called counts only where its kinds fit."""

_JOINTS = re.compile(r"[\s_-]+")
_NUMBER = re.compile(r"[0-9]+")


def uncovered(home: Home, rules: Sequence[BoundRule]) -> list[Mistake]:
    """A warning for each hazard that no rule watches, with the use that would.

    Args:
        home: As far as it could be read.
        rules: Those of its uses that have no mistake. What the others bind counts as watched.
    """
    sound = {rule.name for rule in rules}
    watched = {point for rule in rules for point in points_of(rule.when)}
    watched |= {p for use in home.rules if use.name not in sound for ps in use.bind.values() for p in ps}
    known = _known(home)
    found = []
    for rule in dict.fromkeys(hazard.rule for hazard in HAZARDS):
        open_to: list[tuple[Hazard, str]] = []
        for hazard in HAZARDS:
            if hazard.rule == rule:
                points = (p for p in _points(hazard, home, known) if not _is_watched(p, hazard, watched))
                open_to += ((hazard, point) for point in points)
        if open_to:
            found += _told(home, open_to)
    return found


def _known(home: Home) -> tuple[str, ...]:
    """The points that home.yaml shows the home to have, in order."""
    points = [f"{device.name}.{kind}" for device in home.devices.values() for kind in device.kinds or ()]
    points += [point for shared in home.share.values() for point in shared if "*" not in point]
    points += [point for use in home.rules for bound in use.bind.values() for point in bound]
    answers = home.resident_ok, home.resident_stop
    mine = (p for p in points if p.partition(".")[0] in home.devices and p not in answers)
    return tuple(dict.fromkeys(mine))


def _points(hazard: Hazard, home: Home, known: Sequence[str]) -> list[str]:
    points = [point for point in known if _is_kind(point, hazard.kind)]
    if not hazard.by_kind:
        points = [p for p in points if _is_called(home.devices[p.partition(".")[0]], hazard.words)]
    kinds = [other.kind for other in HAZARDS if other.words == hazard.words]
    of = {point.partition(".")[0] for point in known if any(_is_kind(point, kind) for kind in kinds)}
    return points + [
        f"{device.name}.{hazard.kind}"
        for device in home.devices.values()
        if hazard.guessed
        and device.kinds is None
        and device.name not in of
        and _is_called(device, hazard.words)
        if f"{device.name}.{hazard.kind}" not in (home.resident_ok, home.resident_stop)
    ]


def _is_kind(point: str, name: str) -> bool:
    kind = kind_of(point)
    return kind is not None and kind.name == name


def _is_called(device: Device, words: frozenset[str]) -> bool:
    """Whether what it is, or its name without its room and numbers, is one of `words`."""
    room = set(_JOINTS.split(device.room.lower()))
    for text in (device.thing.lower(), device.name):
        parts = [part for part in _JOINTS.split(text) if part and not _NUMBER.fullmatch(part)]
        own = [part for part in parts if part not in room] or parts
        if own and ("_".join(parts) in words or "_".join(own) in words):
            return True
    return False


def _is_watched(point: str, hazard: Hazard, watched: set[str]) -> bool:
    """A stove is watched by any of its points, an alarm only by the one that sounds."""
    if hazard.by_kind:
        return point in watched
    return any(other.partition(".")[0] == point.partition(".")[0] for other in watched)


def _told(home: Home, open_to: Sequence[tuple[Hazard, str]]) -> list[Mistake]:
    hazard = open_to[0][0]
    points = [point for _, point in open_to]
    use = next((use for use in home.rules if use.use == hazard.rule), None)
    if hazard.many:
        return [_warning(home, hazard, use, points)]
    return [_warning(home, hazard, use, [point]) for point in points]


def _warning(home: Home, hazard: Hazard, use: RuleUse | None, points: Sequence[str]) -> Mistake:
    device = home.devices[points[0].partition(".")[0]]
    found = f"{', '.join(points)}, which no rule watches"
    if use is not None and hazard.many:
        both = ", ".join((*use.bind.get(hazard.role, ()), *points))
        accepted = f"bind: {{{hazard.role}: [{both}]}} of {use.name} in line {use.line}"
    else:
        name = f", as: {hazard.rule}_{device.name}" if use is not None else ""
        bound = f"[{', '.join(points)}]" if hazard.many else points[0]
        bind = f"{hazard.role}: {bound}"
        if hazard.presence:
            bind += f", {hazard.presence}: [{', '.join(_presence(home, device.room))}]"
        accepted = f"under rules: - {{use: {hazard.rule}{name}, bind: {{{bind}}}}}"
    return Mistake(str(home.path), device.line, f"devices.{device.name}", found, accepted, "", device.column)


def _presence(home: Home, room: str) -> list[str]:
    """The motion sensors of a room, as far as home.yaml shows them."""
    points = [p for p in _known(home) if _is_kind(p, "motion")]
    return [p for p in points if home.devices[p.partition(".")[0]].room == room] or ["DEVICE.motion"]
