"""console.yaml: which receivers the console has, who may sign in and see what; every mistake in one run."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homenode.config.cameras import read_ice
from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.model import HOME_ID
from homenode.config.notes import Notes, listed, nearest, unknown_key
from homenode.config.rows import LANGUAGES
from homenode.config.values import WORD, read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, compose, is_nothing, read_text
from homenode.console.access import RELATIVE, ROLES, Grant
from homenode.console.rounds import Round
from homenode.errors import FileMistakes, SetupError
from homenode.listen.settings import Settings, read_settings

_HOUR_MS = 3_600_000

TOP = (
    Field("address", "text", "Address and port that it listens on.", default="127.0.0.1:8700"),
    Field(
        "url",
        "text",
        "As a browser calls it; the default is by its address, for one machine.",
        default="",
        pattern=r"https?://[A-Za-z0-9.\[\]:-]+/?",
        shown="https://HOST, without a path",
    ),
    Field("cert", "path", "Certificate, if no proxy before it has one (PEM)."),
    Field("key", "path", "Its private key (PEM)."),
    Field("proxy", "flag", "A proxy before it says in X-Forwarded-For who calls.", default=False),
    Field("language", "text", "Unless the browser prefers the other one.", default="sv", choices=LANGUAGES),
    Field("timezone", "text", "Of the times that are shown.", default="Europe/Stockholm"),
    Field("session", "duration", "So long a sign-in is good.", default=12 * _HOUR_MS, low=60_000),
    Field("idle", "duration", "So long without anybody doing something.", default=2 * _HOUR_MS, low=1_000),
    Field("roster", "flag", "Somebody has to be on duty at all times.", default=True),
)
ROLE = (
    Field("sees", "text", "What was sent to this party; a relative sees almost nothing.", required=True,
          choices=ROLES),
)  # fmt: skip
USER = (
    Field("name", "text", "As homes and colleagues are told.", required=True, pattern=r".{1,80}"),
    Field(
        "password",
        "text",
        "What `homenode console password` prints.",
        required=True,
        pattern=r"\$argon2id\$.{40,300}",
        shown="what `homenode console password` prints, in quotes",
        secret=True,
    ),
    Field("roles", "words", "Names of roles.", required=True),
    Field("screen", "flag", "A screen on a wall: stays signed in, shows and does nothing.", default=False),
)
OIDC = (
    Field(
        "issuer",
        "text",
        "URL of the provider.",
        required=True,
        pattern=r"https?://\S+",
        shown="https://HOST, as the provider calls itself",
    ),
    Field("client_id", "text", "Of this console, at the provider.", required=True),
    Field("client_secret_file", "path", "File that holds the secret, and nothing else.", required=True),
    Field("name", "text", "On the button.", default="OpenID"),
    Field("groups", "text", "Claim with the person's groups.", default="groups"),
    Field("scope", "text", "What the provider is asked for.", default="openid profile"),
)
ROUND = (
    Field("home", "text", "Id of the home.", required=True, pattern=HOME_ID),
    Field("camera", "word", "Its name in home.yaml.", required=True),
    Field("at", "times", "Times of day.", required=True, default=()),
)
SECTIONS = ("listen", "roles", "users", "oidc", "rounds", "ice")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in here."""

    id: str
    name: str
    password: str = field(repr=False)
    roles: tuple[str, ...] = ()
    screen: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody else who says who people are; `roles`: a group to what its people may."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    name: str = "OpenID"
    groups: str = "groups"
    scope: str = "openid profile"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Console:
    """What a console is to do; `relays` are for the browsers of those who look."""

    listen: tuple[Settings, ...]
    host: str
    port: int
    url: str
    tls: ssl.SSLContext | None
    proxy: bool
    language: str
    timezone: str
    session_ms: int
    idle_ms: int
    roster: bool
    roles: Mapping[str, Grant]
    users: Mapping[str, User]
    provider: Provider | None = None
    rounds: tuple[Round, ...] = ()
    relays: tuple[Mapping[str, str], ...] = field(default=(), repr=False)

    @property
    def related(self) -> frozenset[str]:
        """Homes of which a relative may see something."""
        homes = [grant.homes or () for grant in self.roles.values() if grant.role == RELATIVE]
        return frozenset(chain.from_iterable(homes))

    def grants(self, roles: tuple[str, ...]) -> tuple[Grant, ...]:
        """Of roles that there are."""
        return tuple(self.roles[name] for name in roles if name in self.roles)


def read_console(path: str) -> tuple[Console, list[Notes]]:
    """The settings, and what is to be warned of.

    Raises:
        FileMistakes: Everything that is wrong with the file, or with a listen.yaml that it names.
        SetupError: A certificate can't be used.
    """
    notes, absolute = Notes(path), Path(os.path.abspath(path))
    root = compose(read_text(absolute, path), path, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with listen:, roles:, users:, …")
        raise FileMistakes(notes.mistakes)
    beside, warned = absolute.parent, [notes]
    own = {name: entry for name, entry in root.entries.items() if name not in SECTIONS}
    known = [*(row.name for row in TOP), *SECTIONS]
    for name in [name for name in own if name not in known]:
        unknown_key(own.pop(name)[0], name, known, notes)
    top = read_table(TOP, Table(own, root.line, root.column), "", notes, beside)
    try:
        ZoneInfo(top["timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        notes.wrong(root.entries["timezone"][1], "timezone", "a time zone such as Europe/Stockholm")
    host, port = _address(top["address"], root, notes)
    listen = _listen(root, notes, beside, warned)
    roles = _roles(root.get("roles"), notes, beside)
    users = _users(root.get("users"), roles, notes, beside)
    provider = _oidc(root.get("oidc"), roles, notes, beside)
    if not users and provider is None:
        notes.wrong(root, "users", "users:, or oidc:, or nobody can sign in", found="nothing")
    rounds = _rounds(root.get("rounds"), notes, beside)
    relays = _relays(root.get("ice"), notes, beside)
    if (top["cert"] is None) != (top["key"] is None):
        notes.wrong(root, "cert", "cert: and key:, or neither", found="one of them")
    url = _origin(top["url"])
    if not url and host in ("0.0.0.0", "::"):
        notes.wrong(root, "url", "https://HOST, as browsers call it, since address: means every network")
    if url.startswith("http:") and urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1"):
        notes.warn(root.entries["url"][1], "url", "https://, as passwords and alerts go over it")
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    return Console(
        listen, host, port, url, _tls(top["cert"], top["key"]), top["proxy"], top["language"],
        top["timezone"], top["session"], top["idle"], top["roster"], roles, users, provider, rounds, relays,
    ), warned  # fmt: skip


def _origin(url: str) -> str:
    """As browsers write it: they compare it letter by letter."""
    known = url.rstrip("/").lower()
    return known.removesuffix(":443" if known.startswith("https:") else ":80")


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:
        raise SetupError("the certificate can't be used", where=str(cert), do=str(error)) from error
    return context


def _address(text: str, root: Table, notes: Notes) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        notes.wrong(root.entries["address"][1], "address", "an address and a port, such as 127.0.0.1:8700")
        return "", 0
    return host.strip("[]"), int(port)


def _listen(root: Table, notes: Notes, beside: Path, warned: list[Notes]) -> tuple[Settings, ...]:
    node = root.get("listen")
    found: list[Settings] = []
    if node is None or is_nothing(node):
        notes.wrong(root, "listen", "a listen.yaml, or a list of them, one for each party", found="nothing")
        return ()
    for item in node.items if isinstance(node, Listing) else (node,):
        if not isinstance(item, Scalar):
            notes.wrong(item, "listen", "a listen.yaml, or a list of them, one for each party")
            continue
        settings, said = read_settings(str(beside / item.text))
        warned.append(said)
        if settings.broker is None:
            notes.wrong(item, "listen", "one with broker:, as a console is one receiver", found="nats:")
        elif settings.party not in ROLES or any(one.party == settings.party for one in found):
            notes.wrong(item, "listen", "care or property, each once", found=settings.party)
        else:
            found.append(settings)
    return tuple(found)


def _roles(node: Node | None, notes: Notes, beside: Path) -> dict[str, Grant]:
    roles: dict[str, Grant] = {}
    for name, key, value in _entries(node, "roles", "a name, each {sees: care, homes: all}", notes):
        where = f"roles.{name}"
        values = read_table(ROLE, _without("homes", value), where, notes, beside, others=("homes",))
        homes = value.get("homes") if isinstance(value, Table) else None
        if homes is None:
            notes.wrong(key, f"{where}.homes", "all, or a list of ids of homes", found="nothing")
        elif isinstance(homes, Scalar) and homes.text == "all" and values["sees"] != "relative":
            roles[name] = Grant(values["sees"] or "", None)
        else:
            items = homes.items if isinstance(homes, Listing) else ()
            ids = [
                item.text for item in items if isinstance(item, Scalar) and re.fullmatch(HOME_ID, item.text)
            ]
            wrong = [item for item in items if not isinstance(item, Scalar) or item.text not in ids]
            for node in wrong or ([] if ids else [homes]):
                notes.wrong(node, f"{where}.homes", "a list of ids of homes, such as [vaxjo-0412]")
            roles[name] = Grant(values["sees"] or "", frozenset(ids))
    return roles


def _users(node: Node | None, roles: Mapping[str, Grant], notes: Notes, beside: Path) -> dict[str, User]:
    users: dict[str, User] = {}
    for name, _, value in _entries(node, "users", "a name, each {name:, password:, roles: []}", notes):
        where = f"users.{name}"
        values = read_table(USER, value, where, notes, beside)
        _known(values["roles"] or (), roles, value, f"{where}.roles", notes)
        known = values["name"] or "", values["password"] or "", values["roles"] or ()
        users[name] = User(name, *known, bool(values["screen"]))
    return users


def _oidc(node: Node | None, roles: Mapping[str, Grant], notes: Notes, beside: Path) -> Provider | None:
    if node is None or is_nothing(node):
        return None
    values = read_table(OIDC, _without("roles", node), "oidc", notes, beside, others=("roles",))
    given: dict[str, tuple[str, ...]] = {}
    table = node.get("roles") if isinstance(node, Table) else None
    for group, (_, value) in table.entries.items() if isinstance(table, Table) else ():
        items = value.items if isinstance(value, Listing) else (value,)
        given[group] = tuple(item.text for item in items if isinstance(item, Scalar))
        _known(given[group], roles, value, f"oidc.roles.{group}", notes)
    if not given:
        notes.wrong(node, "oidc.roles", "a group of the provider to roles, such as {night: [night_team]}")
    path = values["client_secret_file"]
    secret = "" if path is None else _secret(path, node, "oidc.client_secret_file", notes)
    issuer, client = (values["issuer"] or "").rstrip("/"), values["client_id"] or ""
    return Provider(issuer, client, secret, values["name"], values["groups"], values["scope"], given)


def _secret(path: Path, at: Node, where: str, notes: Notes) -> str:
    try:
        return path.read_text().strip()
    except (OSError, ValueError) as error:
        notes.wrong(at, where, "a file that can be read", found=str(error))
        return ""


def _known(names: tuple[str, ...], roles: Mapping[str, Grant], at: Node, where: str, notes: Notes) -> None:
    for name in names:
        if name not in roles:
            notes.wrong(at, where, listed(roles), found=name, suggestion=nearest(name, roles))


def _rounds(node: Node | None, notes: Notes, beside: Path) -> tuple[Round, ...]:
    rounds: list[Round] = []
    if node is None or is_nothing(node):
        return ()
    if not isinstance(node, Listing):
        notes.wrong(
            node, "rounds", 'a list, each entry as {home: vaxjo-0412, camera: bedroom, at: ["23:00"]}'
        )
        return ()
    for number, entry in enumerate(node.items, 1):
        values = read_table(ROUND, entry, f"rounds.{number}", notes, beside)
        rounds.append(Round(values["home"] or "", values["camera"] or "", values["at"]))
    return tuple(rounds)


def _relays(node: Node | None, notes: Notes, beside: Path) -> tuple[Mapping[str, str], ...]:
    """As a browser is told of them: written as in home.yaml."""
    ice = read_ice(node, notes, beside, files=False)
    who = {"username": ice.username} if ice.username else {}
    if node is not None and ice.password_file is not None:
        who["credential"] = _secret(ice.password_file, node, "ice.password_file", notes)
    return tuple({"urls": url, **who} for url in ice.urls)


def _without(name: str, node: Node) -> Node:
    """The rows of a table that are read by their type."""
    if not isinstance(node, Table):
        return node
    rest = {key: entry for key, entry in node.entries.items() if key != name}
    return Table(rest, node.line, node.column)


def _entries(node: Node | None, where: str, shape: str, notes: Notes) -> list[tuple[str, Node, Node]]:
    """Name, key and value of a mapping of names."""
    if node is None or is_nothing(node):
        return []
    if not isinstance(node, Table):
        notes.wrong(node, where, f"a mapping of {shape}")
        return []
    found: list[tuple[str, Node, Node]] = []
    for name, (key, value) in node.entries.items():
        if re.fullmatch(WORD, name):
            found.append((name, key, value))
        else:
            notes.wrong(key, where, "a name of a-z, 0-9, _ and -")
    return found
