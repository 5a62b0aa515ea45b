"""The homes of an office, a git folder: `HOME/home.yaml` with `rules/`, and what was signed of it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.errors import SetupError
from homenode.office.decide import HOME

FOLDER = "homes"
SIGNED = "signed.json"
"""The JWS of what is in force, as a node takes it (`homenode.configure`)."""
MOST_BYTES = 1_000_000


class Homes:
    """In `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> None:
        """An empty git folder.

        Raises:
            SetupError: git isn't there or doesn't want to.
        """
        self.folder.mkdir(exist_ok=True)
        if not (self.folder / ".git").exists():
            try:
                subprocess.run(["git", "init", "-q", str(self.folder)], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise SetupError("git can't make the folder of homes", where=str(self.folder),
                                 do="apt install git") from error  # fmt: skip

    def has(self, home: str) -> bool:
        """Whether the home is described."""
        return bool(re.fullmatch(HOME, home)) and (self.folder / home / "home.yaml").is_file()

    def names(self) -> list[str]:
        """All homes."""
        return sorted(path.parent.name for path in self.folder.glob("*/home.yaml"))

    def files(self, home: str) -> dict[str, str]:
        """home.yaml and its own rules, by the name that they have on the node. Raises OSError, ValueError."""
        root = self.folder / home
        paths = [root / "home.yaml", *sorted((root / "rules").glob("*.yaml"))]
        return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}

    def signed(self, home: str) -> Mapping[str, Any] | None:
        """The configuration as it was signed; None if it wasn't yet."""
        try:
            data = (self.folder / home / SIGNED).read_bytes()
            found = json.loads(data) if len(data) <= MOST_BYTES else None
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None
