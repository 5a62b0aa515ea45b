"""What an office, or a card, gives a box for its home: checked whole, then put in place, or told why not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.check import check_home
from homenode.config.model import SIGNERS
from homenode.config.rule_files import Texts
from homenode.config.yaml12 import Scalar, Table, compose, read_text
from homenode.configure.first import first
from homenode.configure.payload import FILE
from homenode.configure.taking import Mistaken, named
from homenode.enrol import words
from homenode.enrol.places import Places
from homenode.enrol.state import read
from homenode.enrol.steps import Why
from homenode.errors import FileMistakes, Mistake, Refused, SetupError
from homenode.install.home_file import replace

MODE = 0o640
MOST_TOLD = 20


class NotTaken(Exception):
    """The home isn't put in its place.

    Attributes:
        why: For a person at the box.
        mistakes: In its files.
    """

    def __init__(self, why: Why, mistakes: Sequence[Mistake] = (), told: Sequence[str] = ()) -> None:
        self.why, self.mistakes = why, [*(str(one) for one in mistakes), *told]
        super().__init__(why.key)

    @property
    def text(self) -> str:
        """For the office."""
        return "\n".join(self.mistakes[:MOST_TOLD]) or words.said(self.why)["why"]["en"]


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
    mistakes = [named(one, places.config) for one in report.mistakes]
    if report.home is not None and home and report.home.home not in ("", home):
        raise NotTaken(Why("other_home", {"found": report.home.home, "home": home}), mistakes)
    if mistakes:
        raise NotTaken(Why("home_wrong", {"text": str(mistakes[0])[:300]}), mistakes)
    rules = places.config / "rules"
    names = [name for name in files if name != "home.yaml"]
    for old in rules.glob("*.yaml"):
        if f"rules/{old.name}" not in names:
            old.unlink()  # of a try that was cut short: it would stand before a shipped rule of its name
    if names:
        rules.mkdir(mode=0o770, exist_ok=True)
    for name in names:
        replace(places.config / name, files[name].encode(), MODE)
    replace(places.home, files["home.yaml"].encode(), MODE)


def take_signed(places: Places, jws: str, home: str) -> None:
    """Put a signed configuration in its place, the first of this box for this home; `trust` comes first.

    Raises:
        NotTaken: It isn't signed by whom it has to be, is for another home, or has mistakes.
        OSError: The disk doesn't take it.
    """
    try:
        first(places.config, places.data, jws, home, places.signers)
    except Mistaken as wrong:
        raise NotTaken(Why("home_wrong", {"text": str(wrong)[:300]}), told=wrong.mistakes) from wrong
    except (Refused, SetupError) as wrong:
        raise NotTaken(Why("home_unsigned", {"text": str(wrong)[:300]})) from wrong


def of_home(places: Places) -> str:
    """Id of the home that is described here; "" if it can't be read."""
    try:
        root = compose(read_text(places.home, "home.yaml"), "home.yaml", [])
    except FileMistakes:
        return ""
    found = root.get("home") if isinstance(root, Table) else None
    return found.text if isinstance(found, Scalar) else ""


def trust(places: Places, found: Any) -> list[str]:
    """Whose signatures are obeyed from now on. Raises OSError.

    Returns:
        Parties of which another key is trusted already, or none although there is a home: who gives homes
        their boxes can't so sign as care.
    """
    folder, others = places.signers, []
    said = found.get("successors") if isinstance(found, dict) else None
    said = [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
    for party in SIGNERS:
        pem = found.get(party) if isinstance(found, dict) else None
        if isinstance(pem, str) and pem.startswith("-----BEGIN PUBLIC KEY-----") and len(pem) < 4_000:
            path = folder / f"{party}.pem"
            if not path.exists() and not places.home.exists() and folder != places.sealed:
                folder.mkdir(mode=0o770, exist_ok=True)
                replace(path, pem.encode(), MODE)
            elif not path.exists() or not _leads(party, path.read_text(), pem, said):
                others.append(party)
    if said and said != read(places.successors).get("said"):
        replace(places.successors, json.dumps({"said": said}).encode(), MODE)  # root looks at it (`sealing`)
    return others


def _leads(party: str, present: str, pem: str, said: Sequence[str]) -> bool:
    """Whether it is the key that is trusted, or one that this was followed by."""
    if present.split() == pem.split():
        return True
    from homenode.configure.succession import followed

    return bool(said) and followed(party, present, said).split() == pem.split()


def files_of(places: Places, found: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The files that an office gave without a signature, as nobody signs there; None if it gave none."""
    files = found.get("files")
    if any(places.signers.glob("*.pem")):
        return None
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        return None
    return files
