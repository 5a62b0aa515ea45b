"""What a message means, by the rows of its family (pure, but for reading their file)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from homenode.errors import SetupError
from homenode.kinds import Kind, Shape, kind_of

FILE = Path(__file__).with_name("rows.yaml")
_FAMILY = {"source", "there", "topic", "ask", "seen", "points"}
_POINT = {
    "topic", "path", "true", "false", "none", "scale", "low", "high", "seen", "where", "must", "unless",
    "count", "ask", "command",
}  # fmt: skip
_LISTS, _MAPS = ("true", "false", "none"), ("where", "must")
NOTHING = object()
"""The message says nothing of this point."""
_FIRST_MS = 100_000_000_000
"""A smaller stamp counts seconds since 1970 (this many: the year 5138), a greater one ms (1973)."""


class Mistaken(ValueError):
    """A message that can be read says what the point can't be."""


class Said(NamedTuple):
    """A topic and a payload."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Point:
    """A row of one device: topics filled in; see the head of rows.yaml.

    Attributes:
        or_text: What isn't JSON is the value itself.
    """

    kind: str
    topic: str
    path: str = ""
    true: tuple[Any, ...] = ()
    false: tuple[Any, ...] = ()
    none: tuple[Any, ...] = ()
    scale: float = 1.0
    low: float = -math.inf
    high: float = math.inf
    seen: str = ""
    where: tuple[tuple[str, Any], ...] = ()
    must: tuple[tuple[str, Any], ...] = ()
    unless: str = ""
    count: str = ""
    or_text: bool = False
    ask: Said | None = None
    on: Said | None = None
    off: Said | None = None

    def value(self, payload: bytes) -> Any:
        """What it says: a value, None (the device doesn't know) or NOTHING. Raises ValueError, Mistaken."""
        raw, known = self._raw(payload), kind_of(self.kind)
        if any(not _same(at_path(payload, path), one) for path, one in self.where):
            return NOTHING
        if raw is NOTHING or raw is None or known is None:
            return raw
        if any(_same(raw, one) for one in self.none):
            return None
        for path, one in self.must:
            if (said := at_path(payload, path)) is not NOTHING and not _same(said, one):
                raise Mistaken(f"{path} is {shown(said)} and not {shown(one)}")
        if known.shape is Shape.NUMBER:
            return self._number(known, raw)
        if any(_same(raw, one) for one in self.true):
            return True
        if known.shape is Shape.MOMENTARY:
            return NOTHING
        if any(_same(raw, one) for one in self.false):
            broken = self.unless and at_path(payload, self.unless)
            return False if broken is NOTHING or not broken else None
        raise Mistaken(f"{shown(raw)} is neither {_listed(self.true)} nor {_listed(self.false)}")

    def _raw(self, payload: bytes) -> Any:
        try:
            return at_path(payload, self.path)
        except ValueError:
            if self.or_text:
                return at_path(payload, "")
            raise

    def _number(self, kind: Kind, raw: Any) -> float:
        try:
            number = math.nan if isinstance(raw, bool) else float(raw) * self.scale
        except (TypeError, ValueError):
            number = math.nan
        low, high = max(kind.low, self.low), min(kind.high, self.high)
        if not low <= number <= high:
            raise Mistaken(f"{shown(raw)} is no number from {low:g} to {high:g}")
        return round(number, 6)

    def counted(self, payload: bytes) -> Any:
        """How often a button was pressed, as the message says; NOTHING if it doesn't."""
        try:
            return at_path(payload, self.count) if self.count else NOTHING
        except ValueError:
            return NOTHING

    def seen_ms(self, payload: bytes) -> int | None:
        """When the device was heard, ms since 1970; None if it doesn't say."""
        if not self.seen:
            return None
        try:
            stamp = at_path(payload, self.seen)
            if isinstance(stamp, str):
                at = datetime.fromisoformat(stamp)
                return round(at.timestamp() * 1000) if at.tzinfo else None
            if isinstance(stamp, bool) or not isinstance(stamp, int | float):
                return None
            return round(stamp if stamp >= _FIRST_MS else stamp * 1000)
        except (ValueError, OverflowError):
            return None


def at_path(payload: bytes, path: str) -> Any:
    """What stands at `path` in a payload of JSON, or the payload itself as text. Raises ValueError."""
    if not path:
        return payload.decode("utf-8").strip()
    found = _read(payload)
    for key in path.split("."):
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return NOTHING
    return found


@lru_cache(4)
def _read(payload: bytes) -> Any:
    """One message has many points."""
    try:
        found = json.loads(payload)
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    if not isinstance(found, dict | list):
        raise ValueError(f"{shown(found)} is no JSON object")
    return found


def shown(raw: Any) -> str:
    """A value from outside, short."""
    text = repr(raw)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _same(raw: Any, one: Any) -> bool:
    """1 is not true, and "true" is neither."""
    return type(raw) is type(one) and raw == one


def _listed(values: tuple[Any, ...]) -> str:
    return " or ".join(shown(value) for value in values)


class _Loader(yaml.SafeLoader):
    """As YAML 1.2 has it: on, off, yes and no are words."""


_Loader.yaml_implicit_resolvers = {
    first: [row for row in resolvers if first in "tTfF" or not row[0].endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _keyed(found: Any) -> Any:
    """``true`` as a key is the word."""
    if isinstance(found, list):
        return [_keyed(one) for one in found]
    if not isinstance(found, dict):
        return found
    words = {True: "true", False: "false"}
    return {words.get(key, key) if isinstance(key, bool) else key: _keyed(one) for key, one in found.items()}


@cache
def families(file: Path = FILE) -> Mapping[str, Mapping[str, Any]]:
    """The rows of a file by family. Raises SetupError."""
    try:
        found = _keyed(yaml.load(file.read_text(encoding="utf-8"), _Loader))
    except OSError as error:
        raise SetupError(f"can't be read: {error.strerror}", where=str(file)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SetupError(f"is no YAML: {' '.join(str(error).split())}", where=str(file)) from error
    if not isinstance(found, dict) or not found:
        raise SetupError("is no mapping of families", where=str(file), do="see drivers/mqtt_device/rows.yaml")
    for name, family in found.items():
        _check(f"{file}, {name}", family)
    return found


def _check(where: str, family: Any) -> None:
    def wrong(what: str, do: str = "see drivers/mqtt_device/rows.yaml") -> SetupError:
        return SetupError(what, where=where, do=do)

    if not isinstance(family, dict) or not isinstance(family.get("points"), dict) or not family["points"]:
        raise wrong("has no points")
    if not family.get("source"):
        raise wrong("source is missing", "name the page or the capture that you have it from")
    if unknown := sorted(set(family) - _FAMILY):
        raise wrong(f"unknown field {unknown[0]}")
    for kind, row in family["points"].items():
        known = kind_of(str(kind))
        if known is None:
            raise wrong(f"{kind!r} is not a kind", "see homenode/kinds.py")
        if not isinstance(row, dict) or not (row.get("topic") or family.get("topic")):
            raise wrong(f"{kind}: topic is missing")
        if unknown := sorted(set(map(str, row)) - _POINT):
            raise wrong(f"{kind}: unknown field {unknown[0]}")
        needed = {Shape.BOOLEAN: ("true", "false"), Shape.MOMENTARY: ("true",)}.get(known.shape, ())
        if odd := [name for name in _MAPS if not isinstance(row.get(name, {}), dict)]:
            raise wrong(f"{kind}: {odd[0]} must map paths to values")
        if missing := [name for name in needed if not isinstance(row.get(name), list) or not row[name]]:
            raise wrong(f"{kind}: {missing[0]} must be a list of what means so")
        command = row.get("command")
        if command is not None and not {"topic", "on", "off"} <= set(command):
            raise wrong(f"{kind}: command needs topic, on and off")


def family_of(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """That of a device, from its own file or ours. Raises SetupError."""
    own = options.get("rows")
    known = {**families(), **(families(Path(own)) if own else {})}
    name = str(options.get("family"))
    if name not in known:
        raise SetupError(f"no family {name!r}", do=f"one of {', '.join(known)}")
    return known[name]


def _filled(value: Any, options: Mapping[str, Any]) -> Any:
    """With the words in braces replaced by what they stand for."""
    if not isinstance(value, str):
        return value
    for word in ("topic", "entity"):
        value = value.replace(f"{{{word}}}", str(options.get(word) or ""))
    return value


def _said(row: Mapping[str, Any] | None, word: str, options: Mapping[str, Any]) -> Said | None:
    return Said(_filled(row["topic"], options), str(_filled(row.get(word, ""), options))) if row else None


def needs_entity(options: Mapping[str, Any], kind: str) -> bool:
    """Whether the row of this point has the word {entity} in it."""
    family = family_of(options)
    return "{entity}" in json.dumps([family.get("topic"), family["points"].get(kind)])


def points(options: Mapping[str, Any]) -> Iterator[Point]:
    """The rows of a device, filled in. Raises SetupError."""
    family = family_of(options)
    for kind in options["points"]:
        row = {**{k: family[k] for k in ("topic", "ask", "seen") if k in family}, **family["points"][kind]}
        said: dict[str, Any] = {
            **{name: tuple(_filled(one, options) for one in row.get(name, ())) for name in _LISTS},
            **{name: float(row[name]) for name in ("scale", "low", "high") if name in row},
            **{name: str(row[name]) for name in ("seen", "unless", "count") if name in row},
            **{
                name: tuple((path, _filled(one, options)) for path, one in row.get(name, {}).items())
                for name in _MAPS
            },
            "ask": _said(row.get("ask"), "payload", options),
            "on": _said(row.get("command"), "on", options),
            "off": _said(row.get("command"), "off", options),
        }
        yield Point(kind, _filled(row["topic"], options), _filled(row.get("path", ""), options), **said)


def there(options: Mapping[str, Any]) -> Iterator[Point]:
    """What says whether the device is there, as points of kind mains."""
    above = str(options.get("topic") or "").split("/")[:-1]
    for row in family_of(options).get("there", ()):
        topics = {_filled(row["topic"], options)}
        if "{base}" in row["topic"]:
            topics = {row["topic"].replace("{base}", "/".join(above[:n])) for n in range(1, len(above) + 1)}
        for topic in sorted(topics):
            path, true, false = str(row.get("path", "")), tuple(row["true"]), tuple(row["false"])
            yield Point("mains", topic, path, true, false, or_text=True)
