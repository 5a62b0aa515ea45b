"""A configuration takes the place of another: interrupted at any step, one of them is there, whole."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from homenode.configure import place
from tests.system.disks import mounted, must

OLD = {"home.yaml": "home: old\n", "rules/door.yaml": "rule: door\n", "rules/gone.yaml": "rule: gone\n"}
NEW = {
    "home.yaml": "home: new\n",
    "rules/door.yaml": "rule: door\nversion: 2\n",
    "rules/more.yaml": "rule: more\n",
}
STEPS = ("mkdir", "rename", "replace", "symlink", "unlink", "rmdir", "fsync", "chmod")
"""Calls of `os` that change what a folder holds, or that it lasts; what is written before one is there."""


def plain(folder: Path) -> None:
    """As a person makes it."""
    (folder / "rules").mkdir(parents=True)
    for name, text in OLD.items():
        (folder / name).write_text(text)
    (folder / "node.key").write_text("secret")


def linked(folder: Path) -> None:
    """With a signed one."""
    plain(folder)
    place.put(folder, "6", {"home.yaml": "home: older\n"}, "{}")
    place.put(folder, "7", OLD, "{}")


def edited(folder: Path) -> None:
    """With a signed one whose home.yaml an editor has put a file in place of."""
    linked(folder)
    (folder / "home.yaml").unlink()
    (folder / "home.yaml").write_text("home: older\n")
    (folder / "new").write_text(OLD["home.yaml"])
    (folder / "new").replace(folder / "home.yaml")


def nothing(folder: Path) -> None:
    """Before the first one."""
    folder.mkdir()
    (folder / "node.key").write_text("secret")


def says(folder: Path) -> dict[str, str]:
    """What whoever reads it reads."""
    rules = sorted((folder / "rules").glob("*.yaml"))
    files = [path for path in (folder / "home.yaml", *rules) if path.exists()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


@contextmanager
def before_each_step(
    patch: pytest.MonkeyPatch, look: Callable[[], object], steps: tuple[str, ...] = STEPS
) -> Iterator[None]:
    looking = False

    def stepped(call: Any) -> Any:
        def step(*args: Any, **more: Any) -> Any:
            nonlocal looking
            if not looking:
                looking = True
                try:
                    look()
                finally:
                    looking = False
            return call(*args, **more)

        return step

    with patch.context() as patched:
        for name in steps:
            patched.setattr(os, name, stepped(getattr(os, name)))
        patched.setattr(place, "_exchange", stepped(place._exchange))
        yield


@pytest.mark.parametrize("start", [plain, linked, edited, nothing])
def test_kill_9_before_any_step_leaves_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[[Path], None]
) -> None:
    folder, states = tmp_path / "etc", list[Path]()
    start(folder)
    old = says(folder)

    def look() -> None:
        state = tmp_path / f"state-{len(states)}"
        shutil.copytree(folder, state, symlinks=True)
        states.append(state)

    with before_each_step(monkeypatch, look):
        place.put(folder, "8", NEW, "{}")
    seen = [says(state) for state in states]
    assert len(states) > 15
    assert seen[0] == old
    assert says(folder) == NEW
    turn = seen.index(NEW)
    assert all(one == old or (start is nothing and "home.yaml" not in one) for one in seen[:turn])
    assert all(one == NEW for one in seen[turn:])
    for state in states[::5]:  # whoever was interrupted does it again
        place.put(state, "9", NEW, "{}")
        assert says(state) == NEW
        assert sorted(path.name for path in state.iterdir()) == [
            "configurations", "configured", "home.yaml", "node.key", "rules",
        ]  # fmt: skip
        assert (state / "node.key").read_text() == "secret"


@pytest.mark.parametrize("start", [plain, linked, edited])
def test_an_error_of_the_disk_at_any_step_leaves_the_old_one_or_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[[Path], None]
) -> None:
    """One step fails, with those after it as they are: who is told that the old one runs can rely on it."""
    done = False
    for nth in range(1, 100):
        folder, steps = tmp_path / f"etc-{nth}", 0
        start(folder)
        old = says(folder)

        def fail(nth: int = nth) -> None:
            nonlocal steps
            steps += 1
            if steps == nth:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        told = ""
        with before_each_step(monkeypatch, fail, (*STEPS, "listdir", "scandir")):
            try:
                place.put(folder, "8", NEW, "{}")
            except OSError as error:
                told = str(error)
        assert says(folder) == (old if told else NEW), f"step {nth}: {told}"
        done = steps < nth
        if done:
            break
    assert done
    assert nth > 15


@pytest.mark.parametrize("start", [plain, linked])
def test_a_power_cut_before_any_step_leaves_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[[Path], None]
) -> None:
    """A file system of its own: what it had not written yet when its backing file was copied is lost."""
    if not shutil.which("mkfs.ext4"):
        pytest.skip("mkfs.ext4 is not installed")
    disk, mount, copies = tmp_path / "disk.img", tmp_path / "mnt", dict[bytes, Path]()
    with disk.open("wb") as file:
        file.truncate(8 << 20)
    must("mkfs.ext4", "-q", "-F", str(disk))

    def look() -> None:
        image = disk.read_bytes()
        if image not in copies:
            copies[image] = tmp_path / f"cut-{len(copies)}.img"
            copies[image].write_bytes(image)

    with mounted("-o", "loop", str(disk), at=mount) as root:
        start(root / "etc")
        os.sync()
        copies.clear()
        with before_each_step(monkeypatch, look):
            place.put(root / "etc", "8", NEW, "{}")
        look()
    assert len(copies) > 3
    seen = []
    for copy in copies.values():
        with mounted("-o", "loop", str(copy), at=mount) as root:
            seen.append(says(root / "etc"))
    assert [one for one in seen if one not in (OLD, NEW)] == []
    assert seen[0] == OLD
    assert seen[-1] == NEW, "it was said to be done"
