"""The good configuration in the node's folder: what a start on mistaken files runs on.

One file, put in its place by one rename: a power cut leaves the old or the new one, whole.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from homenode.journal.segment import sync_folder

NAME = "good.home"
VERSION = 1
_HEAD = "homenode configuration"


@dataclass(frozen=True, slots=True)
class Kept:
    """Attributes:
    texts: Absolute path of home.yaml, and of each rule file beside it, to what stood there.
    at_ms: Wall time at which these texts were first read well; None if nobody knew the time.
    """

    texts: Mapping[Path, str]
    at_ms: int | None


def encode(good: Kept) -> bytes:
    """A line with version and checksum, a line of JSON."""
    texts = {str(path): text for path, text in good.texts.items()}
    body = json.dumps({"at_ms": good.at_ms, "texts": texts}).encode()
    return b"%s %d %08x\n%s\n" % (_HEAD.encode(), VERSION, crc32(body), body)


def decode(data: bytes) -> Kept:
    """What `encode` gave.

    Raises:
        ValueError: A later homenode wrote it, or it is damaged.
    """
    head, _, body = data.partition(b"\n")
    name, _, told = head.decode("ascii", "replace").rpartition(" ")
    name, _, version = name.rpartition(" ")
    if name == _HEAD and version.isdecimal() and int(version) > VERSION:
        raise ValueError(f"a later homenode wrote it (version {version}, this one reads {VERSION})")
    if (name, version) != (_HEAD, str(VERSION)) or told != f"{crc32(body[:-1]):08x}":
        raise ValueError("it is damaged")
    good = json.loads(body)
    return Kept({Path(path): text for path, text in good["texts"].items()}, good["at_ms"])


def read(folder: Path) -> Kept | None:
    """What is kept in a node's folder; None if nothing is.

    Raises:
        OSError: It can't be read.
        ValueError: As `decode`.
    """
    try:
        return decode((folder / NAME).read_bytes())
    except FileNotFoundError:
        return None


def keep(folder: Path, good: Kept) -> None:
    """Keep it, unless it is there already; for the node's user alone, as home.yaml is for few.

    Raises:
        OSError: Then what was kept before is.
    """
    with contextlib.suppress(OSError, ValueError):
        before = read(folder)
        if before is not None and before.texts == good.texts:
            return
    new = folder / f"{NAME}.new"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(encode(good))
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(folder / NAME)
    sync_folder(folder)
