"""`homenode journal`: what people and replay are told about a journal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from homenode.journal import Journal, Limits
from homenode.journal.__main__ import command

JANUARY = 1_767_589_923_250  # 2026-01-05T05:12:03.250Z


def written(folder: Path, *records: dict[str, Any]) -> None:
    classes: dict[str, Any] = {"r": "reading", "tr": "alert"}
    with Journal.open(folder) as journal:
        for record in records:
            journal.append(record, klass=classes.get(record["t"], "system"))


def asked(what: str, folder: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return command(what, folder, out, err), out.getvalue(), err.getvalue()


def exported(folder: Path) -> list[dict[str, Any]]:
    status, out, _ = asked("export", folder)
    assert status == 0
    return [json.loads(line) for line in out.splitlines()]


def test_an_export_is_what_replay_reads(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"t": "clock", "at": 1000, "offset_ms": JANUARY - 1000, "trusted": True},
        {"t": "r", "p": "stove.power", "v": 1420, "at": 1000},
        {"t": "r", "p": "stove.power", "v": 3, "at": 500, "h": "historical"},
        {"t": "beat", "at": 1500},
        {"t": "tr", "rule": "stove_left_on", "alert": "a1", "event": "raised", "at": 2000},
        {"t": "mode", "mode": "away", "at": 2500},
        {"t": "ack", "alert": "a1", "parties": ["care"], "at": 3000},
        {"t": "ack", "alert": "a1", "parties": ["property"], "at": 3100},
        {"t": "later", "at": 3200},
    )
    assert exported(tmp_path) == [
        {"at": "2026-01-05T05:12:03.250+00:00", "point": "stove.power", "value": 1420},
        {"at": "2026-01-05T05:12:04.750+00:00", "mode": "away"},
        {"at": "2026-01-05T05:12:05.250+00:00", "ack": "stove_left_on"},
        {"at": "2026-01-05T05:12:05.450+00:00", "end": True},
    ]


def test_a_pulled_plug_is_down_from_the_last_that_was_heard(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"t": "clock", "at": 0, "offset_ms": JANUARY, "trusted": True},
        {"t": "beat", "at": 5000},
        {"t": "up", "at": 65_000},
        {"t": "down", "at": 70_000},
        {"t": "up", "at": 80_000},
    )
    assert [(line["at"][17:23], line.get("node")) for line in exported(tmp_path)] == [
        ("08.250", "down"),
        ("08.250", "up"),
        ("13.250", "down"),
        ("23.250", "up"),
        ("23.250", None),
    ]


def test_a_clock_that_was_wrong_at_boot_changes_no_duration(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"t": "clock", "at": 0, "offset_ms": 5, "trusted": False},
        {"t": "r", "p": "a.power", "v": 1, "at": 100},
        {"t": "clock", "at": 200, "offset_ms": JANUARY, "trusted": True},
        {"t": "r", "p": "a.power", "v": 2, "at": 300},
    )
    assert [line["at"][11:23] for line in exported(tmp_path)] == [
        "05:12:03.350",
        "05:12:03.550",
        "05:12:03.550",
    ]


def test_a_clock_set_later_does_not_move_what_was_told_by_a_right_one(tmp_path: Path) -> None:
    """At the first start ever the steady clock is the wall's: nothing to add is not "nothing known"."""
    written(
        tmp_path,
        {"t": "clock", "at": JANUARY, "offset_ms": 0, "trusted": True},
        {"t": "r", "p": "a.power", "v": 1, "at": JANUARY},
        {"t": "clock", "at": JANUARY + 500, "offset_ms": -3_600_000, "trusted": True},
        {"t": "down", "at": JANUARY + 100},
        {"t": "up", "at": JANUARY + 500},
    )
    _, out, _ = asked("show", tmp_path)
    assert out.splitlines()[1].startswith("2 2026-01-05T05:12:03.250+00:00 reading")
    assert out.splitlines()[4].startswith("5 2026-01-05T04:12:03.750+00:00 system")


def test_runs_before_anybody_knew_the_time_take_the_first_that_did(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"t": "clock", "at": 0, "offset_ms": 0, "trusted": False},
        {"t": "r", "p": "a.power", "v": 1, "at": 0},
        {"t": "up", "at": 500},
        {"t": "clock", "at": 500, "offset_ms": JANUARY, "trusted": True},
    )
    _, out, _ = asked("show", tmp_path)
    assert out.splitlines()[1].startswith("2 2026-01-05T05:12:03.250+00:00 reading")


def test_verify_says_file_offset_and_what_was_lost(tmp_path: Path) -> None:
    written(
        tmp_path, *({"t": "r", "p": "a.power", "v": nth, "at": nth, "h": "restored"} for nth in range(100))
    )
    status, out, _ = asked("verify", tmp_path)
    assert (status, "no damage" in out, "records 1 to 100: 100 reading" in out) == (0, True, True)
    path = tmp_path / "journal/00000001.log"
    data = bytearray(path.read_bytes())
    data[600] ^= 4
    path.write_bytes(data)
    status, out, _ = asked("verify", tmp_path)
    assert status == 1
    assert "00000001.log at 5" in out
    assert "record 2 lost" in out
    assert "\n1 damaged place\n" in out


def test_what_is_damaged_is_told_beside_what_is_shown_and_exported(tmp_path: Path) -> None:
    written(
        tmp_path, *({"t": "r", "p": "a.power", "v": nth, "at": nth, "h": "restored"} for nth in range(100))
    )
    path = tmp_path / "journal/00000001.log"
    data = bytearray(path.read_bytes())
    data[600] ^= 4
    path.write_bytes(data)
    for what in ("show", "export"):
        status, out, err = asked(what, tmp_path)
        assert (status, out.count("a.power"), "record 2 lost" in err) == (1, 99, True)


def test_verify_names_a_missing_file(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=16 * 1024)
    with Journal.open(tmp_path, limits=limits) as journal:
        for nth in range(1000):
            journal.append({"t": "r", "p": "a.power", "v": nth, "at": nth}, klass="reading")
    (tmp_path / "journal/00000002.log").unlink()
    status, out, _ = asked("verify", tmp_path)
    assert status == 1
    assert "00000002.log: file is missing; at most records" in out


def test_show_prints_a_line_for_each_record_also_of_a_running_node(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append({"t": "clock", "at": 0, "offset_ms": JANUARY, "trusted": True}, klass="system")
        journal.append({"t": "r", "p": "köket.power", "v": 1, "at": 0}, klass="reading")
        journal.commit().result(10)
        _, out, _ = asked("show", tmp_path)
    assert out.splitlines()[1] == (
        '2 2026-01-05T05:12:03.250+00:00 reading {"t": "r", "p": "köket.power", "v": 1}'
    )


def test_a_folder_without_a_journal_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homenode.journal", "verify", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 2
    assert "no journal is here" in done.stderr
    assert "Traceback" not in done.stderr
