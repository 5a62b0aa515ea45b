"""What a message means, by the rows of its family (pure, but for reading their file)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from homenode.errors import SetupError
from homenode.kinds import Kind, Shape, kind_of

FILE = Path(__file__).with_name("rows.yaml")
_FAMILY = {"source", "there", "topic", "ask", "seen", "points"}
_POINT = {"topic", "path", "true", "false", "scale", "seen", "ask", "command"}
NOTHING = object()
"""The message says nothing of this point."""


class Mistaken(ValueError):
    """A message that can be read says what the point can't be."""


class Said(NamedTuple):
    """A topic and a payload."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class Point:
    """A row of one device: topics filled in; see the head of rows.yaml."""

    kind: str
    topic: str
    path: str = ""
    true: tuple[Any, ...] = ()
    false: tuple[Any, ...] = ()
    scale: float = 1.0
    seen: str = ""
    ask: Said | None = None
    on: Said | None = None
    off: Said | None = None

    def value(self, payload: bytes) -> Any:
        """What it says: a value, None (the device doesn't know) or NOTHING. Raises ValueError, Mistaken."""
        raw = at_path(payload, self.path)
        known = kind_of(self.kind)
        if raw is NOTHING or raw is None or known is None:
            return raw
        if known.shape is Shape.NUMBER:
            return self._number(known, raw)
        if any(_same(raw, one) for one in self.true):
            return True
        if known.shape is Shape.MOMENTARY:
            return NOTHING
        if any(_same(raw, one) for one in self.false):
            return False
        raise Mistaken(f"{shown(raw)} is neither {_listed(self.true)} nor {_listed(self.false)}")

    def _number(self, kind: Kind, raw: Any) -> float:
        try:
            number = math.nan if isinstance(raw, bool) else float(raw) * self.scale
        except (TypeError, ValueError):
            number = math.nan
        if not kind.low <= number <= kind.high:
            raise Mistaken(f"{shown(raw)} is no number from {kind.low:g} to {kind.high:g}")
        return round(number, 6)

    def seen_ms(self, payload: bytes) -> int | None:
        """When the device was heard, ms since 1970; None if it doesn't say."""
        if not self.seen:
            return None
        try:
            stamp = at_path(payload, self.seen)
            if isinstance(stamp, str):
                at = datetime.fromisoformat(stamp)
                return round(at.timestamp() * 1000) if at.tzinfo else None
            return round(stamp) if isinstance(stamp, int | float) and not isinstance(stamp, bool) else None
        except (ValueError, OverflowError):
            return None


def at_path(payload: bytes, path: str) -> Any:
    """What stands at `path` in a payload of JSON, or the payload itself as text. Raises ValueError."""
    text = payload.decode("utf-8").strip()
    if not path:
        return text
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    if not isinstance(found, dict | list):
        raise ValueError(f"{shown(text)} is no JSON object")
    for key in path.split("."):
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return NOTHING
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


def _filled(text: Any, options: Mapping[str, Any]) -> str:
    topic, entity = str(options.get("topic") or ""), str(options.get("entity") or "")
    base = topic.rpartition("/")[0]
    for word, stands_for in (("{topic}", topic), ("{base}", base), ("{entity}", entity)):
        text = str(text).replace(word, stands_for)
    return str(text)


def needs_entity(options: Mapping[str, Any], kind: str) -> bool:
    """Whether the row of this point has the word {entity} in it."""
    return "{entity}" in json.dumps(family_of(options)["points"].get(kind))


def points(options: Mapping[str, Any]) -> Iterator[Point]:
    """The rows of a device, filled in. Raises SetupError."""
    family = family_of(options)
    for kind in options["points"]:
        row = {**{k: family[k] for k in ("topic", "ask", "seen") if k in family}, **family["points"][kind]}
        ask, command = row.get("ask"), row.get("command")
        on, off = (
            Said(_filled(command["topic"], options), _filled(command[word], options)) if command else None
            for word in ("on", "off")
        )
        yield Point(
            kind,
            _filled(row["topic"], options),
            _filled(row.get("path", ""), options),
            tuple(row.get("true", ())),
            tuple(row.get("false", ())),
            float(row.get("scale", 1.0)),
            str(row.get("seen", "")),
            Said(_filled(ask["topic"], options), str(ask.get("payload", ""))) if ask else None,
            on,
            off,
        )


def there(options: Mapping[str, Any]) -> Iterator[Point]:
    """What says whether the device is there, as points of kind mains."""
    for row in family_of(options).get("there", ()):
        yield Point(
            "mains",
            _filled(row["topic"], options),
            str(row.get("path", "")),
            tuple(row["true"]),
            tuple(row["false"]),
        )
