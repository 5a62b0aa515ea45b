"""File systems of a test's own, which may be full, read-only or failing; they need root."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def must(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command[:2])} is not possible here: {done.stderr.strip() or done.returncode}")


@contextlib.contextmanager
def mounted(*arguments: str, at: Path) -> Iterator[Path]:
    """A file system mounted at `at`; skips where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system of our own needs root")
    at.mkdir(exist_ok=True)
    must("mount", *arguments, str(at))
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextlib.contextmanager
def memory(folder: Path, size: str = "4m") -> Iterator[Path]:
    """A small disk in memory."""
    with mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", at=folder) as disk:
        yield disk


def fill(disk: Path) -> Path:
    """Leave no room; returns the file that takes it."""
    other = disk / "other"
    with contextlib.suppress(OSError), other.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))
    return other
