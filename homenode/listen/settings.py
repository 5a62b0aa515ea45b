"""listen.yaml: whom the receiver hears, and who is handed what; every mistake in one run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from homenode.config.broker import read_broker
from homenode.config.fields import Field
from homenode.config.keys import read_key
from homenode.config.load import in_order
from homenode.config.model import HOME_ID, PARTIES, Broker
from homenode.config.notes import Notes, listed, nearest, unknown_key
from homenode.config.rows import BROKER, LANGUAGES
from homenode.config.rule_files import Texts
from homenode.config.values import WORD, read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, compose, is_nothing, read_text
from homenode.errors import FileMistakes
from homenode.listen.plan import SEVERITIES, Plan, Stage

PRINT = "print"
"""The target that is always there: a line on standard output."""

TOP = (
    Field("party", "text", "Whose alerts are heard.", required=True, choices=PARTIES),
    Field("language", "text", "Language of the lines that are printed.", default="sv", choices=LANGUAGES),
    Field(
        "silent_after", "duration", "Not heard for so long, a home is silent.", default=180_000, low=10_000
    ),
    Field("group", "word", "Receivers of one group share the work (nats).", default="desk"),
)
SECTIONS = ("broker", "nats", "keys", "homes", "targets", "to", "escalate")
TARGET = (
    Field("run", "words", "A command; it gets the event as JSON on standard input."),
    Field("apprise", "words", "URLs of apprise: SMS, mail, push."),
    Field("acknowledges", "flag", "Once it took an alert, a person has it: the home is told.", default=False),
    Field("by", "text", "Who that is; the command's first line of output, if it prints one.", default=""),
    Field("timeout", "duration", "So long it may take.", default=30_000, low=1_000, high=600_000),
)
STAGE = (
    Field("after", "duration", "Nobody has acknowledged for so long.", required=True, low=1),
    Field("to", "words", "Targets.", required=True),
    Field("severity", "words", "Of which alerts.", default=("warning", "alarm"), choices=SEVERITIES),
)
KEYS = tuple(row for row in BROKER if row.name != "heartbeat")
"""How NATS knows us, by the names that `broker:` has for it."""

API = Field(
    "api",
    "text",
    "How the homes' account is reached, if the receivers have another one.",
    default="",
    pattern=r"[A-Za-z0-9_.-]{1,60}",
    shown="a prefix of subjects of NATS, such as homes",
)

_URL = "tls://HOST or tls://HOST:PORT (nats:// without encryption), or a list of these"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes alerts; exactly one of `run` and `apprise` is there."""

    name: str
    run: tuple[str, ...] = ()
    apprise: tuple[str, ...] = ()
    acknowledges: bool = False
    by: str = ""
    timeout_ms: int = 30_000

    @property
    def parts(self) -> tuple[str, ...]:
        """What of it takes by itself: each URL, if there are several."""
        if len(self.apprise) < 2:
            return (self.name,)
        return tuple(f"{self.name}.{number}" for number in range(1, len(self.apprise) + 1))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a receiver is to do.

    Attributes:
        homes: Only these; empty for all.
        nats: Servers of NATS, if receivers share the work there.
        api: Prefix of JetStream's API for the homes' account; "" if it is ours.
        keys: The party's private keys, as PEM.
    """

    party: str
    broker: Broker | None = None
    nats: Broker | None = None
    group: str = "desk"
    language: str = "sv"
    api: str = ""
    keys: tuple[str, ...] = field(default=(), repr=False)
    homes: tuple[str, ...] = ()
    silent_after_ms: int = 180_000
    targets: Mapping[str, Target] = field(default_factory=dict)
    to: tuple[str, ...] = (PRINT,)
    stages: tuple[Stage, ...] = ()

    def plan(self) -> Plan:
        """What of it the core decides by."""
        has = {name: target.by or name for name, target in self.targets.items() if target.acknowledges}
        stages = tuple(replace(stage, to=self._parts(stage.to)) for stage in self.stages)
        return Plan(self.party, self._parts(self.to), stages, has)

    def _parts(self, names: tuple[str, ...]) -> tuple[str, ...]:
        each = {name: target.parts for name, target in self.targets.items()}
        return tuple(part for name in names for part in each.get(name, (name,)))


def read_settings(path: str) -> tuple[Settings, Notes]:
    """The settings, and warnings.

    Raises:
        FileMistakes: Everything that is wrong with the file.
    """
    notes, absolute = Notes(path), Path(os.path.abspath(path))
    root = compose(read_text(absolute, path), path, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with party:, broker:, to:, …")
        raise FileMistakes(notes.mistakes)
    if {"home", "devices"} <= root.entries.keys():
        notes.wrong(root, "file", "a receiver's, with party:, broker:, to:, …", found="the file of a home")
        raise FileMistakes(notes.mistakes)
    settings = _settings(root, notes, absolute.parent)
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    return settings, notes


def _settings(root: Table, notes: Notes, beside: Path) -> Settings:
    own = {name: entry for name, entry in root.entries.items() if name not in SECTIONS}
    known = [*(row.name for row in TOP), *SECTIONS]
    for name in [name for name in own if name not in known]:
        unknown_key(own.pop(name)[0], name, known, notes)
    top = read_table(TOP, Table(own, root.line, root.column), "", notes, beside)
    broker, nats = root.get("broker"), root.get("nats")
    if broker is None and nats is None:
        notes.wrong(root, "broker", "{url: mqtts://HOST}, or nats: with several receivers", found="nothing")
    elif broker is not None and nats is not None:
        notes.wrong(root.entries["nats"][0], "nats", "either broker: or nats:", found="both")
    servers, api = (None, "") if nats is None else _nats(nats, notes, beside)
    targets = _targets(root.get("targets"), notes, beside)
    to = _to(root.get("to"), "to", targets, notes) if "to" in root.entries else (PRINT,)
    return Settings(
        party=top["party"] or "",
        broker=read_broker(broker, notes, beside, {}, files=True),
        nats=servers,
        api=api,
        group=top["group"],
        language=top["language"],
        keys=_keys(root.get("keys"), notes, beside),
        homes=_homes(root.get("homes"), notes),
        silent_after_ms=top["silent_after"],
        targets=targets,
        to=to,
        stages=_stages(root.get("escalate"), targets, notes, beside),
    )


def _nats(node: Node, notes: Notes, beside: Path) -> tuple[Broker, str]:
    """Servers: a URL, a list of them, or a mapping with url:, keys as in broker:, and api:."""
    url, values, api = node, {}, ""
    if isinstance(node, Table):
        url = node.get("url") or node
        rest = {name: entry for name, entry in node.entries.items() if name != "url"}
        values = read_table((*KEYS, API), Table(rest, node.line, node.column), "nats", notes, beside)
        api = values.pop("api")
        for name in ("password_file", "ca", "cert", "key"):
            if values[name] is not None and not values[name].is_file():
                found = f"{node.get(name)}, which isn't there"
                notes.wrong(
                    node.entries[name][1], f"nats.{name}", "a file, relative to this one", found=found
                )
    urls = []
    for item in url.items if isinstance(url, Listing) else (url,):
        if isinstance(item, Scalar) and re.fullmatch(r"(nats|tls)://[^/@\s]+", item.text):
            urls.append(item.text)
        else:
            notes.wrong(item, "nats.url", _URL, found=str(item).rpartition("@")[2])
    if not urls and isinstance(url, Listing):
        notes.wrong(url, "nats.url", _URL)
    return Broker(tuple(urls), **values), api


def _keys(node: Node | None, notes: Notes, beside: Path) -> tuple[str, ...]:
    """A file, or a list of them while one takes the place of another."""
    keys: list[str] = []
    if node is None or is_nothing(node):
        return ()
    texts = Texts()
    for item in node.items if isinstance(node, Listing) else (node,):
        if not isinstance(item, Scalar) or is_nothing(item):
            notes.wrong(item, "keys", "a file, relative to this one, or a list of them")
        else:
            keys.append(read_key(item, "keys", beside / item.text, notes, texts, private=True))
    return tuple(keys)


def _homes(node: Node | None, notes: Notes) -> tuple[str, ...]:
    if node is None or is_nothing(node) or (isinstance(node, Scalar) and node.text == "all"):
        return ()
    homes = []
    if isinstance(node, Listing) and not node.items:
        notes.wrong(node, "homes", "all, or a list of ids of homes, such as vaxjo-0412")
    for item in node.items if isinstance(node, Listing) else (node,):
        if isinstance(item, Scalar) and re.fullmatch(HOME_ID, item.text):
            homes.append(item.text)
        else:
            notes.wrong(item, "homes", "all, or a list of ids of homes, such as vaxjo-0412")
    return tuple(homes)


def _targets(node: Node | None, notes: Notes, beside: Path) -> dict[str, Target]:
    targets: dict[str, Target] = {}
    if node is None or is_nothing(node):
        return targets
    if not isinstance(node, Table):
        notes.wrong(node, "targets", "a mapping of names, each {run: [COMMAND, …]} or {apprise: [URL, …]}")
        return targets
    for name, (key, value) in node.entries.items():
        where = f"targets.{name}"
        if name == PRINT or not re.fullmatch(WORD, name):
            notes.wrong(key, where, f"a name of a-z, 0-9, _ and -, other than {PRINT}")
            continue
        values = read_table(TARGET, value, where, notes, beside)
        run, urls = values["run"], values["apprise"]
        if isinstance(value, Table) and bool(run) == bool(urls):
            found = "both" if run else "neither"
            notes.wrong(key, where, "run: [COMMAND, …] or apprise: [URL, …]", found=found)
        elif run and shutil.which(run[0]) is None:
            notes.warn(key, f"{where}.run", "a program that can be run", found=f"{run[0]!r}, which can't")
        targets[name] = Target(
            name, run or (), urls or (), values["acknowledges"], values["by"], values["timeout"]
        )
    return targets


def _to(node: Node | None, where: str, targets: Mapping[str, Target], notes: Notes) -> tuple[str, ...]:
    known = (PRINT, *targets)
    items = node.items if isinstance(node, Listing) else () if node is None else (node,)
    if not items and node is not None:
        notes.wrong(node, where, f"at least one of {listed(known)}")
    names: list[str] = []
    for item in items:
        if not isinstance(item, Scalar) or item.text not in known:
            near = nearest(item.text, known) if isinstance(item, Scalar) else ""
            notes.wrong(item, where, listed(known), suggestion=near)
        elif item.text not in names:
            names.append(item.text)
    return tuple(names)


def _stages(
    node: Node | None, targets: Mapping[str, Target], notes: Notes, beside: Path
) -> tuple[Stage, ...]:
    if node is None or is_nothing(node):
        return ()
    if not isinstance(node, Listing):
        notes.wrong(node, "escalate", "a list, each entry as {after: 5 min, to: [TARGET]}")
        return ()
    stages = []
    for number, entry in enumerate(node.items, 1):
        where = f"escalate.{number}"
        values = read_table(STAGE, entry, where, notes, beside)
        to = entry.get("to") if isinstance(entry, Table) else None
        names = _to(to, f"{where}.to", targets, notes) if isinstance(to, Listing) else ()
        if values["after"] and names:
            stages.append(Stage(values["after"], names, values["severity"]))
    return tuple(sorted(stages, key=lambda stage: stage.after_ms))
