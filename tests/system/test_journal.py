"""The journal on real files: what it keeps over restarts, damage, retention and a second opener."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homenode.errors import SetupError, StorageError
from homenode.journal import Damage, FolderLock, Journal, Limits, Pace, staging
from homenode.journal.codec import EDGE
from homenode.journal.retention import DAY_MS

SMALL = Limits(segment_bytes=16 * 1024)
QUICK = Pace(write_s=0.01, sync_s=0.02, mark_s=0.01)


def reading(number: int, at: int = 0) -> dict[str, Any]:
    return {"t": "r", "p": "stove.power", "v": number, "at": at or number, "h": "restored"}


def fill(folder: Path, count: int, limits: Limits = SMALL) -> dict[int, Any]:
    """A journal with `count` readings, closed; what was written by number."""
    with Journal.open(folder, limits=limits) as journal:
        whole = {}
        for nth in range(count):
            number = journal.append(reading(nth), klass="reading")
            whole[number] = reading(nth)
            if not nth % 50:
                journal.commit().result(10)
    return whole


class Reopened:
    """A journal opened again, after it has looked through all its files."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Damage] = []
        journal = Journal.open(folder, limits=SMALL, on_damage=self.told.append)
        wait_until_tidy(journal)
        self.damage = journal.damage
        self.records = dict(journal.read())
        self.last, self.marks, self.epoch = journal.last, journal.marks(), journal.epoch
        number = journal.append({"t": "next"}, klass="alert")
        journal.commit(number).result(10)
        assert list(journal.read(number)) == [(number, {"t": "next"})]
        journal.close()

    @property
    def lost(self) -> set[int]:
        """Numbers that are told as lost; torn ones were never acknowledged."""
        return {number for d in self.damage if not d.torn for number in range(d.first, d.last + 1)}


def wait_until_tidy(journal: Journal) -> None:
    """Until the journal's thread has nothing to do between commits."""
    idle = threading.Event()
    while journal._chores:
        idle.wait(0.002)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "journal").glob("*.log"))


def flip(path: Path, offset: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.write_bytes(data)


def test_a_new_journal_is_empty_and_has_an_epoch(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        assert list(journal.read()) == []
        assert (journal.last, len(journal.epoch), journal.damage) == (0, 16, ())


def test_what_was_written_is_there_after_a_restart_in_the_same_epoch(tmp_path: Path) -> None:
    whole = fill(tmp_path, 1000)
    first, again = Reopened(tmp_path), Reopened(tmp_path)
    assert first.records == whole
    assert first.epoch == again.epoch
    assert again.records == whole | {1001: {"t": "next"}}
    assert first.damage == again.damage == ()


def test_reading_since_a_number_begins_there(tmp_path: Path) -> None:
    whole = fill(tmp_path, 1000)
    with Journal.open(tmp_path, limits=SMALL) as journal:
        assert dict(journal.read(777)) == {n: r for n, r in whole.items() if n >= 777}


def test_what_was_only_appended_is_read_too_and_reaches_the_disk_by_itself(tmp_path: Path) -> None:
    with Journal.open(tmp_path, pace=QUICK) as journal:
        number = journal.append(reading(1), klass="reading")
        assert dict(journal.read()) == {number: reading(1)}
        idle = threading.Event()
        while journal._safe < number:
            idle.wait(0.002)


def test_marks_are_there_after_a_restart_and_after_many_files(tmp_path: Path) -> None:
    with Journal.open(tmp_path, limits=SMALL) as journal:
        journal.mark("outbox", 5)
        journal.append(reading(0), klass="reading")
        journal.commit().result(10)
    fill(tmp_path, 1000)
    assert Reopened(tmp_path).marks == {"outbox": 5}


def test_a_mark_alone_is_kept_without_a_commit(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, pace=QUICK)
    journal.mark("outbox", 7)
    idle = threading.Event()
    while journal._marks_new or journal._unsafe:
        idle.wait(0.002)
    with Journal.open(tmp_path) as second:  # as if the first had been killed
        assert second.marks() == {"outbox": 7}
    journal.close()


SLOW = Pace(write_s=60, sync_s=60, mark_s=60)


def in_the_files(folder: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.fixture
def no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a place for what waits."""
    monkeypatch.setattr(staging, "MEMORY", tmp_path / "nowhere")


@pytest.mark.usefixtures("no_memory")
def test_flush_waits_for_the_thread_that_is_writing(tmp_path: Path) -> None:
    """What is appended meanwhile would else wait for its next turn, and kill -9 could take it."""
    with Journal.open(tmp_path / "j", pace=SLOW) as journal:
        journal.append({"t": "first"}, klass="reading")
        journal.commit().result(10)
        wait_until_tidy(journal)
        journal._io.acquire()  # as the thread does
        number = journal.append({"t": "heard meanwhile"}, klass="reading")
        writes = threading.Timer(0.01, journal._io.release)
        writes.start()
        journal.flush()
        writes.join()
        assert in_the_files(tmp_path, b"heard meanwhile")
        assert dict(journal.read(number)) == {number: {"t": "heard meanwhile"}}


@pytest.mark.usefixtures("no_memory")
def test_flush_does_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j", pace=SLOW) as journal:
        journal.append({"t": "first"}, klass="reading")
        journal.commit().result(10)
        wait_until_tidy(journal)
        with journal._io:
            journal.append({"t": "later"}, klass="reading")
            journal.flush()
            journal.flush()
        assert not in_the_files(tmp_path, b"later")
        journal.flush()
        journal.flush()
        assert in_the_files(tmp_path, b"later")


def test_commits_of_many_threads_are_all_answered(tmp_path: Path) -> None:
    with Journal.open(tmp_path, limits=SMALL) as journal:

        def work() -> None:
            for nth in range(50):
                number = journal.append(reading(nth), klass="alert")
                assert journal.commit(number).result(10) == number

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(dict(journal.read())) == 400


def test_after_closing_a_commit_says_so_and_nothing_hangs(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.close()
    journal.close()
    journal.append(reading(1), klass="reading")
    with pytest.raises(StorageError, match="closed"):
        journal.commit().result(10)


@pytest.mark.parametrize("which", [0, 2, -1])
@pytest.mark.parametrize("offset", [EDGE + 1, EDGE + 700, EDGE + 5000])
def test_a_flipped_bit_costs_one_record_once(tmp_path: Path, which: int, offset: int) -> None:
    whole = fill(tmp_path, 1100)
    broken = files(tmp_path)[which]
    before = broken.read_bytes()
    flip(broken, offset)
    damaged = broken.read_bytes()
    opened = Reopened(tmp_path)
    gone = whole.keys() - opened.records.keys()
    assert len(gone) <= 1  # none if it hit a mark
    assert opened.lost == gone
    assert all(whole[number] == record for number, record in opened.records.items())
    assert len(opened.damage) == 1
    assert opened.damage[0].file == broken.name
    assert damaged in [path.read_bytes() for path in (tmp_path / "journal" / "damaged").iterdir()]
    assert before != damaged
    assert Reopened(tmp_path).damage == ()


@pytest.mark.parametrize("which", [0, 2, -1])
@pytest.mark.parametrize("offset", [3, 20, 40, -EDGE + 3, -EDGE + 60])
def test_a_flipped_bit_in_what_describes_a_file_costs_nothing(
    tmp_path: Path, which: int, offset: int
) -> None:
    whole = fill(tmp_path, 1100)
    epoch = Reopened(tmp_path).epoch
    broken = files(tmp_path)[which]
    flip(broken, offset % broken.stat().st_size)
    opened = Reopened(tmp_path)
    assert opened.records.items() >= whole.items()
    assert opened.epoch == epoch
    assert opened.lost == set()
    assert Reopened(tmp_path).damage == ()


def test_a_missing_file_costs_its_own_records_and_is_told_once(tmp_path: Path) -> None:
    whole = fill(tmp_path, 1500)
    files(tmp_path)[1].unlink()
    opened = Reopened(tmp_path)
    assert [d.what for d in opened.damage] == ["file is missing"]
    assert opened.lost == whole.keys() - opened.records.keys()
    assert len(opened.records) > 1000
    assert Reopened(tmp_path).damage == ()


def test_the_newest_file_missing_is_seen_and_no_number_is_given_twice(tmp_path: Path) -> None:
    whole = fill(tmp_path, 1500)
    files(tmp_path)[-1].unlink()
    opened = Reopened(tmp_path)
    assert [d.what for d in opened.damage] == ["file is missing"]
    assert opened.lost >= whole.keys() - opened.records.keys()
    assert opened.last >= max(whole)
    assert Reopened(tmp_path).damage == ()


@pytest.mark.parametrize("which", [0, -1])
@pytest.mark.parametrize("length", [0, 100, EDGE + 10, 3000, 16 * 1024 - 1])
def test_a_cut_file_costs_only_what_was_cut(tmp_path: Path, which: int, length: int) -> None:
    whole = fill(tmp_path, 1100)
    broken = files(tmp_path)[which]
    with broken.open("r+b") as file:
        file.truncate(length)
    opened = Reopened(tmp_path)
    assert opened.damage
    assert all(whole[number] == record for number, record in opened.records.items())
    other = whole.keys() - opened.records.keys()
    assert len(other) <= 300  # what one file of this size can hold
    assert opened.last >= max(whole) - 300
    assert Reopened(tmp_path).damage == ()


def test_a_blanked_block_at_the_end_of_a_closed_journal_is_seen(tmp_path: Path) -> None:
    whole = fill(tmp_path, 30)
    with files(tmp_path)[0].open("r+b") as file:
        file.seek(EDGE + 1500)
        file.write(bytes(8192))
    opened = Reopened(tmp_path)
    assert opened.lost == whole.keys() - opened.records.keys()
    assert opened.lost


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_anywhere_changes_no_record_and_stops_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    whole = fill(folder, 700)
    harm: list[Callable[[Path], object]] = [
        lambda path: flip(path, data.draw(st.integers(0, path.stat().st_size - 1))),
        lambda path: path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size))]),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(data.draw(st.binary(max_size=300))),
    ]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([p for p in files(folder) if p.stat().st_size]))
        data.draw(st.sampled_from(harm))(path)
        if not [p for p in files(folder) if p.stat().st_size]:
            return
    opened = Reopened(folder)
    assert all(whole[number] == record for number, record in opened.records.items())
    again = Reopened(folder)
    assert again.damage == ()
    assert again.records.items() >= opened.records.items()


def test_old_readings_go_and_alerts_stay(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=16 * 1024, readings_bytes=80 * 1024)
    kept = {}
    with Journal.open(tmp_path, limits=limits) as journal:
        for nth in range(6000):
            if not nth % 500:
                kept[journal.append({"t": "tr", "nth": nth, "at": nth}, klass="alert")] = nth
            journal.append(reading(nth), klass="reading")
            if not nth % 100:
                journal.commit().result(10)
                wait_until_tidy(journal)
        found = dict(journal.read())
    assert {n: r["nth"] for n, r in found.items() if r["t"] == "tr"} == kept
    assert sum(path.stat().st_size for path in files(tmp_path)) < 130 * 1024
    assert max(found) == journal.last
    assert Reopened(tmp_path).damage == ()


def test_alerts_go_too_when_they_are_older_than_their_age(tmp_path: Path) -> None:
    limits = Limits(
        segment_bytes=16 * 1024, age_ms={"reading": DAY_MS, "system": 2 * DAY_MS, "alert": 5 * DAY_MS}
    )
    with Journal.open(tmp_path, limits=limits) as journal:
        for day in range(12):
            for nth in range(300):
                klass: Any = "alert" if nth == 7 else "system" if nth == 8 else "reading"
                journal.append({"t": klass, "day": day, "at": day * DAY_MS + nth}, klass=klass)
            journal.commit().result(10)
            wait_until_tidy(journal)
        found = [record for _, record in journal.read()]
    newest = {t: min(r["day"] for r in found if r["t"] == t) for t in ("alert", "system", "reading")}
    assert newest["reading"] >= 8
    assert newest["system"] >= 7
    assert 5 <= newest["alert"] <= 7
    assert [r for r in found if r["t"] == "alert" and r["day"] == 11]


def test_of_states_only_the_newest_is_kept_by_compaction(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=16 * 1024, readings_bytes=40 * 1024)
    with Journal.open(tmp_path, limits=limits) as journal:
        for nth in range(10):
            newest = journal.append({"t": "state", "nth": nth}, klass="state")
        for nth in range(3000):
            journal.append(reading(nth), klass="reading")
            if not nth % 100:
                journal.commit().result(10)
                wait_until_tidy(journal)
        states = [number for number, record in journal.read() if record["t"] == "state"]
    assert states == [newest]
    with Journal.open(tmp_path, limits=limits) as journal:
        assert journal.newest_state == newest


def test_a_second_process_on_the_same_folder_is_refused_by_name(tmp_path: Path) -> None:
    with FolderLock.take(tmp_path), pytest.raises(SetupError, match=r"process \d+ is already running"):
        FolderLock.take(tmp_path)
    FolderLock.take(tmp_path).release()


def test_a_file_in_place_of_the_data_folder_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    for folder in (tmp_path / "data", tmp_path / "data" / "deeper"):
        with pytest.raises(StorageError, match=r"a file of that name is in the way \(move it away, or name"):
            FolderLock.take(folder)


def test_a_file_in_the_place_of_the_folder_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(StorageError, match="journal") as caught:
        Journal.open(tmp_path)
    assert caught.value.do


def test_a_record_larger_than_a_file_is_refused(tmp_path: Path) -> None:
    with Journal.open(tmp_path, limits=SMALL) as journal, pytest.raises(ValueError, match="doesn't fit"):
        journal.append({"x": "y" * 20_000}, klass="state")


def test_a_compaction_that_the_power_cut_between_its_steps_is_finished_at_start(tmp_path: Path) -> None:
    whole = fill(tmp_path, 1500)
    old = {path: path.read_bytes() for path in files(tmp_path)}
    limits = Limits(segment_bytes=16 * 1024, readings_bytes=48 * 1024)
    with Journal.open(tmp_path, limits=limits) as journal:
        wait_until_tidy(journal)
        left = dict(journal.read())
    assert 0 < len(left) < len(whole)
    gone = next(path for path in old if not path.exists())
    gone.write_bytes(old[gone])  # its successor is there already
    (tmp_path / "journal" / "00000001-00000002.tmp").write_bytes(b"half")
    opened = Reopened(tmp_path)
    assert opened.damage == ()
    assert opened.records == left
    assert not gone.exists()
    assert not list((tmp_path / "journal").glob("*.tmp"))


def test_an_absurd_time_in_a_record_stops_nothing(tmp_path: Path) -> None:
    with Journal.open(tmp_path, limits=SMALL) as journal:
        for at in (-(10**30), 10**30, None, "now"):
            journal.append({"t": "r", "at": at}, klass="reading")
        for nth in range(600):
            journal.append(reading(nth), klass="reading")
        journal.commit().result(10)
    assert len(Reopened(tmp_path).records) == 604


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_if_its_thread_fails_whoever_waits_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[StorageError | None] = []
    journal = Journal.open(tmp_path, on_trouble=told.append)
    wait_until_tidy(journal)
    monkeypatch.setattr(journal._store, "sync", lambda: 1 / 0)
    journal.append(reading(1), klass="reading")
    with pytest.raises(StorageError, match="failed"):
        journal.commit().result(10)
    journal._thread.join(10)
    with pytest.raises(StorageError, match=r"closed|failed"):
        journal.commit().result(10)
    assert told[0] is not None
    journal.close()
