"""A file onto the boot partition of a card: a folder, or a device or image that isn't mounted (mtools).

Nothing but the one file is written, beside the one that was there; it is read back, and takes its place.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from homenode.enrol.places import TOLD
from homenode.errors import Refused, SetupError
from homenode.journal.segment import sync_folder

SECTOR = 512
FAT = (0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF)
"""Types in a partition table."""
_GPT = 0xEE
OURS = (
    TOLD,
    "config.txt",
    "cmdline.txt",
    "start4.elf",
    "bootcode.bin",
    "kernel8.img",
    "boot.scr",
    "extlinux",
)
"""One of them lies on the boot partition of a card for a Pi."""
_FULL = re.compile(rb"Disk full|No space left")
"""What mcopy says and ends with status 0."""
MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True)
class Partition:
    """Of a device or image: where it begins and ends (bytes), and its type."""

    first: int
    end: int
    type: int


def partitions(sector: bytes) -> list[Partition]:
    """Of a partition table (MBR), from the first sector; none if it has none."""
    if len(sector) < SECTOR or sector[510:512] != b"\x55\xaa":
        return []
    found = []
    for at in range(446, 510, 16):
        kind = sector[at + 4]
        first, count = (int.from_bytes(sector[at + n : at + n + 4], "little") for n in (8, 12))
        if kind and count:
            found.append(Partition(first * SECTOR, (first + count) * SECTOR, kind))
    return found


def is_fat(sector: bytes) -> bool:
    """Whether a file system FAT begins with this sector."""
    return sector[510:512] == b"\x55\xaa" and (sector[54:57] == b"FAT" or sector[82:87] == b"FAT32")


def put(card: Path, name: str, data: bytes) -> str:
    """Write a file to the card's boot partition; where it is.

    Raises:
        SetupError: The card can't be used; says why.
        Refused: It isn't a card of a node.
    """
    try:
        mode = card.stat().st_mode
    except OSError as error:
        raise SetupError(f"no card: {error.strerror}", where=str(card), do="lsblk shows cards") from error
    if stat.S_ISDIR(mode):
        return _into_folder(card, name, data)
    return _into_device(card, name, data)


def _into_folder(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    new = path.with_suffix(".new")
    try:
        _is_ours([one.name for one in folder.iterdir()], str(folder))
        try:
            with new.open("wb") as file:
                with contextlib.suppress(PermissionError):  # on FAT, which has no such rights
                    os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _forget(new)
            if new.read_bytes() != data:
                raise Refused("it doesn't keep what is written", where=str(folder), do="use another card")
            new.replace(path)
        finally:
            with contextlib.suppress(OSError):
                new.unlink()
        sync_folder(folder)
    except OSError as error:
        raise SetupError(f"it can't be written: {error.strerror}", where=str(path)) from error
    return str(path)


def _into_device(card: Path, name: str, data: bytes) -> str:
    if shutil.which("mcopy") is None:
        raise SetupError("mtools is not installed", do="apt install mtools, or name the mounted folder")
    if used := mounted(str(card.resolve()), MOUNTS.read_text()):
        do = "umount it, or name the folder of its boot partition"
        raise Refused(f"it is mounted at {used}", where=str(card), do=do)
    first = _boot_partition(card)
    at = f"{card}@@{first}"
    there = _names(at)
    _is_ours(there, str(card))
    new = Path(name).with_suffix(".new").name
    try:
        _mtools("mcopy", "-o", "-i", at, "-", f"::{new}", said=data)
        os.sync()
        _forget(card)
        if _mtools("mtype", "-i", at, f"::{new}") != data:
            raise Refused("it doesn't keep what is written", where=str(card), do="use another card")
        _rename(at, new, name, name in there)
    except (SetupError, Refused):
        with contextlib.suppress(SetupError):
            _mtools("mdel", "-i", at, f"::{new}")
        raise
    os.sync()
    return f"{card}, partition at {first} bytes: {name}"


def _names(at: str) -> list[str]:
    return _mtools("mdir", "-b", "-i", at, "::").decode("utf-8", "replace").replace("::/", "").split()


def _rename(at: str, new: str, name: str, over: bool) -> None:
    """Mtools remove what it goes over first."""
    try:
        _mtools("mren", "-o", "-i", at, f"::{new}", f"::{name}")
    except SetupError as error:
        with contextlib.suppress(SetupError):
            over = over and name not in _names(at)
        if not over:
            raise
        why = f"{error.what}; the {name} that was there is gone"
        raise SetupError(why, where=error.where, do=error.do) from error


def _forget(path: Path) -> None:
    """What is read next is what the card has, and not what the machine remembers of it. Raises OSError."""
    if hasattr(os, "posix_fadvise"):  # on Linux
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _boot_partition(card: Path) -> int:
    """Where it begins (bytes)."""
    try:
        with card.open("rb") as file:
            sector = file.read(SECTOR)
            size = file.seek(0, os.SEEK_END)
            found = partitions(sector)
            if is_fat(sector):
                return 0
            if any(one.type == _GPT for one in found):
                raise Refused("it has a partition table of another kind (GPT)", where=str(card), do=_FLASH)
            last = max((one.end for one in found), default=0)
            if last > size:
                why = f"it has {size / 1e9:.1f} GB, the image on it needs {last / 1e9:.1f} GB"
                raise Refused(why, where=str(card), do="use a larger card")
            for one in found:
                file.seek(one.first)
                if one.type in FAT and is_fat(file.read(SECTOR)):
                    return one.first
    except OSError as error:
        raise SetupError(f"it can't be read: {error.strerror}", where=str(card), do="try sudo") from error
    raise Refused("no boot partition is on it", where=str(card), do=_FLASH)


_FLASH = "flash the image first (deploy/image/README.md)"


def mounted(device: str, mounts: str) -> str:
    """Where a device or a partition of it is mounted, of several that with FAT; "" if nowhere."""
    found = [
        (kind != "vfat", where.replace("\\040", " "))
        for source, where, kind, *_ in (line.split(" ") for line in mounts.splitlines())
        if source.startswith(device) and re.fullmatch(r"p?\d*", source.removeprefix(device))
    ]
    return min(found, default=(False, ""))[1]


def _is_ours(names: list[str], where: str) -> None:
    if not any(name in names for name in OURS):
        raise Refused("this is not the boot partition of a node's card", where=where, do=_FLASH)


def _mtools(*words: str, said: bytes = b"") -> bytes:
    done = subprocess.run(
        words, input=said, capture_output=True, check=False, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    )
    if done.returncode != 0 or _FULL.search(done.stderr):
        why = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise SetupError(
            f"{words[0]}: {why or 'failed'}",
            where=words[words.index("-i") + 1],
            do="is the card locked, or full?",
        )
    return done.stdout
