"""One stream out of every kind of recording; a line that can't be read stops nothing."""

from __future__ import annotations

import gzip
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.errors import FileMistakes, SetupError
from homenode.recordings import LONGEST, SHOWN, Recording, parse_homenode_line

SHARED = Path(__file__).parents[3] / "shared/data"

SAMPLES = {
    "homenode": (
        '{"at": "2026-01-05T06:12:03.250+01:00", "point": "stove.power", "value": 1420}\n'
        '{"at": "2026-01-05T06:12:04+01:00", "node": "down"}\n'
        '{"at": "2026-01-05T06:12:05+01:00", "point": "door.contact", "value": null}\n',
        [("stove.power", 1420), ("door.contact", None)],
    ),
    "home events": (
        "local_time,epoch_local_as_utc,sensor_id,name,kind,state\n"
        '2003-03-27 06:43:40,1048747420,67,"Bathroom,Cabinet A",cupboard_drawer,on\n'
        "2003-03-27 06:43:43,1048747423,100,Toilet,water_use,off\n",
        [("67", True), ("100", False)],
    ),
    "plug meter": (
        "17/12/2011 00:00:00;0;1.5\n17/12/2011 00:00:02;862;\n",
        [("power", 0), ("power_8s", 1.5)],
    ),
    "table": (
        "Time,Aggregate,Kettle\n2014-03-01 00:00:00,55.2,0.0\n2014-03-01 00:01:00,,2000\n",
        [("Aggregate", 55.2), ("Kettle", 0), ("Kettle", 2000)],
    ),
    "edge list": (
        "        mark         | zone | number | state | level | source  |    info\n"
        "---------------------+------+--------+-------+-------+---------+------------\n"
        " 2005-01-12 00:15:07 | c    |      3 |     0 |     0 | X10     | inhabitant\n"
        " 2005-01-12 00:15:06 | V    |     25 |     1 |   100 | ArgusD  | inhabitant\n"
        " 2005-01-12 00:15:09 | S    |     19 |     1 |   246 | ArgusMS | inhabitant\n"
        "(3 rows)\n",
        [("c3", False), ("V25", True), ("S19", 246)],
    ),
}


def _file(folder: Path, text: str) -> Path:
    path = folder / "recording"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_is_known_by_its_first_line(tmp_path: Path, name: str) -> None:
    text, said = SAMPLES[name]
    assert [(line.source, line.value) for line in Recording(_file(tmp_path, text))] == said


@pytest.mark.parametrize("name", SAMPLES)
def test_packed_or_not_makes_no_difference(tmp_path: Path, name: str) -> None:
    plain = _file(tmp_path, SAMPLES[name][0])
    packed = tmp_path / "packed.whatever"
    packed.write_bytes(gzip.compress(SAMPLES[name][0].encode()))
    assert list(Recording(packed)) == list(Recording(plain))


def test_times_with_an_offset_are_instants_and_others_are_of_the_zone(tmp_path: Path) -> None:
    line = next(iter(Recording(_file(tmp_path, SAMPLES["homenode"][0]))))
    assert line.wall_ms == datetime(2026, 1, 5, 5, 12, 3, 250_000, UTC).timestamp() * 1000
    stockholm = Recording(_file(tmp_path, SAMPLES["plug meter"][0]), ZoneInfo("Europe/Stockholm"))
    assert next(iter(stockholm)).wall_ms == datetime(2011, 12, 16, 23, 0, tzinfo=UTC).timestamp() * 1000


def test_finer_stamps_are_cut_to_milliseconds() -> None:
    at = parse_homenode_line('{"at": "2026-01-05T06:12:03.250999Z", "point": "a.power", "value": 1}')[0][0]
    assert at % 1000 == 250


def test_lines_out_of_order_and_repeats_come_as_they_stand(tmp_path: Path) -> None:
    text, _ = SAMPLES["edge list"]
    times = [line.wall_ms for line in Recording(_file(tmp_path, text + text.splitlines()[3] + "\n"))]
    assert times[1] < times[0]
    assert times[3] == times[1]


def test_bad_lines_are_counted_with_their_numbers(tmp_path: Path) -> None:
    text = (
        SAMPLES["home events"][0]
        + "2003-02-30 06:43:43,0,1,x,door,on\nrubbish\n2003-03-27 06:44:00,0,7,x,door,maybe\n"
    )
    recording = Recording(_file(tmp_path, text))
    assert len(list(recording)) == 2
    assert recording.bad == 3
    assert [mistake.line for mistake in recording.mistakes] == [4, 5, 6]


def test_a_file_of_nothing_but_bad_lines_takes_no_memory(tmp_path: Path) -> None:
    recording = Recording(_file(tmp_path, SAMPLES["home events"][0] + "bad\n" * 5000))
    assert len(list(recording)) == 2
    assert recording.bad == 5000
    assert len(recording.mistakes) == SHOWN


def test_a_line_without_end_is_one_bad_line(tmp_path: Path) -> None:
    text = SAMPLES["plug meter"][0] + "9" * (3 * LONGEST) + "\n17/12/2011 00:00:09;5;5\n"
    recording = Recording(_file(tmp_path, text))
    assert next(line.value for line in recording if line.source == "power" and line.line > 2) == 5
    assert recording.bad == 2  # the long line, and the meter line without its second value


def test_a_recording_may_begin_in_the_middle_of_a_line(tmp_path: Path) -> None:
    recording = Recording(_file(tmp_path, "00:00;3;4\n" + SAMPLES["plug meter"][0]))
    assert len(list(recording)) == 2
    assert recording.mistakes[0].line == 1


def test_a_cut_gzip_file_is_read_to_where_it_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    whole = gzip.compress(("".join(f"17/12/2011 00:00:{n % 60:02};{n};0\n" for n in range(20_000))).encode())
    path.write_bytes(whole[: len(whole) // 2])
    recording = Recording(path)
    assert len(list(recording)) > 1000
    assert "damaged end" in recording.mistakes[-1].found


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert list(Recording(_file(tmp_path, ""))) == []


def test_an_unknown_format_is_told_with_its_first_line(tmp_path: Path) -> None:
    with pytest.raises(FileMistakes, match=r"recording:1: .*'hello'"):
        list(Recording(_file(tmp_path, "hello\nworld\n")))


def test_a_missing_file_is_for_a_person_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        list(Recording(tmp_path / "none"))


@given(st.text())
def test_no_line_breaks_the_reader(text: str) -> None:
    with suppress(ValueError):
        parse_homenode_line(text)


@pytest.mark.parametrize("folder", ["homes", "power", "whole-home", "load"])
def test_every_line_of_the_real_recordings_is_read(folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"no recordings at {SHARED / folder}")
    files = sorted((SHARED / folder).glob("*.gz"))
    for file in files[:: max(1, len(files) // 3)]:
        recording = Recording(file)
        assert sum(1 for _ in recording) > 1000
        assert recording.mistakes == []
