"""Which number a node runs on, and the highest that it ever took: an older one is never taken again."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from homenode.configure import place
from homenode.configure.payload import HOME_YAML, Configuration, decode
from homenode.errors import Refused
from homenode.journal.segment import sync_folder

NAME = "configured.json"
"""In the node's data: outlives a folder that somebody cleared."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a node runs on.

    Attributes:
        configuration: As it was signed.
        touched: The files are others than those signed: somebody at the node changed them.
    """

    configuration: Configuration
    touched: bool

    def shown(self) -> dict[str, object]:
        """For the operator's status."""
        told: dict[str, object] = {"number": self.configuration.number, "at": self.configuration.at}
        return told | ({"changed": True} if self.touched else {})


def running(beside: Path) -> Running | None:
    """What was taken last; None if nothing signed was. Nothing is verified: that was done as it came.

    Raises:
        OSError: It can't be read.
        ValueError: It is damaged.
    """
    text = place.signed(beside)
    if text is None:
        return None
    try:
        payload = str(json.loads(text)["payload"])
        configuration = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (KeyError, TypeError, ValueError, Refused) as error:
        raise ValueError(f"{place.SIGNED} is damaged: {error}") from error
    return Running(configuration, _files(beside) != configuration.files)


def _files(beside: Path) -> dict[str, str]:
    """What stands there of what a configuration may bring."""
    rules = sorted((beside / place.RULES).glob("*.yaml"))
    return {
        str(path.relative_to(beside)): path.read_text("utf-8", "replace")
        for path in (beside / HOME_YAML, *rules)
    }


def highest(data: Path, beside: Path) -> int:
    """The highest number that was ever taken; 0 if none was.

    Raises:
        OSError: That can't be read.
        ValueError: It is damaged.
    """
    taken = 0
    with contextlib.suppress(FileNotFoundError):
        taken = int(json.loads((data / NAME).read_bytes())["number"])
    now = running(beside)
    return max(taken, now.configuration.number if now is not None else 0)


def remember(data: Path, configuration: Configuration) -> None:
    """It was taken. Raises OSError."""
    new = data / f"{NAME}.new"
    with new.open("w") as file:
        json.dump({"home": configuration.home, "number": configuration.number}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(data / NAME)
    sync_folder(data)
