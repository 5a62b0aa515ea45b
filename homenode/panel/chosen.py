"""Which things of a home the panel shows, and what is on of each (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from homenode.config.durations import milliseconds
from homenode.config.model import Device, Shown
from homenode.kinds import kind_of
from homenode.panel.things import ABOVE, Thing

if TYPE_CHECKING:
    from homenode.language.bound import BoundRule

APPLIANCES = ("stove", "iron", "coffee", "plug")
HOLD_MS = 8 * 60_000
"""Where no rule says it: a thermostat hob is below 50 W for up to 7 min 11 s within one use."""
ROLES: Mapping[str, str] = {"stove": "stove", "current": "stove", "burner": "stove", "appliance": ""}
"""Roles of rules that watch what may be left on, to the symbol if that is sure."""
_WORDS: Mapping[str, str] = {
    "stove": r"\b(stove|cooker|hob|burner|oven|spis|häll|kokplatta|ugn)",
    "iron": r"\b(iron|strykjärn|strykjarn)",
    "coffee": r"(coffee|kaffe)",
    "window": r"(window|fönster|fonster)",
    "fridge": r"\b(fridge|freezer|kyl|frys)",
    "door": r"(door|dörr|dorr|entrance|entré|port\b|grind)",
    "lock": r"(\block|lås\b)",
    "water": r"(water|leak|vatten|läck)",
}
_KINDS: Mapping[str, str] = {
    "window": "contact",
    "fridge": "contact",
    "door": "contact",
    "lock": "lock",
    "water": "water",
}
_FINER: Mapping[str, str] = {
    "front_door": r"(front|entrance|entré|ytter|hall)", "balcony_door": r"(balcony|patio|balkong|altan)",
}  # fmt: skip


class _Watch(NamedTuple):
    """What a rule says of a point."""

    symbol: str
    above: float | None
    hold_ms: int | None


class Furnished(Protocol):
    """What has to be known of a home."""

    @property
    def devices(self) -> Mapping[str, Device]:
        """By name."""

    @property
    def panel(self) -> Mapping[str, Shown]:
        """What home.yaml says of the panel."""


def things_of(home: Furnished, rules: Iterable[BoundRule], heard: Iterable[str]) -> list[Thing]:
    """What is shown, in order.

    Args:
        heard: Points that were heard so far, of devices whose points home.yaml doesn't tell.
    """
    bound = list(rules)
    watched = {point: watch for rule in bound for point, watch in _watched(rule)}
    if home.panel:
        chosen = [(point, shown) for point, shown in home.panel.items()]
    else:
        known = [*heard, *(point for rule in bound for point in rule.points)]
        chosen = [
            (point, Shown()) for device in home.devices.values() for point in _found(device, known, watched)
        ]
    things: dict[tuple[str, str], Thing] = {}
    for point, shown in chosen:
        device = home.devices.get(point.partition(".")[0])
        if device is None:  # of a home.yaml that was read before its device was taken out
            continue
        thing = _thing(point, shown, device, watched.get(point))
        key = (device.name, thing.symbol if thing.symbol in APPLIANCES else point)
        before = things.get(key)
        things[key] = thing if before is None else _joined(before, thing)
    return list(things.values())


def _watched(rule: BoundRule) -> Iterable[tuple[str, _Watch]]:
    """Points of things that may be left on, with what the rule calls on."""
    said = rule.parameters
    if "cycle" not in said:
        return
    try:
        hold_ms = milliseconds(str(said["cycle"]))
    except ValueError:  # a rule of one's own that means something else by it
        return
    drawn = re.fullmatch(r"([0-9.]+)\s*(W|A)", str(said.get("hot", said.get("on", ""))))
    for role, points in rule.roles.items():
        for point in points if role in ROLES else ():
            kind = kind_of(point)
            above = float(drawn[1]) if drawn and kind is not None and kind.unit == drawn[2] else None
            yield point, _Watch(ROLES[role], above, hold_ms)


def _found(device: Device, known: Sequence[str], watched: Mapping[str, _Watch]) -> list[str]:
    """Points of a device that are worth showing; a guess where it never said which it has."""
    heard = [point for point in known if point.partition(".")[0] == device.name]
    points = list(dict.fromkeys([f"{device.name}.{kind}" for kind in device.kinds or ()] + sorted(heard)))
    symbol = _by_words(device)
    plain = [
        point for point in points if _kind(point) in ("contact", "lock", "water") and point not in watched
    ]
    draws = [point for point in points if point in watched]
    if not draws and symbol in APPLIANCES:
        for kind in ("power", "current", "switch"):
            draws = draws or [point for point in points if _kind(point) == kind]
        plain = [] if draws else plain
    if not points and symbol:  # not yet joined
        return [f"{device.name}.{_KINDS.get(symbol, 'power')}"]
    said = device.thing and _by_words(device, device.thing)
    if not draws and not plain and device.kinds is None and said in APPLIANCES:
        return [f"{device.name}.power"]
    return [*draws, *plain]


def _thing(point: str, shown: Shown, device: Device, watch: _Watch | None) -> Thing:
    kind = _kind(point)
    symbol = shown.symbol or (watch.symbol if watch else "") or _symbol(kind, _by_words(device))
    above, hold_ms = shown.above, shown.hold_ms
    if watch is not None:
        above = watch.above if above is None else above
        hold_ms = watch.hold_ms if hold_ms is None else hold_ms
    if hold_ms is None:
        hold_ms = HOLD_MS if kind in ABOVE else 0
    drawn = {point: ABOVE[kind] if above is None else above} if kind in ABOVE else {}
    return Thing((point,), symbol, _called(symbol, device), device.room, shown.name, drawn, hold_ms)


def _joined(one: Thing, other: Thing) -> Thing:
    """Two points of one appliance, such as the phases of a cooker."""
    points, above = one.points + other.points, {**one.above, **other.above}
    hold_ms = max(one.hold_ms, other.hold_ms)
    return Thing(points, one.symbol, one.called, one.room, one.name or other.name, above, hold_ms)


def _symbol(kind: str, meant: str) -> str:
    """The one that suits the kind: a water sensor under the stove is no stove."""
    if kind in ("lock", "water"):
        return kind
    if kind == "contact":
        return meant if meant in ("window", "fridge", *APPLIANCES) else "door"
    return meant if meant in APPLIANCES else "plug"


def _by_words(device: Device, text: str = "") -> str:
    text = (text or _text(device)).lower()
    return next((symbol for symbol, words in _WORDS.items() if re.search(words, text)), "")


def _called(symbol: str, device: Device) -> str:
    if symbol != "door":
        return symbol
    return next((name for name, words in _FINER.items() if re.search(words, _text(device))), "door")


def _text(device: Device) -> str:
    return f"{device.thing} {device.name}".lower().replace("_", " ").replace("-", " ")


def _kind(point: str) -> str:
    kind = kind_of(point)
    return kind.name if kind is not None else ""
