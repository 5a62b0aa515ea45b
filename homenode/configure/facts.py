"""What a configuration says, place by place, as it was understood (pure).

Comments, order and the form of the text are none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from homenode.config.model import PARTIES, Device, Home, Mode
from homenode.config.rows import STANDARD_MODES
from homenode.kinds import KINDS, kind_of
from homenode.language.bound import BoundRule

ENTRIES = ("broker", "radios.*", "devices.*", "rules.*", "modes.*", "cameras.*", "video.*", "panel.*")
"""Of one that is new or gone, what stands in it is not told besides."""

ORDERED = ("rules", "panel")
"""Whose value is the order of their entries."""

_ELSEWHERE = ("path", "share", "rules")
"""Of a Home: where it is, and what is told below by what it means."""
_NO_FACT = ("radios.*.name", "radios.*.line", "devices.*.name", "devices.*.line", "devices.*.column",
            "devices.*.kinds", "rules.*.name", "rules.*.file", "modes.*.name", "cameras.*.name", "video.*.id",
            "video.*.line", "video.*.column")  # fmt: skip
"""Of what stands in it: how it is called there already, where it stands, what follows from its options."""
_NAMED = ("radios", "devices", "modes", "cameras", "video", "panel", "keys", "export")
"""Sections whose keys are names."""
_NAMES = {
    "clock_trusted": "clock.trust",
    "endurance_tb": "machine.endurance_tb",
    "resident_ok": "resident.ok",
    "resident_stop": "resident.stop",
    "exports": "export",
    "broker.urls": "url",
    "broker.heartbeat_s": "heartbeat",
    "broker.lost.after_ms": "after",
    "devices.*.thing": "is",
    "devices.*.stale_after_ms": "stale_after",
    "modes.*.longest_ms": "longest",
    "modes.*.start": "from",
    "modes.*.end": "to",
    "voice.volume_percent": "volume",
    "voice.rate_wpm": "rate",
    "video.*.first": "from",
    "video.*.last": "to",
    "video.*.answer_within_ms": "answer_within",
    "video.*.longest_ms": "longest",
    "panel.*.hold_ms": "hold",
}
"""Attribute of the model to the field of home.yaml, where they are called otherwise."""


class Fact(NamedTuple):
    """Something that a configuration says.

    Attributes:
        kind: Its place with ``*`` for each name, such as ``devices.*.room``; ``devices.*.options`` for the
            fields of its driver.
        value: Equal if the configurations mean the same.
    """

    kind: str
    value: Any


def facts(home: Home, rules: Sequence[BoundRule]) -> dict[str, Fact]:
    """Place, such as ``devices.stove.room``, to what it says; what is left out counts as its default."""
    found: dict[str, Fact] = {}
    for one in fields(home):
        if one.name not in _ELSEWHERE:
            found |= _walk(getattr(home, one.name), *_step("", "", one.name), home.path.parent)
    if home.broker is not None:
        encrypted = all(url.startswith("mqtts:") for url in home.broker.urls)
        found["broker.encrypted"] = Fact("broker.encrypted", encrypted)
    found["rules"] = Fact("rules", tuple(rule.name for rule in rules))
    found["panel"] = Fact("panel", tuple(home.panel))
    for rule in rules:
        found |= _walk(rule, "rules.*", f"rules.{rule.name}", home.path.parent)
    return found | dict(_shared(home))


def blank(beside: Path) -> dict[str, Fact]:
    """What a home says of which nothing is known yet."""
    modes = {name: Mode(name, longest) for name, longest in STANDARD_MODES.items()}
    home = Home(beside / "home.yaml", "", "", "", None, {}, {}, (), {}, modes)
    return facts(home, ())


def _step(kind: str, place: str, name: str) -> tuple[str, str]:
    name = _NAMES.get(_under(kind, name), name)
    return _under(kind, name), _under(place, name)


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _walk(value: Any, kind: str, place: str, beside: Path) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    if kind in ENTRIES and value is not None:
        found[place] = Fact(kind, True)
    if is_dataclass(value) and not kind.startswith("rules.*."):
        for one in fields(value):
            inner = _step(kind, place, one.name)
            if inner[0] not in _NO_FACT:
                found |= _walk(getattr(value, one.name), *inner, beside)
    elif isinstance(value, Mapping) and kind in _NAMED:
        for name, entry in value.items():
            found |= _walk(entry, f"{kind}.*", f"{place}.{name}", beside)
    elif isinstance(value, Mapping) and kind.endswith(".*.options"):
        for name, entry in value.items():
            found[f"{place.removesuffix('.options')}.{name}"] = Fact(kind, _plain(entry, beside))
    elif value is not None or kind not in ENTRIES:
        found[place] = Fact(kind, _plain(value, beside))
    return found


def _plain(value: Any, beside: Path) -> Any:
    """A path as home.yaml may write it: the same on the node and in the office."""
    if isinstance(value, Path):
        return str(value.relative_to(beside)) if value.is_relative_to(beside) else str(value)
    return value


def _shared(home: Home) -> Iterator[tuple[str, Fact]]:
    """What leaves the home: the patterns, and what they come to with these devices."""
    for party in PARTIES:
        patterns = home.share.get(party, ())
        if patterns:
            yield f"share.{party}", Fact("share.*", frozenset(patterns))
        for device in home.devices.values():
            if leaves := _leaves(device, patterns):
                yield f"share.{party}.{device.name}", Fact("share.*.*", leaves)


def _leaves(device: Device, patterns: Sequence[str]) -> frozenset[str]:
    kinds = device.kinds if device.kinds is not None else _any(patterns)
    return frozenset(
        kind for kind in kinds if any(fnmatchcase(f"{device.name}.{kind}", pattern) for pattern in patterns)
    )


def _any(patterns: Sequence[str]) -> list[str]:
    """What a device that was not asked yet may have: each kind, also as a second one (`kinds.kind_of`)."""
    named = [name for pattern in patterns if kind_of(name := pattern.rpartition(".")[2])]
    return [*named, *KINDS, *(f"{kind}_{nth}" for kind in KINDS for nth in range(2, 10))]


def paths(value: Any, place: str = "") -> Iterator[tuple[str, Path]]:
    """Every file or folder that a home names, with its place."""
    if isinstance(value, Path):
        yield place, value
    elif is_dataclass(value):
        for one in fields(value):
            if not (isinstance(value, Home) and one.name in ("path", "rules")):
                yield from paths(getattr(value, one.name), _under(place, _NAMES.get(one.name, one.name)))
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from paths(entry, _under(place, str(name)))
    elif isinstance(value, str) and value.startswith("file:"):  # of a camera
        yield place, Path(value.removeprefix("file:"))
