"""home.yaml and its rules, for a start and for a reload."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from homenode.config.check import MOST_TOLD, check_home
from homenode.config.model import Home
from homenode.config.rule_files import Texts
from homenode.delivery import NodeFault
from homenode.driver import DriverType
from homenode.errors import FileMistakes
from homenode.gateway import kept
from homenode.gateway.outcomes import CONFIGURATION
from homenode.journal.beside import BEFORE
from homenode.language.bound import BoundRule

log = logging.getLogger("homenode.config")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a node runs on.

    Attributes:
        home: The home.
        rules: Its rules, bound.
        texts: What was read of its own files, by absolute path.
        fault: That it isn't what the files say now; None if it is.
    """

    home: Home
    rules: tuple[BoundRule, ...]
    texts: Mapping[Path, str]
    fault: NodeFault | None = None

    @property
    def files(self) -> str:
        """The same for as long as the home's own files are (SHA-256)."""
        told = sorted((path.name, text) for path, text in self.texts.items())
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def load(path: Path, types: Mapping[str, DriverType]) -> Loaded:
    """The home and its rules, as the files say.

    Raises:
        FileMistakes: All that is wrong, in one go.
    """
    texts = Texts()
    report = check_home(path, drivers=types, texts=texts)
    if report.mistakes or report.home is None:
        raise FileMistakes(report.mistakes)
    for warning in report.warnings:
        log.warning(str(warning))
    return Loaded(report.home, report.rules, texts.own())


def load_for_start(path: Path, types: Mapping[str, DriverType], data: Path) -> Loaded:
    """As `load`; from files with mistakes what was kept when they were read well.

    A certificate or password file that is gone is then the link's trouble, and no rule's.

    Raises:
        FileMistakes: And nothing good is kept of this home.yaml, or it can't be read.
    """
    try:
        return load(path, types)
    except FileMistakes as wrong:
        found = _kept(path, types, data) or _kept(path, types, data / BEFORE)
        if found is None:
            raise
        good, home, rules = found
        for mistake in wrong.mistakes[:MOST_TOLD]:
            log.error(str(mistake))
        return Loaded(home, rules, good.texts, _fault(wrong, good, home))


def _kept(
    path: Path, types: Mapping[str, DriverType], folder: Path
) -> tuple[kept.Kept, Home, tuple[BoundRule, ...]] | None:
    """What is kept in a folder of this home.yaml, if this version can read it."""
    try:
        good = kept.read(folder)
        if good is None or Path(os.path.abspath(path)) not in good.texts:
            return None
        report = check_home(path, drivers=types, files=False, texts=Texts(good.texts))
        if report.mistakes or report.home is None:
            raise ValueError(f"this homenode can't read it: {report.mistakes[0]}")
    except (OSError, ValueError) as error:
        fields = {"file": str(folder / kept.NAME), "why": str(error)}
        log.error("the good configuration can't be used", extra=fields)
        return None
    return good, report.home, report.rules


def keep(data: Path, loaded: Loaded, at_ms: int | None) -> None:
    """Keep what was read well, for a start on files with mistakes; a disk that takes nothing is told.

    Args:
        at_ms: The wall time; None if it can't be trusted.
    """
    try:
        kept.keep(data, kept.Kept(loaded.texts, at_ms))
    except OSError as error:
        log.warning("configuration not kept", extra={"file": str(data / kept.NAME), "why": str(error)})


def _fault(wrong: FileMistakes, good: kept.Kept, home: Home) -> NodeFault:
    count, files = len(wrong.mistakes), dict.fromkeys(Path(mistake.file).name for mistake in wrong.mistakes)
    where = ", ".join(files)
    since_sv = since_en = ""
    if good.at_ms is not None:
        day = f"{datetime.fromtimestamp(good.at_ms / 1000, ZoneInfo(home.timezone)):%Y-%m-%d %H:%M}"
        since_sv, since_en = f", från {day}", f", of {day}"
    return NodeFault(
        CONFIGURATION,
        {
            "sv": f"{count} fel i {where} (homenode check visar dem); "
            f"noden kör på sin senaste felfria konfiguration{since_sv}",
            "en": f"{count} mistake{'' if count == 1 else 's'} in {where} (homenode check shows them); "
            f"the node runs on its last good configuration{since_en}",
        },
        at_once=True,
    )
