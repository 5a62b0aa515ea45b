"""home.yaml on the disk: read, checked as `homenode check` does, and replaced in one step."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from homenode.config.check import CheckReport, check_home
from homenode.config.rule_files import Texts
from homenode.config.yaml12 import MOST_BYTES
from homenode.driver import DriverType
from homenode.errors import FileMistakes, Mistake, Refused
from homenode.journal.segment import sync_folder

FORMER = "former"
"""Folder, in the node's, of what home.yaml said before each change."""
MOST_FORMER = 50


class _Instead(Texts):
    """The files as they are, but for one that is about to be written."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__()
        self._read[path] = text


@dataclass(frozen=True, slots=True)
class HomeFile:
    """home.yaml as it was read.

    Attributes:
        path: As the node names it.
        data: Its bytes.
        report: What a check of it found.
    """

    path: Path
    data: bytes
    report: CheckReport

    @property
    def text(self) -> str:
        """Without a byte order mark."""
        return self.data.decode("utf-8-sig")


def read(path: Path, types: Mapping[str, DriverType]) -> HomeFile:
    """home.yaml as it stands.

    Raises:
        FileMistakes: All that is wrong in it.
        OSError: It can't be read.
    """
    with path.open("rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""  # the check reads it itself, and says which byte it is
    return HomeFile(path, data, _sound(path, types, text))


def _sound(path: Path, types: Mapping[str, DriverType], text: str) -> CheckReport:
    report = check_home(path, drivers=types, texts=_Instead(path, text) if text else None)
    if report.mistakes:
        raise FileMistakes(report.mistakes)
    return report


def change(
    old: HomeFile, edit: Callable[[str], str], types: Mapping[str, DriverType], data: Path, stamp: str
) -> HomeFile:
    """Have home.yaml say what `edit` makes of it; the former one is kept in the node's folder.

    Args:
        old: As the installer saw it.
        stamp: Of the time, for the name of the copy: ``2026-01-05T061203``.

    Raises:
        Refused: Somebody else changed it meanwhile, or it can't be written.
        FileMistakes: It would have mistakes, which a check would tell; nothing was written.
    """
    try:
        now = old.path.read_bytes()
    except OSError as error:
        raise Refused(f"home.yaml can't be read: {error.strerror}", where=str(old.path)) from error
    if now != old.data:
        raise Refused(
            "somebody changed home.yaml meanwhile, so nothing was written", do="look at it, and do this again"
        )
    mark = b"\xef\xbb\xbf" if old.data.startswith(b"\xef\xbb\xbf") else b""
    text = edit(old.text)
    report = _sound(old.path, types, text)
    new = mark + text.encode()
    try:
        _keep_former(data / FORMER, f"home-{stamp}", old.data)
        replace(old.path.resolve(), new)  # past symbolic links
    except OSError as error:
        raise Refused(
            f"home.yaml can't be written: {error.strerror}",
            where=error.filename or str(old.path),
            do="run this as the user that owns it, or with sudo",
        ) from error
    return HomeFile(old.path, new, report)


def put_back(new: HomeFile, old: HomeFile) -> None:
    """The node did not take it. Raises OSError."""
    with contextlib.suppress(OSError):
        if new.path.read_bytes() != new.data:
            return  # somebody else's by now
    replace(old.path.resolve(), old.data)


def replace(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file so that a power cut leaves the old or the new one, whole. Raises OSError."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)  # of a process with this number, when the power went
    try:
        with aside.open("xb") as stream:
            with contextlib.suppress(FileNotFoundError):
                now = path.stat()
                os.fchmod(stream.fileno(), now.st_mode & 0o7777)
                if (now.st_uid, now.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(stream.fileno(), now.st_uid, now.st_gid)
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def _keep_former(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    nth = 1
    while (path := folder / f"{name}{f'-{nth}' if nth > 1 else ''}.yaml").exists():
        nth += 1
    replace(path, data, mode=0o600)
    for old in sorted(folder.glob("home-*.yaml"))[:-MOST_FORMER]:
        old.unlink(missing_ok=True)


def mistakes_in_words(error: FileMistakes) -> str:
    """What is wrong with what an installer gave: without the lines of a file that he doesn't look at."""
    return "; ".join(_in_words(mistake) for mistake in error.mistakes)


def _in_words(mistake: Mistake) -> str:
    hint = f"; did you mean {mistake.suggestion}?" if mistake.suggestion else ""
    return f"{mistake.field}: {mistake.found}; accepted: {mistake.accepted}{hint}"
