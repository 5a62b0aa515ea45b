"""Backups of radios' networks: to the office, and from it to a box that takes another's place.

There the radio gives it to the first empty stick that is plugged in (`drivers.zigbee.home_network`), now or
later; one that holds another network is left as it is, and the operator hears of it: a person decides that.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.enrol.places import Places
from homenode.install.home_file import replace
from homenode.journal.segment import sync_folder
from homenode.journal.wall_time import text_of

FOLDER, GIVEN, ASIDE, SENT = "backups", "given.json", "former", "backup.sent"
"""In a radio's own folder; in that, that they are of another box; a radio of another home; what was sent."""
_NAME = r"[A-Za-z0-9_-]{1,64}"
_OURS = ("before", "enrol", "former", "journal", "lock", "reports", "update")
"""In the data folder, and no radio's: the box that a backup comes from may be somebody else's by now."""
MOST = 16
"""Radios of a home."""


def newest(data: Path) -> dict[str, Any]:
    """The latest backup of each radio, by its name."""
    found: dict[str, Any] = {}
    for folder in sorted(data.glob(f"*/{FOLDER}")):
        if not re.fullmatch(_NAME, folder.parent.name):
            continue  # put aside
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


def put(places: Places, radios: Mapping[str, Any], now_ms: int) -> list[str]:
    """Keep what the office had as this box's own; names of the radios. Raises OSError.

    A network that the box had in another home is put aside, and one that it has already is left as it is.
    """
    day, taken, here = text_of(now_ms)[:10], [], newest(places.data)
    for name, backup in [*radios.items()][:MOST]:
        if not re.fullmatch(_NAME, name) or not isinstance(backup, dict) or _same(here.get(name), backup):
            continue
        radio, new = places.data / name, places.data / f"{name}.new"
        if name in _OURS or (radio.exists() and not (radio / FOLDER).is_dir()):
            continue
        shutil.rmtree(new, ignore_errors=True)
        (new / FOLDER).mkdir(mode=0o700, parents=True)
        replace(new / FOLDER / GIVEN, json.dumps({"at_ms": now_ms}).encode(), 0o600)
        replace(new / FOLDER / f"{day}.json", json.dumps(backup, indent=1).encode(), 0o600)
        sync_folder(new)
        if radio.exists():  # whole, and not half of the new one, which would take the place of what is aside
            aside = radio.with_name(f"{name}.{ASIDE}")
            shutil.rmtree(aside, ignore_errors=True)
            radio.rename(aside)
        new.rename(radio)
        sync_folder(places.data)
        taken.append(name)
    return taken


def _same(one: Any, other: Mapping[str, Any]) -> bool:
    """Whether they are of one network: that is how the format of Zigbee coordinators calls it."""
    return isinstance(one, dict) and one.get("extended_pan_id") == other.get("extended_pan_id")
