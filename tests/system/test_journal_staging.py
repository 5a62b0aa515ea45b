"""What waits for the next commit outlives the process, in memory, and costs the card nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from homenode.journal import Journal, Pace, staging
from homenode.journal.report import show

ROOT = Path(__file__).parents[2]
SLOW = Pace(write_s=60, sync_s=600)

KILLED = """
import os, sys
from pathlib import Path
from homenode.journal import Journal, Pace
journal = Journal.open(Path(sys.argv[1]), pace=Pace(write_s=60, sync_s=600))
journal.append({"t": "first"}, klass="alert")
journal.commit().result(10)
for nth in range(5):
    journal.append({"t": "r", "n": nth, "at": 1000 + nth}, klass="reading")
with journal._io:  # the disk is busy, or hangs
    journal.flush()
    journal.append({"t": "late"}, klass="reading")
    os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def _memory() -> None:
    if not os.path.ismount(staging.MEMORY):
        pytest.skip(f"{staging.MEMORY} is no memory here")


def kill_amid(folder: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, check=False)
    assert ended.returncode == -9


def said(folder: Path) -> list[object]:
    with Journal.open(folder, pace=SLOW) as journal:
        assert journal.damage == ()
        return [record.get("n", record["t"]) for _, record in journal.read()]


def test_kill_9_takes_nothing_that_was_flushed_though_the_disk_was_busy(tmp_path: Path) -> None:
    kill_amid(tmp_path)
    assert said(tmp_path) == ["first", 0, 1, 2, 3, 4]
    assert said(tmp_path) == ["first", 0, 1, 2, 3, 4]


def test_who_reads_the_files_reads_what_waits_too(tmp_path: Path) -> None:
    kill_amid(tmp_path)
    out = io.StringIO()
    assert show(tmp_path, out, io.StringIO()) == 0
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["1", "2", "3", "4", "5", "6"]


def test_the_power_takes_what_was_not_committed_and_no_more(tmp_path: Path) -> None:
    kill_amid(tmp_path)
    staging.path_of(tmp_path / "journal").unlink()
    assert said(tmp_path) == ["first"]


def test_what_was_taken_over_is_on_the_disk_soon(tmp_path: Path) -> None:
    kill_amid(tmp_path)
    with Journal.open(tmp_path, pace=SLOW) as journal:
        journal.commit().result(10)
        staging.path_of(tmp_path / "journal").unlink()
        os.kill(os.getpid(), 0)
    assert said(tmp_path) == ["first", 0, 1, 2, 3, 4]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with Journal.open(tmp_path, pace=SLOW) as journal:
        place = staging.path_of(tmp_path / "journal")
        journal.append({"t": "r"}, klass="reading")
        journal.flush()
        assert place.stat().st_size
        journal.commit().result(10)
        assert not place.stat().st_size
    assert not place.exists()


def test_marks_wait_there_too(tmp_path: Path) -> None:
    script = KILLED.replace("write_s=60, sync_s=600", "write_s=0.01, mark_s=0.02, sync_s=600").replace(
        "with journal._io:", 'journal.mark("readings", 3)\nimport time; time.sleep(1)\nwith journal._io:'
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == -9
    with Journal.open(tmp_path, pace=SLOW) as journal:
        assert journal.marks() == {"readings": 3}


def test_a_file_of_somebody_elses_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a file of another user")
    place = staging.path_of(tmp_path / "journal")
    place.write_bytes(b"")
    os.chown(place, 65534, 65534)
    try:
        with Journal.open(tmp_path, pace=SLOW) as journal:
            journal.append({"t": "r"}, klass="reading")
            journal.flush()
            assert place.stat().st_size == 0
            assert b'"r"' in (tmp_path / "journal" / "00000001.log").read_bytes()
    finally:
        place.unlink()


def test_records_of_another_journal_in_the_same_place_are_not_taken(tmp_path: Path) -> None:
    kill_amid(tmp_path)
    for file in (tmp_path / "journal").iterdir():
        file.unlink()
    assert said(tmp_path) == []
