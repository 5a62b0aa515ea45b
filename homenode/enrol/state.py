"""state.json: how far enrolment is, for the panel, the card and whoever asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from homenode.enrol.places import Places
from homenode.enrol.steps import Outcome
from homenode.enrol.words import said
from homenode.install.home_file import replace
from homenode.journal.wall_time import text_of

MODE = 0o640


def write(places: Places, outcome: Outcome, now_ms: int, **more: Any) -> None:
    """Say how far it is; nothing is written that is written already, to spare the card. Raises OSError."""
    told = said(outcome.why)
    state = {"state": outcome.state.value, "key": outcome.why.key, **told, **more}
    before = read(places.state)
    if {name: value for name, value in before.items() if name != "at"} == state:
        return
    text = json.dumps({**state, "at": text_of(now_ms)}, ensure_ascii=False, indent=1)
    replace(places.state, text.encode(), MODE)


def read(path: Path) -> dict[str, Any]:
    """What a file of JSON says; nothing if it isn't there or is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
