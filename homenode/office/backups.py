"""The radio's network of each home, as its box last sent it: with it a new box needs no pairing.

It holds the network's key: whoever reads it can hear the home's sensors, so only the office's user may.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from homenode.errors import Refused
from homenode.install.home_file import replace
from homenode.journal.segment import sync_folder

MOST_BYTES = 1_000_000
"""Some thousand devices; so much a box takes of an answer."""


def plain(packed: bytes) -> bytes:
    """What somebody has sent as gzip. Raises Refused: it is none, or too much."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(packed, MOST_BYTES)
    except zlib.error as error:
        raise Refused(f"no gzip: {error}") from error
    if not unpacking.eof:
        raise Refused(f"cut off, or more than {MOST_BYTES:,} bytes")
    return found


class Backups:
    """Of the office in `folder`, a file each home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "backups"

    def keep(self, home: str, body: bytes) -> None:
        """In place of the former one. Raises Refused, OSError."""
        try:
            said = json.loads(body)
            radios = said["radios"]
            fits = isinstance(radios, dict) and all(isinstance(one, dict) for one in radios.values())
        except (ValueError, TypeError, KeyError, RecursionError):
            fits = False
        if not fits:
            raise Refused("no backup", do='send {"radios": {NAME: BACKUP}}')
        self._folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(self._folder.parent)
        replace(self._folder / f"{home}.json", body, 0o600)

    def latest(self, home: str) -> bytes | None:
        """What is kept; None if nothing is."""
        try:
            return (self._folder / f"{home}.json").read_bytes()
        except FileNotFoundError:
            return None

    def forget(self, home: str) -> None:
        """The home's tenancy is over."""
        (self._folder / f"{home}.json").unlink(missing_ok=True)
