"""Drivers keep their files on the disk, or in memory while it takes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.gateway import folders
from homenode.gateway.folders import Folders


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place in memory of our own."""
    place = tmp_path / "memory"
    place.mkdir()
    monkeypatch.setattr(folders, "MEMORY", place)
    return place


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def refuse(data: Path, name: str) -> Path:
    """A folder that can't be used: a file is in its place (root may write everywhere else)."""
    aside = data / f"{name}.aside"
    if (data / name).exists():
        (data / name).rename(aside)
    (data / name).write_text("in the way")
    return aside


def test_a_driver_has_a_folder_of_its_name(data: Path) -> None:
    found = Folders(data)
    assert found.of("zigbee") == data / "zigbee"
    assert list((data / "zigbee").iterdir()) == []
    assert not found.away
    assert not found.can_go_home()


def test_where_nothing_can_be_written_it_is_in_memory_and_ours(data: Path, memory: Path) -> None:
    refuse(data, "zigbee")
    found = Folders(data)
    folder = found.of("zigbee")
    assert folder.parent == memory
    assert folder.stat().st_mode & 0o777 == 0o700
    assert found.away == {"zigbee"}
    assert Folders(data).of("zigbee") == folder, "a restart finds it again"


def test_what_was_written_meanwhile_is_brought_back(data: Path, memory: Path) -> None:
    refuse(data, "zigbee")
    found = Folders(data)
    (found.of("zigbee") / "zigbee.db").write_text("paired meanwhile")
    assert not found.can_go_home()
    (data / "zigbee").unlink()
    assert found.can_go_home()
    assert found.of("zigbee") == data / "zigbee"
    assert (data / "zigbee" / "zigbee.db").read_text() == "paired meanwhile"
    assert list(memory.iterdir()) == []
    assert not found.away


def test_a_folder_in_memory_that_somebody_else_laid_there_is_not_used(data: Path, memory: Path) -> None:
    refuse(data, "zigbee")
    folder = Folders(data).of("zigbee")
    folder.rmdir()
    (trap := memory / "trap").mkdir()
    folder.symlink_to(trap)
    with pytest.raises(OSError, match="exists"):
        Folders(data).of("zigbee")
