"""office.yaml: where an office listens, how long certificates live."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.notes import Notes
from homenode.config.values import read_table
from homenode.config.yaml12 import Table, compose, read_text
from homenode.errors import FileMistakes, SetupError

NAME = "office.yaml"
_DAY_MS = 86_400_000
PORT = 8453
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*"

NAMES = "a host's name or address, such as office.example, without https:// and port"
LISTEN = f"ADDRESS:PORT, such as 0.0.0.0:{PORT}"

TOP = (
    Field("listen", "text", "Address and port that boxes call.", default=f"0.0.0.0:{PORT}"),
    Field(
        "names",
        "words",
        "Names and addresses by which boxes call it, the first one on labels.",
        required=True,
        default=(),
    ),
    Field(
        "life",
        "duration",
        "Of a box's certificate; it is renewed in the last third.",
        default=365 * _DAY_MS,
        low=60_000,
        high=3650 * _DAY_MS,
    ),
    Field(
        "factory", "path", "Who certified boxes in the factory (PEM); without it no such certificate counts."
    ),
    Field("bundles", "path", "Folder of update bundles."),
    Field("unknown", "flag", "Whether a box that nobody expects may ask to be approved.", default=True),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What office.yaml says; paths are whole."""

    folder: Path
    listen: str
    names: tuple[str, ...]
    life_ms: int
    factory: Path | None
    bundles: Path | None
    unknown: bool

    @property
    def port(self) -> int:
        """That it listens on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def url(self) -> str:
        """As a box calls it."""
        name = self.names[0]
        return f"https://{f'[{name}]' if ':' in name else name}:{self.port}"


def is_host(name: str) -> bool:
    """Whether it is a host's name or address, which a certificate can be for and a box can call."""
    try:
        return not getattr(ipaddress.ip_address(name), "scope_id", None)
    except ValueError:
        return re.fullmatch(_HOST, name) is not None


def is_listen(text: str) -> bool:
    """Whether it is ADDRESS:PORT."""
    host, _, port = text.rpartition(":")
    return is_host(host.strip("[]")) and port.isascii() and port.isdecimal() and int(port) <= 65535


def check_hosts(names: Sequence[str], option: str) -> None:
    """Of a command line. Raises SetupError."""
    for name in (one for one in names if not is_host(one)):
        try:
            plain = name.encode("idna").decode("ascii")
        except UnicodeError:
            plain = name
        do = f"write it as {plain}" if is_host(plain) else f"give {NAMES}"
        raise SetupError(f"{name!r} is no host", where=option, do=do)


def read_settings(folder: Path) -> Settings:
    """Of the office in `folder`.

    Raises:
        FileMistakes: All that is wrong with its file.
    """
    shown = os.fspath(folder / NAME)
    notes = Notes(shown)
    root = compose(read_text(folder / NAME, shown), shown, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with names:, listen:, …")
        raise FileMistakes(notes.mistakes)
    top = read_table(TOP, root, "", notes, folder.absolute())
    if not is_listen(top["listen"]):
        notes.wrong(root.get("listen") or root, "listen", LISTEN)
    node, path = root.get("factory"), top["factory"]
    if node is not None and path is not None and not path.is_file():
        notes.wrong(node, "factory", "a file that is there")
    if not top["names"] and "names" in root.entries:
        notes.wrong(root.entries["names"][1], "names", "at least one name")
    for name in (one for one in top["names"] if not is_host(one)):
        notes.wrong(root.entries["names"][1], "names", NAMES, found=name)
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    return Settings(
        folder,
        top["listen"],
        tuple(top["names"]),
        top["life"],
        top["factory"],
        top["bundles"],
        top["unknown"],
    )
