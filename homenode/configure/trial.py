"""A new configuration is on trial for a while: a node that doesn't stay up with it goes back.

That it reads well was seen before it was taken, and that the node went over to it; this is for what shows
later, such as a driver that ends the process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from homenode.configure import place
from homenode.gateway.configured import TRIAL as NAME
from homenode.install import home_file

PROVED_S = 60.0
"""Who lives so long with it has tried its drivers, and has been asked for alive by systemd."""
MOST_STARTS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that took the place of another.

    Attributes:
        before, now: Their names, as of `place`.
        record: Who signed it and what it changed, until the journal has that.
        starts: Of the node since.
    """

    before: str
    now: str
    record: Mapping[str, Any] | None = None
    starts: int = 0


def read(data: Path) -> Trial | None:
    """What is on trial; None if nothing is. Raises OSError."""
    try:
        told = json.loads((data / NAME).read_bytes())
        before, now, starts = str(told["before"]), str(told["now"]), int(told["starts"])
        return Trial(before, now, told.get("record"), starts)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):  # no power cut leaves it so
        passed(data)
        return None


def write(data: Path, trial: Trial) -> None:
    """From here on starts are counted. Raises OSError."""
    home_file.replace(data / NAME, json.dumps(asdict(trial)).encode(), 0o600)


def passed(data: Path) -> None:
    """The node lives with it, or went back by itself. Raises OSError."""
    (data / NAME).unlink(missing_ok=True)


def at_start(data: Path, beside: Path) -> str | None:
    """One start more: the configuration that was taken back for it, None if none was. Raises OSError.

    Args:
        data: The node's.
        beside: Folder of home.yaml.
    """
    trial = read(data)
    if trial is None:
        return None
    if place.present(beside) != trial.now:  # the power went before it counted, or somebody changed it since
        passed(data)
        return None
    if trial.starts < MOST_STARTS:
        write(data, replace(trial, starts=trial.starts + 1))
        return None
    place.go_to(beside, trial.before)
    passed(data)
    return trial.now
