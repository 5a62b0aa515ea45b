"""What a tenancy left in zigpy's database: the last value of each sensor, and when it was heard."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

MEASURED = (
    0x0001, 0x0006, 0x0008, 0x0101, 0x0102, 0x0300, 0x0400, 0x0402, 0x0403, 0x0405, 0x0406, 0x0702, 0x0B04,
)  # fmt: skip
"""Clusters whose attributes are states of the home (Zigbee Cluster Library 8): battery, on/off, level, lock,
cover, colour, illuminance, temperature, pressure, humidity, occupancy, metering, electrical."""
ZONE, ZONE_STATUS = 0x0500, 0x0002


def forget(folder: Path) -> int:
    """Erase them; pairings, keys and what devices are stay. Returns how many values.

    Raises:
        OSError: The database can't be written.
    """
    count = 0
    for file in sorted(folder.glob("*.db")):
        try:
            with closing(sqlite3.connect(file)) as base:
                count += _forget(base)
        except sqlite3.Error as error:
            raise OSError(errno.EIO, f"{file}: {error}") from error
    return count


def _forget(base: sqlite3.Connection) -> int:
    names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    count = 0
    base.execute("PRAGMA secure_delete = ON")
    with base:
        for name in names:
            if name.startswith("attributes_cache_v"):
                measured = f"cluster_id IN ({', '.join(map(str, MEASURED))})"
                status = f"cluster_id = {ZONE} AND attr_id = {ZONE_STATUS}"
                count += base.execute(f"DELETE FROM {name} WHERE {measured} OR ({status})").rowcount
            elif name.startswith("devices_v"):
                base.execute(f"UPDATE {name} SET last_seen = 0")
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.execute("VACUUM")
    return count
