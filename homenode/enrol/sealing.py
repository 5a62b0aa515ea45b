"""Whose signatures are obeyed is root's to keep, from the first home on.

Before there is a home, enrolment writes ``trust/`` as it is told. Then root takes it over, before the gateway
runs for the first time: nothing that runs as the node's user can name another key, or one where none was.
From then on a key gives way to another only by its own signature, or to a person with the card.
/etc/homenode itself is sticky, so that ``trust`` can't be put aside, either.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
from pathlib import Path

from homenode.config.model import SIGNERS
from homenode.configure.place import exchange
from homenode.configure.taking import TRUST
from homenode.enrol import state
from homenode.enrol.places import Places
from homenode.install.home_file import replace
from homenode.journal.segment import sync_folder

log = logging.getLogger("homenode.enrol")

MOST_PEM = 4_000
_NEW = f".{TRUST}.sealed"


def seal(places: Places) -> None:
    """Take over who is trusted, and follow a key to its successor. Raises OSError."""
    folder = places.config / TRUST
    if _is_sealed(folder):
        _follow(places, folder)
    elif places.home.exists():
        keys = {party: pem for party in SIGNERS if (pem := _read(folder / f"{party}.pem"))}
        new = places.config / _NEW
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o755)
        new.chmod(0o755)  # whatever the umask says
        for party, pem in keys.items():
            replace(new / f"{party}.pem", pem.encode(), 0o644)
        if folder.is_dir() and not folder.is_symlink():
            exchange(new, folder)
            shutil.rmtree(new)
        else:
            folder.unlink(missing_ok=True)
            new.rename(folder)
        sync_folder(places.config)
        log.info("signers are root's to keep", extra={"parties": ", ".join(keys) or "none"})


def unseal(places: Places) -> None:
    """Somebody put a code on the card of a box without a home: its signers come anew. Raises OSError."""
    folder = places.config / TRUST
    if _is_sealed(folder) and not places.home.exists():
        shutil.rmtree(folder)
        sync_folder(places.config)


def _is_sealed(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


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
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            if stat.S_ISREG(os.fstat(number).st_mode):
                text = file.read(MOST_PEM).decode("ascii")
                return text if text.startswith("-----BEGIN PUBLIC KEY-----") else ""
    return ""
