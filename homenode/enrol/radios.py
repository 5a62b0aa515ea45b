"""Backups of radios' networks: to the office, and from it to a box that takes another's place."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.driver import RadioWork
from homenode.enrol.places import Places
from homenode.errors import HomenodeError
from homenode.install.home_file import replace

FOLDER, SENT, DUE = "backups", "backup.sent", "restore"
"""Of a radio's own folder; of what the office has; of radios whose stick is to be given a network."""
_NAME = r"[A-Za-z0-9_-]{1,64}"


def newest(data: Path) -> dict[str, Any]:
    """The latest backup of each radio, by its name."""
    found: dict[str, Any] = {}
    for folder in sorted(data.glob(f"*/{FOLDER}")):
        for file in sorted(folder.glob("????-??-??.json"), reverse=True):
            try:
                found[folder.parent.name] = json.loads(file.read_bytes())
            except (OSError, ValueError):
                continue
            break
    return found


def to_send(places: Places) -> bytes | None:
    """What the office doesn't have yet; None if it has all."""
    found = newest(places.data)
    body = json.dumps({"radios": found}, sort_keys=True).encode()
    sent = places.folder / SENT
    if not found or (sent.exists() and sent.read_text() == hashlib.sha256(body).hexdigest()):
        return None
    return body


def was_sent(places: Places, body: bytes) -> None:
    """The office has it. Raises OSError."""
    replace(places.folder / SENT, hashlib.sha256(body).hexdigest().encode(), 0o640)


def put(places: Places, radios: Mapping[str, Any], day: str) -> list[str]:
    """Keep what the office had as this box's own; names of the radios. Raises OSError.

    Args:
        day: For the names of the files, such as 2026-01-05.
    """
    taken = []
    for name, backup in radios.items():
        if not re.fullmatch(_NAME, name) or not isinstance(backup, dict):
            continue
        folder = places.data / name / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(folder / f"{day}.json", json.dumps(backup, indent=1).encode(), 0o600)
        taken.append(name)
    replace(places.folder / DUE, json.dumps(taken).encode(), 0o640)
    return taken


def restore(places: Places, now_ms: int) -> dict[str, str]:
    """Give each stick that waits for it its network; what came of it, by radio. A running node has the stick.

    A stick that holds another network is left as it is: a person decides that.
    """
    due = places.folder / DUE
    try:
        names = json.loads(due.read_bytes())
    except (OSError, ValueError):
        return {}
    home, types = load_home(places.home, files=False), driver_types()
    told: dict[str, str] = {}
    for name in names:
        radio = home.radios.get(name)
        if radio is None or "restore" not in types[radio.driver].work:
            told[name] = "no such radio in home.yaml"
            continue
        work = RadioWork(name, radio.options, places.data / name, None, now_ms, False)
        try:
            told[name] = "; ".join(types[radio.driver].work["restore"](work))
        except (HomenodeError, ImportError) as error:
            told[name] = str(error)
    due.unlink(missing_ok=True)  # once: after that the node says itself what its stick lacks
    return told
