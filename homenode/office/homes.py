"""The homes of an office, a git folder: `HOME/home.yaml` with `rules/`, and what was signed of it."""

from __future__ import annotations

import logging
import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

from homenode.config.model import HOME_ID, SIGNERS
from homenode.config.notes import nearest
from homenode.configure import place
from homenode.configure.office import SUCCESSORS, files_of, for_a_new_box, sheet
from homenode.configure.payload import TRUST
from homenode.errors import HomenodeError, Refused, SetupError

log = logging.getLogger("homenode.office")

FOLDER = "homes"


class Homes:
    """In `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._signed: dict[str, tuple[tuple[int, ...], str | None]] = {}

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
        return bool(re.fullmatch(HOME_ID, home)) and (self.folder / home / "home.yaml").is_file()

    def names(self) -> list[str]:
        """All homes."""
        return sorted(path.parent.name for path in self.folder.glob("*/home.yaml"))

    def files(self, home: str) -> dict[str, str]:
        """home.yaml and its own rules, by the name that they have on the node.

        Raises:
            Refused: They can't be read, or lead elsewhere: a link in git may name any file of the office.
        """
        root = self.folder / home
        there = place.files_there(root)
        within = root.resolve()
        if led := [name for name, path in there.items() if not path.resolve().is_relative_to(within)]:
            raise Refused(f"{home}/{led[0]} is a link out of the folder of {home}")
        try:
            return {name: path.read_text(encoding="utf-8") for name, path in there.items()}
        except (OSError, ValueError) as error:
            raise Refused(f"the files of {home} can't be read: {error}") from error

    def trust(self, home: str) -> dict[str, str]:
        """Party to its public key (PEM), of those who sign for a home; none if nobody does.

        Raises:
            Refused: As `files`.
        """
        for folder in self._trusts(home):
            found = {party: text for party in SIGNERS if (text := self._text(folder / f"{party}.pem"))}
            if found:
                return found
        return {}

    def successors(self, home: str) -> list[str]:
        """What former keys of those who sign for a home said of the ones that follow. Raises as `trust`."""
        files = [folder / f"{party}.{SUCCESSORS}" for folder in self._trusts(home) for party in SIGNERS]
        return [line for file in files for line in self._text(file).splitlines()]

    def _text(self, path: Path) -> str:
        """Of a file that is a box's to know; "" if it isn't there."""
        if not path.is_file():
            return ""
        shown = path.relative_to(self.folder)
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise Refused(f"{shown} is a link out of the folder of homes")
        try:
            return path.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise Refused(f"{shown} can't be read: {error}") from error

    def _trusts(self, home: str) -> tuple[Path, Path]:
        return self.folder / home / TRUST, self.folder / TRUST

    def signed(self, home: str) -> str | None:
        """The configuration that a new box takes (JWS); None if none is signed by all who have to."""
        keys = [folder / f"{party}.pem" for folder in self._trusts(home) for party in SIGNERS]
        files = [*sorted((self.folder / home).glob("signed.*json")), *keys]
        seen = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)
        if home not in self._signed or self._signed[home][0] != seen:  # looking takes a tenth of a second
            self._signed[home] = seen, self._looked_at(home)
        return self._signed[home][1]

    def lacks(self, home: str) -> str:
        """Why no new box can take a home yet, with what to do; "" if one can."""
        if not self.has(home):
            near = nearest(home, self.names())
            return f"{home} has no {FOLDER}/{home}/home.yaml yet{f': did you mean {near}?' if near else ''}"
        sign = self._sign(home)
        try:
            trust = self.trust(home)
            newest = sheet(self.folder / home) if trust else None
            if not trust or for_a_new_box(self.folder / home) is not None:
                return ""
        except HomenodeError as error:
            return f"{home} can't be given to a new box: {error}"
        if newest is None:
            return f"{home} is described, but not signed: {sign}"
        missing = _and(trust.keys() - newest.parties) or "those who sign by now"
        return f"{home} is not signed by {missing} yet: {sign}"

    def given(self, home: str) -> list[str]:
        """Which signed configuration a new box gets, and what is newer than that; nothing where nobody signs.

        Raises:
            HomenodeError: What is signed can't be read; then a home `lacks` something.
        """
        folder = self.folder / home
        found = for_a_new_box(folder) if self.trust(home) else None
        newest = sheet(folder) if found is not None else None
        if found is None or newest is None:
            return []
        number, last = found[0], newest.configuration
        told = [f"the new box gets configuration {number} of {home}"]
        if number < last.number:
            missing = _and(self.trust(home).keys() - newest.parties)
            told.append(f"that is older: {last.number} is not signed by {missing} yet")
        if files_of(folder) != last.files:
            told.append(f"that is older: {FOLDER}/{home} was changed since {last.number} was signed")
        if told[1:]:
            told.append(f"if that is to count: {self._sign(home)}")
        return told

    def _sign(self, home: str) -> str:
        return f"homenode configure sign {shlex.quote(str(self.folder / home))} --key FILE"

    def _looked_at(self, home: str) -> str | None:
        try:
            newest, found = sheet(self.folder / home), for_a_new_box(self.folder / home)
        except HomenodeError as error:
            log.warning("signed configuration unusable", extra={"home": home, "why": str(error)[:300]})
            return None
        if newest is not None and found is not None and found[0] < newest.configuration.number:
            fields = {"home": home, "number": found[0], "newest": newest.configuration.number}
            log.warning("a new box gets an older configuration, which all have signed", extra=fields)
        return found[1] if found is not None else None


def _and(parties: Iterable[str]) -> str:
    return " and ".join(sorted(parties))
