"""What an office, or a card, gives a box for its home: checked whole, then put in place, or told why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homenode.config.check import check_home
from homenode.config.rule_files import Texts
from homenode.enrol.places import Places
from homenode.enrol.steps import Why
from homenode.errors import Mistake
from homenode.install.home_file import replace

FILE = r"home\.yaml|rules/[a-z0-9_-]{1,64}\.yaml"
PARTIES = ("operator", "care")
MODE = 0o640
MOST_TOLD = 20


class NotTaken(Exception):
    """The home isn't put in its place.

    Attributes:
        why: For a person at the box.
        mistakes: In its files.
    """

    def __init__(self, why: Why, mistakes: tuple[Mistake, ...] = ()) -> None:
        self.why, self.mistakes = why, mistakes
        super().__init__(why.key)

    @property
    def text(self) -> str:
        """For the office."""
        return "\n".join(str(one) for one in self.mistakes[:MOST_TOLD]) or str(self.why.facts)


def take(places: Places, files: Mapping[str, str], home: str) -> None:
    """Check the files of a home, and put them in their place; home.yaml last, so that nothing half is run.

    Args:
        home: That the box is for; "" if only the files say it.

    Raises:
        NotTaken: They are wrong; what was there stays.
        OSError: The disk doesn't take them.
    """
    if "home.yaml" not in files or not all(re.fullmatch(FILE, name) for name in files):
        raise NotTaken(Why("home_wrong", {"text": ", ".join(files)[:200]}))
    kept = {places.config / name: text for name, text in files.items()}
    report = check_home(places.home, texts=Texts(kept))
    if report.home is not None and home and report.home.home not in ("", home):
        raise NotTaken(Why("other_home", {"found": report.home.home, "home": home}), report.mistakes)
    if report.mistakes:
        first = report.mistakes[0]
        raise NotTaken(Why("home_wrong", {"text": str(first)[:300]}), report.mistakes)
    rules = places.config / "rules"
    names = [name for name in files if name != "home.yaml"]
    if names:
        rules.mkdir(mode=0o770, exist_ok=True)
    for name in names:
        replace(places.config / name, files[name].encode(), MODE)
    replace(places.home, files["home.yaml"].encode(), MODE)


def trust(places: Places, found: Any) -> None:
    """Whose signatures are obeyed from now on. Raises OSError."""
    folder = places.config / "trust"
    for party in PARTIES:
        pem = found.get(party) if isinstance(found, dict) else None
        if isinstance(pem, str) and pem.startswith("-----BEGIN PUBLIC KEY-----") and len(pem) < 4_000:
            folder.mkdir(mode=0o770, exist_ok=True)
            path = folder / f"{party}.pem"
            if not path.exists() or path.read_text() != pem:
                replace(path, pem.encode(), MODE)


def files_of(found: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The files that an office gave without a signature, as nobody signs there; None if it gave none."""
    files = found.get("files")
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        return None
    return files
