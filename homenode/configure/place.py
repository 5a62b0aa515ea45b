"""Where a node's configurations stand, and how one takes the place of another in a single step.

    /etc/homenode/home.yaml      -> configured/home.yaml
    /etc/homenode/rules          -> configured/rules
    /etc/homenode/configured     -> configurations/7          this link is what changes
    /etc/homenode/configurations/6, 7                         each whole, with the JWS that it came in

Each step here leaves a folder that says what it said before, or what it shall say; a power cut between two
loses nothing. Files that people put beside home.yaml (keys, certificates) stay as they are.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from homenode.configure.payload import HOME_YAML, LINK, TRUST
from homenode.journal.segment import sync_folder

HERE, SEALED = Path("/etc/homenode"), Path("/var/lib/homenode-machine/trust")
"""A node's folder, and root's own with who signs there, once root has that (`homenode.enrol.sealing`)."""
KEPT = "configurations"
SIGNED = "signed.json"
"""The JWS, beside what was in it."""
RULES = "rules"
FOUND = "as-found"
"""What stood there before the first signed configuration, or was put in place of its links since."""
_NEW = ".new"
_EXCHANGE = 2
"""linux/fs.h: RENAME_EXCHANGE."""


def signers(beside: Path) -> Path:
    """Folder with the keys of who signs for the home that is described in `beside`."""
    return SEALED if beside == HERE and os.path.isdir(SEALED) else beside / TRUST


def files_there(beside: Path) -> dict[str, Path]:
    """home.yaml and the rules beside it, by their names; not what a Mac puts beside each file, ``._NAME``."""
    rules = sorted((beside / RULES).glob("[!.]*.yaml"))
    return {path.relative_to(beside).as_posix(): path for path in (beside / HOME_YAML, *rules)}


def present(beside: Path) -> str | None:
    """Name of the configuration that home.yaml and rules are of; None if they are plain files."""
    links = ((HOME_YAML, f"{LINK}/{HOME_YAML}"), (RULES, f"{LINK}/{RULES}"))
    if any(_target(beside / name) != target for name, target in links):
        return None
    return configured(beside)


def signed(beside: Path) -> str | None:
    """The JWS of the configuration that was taken last; None if none was. Raises OSError."""
    name = configured(beside)
    try:
        return (beside / KEPT / name / SIGNED).read_text("utf-8") if name is not None else None
    except FileNotFoundError:
        return None


def adopt(beside: Path) -> str | None:
    """Keep what is there, with links in its place: it says the same as before.

    Returns:
        Its name, for `go_to`; None if there is no home.yaml.

    Raises:
        OSError: Then what was there is still there.
    """
    name = present(beside)
    if name is not None:
        return name
    if not (beside / HOME_YAML).exists():  # rules alone are no configuration
        return configured(beside)
    name = FOUND if configured(beside) != FOUND else f"{FOUND}-2"
    _written(beside / KEPT, name, {HOME_YAML: (beside / HOME_YAML).read_bytes()}, beside / RULES)
    _link(beside, LINK, f"{KEPT}/{name}")
    _link(beside, RULES, f"{LINK}/{RULES}")
    _link(beside, HOME_YAML, f"{LINK}/{HOME_YAML}")
    return name


def name_for(beside: Path, number: int) -> str:
    """For a configuration of this number: what counts is never written over, though it has the same one."""
    return str(number) if configured(beside) != str(number) else f"{number}-again"


def put(beside: Path, name: str, files: Mapping[str, str], jws: str) -> None:
    """Put a configuration in the place of what is there.

    Args:
        beside: Folder of home.yaml.
        name: Its own, as of `name_for`.
        files: As of `Configuration`.
        jws: What it came in.

    Raises:
        OSError: Then what was there is there again; `present` says if the disk didn't even take that.
    """
    before = adopt(beside)
    _written(beside / KEPT, name, {**files, SIGNED: jws})
    try:
        go_to(beside, name)
    except OSError:  # perhaps of what follows the change itself
        if before is not None:
            go_to(beside, before)
        raise
    _forget(beside / KEPT, {name, before})


def go_to(beside: Path, name: str) -> None:
    """Have a configuration that is kept be the one that counts. Raises OSError."""
    if not (beside / KEPT / name / HOME_YAML).is_file():  # somebody removed it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(beside / KEPT / name))
    _link(beside, LINK, f"{KEPT}/{name}")
    for one in (RULES, HOME_YAML):  # of the first one: home.yaml last, as with it there is a home
        _link(beside, one, f"{LINK}/{one}")


def configured(beside: Path) -> str | None:
    """Name of the configuration that the link is of; None if there is none."""
    kept, _, name = (_target(beside / LINK) or "").partition("/")
    return name if kept == KEPT and name and "/" not in name else None


def _target(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _written(kept: Path, name: str, files: Mapping[str, str | bytes], rules: Path | None = None) -> None:
    """A folder with these files, on the disk before it has its name."""
    kept.mkdir(mode=0o770, exist_ok=True)
    new, done = kept / f"{name}{_NEW}", kept / name
    assert name != configured(kept.parent), "what counts is never written over"
    for old in (new, done):
        if old.exists():
            shutil.rmtree(old)
    new.mkdir(mode=0o770)
    if rules is not None and rules.is_dir():
        shutil.copytree(rules, new / RULES)
    (new / RULES).mkdir(mode=0o770, exist_ok=True)
    for file, text in files.items():
        (new / file).write_bytes(text.encode() if isinstance(text, str) else text)
        (new / file).chmod(0o640)
    for folder, _, inside in os.walk(new):
        for file in inside:
            _sync(Path(folder, file))
        sync_folder(Path(folder))
    new.rename(done)
    sync_folder(kept)
    sync_folder(kept.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _link(beside: Path, name: str, target: str) -> None:
    """A symbolic link in the place of whatever has this name, a folder too, in one step."""
    path, new = beside / name, beside / f".{name}{_NEW}"
    remove(new)
    if _target(path) == target:
        return
    new.symlink_to(target)
    if path.is_dir() and not path.is_symlink():
        _exchange(new, path)
        sync_folder(beside)
        remove(new)
    else:
        new.replace(path)
    sync_folder(beside)


def remove(path: Path) -> None:
    """A file, a link or a whole folder; nothing if it isn't there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> None:
    """Each gets the other's name: a link can't be put over a folder (renameat2; Linux 3.15)."""
    here = -100  # AT_FDCWD
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(here, os.fsencode(one), here, os.fsencode(other), _EXCHANGE):
        number = ctypes.get_errno() or errno.EIO
        raise OSError(number, os.strerror(number), str(other))


def _forget(kept: Path, stay: set[str | None]) -> None:
    """Those before the last are gone; that this fails loses nothing."""
    with contextlib.suppress(OSError):
        for one in kept.iterdir():
            if one.name not in stay:
                shutil.rmtree(one, ignore_errors=True)
