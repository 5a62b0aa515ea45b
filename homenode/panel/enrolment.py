"""What the panel shows before there is a home: how far enrolment is (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homenode.panel.words import say


def shown(state: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    """What is to be read; None when the box is enrolled, or nothing is known of it.

    Args:
        state: What enrolment says of itself (state.json).
    """
    if not state or state.get("state") == "enrolled":
        return None
    why, do = (_text(state.get(name), language) for name in ("why", "do"))
    rows = [(say(key, language), str(state[key])) for key in ("serial", "fingerprint") if state.get(key)]
    return {
        "title": say("no_home", language),
        "text": why,
        "do": do,
        "waits": state.get("state") != "failed",
        "rows": rows,
    }


def _text(found: object, language: str) -> str:
    return str(found.get(language, ""))[:500] if isinstance(found, dict) else ""
