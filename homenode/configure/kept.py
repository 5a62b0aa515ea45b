"""Which number a node runs on, and the highest that it ever took: none before that is taken any more."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from homenode.configure import place
from homenode.configure.payload import Configuration, decode
from homenode.configure.taking import newer
from homenode.errors import Refused
from homenode.install.home_file import replace

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
    there = place.files_there(beside).items()
    return {name: path.read_text("utf-8", "replace") for name, path in there if path.exists()}


def _remembered(data: Path, home: str) -> tuple[int, str]:
    """Number and checksum of the last one that was taken for this home."""
    try:
        taken = json.loads((data / NAME).read_bytes())
        return (int(taken["number"]), str(taken.get("sha256"))) if taken["home"] == home else (0, "")
    except FileNotFoundError:
        return 0, ""
    except (KeyError, TypeError) as error:
        raise ValueError(f"{NAME} is damaged: {error}") from error


def follows(data: Path, beside: Path, new: Configuration) -> Running | None:
    """What the node runs on, if this may come now: a later one, or once more the last, or the one that runs.

    Raises:
        Old: It may not.
        Refused: Which was taken last is damaged.
        OSError: It can't be read.
    """
    try:
        now, (number, sha256) = running(beside), _remembered(data, new.home)
    except ValueError as error:
        raise Refused(f"which number was taken last can't be read: {error}") from error
    runs = now.configuration.number if now is not None and now.configuration.home == new.home else 0
    taken = max(runs, number)
    last = new.number == taken == number and sha256 == _checksum(new)
    if not last and (now is None or now.configuration != new):
        newer(new.number, taken)
    return now


def remember(data: Path, configuration: Configuration) -> None:
    """It was taken. Raises OSError."""
    sha256 = _checksum(configuration)
    taken = {"home": configuration.home, "number": configuration.number, "sha256": sha256}
    replace(data / NAME, json.dumps(taken).encode(), 0o600)


def _checksum(configuration: Configuration) -> str:
    return hashlib.sha256(configuration.encode()).hexdigest()
