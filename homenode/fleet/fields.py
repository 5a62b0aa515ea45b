"""What of a home is shown, filtered and sorted by: one row a field (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from homenode.contract.figures import CLOCK, UNDERVOLTAGE
from homenode.contract.status import UPDATE_STATES
from homenode.contract.times import wall_ms
from homenode.fleet.board import LATE_MS, Home

DAY_MS = 86_400_000
BEAT_S = 75

Value = bool | int | float | str | None
"""None is unknown: it is smaller and greater than nothing."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        of: What it is for a home, at a wall time in ms.
        about: For ``homenode fleet list --fields``.
        head: Column's head in the table; "" for a field that is only filtered and sorted by.
        bad: Whether a value asks for somebody.
        shown: How the value reads; as it is if None.
        words: All that it may be; empty if that is not a list of words.
    """

    name: str
    of: Callable[[Home, int], Value]
    about: str
    head: str = ""
    bad: Callable[[Value], bool] = lambda value: False
    shown: Callable[[Value], str] | None = None
    words: Collection[str] = ()


def _figure(name: str) -> Callable[[Home, int], Value]:
    def of(home: Home, _now_ms: int) -> Value:
        value: Value = home.figures.get(name)
        return value

    return of


def _some(value: Value) -> bool:
    return isinstance(value, int | float) and value > 0


def _above(limit: float) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, int | float) and value >= limit


def _below(limit: float) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, int | float) and value < limit


def _online(home: Home, now_ms: int) -> Value:
    """A retained "online" that is old is none: the broker itself may have been away.

    How old is first known by the node's own clock, and where no time service keeps that not before we have
    listened for longer than between two heartbeats.
    """
    if not home.online or home.beat_ms is None:
        return home.online
    if now_ms - home.heard_ms > LATE_MS:
        return False
    if abs(now_ms - home.beat_ms) <= LATE_MS:
        return True
    return False if home.figures.get("clock") == "synchronised" and home.beat_ms < now_ms else None


def _link(home: Home, now_ms: int) -> Value:
    if home.beat_ms is None or not home.online or _online(home, now_ms) is None:
        return None
    return max(0, now_ms - home.beat_ms) // 1000


def _since(home: Home, now_ms: int) -> Value:
    if home.online and _online(home, now_ms) is None:
        return None
    if home.changed_ms is not None:
        at_ms: int | None = home.changed_ms
    else:
        started = home.figures.get("started")
        at_ms = (wall_ms(started) if started else None) if _online(home, now_ms) else home.seen_ms
    return None if at_ms is None else max(0, now_ms - at_ms) // 1000


def _cert(home: Home, now_ms: int) -> Value:
    until = home.figures.get("certificate_until")
    return None if until is None else (wall_ms(until) - now_ms) // DAY_MS


def _update(home: Home, _now_ms: int) -> Value:
    if not home.update.get("state"):
        return None
    return " ".join(str(home.update[name]) for name in ("state", "version") if home.update.get(name))


def _state(home: Home, _now_ms: int) -> Value:
    return home.update.get("state") or None


def _faults(home: Home, _now_ms: int) -> Value:
    return home.faults_open


def _version(home: Home, _now_ms: int) -> Value:
    return home.version or None


def _is(*words: str) -> Callable[[Value], bool]:
    return lambda value: value in words


def span(value: Value) -> str:
    """Seconds as a person reads them."""
    if not isinstance(value, int | float):
        return "?"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if value >= 2 * size:
            return f"{value / size:.0f} {unit}"
    return f"{value:.0f} s"


def _beat(value: Value) -> str:
    """Up to a late heartbeat seconds are no news, for which a table that lives would be drawn anew."""
    return "ok" if isinstance(value, int) and value <= BEAT_S else span(value)


def _with(unit: str) -> Callable[[Value], str]:
    return lambda value: "?" if value is None else f"{value} {unit}"


def _yes(value: Value) -> str:
    return "?" if value is None else "yes" if value else "NO"


FIELDS = (
    Field("home", lambda home, _now: home.name, "Its id.", "HOME"),
    Field("online", _online, "Its node is at the broker.", "ONLINE", lambda value: value is not True, _yes),
    Field("faults", _faults, "Open faults.", "FAULTS", lambda value: value != 0),
    Field("version", _version, "Of homenode.", "VERSION"),
    Field("slot", _figure("slot"), "The slot that runs: A or B.", "SLOT"),
    Field("link", _link, "Seconds since its last heartbeat, while it is online.", "LINK", shown=_beat),
    Field("radio", lambda home, _now: home.radios_down, "Radios that don't work.", "RADIO", _some,
          lambda value: "?" if value is None else f"{value} DOWN" if value else "ok"),
    Field("silent", _figure("silent"), "Devices that are silent.", "SILENT", _some),
    Field("blind", _figure("blind"), "Rules that can't tell for want of readings.", "BLIND", _some),
    Field("card", _figure("card_worn_pct"), "Used of the card's life, in %.", "CARD", _above(90), _with("%")),
    Field("temp", _figure("temperature_c"), "Of the processor, usual of a day, in °C.", "TEMP", _above(75),
          _with("°C")),
    Field("volt", _figure("undervoltage"), "Under-voltage: never, before or lately.", "VOLT",
          _is("before", "lately"), words=UNDERVOLTAGE),
    Field("clock", _figure("clock"), "synchronised, trusted, rtc or unset.", "CLOCK", _is("unset"),
          words=CLOCK),
    Field("cert", _cert, "Days left of its certificate.", "CERT", _below(14), _with("d")),
    Field("update", _update, "State and version of its last update.", "UPDATE",
          lambda value: str(value).startswith("failed")),
    Field("since", _since, "Seconds since it came online or was last heard.", "SINCE", shown=span),
    Field("state", _state, "State of its last update.", "", _is("failed"), words=UPDATE_STATES),
    Field("devices", _figure("devices"), "Devices of its home.yaml."),
    Field("restarts", _figure("restarts"), "Restarts of the gateway since the machine started."),
    Field("gaps", _figure("gaps"), "Times without link since the gateway started, of the last 20."),
    Field("memory", _figure("memory_free_pct"), "Memory free, usual of a day, in %.", "", _below(10)),
    Field("disk", _figure("disk_free_pct"), "Room on its disk, in %.", "", _below(10)),
    Field("errors", _figure("card_errors"), "Errors of its card.", "", _some),
    Field("configuration", _figure("configuration"), "Number of its signed configuration."),
    Field("model", _figure("model"), "Its board."),
    Field("kernel", _figure("kernel"), "Its kernel's release."),
)  # fmt: skip

BY_NAME = {field.name: field for field in FIELDS}
COLUMNS = tuple(field for field in FIELDS if field.head)


def bad_of(home: Home, now_ms: int) -> int:
    """How many fields ask for somebody."""
    return sum(field.bad(field.of(home, now_ms)) for field in FIELDS) + bool(home.odd)


_VERSION = re.compile(r"[vV]?(\d+(?:\.\d+)*)[.-]?([a-zA-Z]*)\.?(\d*)")
_BEFORE = ("dev", "a", "alpha", "b", "beta", "pre", "rc")


def in_parts(version: str) -> tuple[Any, ...]:
    """A version in the order of versions: 1.10 is after 1.9, 1.2rc1 before 1.2, 1.2.0 is 1.2."""
    found = _VERSION.match(version)
    if found is None:
        return ((), 0, 0, _parts(version))
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    word = found[2].lower()
    place = (
        _BEFORE.index(word) - len(_BEFORE)
        if word in _BEFORE
        else 1
        if found.end() < len(version) or word
        else 0
    )
    return (tuple(numbers), place, int(found[3] or 0), _parts(version[found.end() :]))


def _parts(text: str) -> tuple[tuple[int, str], ...]:
    """Numbers in it count as numbers."""
    return tuple((int(part or 0), word) for word, part in re.findall(r"(\D*)(\d*)", text))
