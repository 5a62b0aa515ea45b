"""Changes of home.yaml in its text: what isn't changed keeps every byte, comments and order included (pure).

A library that writes YAML anew wraps long lines and moves comments; here a line is put in or a value
replaced, at the places that the parser names. Each change is read back: it must have changed what was wanted,
and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from homenode.config.yaml12 import compose, plain, resolve
from homenode.errors import Refused

_PLAIN = re.compile(r"[^\W\d_][\w -]*[\w]|[^\W\d_]")
"""Texts that mean themselves without quotes, also inside brackets."""
_HAND = "edit home.yaml by hand, then go on here"


def written(value: str) -> str:
    """A text as it stands in the file, in quotes if it needs them."""
    if _PLAIN.fullmatch(value) and resolve(value) == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)


def add_device(text: str, name: str, fields: Mapping[str, str]) -> str:
    """home.yaml with one device more, after the others.

    Raises:
        Refused: It stands there already, or the file is written in a way that this can't extend.
    """
    entry = "{" + ", ".join(f"{key}: {written(value)}" for key, value in fields.items()) + "}"

    def changed(home: dict[str, Any]) -> None:
        devices = home["devices"] = home.get("devices") or {}
        if name in devices:
            raise Refused(f"there is a device {name} already", do="give this one another name")
        devices[name] = dict(fields)

    return _checked(text, _entry_added(text, name, entry), changed)


def set_fields(text: str, name: str, fields: Mapping[str, str]) -> str:
    """home.yaml with other values in one device's entry, such as the address of new hardware.

    Raises:
        Refused: There is no such device, or the file is written in a way that this can't change.
    """

    def changed(home: dict[str, Any]) -> None:
        home["devices"][name].update(fields)

    devices = _value(_root(text), "devices")
    device = _value(devices, name)
    if not isinstance(devices, yaml.MappingNode) or not isinstance(device, yaml.MappingNode):
        raise Refused(f"there is no device {name} in home.yaml")
    key = _key(devices, name)
    if device.start_mark.index < key.start_mark.index:
        raise Refused(f"the entry of {name} is shared with another device (&, *)", do=_HAND)
    new = text
    for field, value in fields.items():
        new = _field_set(new, name, field, value)
    return _checked(text, new, changed)


def add_to_rule(text: str, use: str, bind: Mapping[str, str | list[str]]) -> str:
    """home.yaml with one use of a rule more, after the others."""
    shown = ", ".join(
        f"{role}: {points if isinstance(points, str) else '[' + ', '.join(points) + ']'}"
        for role, points in bind.items()
    )

    def changed(home: dict[str, Any]) -> None:
        home["rules"] = [*(home.get("rules") or []), {"use": use, "bind": dict(bind)}]

    return _checked(text, _item_added(text, "rules", f"{{use: {use}, bind: {{{shown}}}}}"), changed)


def add_point(text: str, nth: int, role: str, point: str) -> str:
    """home.yaml with one point more in the list that the `nth` use of a rule binds to `role`."""

    def changed(home: dict[str, Any]) -> None:
        home["rules"][nth]["bind"][role].append(point)

    rules = _value(_root(text), "rules")
    if not isinstance(rules, yaml.SequenceNode) or nth >= len(rules.value):
        raise Refused(f"home.yaml has no rule {nth + 1}")
    listing = _value(_value(rules.value[nth], "bind"), role)
    if not isinstance(listing, yaml.SequenceNode) or not listing.value:
        raise Refused(f"{role} is not bound to a list of points", do=_HAND)
    if listing.flow_style:
        at = _end(listing.value[-1])
        return _checked(text, f"{text[:at]}, {point}{text[at:]}", changed)
    return _checked(
        text, _line_after(text, listing, f"- {point}", listing.value[0].start_mark.column - 2), changed
    )


def _root(text: str) -> yaml.MappingNode:
    compose(text, "home.yaml")  # bounds size and depth, and tells mistakes in plain words
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise Refused("home.yaml is not a mapping", do=_HAND)
    return root


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(
        (value for name, value in pairs if isinstance(name, yaml.ScalarNode) and name.value == key), None
    )


def _key(node: yaml.MappingNode, key: str) -> yaml.Node:
    found: yaml.Node = next(name for name, _ in node.value if name.value == key)
    return found


def _end(node: yaml.Node) -> int:
    """Where a node's own text ends: the mark of a block is behind the comments after it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _after_line(text: str, at: int) -> tuple[str, str]:
    """The text up to the end of the line that `at` is in, with its line end, and the rest."""
    cut = text.find(
        "\n", at if at == 0 or text[at - 1] != "\n" else at - 1
    )  # a `|` text ends behind its line end
    if cut < 0:
        return text + _newline(text), ""
    return text[: cut + 1], text[cut + 1 :]


def _line_after(text: str, node: yaml.Node, line: str, column: int) -> str:
    before, rest = _after_line(text, _end(node))
    return f"{before}{' ' * column}{line}{_newline(text)}{rest}"


def _section(text: str, name: str, line: str) -> str:
    """The file with a section that it lacks, or that has nothing in it."""
    root = _root(text)
    if _value(root, name) is None:
        before, rest = _after_line(text, len(text))
        return f"{before}{rest}{_newline(text)}{name}:{_newline(text)}  {line}{_newline(text)}"
    before, rest = _after_line(text, int(_key(root, name).end_mark.index))
    return f"{before}  {line}{_newline(text)}{rest}"


def _entry_added(text: str, name: str, entry: str) -> str:
    devices = _value(_root(text), "devices")
    if devices is None or (isinstance(devices, yaml.ScalarNode) and not devices.value):
        return _section(text, "devices", f"{name}: {entry}")
    if not isinstance(devices, yaml.MappingNode):
        raise Refused("devices: in home.yaml is not a mapping", do=_HAND)
    if devices.flow_style:
        return _in_brackets(text, devices, f"{name}: {entry}")
    key, value = devices.value[-1]
    column = key.start_mark.column
    beside = value.start_mark.line == key.start_mark.line
    gap = max(1, value.start_mark.column - column - len(name) - 1) if beside else 1
    return _line_after(text, devices, f"{name}:{' ' * gap}{entry}", column)


def _item_added(text: str, section: str, item: str) -> str:
    listing = _value(_root(text), section)
    if listing is None or (isinstance(listing, yaml.ScalarNode) and not listing.value):
        return _section(text, section, f"- {item}")
    if not isinstance(listing, yaml.SequenceNode):
        raise Refused(f"{section}: in home.yaml is not a list", do=_HAND)
    if listing.flow_style:
        return _in_brackets(text, listing, item)
    return _line_after(text, listing, f"- {item}", listing.start_mark.column)


def _in_brackets(text: str, node: yaml.Node, more: str) -> str:
    """`more` as the last of {…} or […]; a comma that ends the list already is left where it is."""
    if not node.value:
        at = int(node.start_mark.index) + 1
        return f"{text[:at]}{more}{text[at:]}"
    last = node.value[-1]
    at = _end(last[1] if isinstance(last, tuple) else last)
    return f"{text[:at]}, {more}{text[at:]}"


def _field_set(text: str, name: str, field: str, value: str) -> str:
    device = _value(_value(_root(text), "devices"), name)
    assert isinstance(device, yaml.MappingNode)
    old = _value(device, field)
    if old is not None:
        if not isinstance(old, yaml.ScalarNode):
            raise Refused(f"{field} of {name} is not a text", do=_HAND)
        start, end = int(old.start_mark.index), int(old.end_mark.index)
        gap = "" if text[start - 1 : start].isspace() else " "  # nothing stood behind the colon
        return f"{text[:start]}{gap}{written(value)}{text[end:]}"
    if device.flow_style:
        return _in_brackets(text, device, f"{field}: {written(value)}")
    return _line_after(text, device, f"{field}: {written(value)}", device.value[0][0].start_mark.column)


def _checked(old: str, new: str, changed: Callable[[dict[str, Any]], None]) -> str:
    """`new`, if reading it gives what `old` gives with that one change."""
    wanted = plain(compose(old, "home.yaml"))
    assert isinstance(wanted, dict)
    changed(wanted)
    if plain(compose(new, "home.yaml")) != wanted:
        raise Refused("home.yaml is written in a way that can't be changed from here", do=_HAND)
    return new
