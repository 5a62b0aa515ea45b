"""homenode-provision.yaml: what an installer puts on a card; every mistake in one run, with its line."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.notes import Notes, another_file, listed, nearest, unknown_key
from homenode.config.values import read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, compose, is_nothing, read_text
from homenode.configure.payload import FILE
from homenode.enrol.places import WIRELESS
from homenode.errors import PRIVATE_KEY, FileMistakes
from homenode.panel.place import is_own

TOP = (
    Field(
        "office",
        "text",
        "URL of the office.",
        default="",
        pattern=r"https://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._-]{1,64})?/?",
        shown="https://HOST:PORT, such as https://office.example:8453",
    ),
    Field(
        "ca_sha256",
        "text",
        "Fingerprint of who certified the office, in place of ca.",
        default="",
        pattern=r"(?i)[0-9a-f]{64}|([0-9a-f]{2}:){31}[0-9a-f]{2}",
        shown="64 hexadecimal digits",
    ),
    Field(
        "code",
        "text",
        "One-time code of this box.",
        default="",
        secret=True,
        pattern=r"[A-Za-z0-9 -]{8,64}",
        shown="the code of the label, such as ABCD-EFGH-JKMN-PQRS",
    ),
    Field(
        "service_key",
        "text",
        "Public SSH key of who may log in for service; none: nobody any more.",
        default="",
        pattern=r"(ssh-ed25519|ecdsa-sha2-nistp256|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]{40,400}"
        r"( [ -~]{1,100})?|none",
        shown="a line of an id_ed25519.pub, or none",
    ),
)
NETWORK = (
    Field(
        "interface", "text", "Of the machine.", default="", pattern=r"[^\s/\[\]]{1,15}", shown="such as eth0"
    ),
    Field(
        "address",
        "text",
        "Fixed address with its prefix; without it, DHCP.",
        default="",
        shown="such as 192.168.1.10/24",
    ),
    Field("gateway", "text", "Router, with a fixed address.", default="", shown="such as 192.168.1.1"),
    Field("dns", "words", "Name servers.", default=()),
    Field("domains", "words", "Domains in which names are looked for.", default=()),
)
WIFI = (
    Field(
        "ssid",
        "text",
        "Name of the wireless network.",
        required=True,
        pattern=r"[^\"\\\x00-\x1f\x7f]{1,32}",
        shown='1 to 32 characters, none of them " or \\',
    ),
    Field(
        "password",
        "text",
        "Of it.",
        required=True,
        secret=True,
        pattern=r"[ !#-\[\]-~]{8,63}",
        shown='8 to 63 characters, none of them " or \\, nor such as å',
    ),
    Field(
        "country",
        "text",
        "Where it is, which decides on channels.",
        default="SE",
        pattern=r"[A-Z]{2}",
        shown="such as SE",
    ),
)
TIME = (
    Field("nts", "words", "Time servers with NTS.", default=()),
    Field("ntp", "words", "Time servers without.", default=()),
)
APARTMENT = (
    Field(
        "interface",
        "text",
        "Of the machine, on the apartment's side: for the panel's page.",
        required=True,
        pattern=r"[A-Za-z0-9_.-]{1,15}",
        shown="such as eth1",
    ),
    Field(
        "address",
        "text",
        "Of the node there, with its prefix.",
        required=True,
        shown="a private one, such as 192.168.77.1/24",
    ),
    Field(
        "dhcp", "flag", "The node gives addresses there, where no router of the tenant does.", default=False
    ),
)
_HOST = r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}"
_SECTIONS = ("apartment", "ca", "home", "network", "time")
MOST_CA = 40_000
MOST_SSID = 32
"""Bytes (IEEE 802.11, 9.4.2.2)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is for the machine and not for homenode: root's to do."""

    network: Mapping[str, Any] = field(default_factory=dict)
    wifi: Mapping[str, str] = field(default_factory=dict, repr=False)
    apartment: Mapping[str, Any] = field(default_factory=dict)
    nts: tuple[str, ...] = ()
    ntp: tuple[str, ...] = ()
    service_key: str = ""


@dataclass(frozen=True, slots=True)
class Provision:
    """A provisioning file.

    Attributes:
        office: "" to look for one.
        ca: PEM; "" if `ca_sha256` or the image says whom to trust.
        files: Of the home, by their name on the node; none if the office brings them.
        named: Which sections there are at all.
    """

    office: str = ""
    ca: str = ""
    ca_sha256: str = ""
    code: str = field(default="", repr=False)
    files: Mapping[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    named: frozenset[str] = frozenset()


def read_provision(path: Path, shown: str = "") -> Provision:
    """From the disk, called `shown` in mistakes.

    Raises:
        FileMistakes: All that is wrong with it.
    """
    shown = shown or os.fspath(path)
    return provision_of(read_text(path, shown), shown)


def provision_of(text: str, shown: str) -> Provision:
    """What a provisioning file says.

    Raises:
        FileMistakes: All that is wrong with it.
    """
    notes = Notes(shown)
    root = compose(text, shown, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with office:, ca:, code:, …")
        raise FileMistakes(notes.mistakes)
    if "devices" in root.entries and (other := another_file(root.entries, "provision")):
        notes.wrong(root, "file", "a mapping with office:, ca:, code:, …", found=other)
        raise FileMistakes(notes.mistakes)
    own = {name: entry for name, entry in root.entries.items() if name not in _SECTIONS}
    known = [*(row.name for row in TOP), *_SECTIONS]
    for name in [name for name in own if name not in known]:
        unknown_key(own.pop(name)[0], name, known, notes)
    top = read_table(TOP, Table(own, root.line, root.column), "", notes, Path())
    ca = _ca(root.get("ca"), notes)
    files = _files(root.get("home"), notes)
    network, wifi = _network(root.get("network"), notes)
    apartment = _apartment(root.get("apartment"), network, wifi, notes)
    times = _read(TIME, root.get("time"), "time", notes)
    for kind in ("nts", "ntp"):
        _each(
            times[kind],
            root.get("time"),
            f"time.{kind}",
            lambda one: re.fullmatch(_HOST, one),
            "names of servers",
            notes,
        )
    if top["office"] and not _is_url(top["office"]):
        notes.wrong(root.get("office") or root, "office", TOP[0].shown)
    if top["code"] and not top["office"] and root.get("office") is None and files:
        notes.wrong(root, "office", "the office that the code is of", found="nothing")
    if not root.entries:
        notes.wrong(root, "file", "office:, code: or home:", found="nothing")
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    key = top["service_key"] if top["service_key"] != "none" else ""
    machine = Machine(network, wifi, apartment, tuple(times["nts"]), tuple(times["ntp"]), key)
    digits = top["ca_sha256"].replace(":", "").lower()
    named = frozenset(root.entries)
    return Provision(top["office"].rstrip("/"), ca, digits, top["code"], files, machine, named)


def addresses_of(text: str) -> Provision:
    """Of a file with mistakes what it says of networks, if that reads well: the panel tells of the others."""
    notes = Notes("")
    try:
        root = compose(text, "", notes.mistakes)
    except FileMistakes:
        return Provision()
    if not isinstance(root, Table):
        return Provision()
    network, wifi = _network(root.get("network"), notes)
    apartment = _apartment(root.get("apartment"), network, wifi, notes)
    if notes.mistakes:
        return Provision()
    named = frozenset(root.entries) & {"network", "apartment"}
    return Provision(machine=Machine(network, wifi, apartment), named=named)


def _is_url(text: str) -> bool:
    """Whether host and port are such as can be called."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        return parts.port != 0 and (
            ":" in host or all(0 < len(one) < 64 for one in host.removesuffix(".").split("."))
        )
    except ValueError:
        return False


def with_home(text: str, files: Mapping[str, str]) -> str:
    """A provisioning file with a home in it; JSON is YAML 1.2."""
    if not files:
        return text
    return f"{text.rstrip()}\nhome: {json.dumps({'files': dict(files)}, ensure_ascii=False)}\n".lstrip()


def _read(rows: tuple[Field, ...], node: Node | None, where: str, notes: Notes) -> dict[str, Any]:
    if node is None or is_nothing(node):
        return {row.name: row.default for row in rows}
    return read_table(rows, node, where, notes, Path())


def _ca(node: Node | None, notes: Notes) -> str:
    if node is None or is_nothing(node):
        return ""
    accepted = "certificates in PEM, from -----BEGIN CERTIFICATE----- on; in YAML below ca: |, indented"
    if not isinstance(node, Scalar) or len(node.text) > MOST_CA:
        notes.wrong(node, "ca", accepted)
        return ""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=node.text)
    except (ssl.SSLError, ValueError, TypeError):  # the last: not ASCII
        found = "a private key" if PRIVATE_KEY in node.text else "something else"
        notes.wrong(node, "ca", accepted, found=found)
        return ""
    return node.text


def _files(node: Node | None, notes: Notes) -> dict[str, str]:
    if node is None or is_nothing(node):
        return {}
    files = node.get("files") if isinstance(node, Table) else None
    if not isinstance(node, Table) or not isinstance(files, Table):
        notes.wrong(node, "home", "files:, and below it home.yaml: with the text of the file")
        return {}
    for name, (key, _) in node.entries.items():
        if name != "files":
            unknown_key(key, f"home.{name}", ("files",), notes)
    found = {}
    for name, (key, text) in files.entries.items():
        if not re.fullmatch(FILE, name):
            notes.wrong(
                key,
                f"home.files.{name}",
                "home.yaml or rules/NAME.yaml",
                suggestion=nearest(name, ("home.yaml",)),
            )
        elif not isinstance(text, Scalar) or not isinstance(text.value, str):
            notes.wrong(text, f"home.files.{name}", "the text of the file, below NAME: |")
        else:
            found[name] = text.text
    if "home.yaml" not in files.entries:
        notes.wrong(files, "home.files", "a home.yaml among them", found=listed(files.entries))
    return found


def _network(node: Node | None, notes: Notes) -> tuple[dict[str, Any], dict[str, str]]:
    if node is None or is_nothing(node):
        return {}, {}
    wifi: dict[str, str] = {}
    if isinstance(node, Table) and (inner := node.get("wifi")) is not None:
        wifi = read_table(WIFI, inner, "network.wifi", notes, Path())
        if len((wifi["ssid"] or "").encode()) > MOST_SSID:
            at = inner.get("ssid") if isinstance(inner, Table) else None
            notes.wrong(at or inner, "network.wifi.ssid", f"at most {MOST_SSID} bytes: å, ä, ö are two each")
        node = Table({k: v for k, v in node.entries.items() if k != "wifi"}, node.line, node.column)
    found = read_table(NETWORK, node, "network", notes, Path(), others=("wifi",))
    at = node if isinstance(node, Table) else None
    for name, check in (("address", ip_interface), ("gateway", ip_address)):
        text = found[name]
        if text and (not _is(check, text) or (name == "address" and "/" not in text)):
            row = next(row for row in NETWORK if row.name == name)
            notes.wrong((at and at.get(name)) or node, f"network.{name}", row.shown)
    if wifi and found["interface"] not in ("", WIRELESS):
        what = f"{WIRELESS}, or nothing, as there is wifi: that goes over no other"
        notes.wrong((at and at.get("interface")) or node, "network.interface", what)
    if found["gateway"] and not found["address"]:
        notes.wrong(node, "network.address", "an address, as there is a gateway", found="nothing")
    _each(found["dns"], node, "network.dns", lambda one: _is(ip_address, one), "addresses", notes)
    _each(found["domains"], node, "network.domains", lambda one: re.fullmatch(_HOST, one), "domains", notes)
    lists = {name: list(found[name]) for name in ("dns", "domains")}
    return {name: value for name, value in {**found, **lists}.items() if value}, wifi


def _apartment(
    node: Node | None, network: Mapping[str, Any], wifi: Mapping[str, str], notes: Notes
) -> dict[str, Any]:
    if node is None or is_nothing(node):
        return {}
    found = read_table(APARTMENT, node, "apartment", notes, Path())
    at = node if isinstance(node, Table) else None
    text = found["address"]
    if text and not ("/" in text and _is(ip_interface, text) and is_own(ip_interface(text).ip)):
        notes.wrong((at and at.get("address")) or node, "apartment.address", APARTMENT[1].shown)
    link = network.get("interface") or (WIRELESS if wifi else "")
    if found["interface"] and found["interface"] == link:
        notes.wrong(
            (at and at.get("interface")) or node, "apartment.interface", "another than the closed link's"
        )
    if text and not network.get("interface") and not wifi:
        notes.wrong(
            node, "network.interface", "which one is the closed link's, as there are two", found="nothing"
        )
    return found


def _each(
    texts: Any, node: Node | None, where: str, check: Callable[[str], object], accepted: str, notes: Notes
) -> None:
    section = node.get(where.rpartition(".")[2]) if isinstance(node, Table) else None
    items = section.items if isinstance(section, Listing) else ()
    for text, at in zip(texts or (), items, strict=False):
        if not check(text):
            notes.wrong(at, where, accepted)


def _is(check: Callable[[str], object], text: str) -> bool:
    """Without a zone (%eth0), which may be any text."""
    try:
        check(text)
    except ValueError:
        return False
    return "%" not in text
