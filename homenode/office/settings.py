"""office.yaml: where an office listens, how long certificates live."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.notes import Notes
from homenode.config.values import read_table
from homenode.config.yaml12 import Table, compose, read_text
from homenode.errors import FileMistakes

NAME = "office.yaml"
_DAY_MS = 86_400_000
PORT = 8453

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
    host, _, port = top["listen"].rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        notes.wrong(root.get("listen") or root, "listen", f"ADDRESS:PORT, such as 0.0.0.0:{PORT}")
    node, path = root.get("factory"), top["factory"]
    if node is not None and path is not None and not path.is_file():
        notes.wrong(node, "factory", "a file that is there")
    if not top["names"] and "names" in root.entries:
        notes.wrong(root.entries["names"][1], "names", "at least one name")
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
