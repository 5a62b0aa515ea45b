"""Nothing acknowledged is lost: killed writers, pulled plugs, full and read-only disks, for real."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import StorageError
from homenode.journal import Journal, Limits, Pace
from homenode.journal.codec import SCHEMA
from tests.system.disks import fill, mounted, must
from tests.system.journal_writer import LIMITS, record

ROOT = Path(__file__).parents[2]
QUICK = Pace(write_s=0.01, retry_s=0.05)


class Writer:
    """`tests.system.journal_writer` as a process; `acknowledged` grows while it runs."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.system.journal_writer", str(folder)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        self._lines = self.process.stdout
        self.acknowledged: list[int] = []
        first = self._lines.readline()
        assert first == "ready\n", self.process.stderr and self.process.stderr.read()

    def run(self, commits: int) -> None:
        """Until so many more are acknowledged."""
        for _ in range(commits):
            line = self._lines.readline()
            assert line, self.process.stderr and self.process.stderr.read()
            self.acknowledged.append(int(line))

    def kill(self) -> None:
        """At once, in the middle of whatever it does; what it had said before counts as acknowledged."""
        self.process.send_signal(signal.SIGKILL)
        self.ended()

    def ended(self) -> None:
        """It is dead, or will be; read what it said until then."""
        rest = self._lines.read().splitlines(keepends=True)
        self.acknowledged += [int(line) for line in rest if line.endswith("\n")]
        self.process.wait()
        assert self.process.stderr is not None
        assert self.process.stderr.read() == ""


def lost(folder: Path, acknowledged: set[int]) -> set[int]:
    """Of what was acknowledged, what is not there as it was written.

    Of what was not, a drive may write the later part and not the earlier: that is a gap, and told as one.
    """
    newest = max(acknowledged, default=0)
    with Journal.open(folder, limits=LIMITS) as journal:
        found = dict(journal.read())
        assert not [d for d in journal.damage if not d.torn and d.first <= newest], journal.damage
    return {number for number in acknowledged if found.get(number) != record(number)}


def test_kill_9_at_random_moments_loses_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20260105)
    acknowledged: set[int] = set()
    for _ in range(12):
        writer = Writer(tmp_path)
        writer.run(chance.randrange(1, 400))
        writer.kill()
        acknowledged |= set(writer.acknowledged)
        assert lost(tmp_path, acknowledged) == set()
    assert len(acknowledged) > 1000


def test_a_newest_file_without_its_head_takes_nothing_from_the_one_before(tmp_path: Path) -> None:
    """Its first number isn't known then; it is no lower than what the one before holds."""
    with Journal.open(tmp_path, limits=LIMITS) as journal:
        for number in range(1, 9):
            journal.append(record(number), klass="alert")
        journal.commit().result(10)
        journal._store.abandon()  # a cut: no checkpoint
    (tmp_path / "journal" / "00000002.log").write_bytes(bytes(LIMITS.segment_bytes))
    assert lost(tmp_path, set(range(1, 9))) == set()


def test_what_a_cut_left_in_the_next_file_is_never_taken_for_records(tmp_path: Path) -> None:
    """The drive wrote what was in it and not yet its new name."""
    ours, other = tmp_path / "ours", tmp_path / "other"
    with Journal.open(ours, limits=LIMITS) as journal:
        for number in range(1, 5):
            journal.append(record(number), klass="alert")
    shutil.copytree(ours, other)
    with Journal.open(other, limits=LIMITS) as journal:
        for number in range(5, 50):
            journal.append(record(number), klass="alert")
    shutil.copy(other / "journal" / "00000001.log", ours / "journal" / "spare")
    with Journal.open(ours, limits=LIMITS) as journal:
        tidy(journal)
        journal._store.roll()
        assert journal.append(record(5), klass="alert") == 5
        journal.commit().result(10)
        journal._store.abandon()  # a cut: no checkpoint
    with Journal.open(ours, limits=LIMITS) as journal:
        assert [number for number, _ in journal.read()] == [1, 2, 3, 4, 5]
        assert journal.damage == ()


def test_the_newest_state_is_known_behind_a_file_that_was_begun_for_no_record(tmp_path: Path) -> None:
    """Such as by an update. Else the readings since that state would count as old ones and go."""
    with Journal.open(tmp_path, limits=LIMITS, schema=SCHEMA - 1) as journal:
        journal.append({"t": "up"}, klass="system")
        journal.append({"t": "state"}, klass="state")
        journal.append({"t": "r"}, klass="reading")
        journal.commit().result(10)
        journal._store.abandon()
    for _ in range(2):
        with Journal.open(tmp_path, limits=LIMITS) as journal:
            assert journal.newest_state == 2
            journal._store.abandon()


def test_marks_tell_the_newest_state_that_is_on_the_disk_while_a_newer_one_is_not(tmp_path: Path) -> None:
    with Journal.open(tmp_path, limits=LIMITS) as journal:
        journal.append({"t": "up"}, klass="system")
        journal.append({"t": "state"}, klass="state")
    with Journal.open(tmp_path, limits=LIMITS) as journal:
        tidy(journal)
        journal._store.roll()
        for _ in range(3):
            journal.append({"t": "r"}, klass="reading")
        journal.mark("readings", 3)
        number = journal.append({"t": "state", "fill": "x" * 500}, klass="state")
        journal.commit().result(10)
        journal._store.abandon()
    file = tmp_path / "journal" / "00000002.log"
    file.write_bytes(file.read_bytes().replace(b"x" * 500, bytes(500)))  # a cut: it was under way
    with Journal.open(tmp_path, limits=LIMITS) as journal:
        assert journal.newest_state == 2 < number


def tidy(journal: Journal) -> None:
    """Wait until the journal has its next file ready and nothing else to do between commits."""
    while journal._chores:
        threading.Event().wait(0.002)


class Told:
    """What `on_trouble` was told, and a way to wait for it."""

    def __init__(self) -> None:
        self.all: list[StorageError | None] = []
        self._changed = threading.Condition()

    def __call__(self, error: StorageError | None) -> None:
        with self._changed:
            self.all.append(error)
            self._changed.notify_all()

    def wait(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.all) >= count, 20), self.all


def alert(nth: int) -> dict[str, Any]:
    return {"t": "tr", "nth": nth, "text": "y" * 400}


def test_a_full_disk_takes_alerts_longest_and_everything_when_there_is_room_again(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=64 * 1024)
    with mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", at=tmp_path / "mnt") as disk:
        told = Told()
        with Journal.open(disk / "data", on_trouble=told, limits=limits, pace=QUICK) as journal:
            journal.append({"t": "up"}, klass="system")
            journal.commit().result(10)
            tidy(journal)
            with contextlib.suppress(OSError), (disk / "other").open("wb", buffering=0) as other:
                while True:
                    other.write(bytes(4096))
            readings: list[int] = []
            while not told.all:
                readings.append(
                    journal.append({"t": "r", "p": "a.power", "v": len(readings)}, klass="reading")
                )
                if not len(readings) % 20:
                    with contextlib.suppress(StorageError):
                        journal.commit().result(10)
            assert told.all[0] is not None
            assert "full" in told.all[0].what
            assert told.all[0].do
            alerts = [journal.append(alert(nth), klass="alert") for nth in range(50)]
            assert journal.commit(alerts[-1]).result(10) == alerts[-1]
            held = journal.append({"t": "r", "p": "a.power", "v": -1}, klass="reading")
            with pytest.raises(StorageError, match="full"):
                journal.commit(held).result(10)
            while True:  # until even the reserve is used up
                alerts.append(journal.append(alert(len(alerts)), klass="alert"))
                try:
                    journal.commit(alerts[-1]).result(10)
                except StorageError:
                    break
            assert len(alerts) > 60
            assert dict(journal.read()).keys() >= {*alerts, held}
            (disk / "other").unlink()
            told.wait(2)
            assert [error is None for error in told.all] == [False, True]
            journal.commit().result(10)
            assert journal.dropped == 0
        with Journal.open(disk / "data", limits=limits) as journal:
            found = dict(journal.read())
            assert found.keys() >= {*alerts, held}  # the oldest readings may have made room for them
            assert {found[number]["nth"] for number in alerts} == set(range(len(alerts)))
            assert journal.damage == ()


def test_a_new_journal_on_a_full_disk_says_what_to_do_and_begins_when_there_is_room(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=64 * 1024)
    with mounted("-t", "tmpfs", "-o", "size=512k", "tmpfs", at=tmp_path / "mnt") as disk:
        other = fill(disk)
        told = Told()
        with Journal.open(disk, on_trouble=told, limits=limits, pace=QUICK) as journal:
            assert told.all[0] is not None
            assert "full" in told.all[0].what
            assert told.all[0].do
            assert str(disk) in told.all[0].where
            one = journal.append(alert(1), klass="alert")
            assert dict(journal.read()) == {one: alert(1)}
            other.unlink()
            told.wait(2)
            journal.commit(one).result(10)
        with Journal.open(disk, limits=limits) as again:
            assert dict(again.read()) == {one: alert(1)}
            assert again.epoch == journal.epoch


def test_a_disk_that_turns_read_only_is_told_and_recovered_from(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=64 * 1024)
    with mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs", at=tmp_path / "mnt") as disk:
        told = Told()
        journal = Journal.open(disk, on_trouble=told, limits=limits, pace=QUICK)
        first = journal.append(alert(0), klass="alert")
        journal.commit().result(10)
        tidy(journal)
        journal._store.abandon()  # a file open for writing forbids turning a whole mount read-only
        must("mount", "-o", "remount,ro", str(disk))
        second = journal.append(alert(1), klass="alert")
        with pytest.raises(StorageError, match="read-only"):
            journal.commit().result(10)
        must("mount", "-o", "remount,rw", str(disk))
        told.wait(2)
        assert [error is None for error in told.all] == [False, True]
        journal.commit(second).result(10)
        journal.close()
        with Journal.open(disk, limits=limits) as again:
            assert dict(again.read()) == {first: alert(0), second: alert(1)}


def test_at_a_start_on_a_read_only_disk_the_past_is_known_and_the_present_waits(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=64 * 1024)
    with mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs", at=tmp_path / "mnt") as disk:
        with Journal.open(disk, limits=limits) as before:
            first = before.append(alert(0), klass="alert")
        must("mount", "-o", "remount,ro", str(disk))
        told = Told()
        with Journal.open(disk, on_trouble=told, limits=limits, pace=QUICK) as journal:
            assert told.all[0] is not None
            assert "read-only" in told.all[0].what
            assert journal.epoch != before.epoch  # numbers given from here on may never be written down
            second = journal.append(alert(1), klass="alert")
            assert dict(journal.read()) == {first: alert(0), second: alert(1)}
            must("mount", "-o", "remount,rw", str(disk))
            told.wait(2)
        with Journal.open(disk, limits=limits) as again:
            assert dict(again.read()) == {first: alert(0), second: alert(1)}
            assert again.epoch == journal.epoch
            assert again.damage == ()


def test_a_sync_that_fails_moves_on_to_a_fresh_file_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel forgets what a failed fdatasync has not written: trying it again would lie."""
    real, failing = os.fdatasync, [0]

    def fdatasync(file: int) -> None:
        if failing[0]:
            failing[0] -= 1
            raise OSError(5, "Input/output error")
        real(file)

    told = Told()
    with Journal.open(tmp_path, on_trouble=told, pace=QUICK) as journal:
        tidy(journal)
        one = journal.append(alert(1), klass="alert")
        monkeypatch.setattr(os, "fdatasync", fdatasync)
        failing[0] = 1
        assert journal.commit(one).result(10) == one
        assert told.all == []
        failing[0] = 1000
        two = journal.append(alert(2), klass="alert")
        with pytest.raises(StorageError, match="fails"):
            journal.commit(two).result(10)
        failing[0] = 0
        told.wait(2)
        journal.commit(two).result(10)
        assert dict(journal.read()) == {one: alert(1), two: alert(2)}
    with Journal.open(tmp_path) as journal:
        assert dict(journal.read()) == {one: alert(1), two: alert(2)}
        assert journal.damage == ()
