"""state.json: how far enrolment is, for the panel, the card and whoever asks."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from homenode.enrol.places import Places
from homenode.enrol.steps import Outcome
from homenode.enrol.words import said
from homenode.install.home_file import replace
from homenode.journal.wall_time import text_of
from homenode.update.files import read_json

MODE = 0o640


def write(places: Places, outcome: Outcome, now_ms: int, **more: Any) -> None:
    """Say how far it is: on the card, or in memory while that takes nothing.

    Nothing is written that is written already, to spare the card.

    Raises:
        OSError: Memory takes nothing, either.
    """
    told = said(outcome.why)
    state = {"state": outcome.state.value, "key": outcome.why.key, **told, **more}
    before = now(places)
    if {name: value for name, value in before.items() if name != "at"} == state:
        return
    text = json.dumps({**state, "at": text_of(now_ms)}, ensure_ascii=False, indent=1)
    try:
        replace(places.state, text.encode(), MODE)
    except OSError:
        replace(places.spare, text.encode(), 0o644)
    else:
        places.spare.unlink(missing_ok=True)


def now(places: Places) -> dict[str, Any]:
    """How far it is; nothing if nobody said."""
    return read(places.spare) or read(places.state)


def read(path: Path) -> dict[str, Any]:
    """What a file of JSON says; nothing if it isn't there, is damaged or far too long."""
    with contextlib.suppress(OSError):
        return read_json(path) or {}
    return {}
