"""home.yaml and its rules, for a start and for a reload."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from homenode.config.check import check_home
from homenode.config.model import Home
from homenode.driver import DriverType
from homenode.errors import FileMistakes
from homenode.language.bound import BoundRule

log = logging.getLogger("homenode.config")


def load(path: Path, types: Mapping[str, DriverType]) -> tuple[Home, tuple[BoundRule, ...]]:
    """The home and its rules, bound.

    Raises:
        FileMistakes: All that is wrong, in one go.
    """
    report = check_home(path, drivers=types)
    if report.mistakes or report.home is None:
        raise FileMistakes(report.mistakes)
    for warning in report.warnings:
        log.warning(str(warning))
    return report.home, report.rules
