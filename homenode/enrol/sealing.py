"""Whose signatures are obeyed is root's to keep, from the first home on.

Before there is a home, enrolment writes ``trust/`` beside it as it is told. Then root takes it over into a
folder of its own, before the gateway runs for the first time: nothing that runs as the node's user can name
another key, or one where none was. From then on a key gives way to another only by its own signature, or to a
person with the card.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from pathlib import Path

from homenode.config.model import SIGNERS
from homenode.configure.payload import TRUST
from homenode.enrol import state
from homenode.enrol.places import Places
from homenode.install.home_file import replace
from homenode.journal.segment import sync_folder
from homenode.update.files import read_file

log = logging.getLogger("homenode.enrol")

MOST_PEM = 4_000


def seal(places: Places) -> None:
    """Take over who is trusted, and follow a key to its successor. Raises OSError."""
    folder, given = places.sealed, places.config / TRUST
    if folder.is_dir():
        _follow(places, folder)
        if given.exists():
            log.warning("trust/ beside home.yaml counts for nothing", extra={"signers": str(folder)})
        return
    keys = {party: pem for party in SIGNERS if (pem := _read(given / f"{party}.pem"))}
    if not places.home.exists() or not (keys or places.office.exists()):
        return  # not yet, or a node by hand, whose owner may still bring them
    new = _fresh(folder.with_name(f"{TRUST}.new"))
    for party, pem in keys.items():
        replace(new / f"{party}.pem", pem.encode(), 0o644)
    new.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(given, ignore_errors=True)
    log.info("signers are root's to keep", extra={"parties": ", ".join(keys) or "none"})


def unseal(places: Places) -> None:
    """Somebody put a code on the card of a box without a home: its signers come anew. Raises OSError."""
    if places.sealed.is_dir() and not places.home.exists():
        shutil.rmtree(places.sealed)
        sync_folder(places.sealed.parent)


def _fresh(folder: Path) -> Path:
    """Empty, and open to all whatever the umask says; the one that it is in is only to be passed through."""
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def _follow(places: Places, folder: Path) -> None:
    said = state.read(places.successors).get("said")
    if not isinstance(said, list):
        return
    from homenode.configure.succession import followed

    for party in SIGNERS:
        path = folder / f"{party}.pem"
        if (before := _read(path)) and (now := followed(party, before, map(str, said))) != before:
            replace(path, now.encode(), 0o644)
            log.warning("a signer has another key, signed by the former one", extra={"party": party})


def _read(path: Path) -> str:
    """A public key (PEM) that the node's user may have written; "" if it is none."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = read_file(path, MOST_PEM).decode("ascii")
        return text if text.startswith("-----BEGIN PUBLIC KEY-----") else ""
    return ""
