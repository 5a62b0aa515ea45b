"""A disk whose plug can be pulled: ``python -m tests.chaos.plug FOLDER`` with words on standard input.

An ext4 file system at FOLDER/disk on a loop device, whose backing file is answered here, so that each write
and flush of the device is seen in its order. A drive with a volatile cache, as they are: what was flushed is
there after a cut; of what was written later any part may be, sector by sector, in any order. Every line on
standard input is a word of `Plug` with its arguments; the answer is a line of JSON. At the end of the input
everything is unmounted, whoever still uses it.
"""

from __future__ import annotations

import errno
import json
import random
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.chaos.fuse import Held, OneFile

SECTOR = 512
"""A drive writes so much whole or not at all."""
RECORD = re.compile(rb"\xff\xf6.{12}[\[{]", re.DOTALL)
"""A block with a frame of the journal in it is none of the file system's own: that, failing, gives up."""


UMOUNT_TRIES = 1000
"""Each takes some milliseconds."""


HOWS = ("nothing", "everything", "in order", "any", "most", "few")
"""What of the cache may be there after a cut; the first three of a drive that keeps the order."""


class Drive:
    """Bytes with a volatile cache in front of them."""

    def __init__(self, image: bytes) -> None:
        self.size = len(image)
        self._now, self._safe = bytearray(image), bytearray(image)
        self.cached: list[tuple[int, bytes]] = []
        self.writes = self.flushes = self.bytes = 0
        self.failing = ""
        self.off = self.gone = False
        self.cut_after: int | None = None

    def read(self, offset: int, size: int) -> bytes:
        self._power()
        if self.failing == "all":
            raise OSError(errno.EIO, "read")
        return bytes(self._now[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        self._power(counts=True)
        if self.failing == "all" or (self.failing == "data" and RECORD.search(data)):
            raise OSError(errno.EIO, "write")
        self._now[offset : offset + len(data)] = data
        self.cached.append((offset, data))
        self.writes += 1
        self.bytes += len(data)

    def flush(self) -> None:
        self._power(counts=True)
        if self.failing == "all":
            raise OSError(errno.EIO, "flush")
        for offset, data in self.cached:
            self._safe[offset : offset + len(data)] = data
        self.cached.clear()
        self.flushes += 1

    def _power(self, *, counts: bool = False) -> None:
        if self.cut_after is not None and counts:
            self.cut_after -= 1
            if self.cut_after < 0:
                self.off, self.cut_after = True, None
        if self.gone:
            raise OSError(errno.EIO, "no power")
        if self.off:
            raise Held

    def left(self, dice: random.Random, hows: Sequence[str] = HOWS) -> bytes:
        """What a cut now would leave."""
        image = bytearray(self._safe)
        for offset, sector in self._survivors(dice, dice.choice(hows)):
            image[offset : offset + len(sector)] = sector
        return bytes(image)

    def _survivors(self, dice: random.Random, how: str) -> Iterator[tuple[int, bytes]]:
        sectors = [
            (offset + at, data[at : at + SECTOR])
            for offset, data in self.cached
            for at in range(0, len(data), SECTOR)
        ]
        if how == "in order":
            return iter(sectors[: dice.randrange(len(sectors) + 1)])
        share = {"nothing": 0.0, "everything": 1.0, "any": 0.5, "most": 0.9, "few": 0.1}[how]
        return (sector for sector in sectors if dice.random() < share)


class Plug:
    """The drive, mounted at FOLDER/disk; words on standard input are its methods."""

    def __init__(self, folder: Path) -> None:
        self._image, self._at, self._node = folder / "disk.img", folder / "disk", folder / "drive"
        self.drive = Drive(self._image.read_bytes())
        self._at.mkdir(exist_ok=True)
        self._node.touch()
        self._file = OneFile(self._node, self.drive)
        self._told_off = False

    def serve(self) -> None:
        """Until standard input ends."""
        options = "loop,noatime,commit=300"
        try:
            self._tell(self._run("mount", "-o", options, str(self._node), str(self._at)))
            while self._until_line():
                words = sys.stdin.readline().split()
                if not words:
                    break
                self._tell(getattr(self, "do_" + words[0])(*words[1:]))
        finally:
            self._leave()

    # --- words

    def do_fail(self, what: str) -> None:
        """Of the device: ``all``; ``data``, which is blocks with records; ``hang``; or ``nothing``."""
        self.drive.failing = "" if what == "nothing" else what

    def do_cut(self, after: str) -> None:
        """Answer nothing any more after so many writes and flushes; ``{"off": true}`` is told then."""
        self.drive.cut_after = int(after)

    def do_off(self) -> None:
        """Cut now."""
        self.drive.off = self._told_off = True

    def do_end(self, seed: str, *how: str) -> int:
        """After a cut: unmount all, leave in FOLDER/disk.img what it left; how many writes were cached."""
        cached = len(self.drive.cached)
        image = self.drive.left(random.Random(seed), HOWS[:3] if how else HOWS)
        self._leave()
        self._image.write_bytes(image)
        return cached

    def do_wear(self) -> list[int]:
        """Writes, flushes, bytes so far."""
        return [self.drive.writes, self.drive.flushes, self.drive.bytes]

    def do_options(self, options: str) -> str:
        """Mount again with these."""
        return self._run("mount", "-o", f"remount,{options}", str(self._at))

    # ---

    def _tell(self, answer: object) -> None:
        print(json.dumps(answer), flush=True)

    def _until_line(self) -> bool:
        while True:
            both = [sys.stdin] if self.drive.failing == "hang" else [self._file, sys.stdin]
            ready, _, _ = select.select(both, [], [])
            if self._file in ready and not self._file.serve():
                return False
            if self.drive.off and not self._told_off:
                self._told_off = True
                self._tell({"off": True})
            if sys.stdin in ready:
                return True

    def _run(self, *command: str) -> str:
        """What it said; the kernel asks us meanwhile, so we answer."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while process.poll() is None:
            if select.select([self._file], [], [], 0.005)[0]:
                self._file.serve()
        assert process.stderr is not None
        return process.stderr.read()

    def _leave(self) -> None:
        if self.drive.gone:
            return
        if self.drive.off:
            self.drive.gone = True
            self._file.answer_held()
        self._run("umount", "-l", str(self._at))
        for _ in range(UMOUNT_TRIES):  # busy until the kernel has let the loop device go
            if not self._run("umount", str(self._node)):
                break
        else:
            self._run("umount", "-l", str(self._node))
        self.drive.gone = True
        self._image.write_bytes(bytes(self.drive._now))


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the rig, whose end is the end of the input
        signal.signal(number, signal.SIG_IGN)
    Plug(Path(sys.argv[1])).serve()
