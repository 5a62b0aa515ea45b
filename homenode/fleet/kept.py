"""What an update has come to, in a folder: it goes on after a stop of the tool, and hears halt and resume."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homenode.errors import SetupError, StorageError
from homenode.fleet.rings import Rollout
from homenode.update import files

STATE, WISH = "update.json", "wish"
WISHES = ("halt", "resume", "cancel")


@dataclass
class Kept:
    """A rollout with its order.

    Attributes:
        args: Of the command ``update`` of the contract.
        by: Who ordered it.
    """

    rollout: Rollout
    args: dict[str, Any]
    by: str


def read(folder: Path) -> Kept | None:
    """What is kept there; None if nothing is.

    Raises:
        SetupError: It can't be read.
    """
    file = folder / STATE
    try:
        state = json.loads(file.read_bytes())
        return Kept(Rollout.load(state["rollout"]), dict(state["args"]), str(state["by"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        do = "move it away; homes that were ordered go on, and say so in homenode fleet list"
        raise SetupError(f"it can't be read: {error!r}", where=str(file), do=do) from error


def write(folder: Path, kept: Kept) -> None:
    """Keep it, whole or not at all.

    Raises:
        StorageError: The folder can't be written.
    """
    file = folder / STATE
    state = {"rollout": kept.rollout.dump(), "args": kept.args, "by": kept.by}
    put(file, json.dumps(state, ensure_ascii=False))


def put(file: Path, text: str) -> None:
    """Replace a file by one rename.

    Raises:
        StorageError: It can't be written.
    """
    try:
        files.write(file, text.encode())
    except OSError as error:
        raise StorageError(f"can't be written: {error.strerror}", where=str(file)) from error


def wish(folder: Path, word: str) -> None:
    """For the tool that runs on this folder."""
    put(folder / WISH, word)


def take_wish(folder: Path) -> str:
    """What somebody asked since the last look; "" for nothing."""
    taken = folder / f"{WISH}.taken"
    try:
        (folder / WISH).replace(taken)  # first: a wish that comes meanwhile is the next one
        word = taken.read_text().strip()
        taken.unlink()
    except OSError:
        return ""
    return word if word in WISHES else ""
