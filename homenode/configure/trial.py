"""A new configuration is on trial for a while: a node that doesn't stay up with it goes back.

So does one that doesn't reach the broker, if that is another: nobody could send it what mends that.
That it reads well was seen before it was taken, and that the node went over to it; this is for what shows
later, such as a driver that ends the process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from homenode.configure import place
from homenode.gateway.configured import TRIAL as NAME
from homenode.install import home_file

PROVED_S = 60.0
"""Who lives so long with it has tried its drivers, and has been asked for alive by systemd."""
REACHED_S = 600.0
"""By then it has reached the broker, if it names another than the one before."""
MOST_STARTS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that took the place of another.

    Attributes:
        before, now: Their names, as of `place`.
        record: Who signed it and what it changed, for the journal.
        recorded: The journal has that.
        reach: It names another broker, and is proved only by a link to that.
        starts: Of the node since.
        back: Why it was taken back, in each language, until the operator is told.
    """

    before: str
    now: str
    record: Mapping[str, Any] | None = None
    recorded: bool = False
    reach: bool = False
    starts: int = 0
    back: Mapping[str, str] | None = None


def read(data: Path) -> Trial | None:
    """What is on trial; None if nothing is. Raises OSError."""
    try:
        told = json.loads((data / NAME).read_bytes())
        return Trial(**{one.name: told[one.name] for one in fields(Trial) if one.name in told})
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


def go_back(data: Path, beside: Path, trial: Trial, why: Mapping[str, str]) -> Trial:
    """The one before counts again; that it does is on the disk until the operator is told. Raises OSError.

    Args:
        data: The node's.
        beside: Folder of home.yaml.
    """
    taken_back = replace(trial, back=why)
    write(data, taken_back)
    place.go_to(beside, trial.before)
    return taken_back


def at_start(data: Path, beside: Path) -> Trial | None:
    """One start more: what was taken back for it, or before, if that may not be told yet. Raises OSError."""
    trial = read(data)
    if trial is None:
        return None
    there = place.present(beside)
    if trial.back is not None and there == trial.before:
        return trial
    if there != trial.now:  # the power went before it counted, or somebody changed it since
        passed(data)
        return None
    if trial.back is None and trial.starts < MOST_STARTS:
        write(data, replace(trial, starts=trial.starts + 1))
        return None
    return go_back(data, beside, trial, trial.back or started_anew(trial))


def started_anew(trial: Trial) -> dict[str, str]:
    """Why one is taken back with which the node didn't stay up."""
    return _why(
        trial,
        f"noden startade om {MOST_STARTS} gånger med den",
        f"the node started anew {MOST_STARTS} times with it",
    )


def not_reached(trial: Trial) -> dict[str, str]:
    """Why one is taken back whose broker doesn't answer."""
    return _why(
        trial,
        "dess meddelandekö nåddes inte på 10 minuter; noden kör på den förra",
        "its broker was not reached in 10 minutes; the node runs on the one before",
    )


def _why(trial: Trial, sv: str, en: str) -> dict[str, str]:
    number = trial.now if trial.record is None else trial.record["number"]
    return {
        "sv": f"konfiguration {number} togs tillbaka: {sv}",
        "en": f"configuration {number} was taken back: {en}",
    }
