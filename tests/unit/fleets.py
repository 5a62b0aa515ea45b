"""Homes as the operator's tool sees them, for its tests."""

from __future__ import annotations

import json
from typing import Any

from homenode.contract.times import Zone
from homenode.fleet.board import Board

UTC = Zone("UTC")
NOW = 1_790_000_000_000
"""Wall time in ms of a test's beginning."""


def link(board: Board, name: str, *, online: bool = True, at: int = NOW, retained: bool = True) -> None:
    """A word on a home's link."""
    board.link(name, json.dumps({"online": online, "at": UTC.text(at)}).encode(), at, retained=retained)


def status(board: Board, name: str, *, at: int = NOW, version: str = "1.0", **more: Any) -> None:
    """Its status; `more`: figures of ``health``, and ``update``."""
    update = more.pop("update", None)
    opened = more.pop("open", [])
    body: dict[str, Any] = {
        "home": name,
        "at": UTC.text(at),
        "open": opened,
        "health": {"state": "good", **more},
        "versions": {"homenode": version},
    }
    if update is not None:
        body["update"] = update
    board.status(name, json.dumps(body).encode())
