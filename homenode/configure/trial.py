"""A new configuration is on trial for a while: a node that doesn't stay up with it goes back.

That it reads well was seen before it was taken, and that the node went over to it; this is for what shows
later, such as a driver that ends the process.
"""

from __future__ import annotations

import json
from pathlib import Path

from homenode.configure import place
from homenode.gateway.configured import TRIAL as NAME
from homenode.install.home_file import replace

PROVED_S = 60.0
"""Who lives so long with it has tried its drivers, and has been asked for alive by systemd."""
MOST_STARTS = 3


def begin(data: Path, before: str, now: str) -> None:
    """From here on starts are counted. Raises OSError."""
    _write(data, {"before": before, "now": now, "starts": 0})


def passed(data: Path) -> None:
    """The node lives with it, or went back by itself. Raises OSError."""
    (data / NAME).unlink(missing_ok=True)


def at_start(data: Path, beside: Path) -> str | None:
    """One start more: the configuration that was taken back for it, None if none was. Raises OSError.

    Args:
        data: The node's.
        beside: Folder of home.yaml.
    """
    try:
        trial = json.loads((data / NAME).read_bytes())
        before, now, starts = str(trial["before"]), str(trial["now"]), int(trial["starts"]) + 1
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):  # no power cut leaves it so
        passed(data)
        return None
    if place.present(beside) != now:  # the power went before it counted, or somebody changed it since
        passed(data)
        return None
    if starts <= MOST_STARTS:
        _write(data, {"before": before, "now": now, "starts": starts})
        return None
    place.go_to(beside, before)
    passed(data)
    return now


def _write(data: Path, trial: dict[str, object]) -> None:
    replace(data / NAME, json.dumps(trial).encode(), 0o600)
