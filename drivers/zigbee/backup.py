"""What a network is made of, kept as files: with one of them another stick takes the place of a broken one.

The format is that of zigpy and zigbee2mqtt ("open coordinator backup"). A file holds the network's key:
whoever has it can listen, so it is for the node's user only.
"""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any

from homenode.errors import Refused

FOLDER = "backups"
GIVEN = "given.json"
"""Beside them: they are of another box, whose place this one took then (`homenode.enrol.radios`)."""
KEPT = 14
"""Two weeks: longer than a broken stick is looked at."""
NIGHT_UTC_S = 90 * 60
"""Half past one UTC: night in Europe, and no hour that summer time skips or repeats."""
DAY_S = 24 * 3600
COUNTER_STEP, COUNTER_A_DAY = 10_000, 500_000
"""Devices drop frames whose counter they have seen, so a restored stick starts ahead of the lost one: by more
than it can have sent since, 5.8 a second day and night (the busiest recorded home has 0.1)."""


def keep(backup: Any, folder: Path) -> Path:
    """Write it so that a power cut leaves it whole; the oldest go. Raises OSError."""
    at = folder / FOLDER
    at.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = at / f"{backup.backup_time:%Y-%m-%d}.json"
    write(file, json.dumps(backup.as_open_coordinator_json(), indent=1) + "\n")
    for old in _files(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return file


def write(file: Path, text: str) -> None:
    """Whole or not at all, readable by the user alone. Raises OSError."""
    new = file.with_name(file.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    owner = os.stat(file.parent)
    with open(descriptor, "w", encoding="utf-8") as stream:
        if os.geteuid() == 0:  # by hand, of a node that runs as a user of its own
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _files(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).glob("????-??-??.json"), reverse=True)


def newest(folder: Path) -> Path | None:
    """The latest that was kept; None if there is none."""
    return next(iter(_files(folder)), None)


def read(file: Path) -> Any:
    """A backup from a file.

    Raises:
        Refused: It can't be read, or is none, or lacks the key.
    """
    from zigpy.backups import NetworkBackup

    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else f"is no JSON ({fault})"
        do = "name a file of homenode radio backup"
        raise Refused(f"can't be read: {why}", where=str(file), do=do) from fault
    try:
        backup = NetworkBackup.from_open_coordinator_json(said)
    except Exception as fault:
        raise Refused(
            f"is no backup of a Zigbee network: {type(fault).__name__}: {fault}",
            where=str(file),
            do="name a file of homenode radio backup, or a coordinator_backup.json of zigbee2mqtt",
        ) from fault
    if not backup.is_complete():
        raise Refused("lacks the network's key", where=str(file), do="take an earlier backup")
    return backup


def kept(folder: Path) -> Any:
    """The latest backup that can be read; None if there is none."""
    for file in _files(folder):
        try:
            return read(file)
        except Refused:
            continue
    return None


def given_ms(folder: Path) -> int | None:
    """When another box's backups were given to this one, for an empty stick; None if they are its own."""
    try:
        return int(json.loads((folder / FOLDER / GIVEN).read_bytes())["at_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def own(folder: Path) -> None:
    """A stick here has that network by now. Raises OSError."""
    (folder / FOLDER / GIVEN).unlink(missing_ok=True)


def counter_increment(backup: Any, wall_ms: int) -> int:
    """How far ahead of the backup's frame counter to go on."""
    age_s = wall_ms / 1000 - backup.backup_time.timestamp()
    return COUNTER_STEP + int(COUNTER_A_DAY * max(0.0, age_s) / DAY_S)


def until_night_s(wall_ms: int) -> float:
    """Seconds until the next backup is due."""
    return DAY_S - (wall_ms / 1000 - NIGHT_UTC_S) % DAY_S


def shown(backup: Any) -> list[str]:
    """It, for a person; no keys."""
    network, node = backup.network_info, backup.node_info
    at = backup.backup_time.astimezone(UTC)
    return [
        f"network  {network.extended_pan_id}  PAN {network.pan_id}  channel {int(network.channel)}",
        f"stick    {node.ieee}  {node.manufacturer or ''} {node.model or ''}".rstrip(),
        f"kept     {at:%Y-%m-%d %H:%M} UTC, frame counter {int(network.network_key.tx_counter)}",
    ]


def same_network(one: Any, other: Any) -> bool:
    """Whether devices of the one are heard in the other."""
    first, second = one.network_info, other.network_info
    return (first.extended_pan_id, first.network_key.key) == (
        second.extended_pan_id,
        second.network_key.key,
    )
