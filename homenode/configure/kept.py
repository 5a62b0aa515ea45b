"""Which number a node runs on, and the highest that it ever took: an older one is never taken again."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from homenode.configure import place
from homenode.configure.payload import HOME_YAML, Configuration, decode
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
    rules = sorted((beside / place.RULES).glob("*.yaml"))
    return {
        str(path.relative_to(beside)): path.read_text("utf-8", "replace")
        for path in (beside / HOME_YAML, *rules)
        if path.exists()
    }


def highest(data: Path, beside: Path, home: str) -> int:
    """The highest number that was ever taken for this home; 0 if none was.

    Raises:
        OSError: That can't be read.
        ValueError: It is damaged.
    """
    numbers = [0]
    with contextlib.suppress(FileNotFoundError):
        try:
            taken = json.loads((data / NAME).read_bytes())
            numbers += [int(taken["number"])] if taken["home"] == home else []
        except (KeyError, TypeError) as error:
            raise ValueError(f"{NAME} is damaged: {error}") from error
    now = running(beside)
    if now is not None and now.configuration.home == home:
        numbers.append(now.configuration.number)
    return max(numbers)


def remember(data: Path, configuration: Configuration) -> None:
    """It was taken. Raises OSError."""
    taken = {"home": configuration.home, "number": configuration.number}
    replace(data / NAME, json.dumps(taken).encode(), 0o600)
