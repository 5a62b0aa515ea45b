"""The section ``broker:`` of home.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from homenode.config.model import Broker, Device, Lost
from homenode.config.notes import Notes, listed
from homenode.config.points import why_no_point
from homenode.config.rows import BROKER, INTERFACE, LAMP_KINDS, LOST
from homenode.config.values import read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, is_nothing
from homenode.kinds import kind_of

URL_SHOWN = "mqtts://HOST or mqtts://HOST:PORT"
_OTHERS = ("url", "interfaces", "lost")
"""Its fields that no row says how to read."""


def read_broker(
    node: Node | None, notes: Notes, beside: Path, devices: Mapping[str, Device], *, files: bool
) -> Broker | None:
    """The broker, None without one; `files`: the files that it names must exist."""
    if node is None:
        return None
    if not isinstance(node, Table):
        notes.wrong(node, "broker", f"a mapping: {{url: {URL_SHOWN}}}")
        return None
    url = node.get("url")
    if url is None:
        notes.wrong(node, "broker.url", f"{URL_SHOWN}, or a list of these", found="nothing")
    own = {name: entry for name, entry in node.entries.items() if name not in _OTHERS}
    values = read_table(BROKER, Table(own, node.line, node.column), "broker", notes, beside, others=_OTHERS)
    heartbeat_s = values.pop("heartbeat") / 1000
    urls = _urls(url, notes) if url is not None else ()
    for one, other in (("cert", "key"), ("key", "cert"), ("password_file", "username")):
        if one in node.entries and other not in node.entries:
            notes.wrong(
                node.entries[one][0], f"broker.{other}", f"{other}, as {one} is there", found="nothing"
            )
    if files:
        for name in ("ca", "cert", "key", "password_file"):
            given = node.get(name)
            if given is not None and values[name] is not None:
                there(given, f"broker.{name}", values[name], notes)
    return Broker(
        urls,
        **values,
        interfaces=_interfaces(node.get("interfaces"), notes),
        heartbeat_s=heartbeat_s,
        lost=_lost(node.get("lost"), notes, devices),
    )


def _interfaces(node: Node | None, notes: Notes) -> tuple[str, ...]:
    if node is None or is_nothing(node):
        return ()
    names: list[str] = []
    for item in node.items if isinstance(node, Listing) else (node,):
        text = item.text if isinstance(item, Scalar) else ""
        if not re.fullmatch(INTERFACE, text) or text in names:
            notes.wrong(
                item, "broker.interfaces", "a list of network interfaces, each once, such as [eth0, wwan0]"
            )
        names.append(text)
    return tuple(names)


def _lost(node: Node | None, notes: Notes, devices: Mapping[str, Device]) -> Lost:
    if node is None or is_nothing(node):
        return Lost()
    values = read_table(LOST, node, "broker.lost", notes, Path())
    lamp, at = values["lamp"] or "", node.get("lamp") if isinstance(node, Table) else None
    if lamp and at is not None:
        why, suggestion = why_no_point(lamp, devices)
        kind = kind_of(lamp)
        if why:
            notes.wrong(at, "broker.lost.lamp", why, suggestion=suggestion)
        elif kind is None or kind.name not in LAMP_KINDS:
            notes.wrong(at, "broker.lost.lamp", f"a point of kind {listed(LAMP_KINDS)}")
    return Lost(values["after"], lamp, values["say"])


def _urls(node: Node, notes: Notes) -> tuple[str, ...]:
    entries = node.items if isinstance(node, Listing) else (node,)
    if not entries:
        notes.wrong(node, "broker.url", f"{URL_SHOWN}, or a list of these")
    urls: list[str] = []
    for index, entry in enumerate(entries):
        field = f"broker.url.{index + 1}" if isinstance(node, Listing) else "broker.url"
        why, suggestion = _why_no_url(entry)
        if why:
            notes.wrong(entry, field, why, suggestion=suggestion, found=without_secret(entry))
            continue
        assert isinstance(entry, Scalar)
        if entry.text in urls:
            notes.wrong(entry, field, "each broker once")
        if urlsplit(entry.text).scheme == "mqtt":
            notes.warn(entry, field, "mqtts://, as this connection is not encrypted")
        urls.append(entry.text)
    return tuple(urls)


def _why_no_url(node: Node) -> tuple[str, str]:
    """What is accepted instead, and a suggestion; ("", "") if the URL can be used."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text.isprintable():
        return URL_SHOWN, ""
    try:
        parts = urlsplit(node.text)
        port, host = parts.port, parts.hostname
    except ValueError:
        return f"{URL_SHOWN}, PORT from 1 to 65535", ""
    if parts.scheme not in ("mqtt", "mqtts"):
        guess = "mqtts://" + node.text.rpartition("://")[2].strip("\"'“”„’")
        return f"{URL_SHOWN} (mqtt:// without encryption)", guess if "@" not in guess else ""
    if parts.username is not None or parts.password is not None:
        return f"{URL_SHOWN}; a user goes into username:, a password into the file password_file:", ""
    if (
        not host
        or " " in node.text
        or port == 0
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
    ):
        return URL_SHOWN, ""
    return "", ""


def without_secret(node: Node) -> str:
    """The URL as an error may show it: errors go to logs, and a password there would stay."""
    shown = str(node)
    before, at, after = shown.rpartition("@")
    return f"{before.partition('://')[0]}://…@{after}" if at else shown


def there(node: Node, field: str, path: Path, notes: Notes) -> None:
    try:
        if path.is_file():
            return
        why = "is a folder" if path.is_dir() else "doesn't exist"
    except (OSError, ValueError) as error:
        why = f"can't be looked at ({getattr(error, 'strerror', None) or error})"
    notes.wrong(node, field, f"a file, relative to {Path(notes.file).name}", found=f"{node}, which {why}")
