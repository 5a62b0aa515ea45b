"""The rig's hand on the plug: a small ext4 of its own that can fail, fill up and lose its power."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from homenode.journal.staging import path_of
from tests.system.disks import fill

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


def why_not() -> str:
    """Why there can be no such disk here; "" if there can."""
    if os.geteuid() != 0:
        return "a file system of one's own needs root"
    if not Path("/dev/fuse").exists() or not Path("/dev/loop-control").exists():
        return "the kernel has no FUSE or no loop devices"
    return "" if shutil.which("mkfs.ext4") else "mkfs.ext4 is not installed"


needs_a_plug = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


class Disk:
    """Mounted at ``folder/disk`` while the power is on."""

    def __init__(self, folder: Path, size: str = "24M") -> None:
        self.folder, self.at = folder, folder / "disk"
        self.cuts = 0
        self._process: subprocess.Popen[str] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        image = folder / "disk.img"
        with image.open("wb") as file:
            file.truncate(int(size.removesuffix("M")) << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True, capture_output=True)

    def on(self) -> Self:
        """Power."""
        command = [sys.executable, "-m", "tests.chaos.plug", str(self.folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.dark = threading.Event()
        threading.Thread(target=self._hear, args=(self._process,), daemon=True).start()
        said = self._answer()
        assert not said, said
        return self

    def _hear(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if (said := json.loads(line)) == {"off": True}:
                self.dark.set()
            else:
                self._answers.put(said)

    def _answer(self) -> Any:
        return self._answers.get(timeout=PATIENCE_S)

    def _do(self, *words: object) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def cut_after(self, operations: int) -> None:
        """The power goes amid that write or flush of the device, counted from now; then `dark` is set."""
        self._do("cut", operations)

    def cut(self) -> None:
        """The power goes now."""
        if not self.dark.is_set():
            self._do("off")
        self.dark.set()

    def gone(self, seed: float, data: Path, *, in_order: bool = False) -> int:
        """Once all who use it are killed: `seed` decides what of so many cached writes is there then.

        The machine's memory is gone, too: what of the journal in `data` waited there for its next commit.
        `in_order`: of a drive that writes in the order it was told to.
        """
        assert self.dark.is_set()
        self.cuts += 1
        cached: int = self._do("end", seed, *["in-order"] * in_order)
        self._leave()
        path_of(data / "journal").unlink(missing_ok=True)
        return cached

    def fail(self, what: str) -> None:
        """``all``, ``data`` (blocks with records), ``hang`` or ``nothing``."""
        self._do("fail", what)

    def remount(self, how: str) -> None:
        """``ro`` or ``rw``."""
        said = self._do("options", how)
        assert not said, said

    def fill(self) -> None:
        """No room."""
        fill(self.at)

    def empty(self) -> None:
        """Room again."""
        (self.at / "other").unlink(missing_ok=True)

    def wear(self) -> tuple[int, int, int]:
        """Writes, flushes, bytes since the power came."""
        writes, flushes, size = self._do("wear")
        return writes, flushes, size

    def _leave(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait(PATIENCE_S)
            self._process = None

    def __enter__(self) -> Self:
        return self.on()

    def __exit__(self, *_: object) -> None:
        self._leave()
