"""Recordings of others become what `homenode replay` reads: in order, once each, or not at all."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest

from homenode.cli import main
from homenode.errors import FileMistakes
from homenode.importing.points import Guessed, Mapped, device_of
from homenode.recordings import Recording, Sensor
from homenode.replay import replay

EVENTS = """local_time,epoch_local_as_utc,sensor_id,name,kind,state
2003-03-27 06:43:40,0,67,"Bathroom,Cabinet A",cupboard_drawer,on
2003-03-27 06:43:43,0,68,"Bathroom,Sink faucet - hot",water_use,on
2003-03-27 06:43:42,0,67,"Bathroom,Cabinet A",cupboard_drawer,off
2003-03-27 06:43:43,0,68,"Bathroom,Sink faucet - hot",water_use,on
2003-03-27 06:44:00,0,7,"PIR hall",motion,maybe
2003-03-27 06:45:00,0,7,"PIR hall",motion,off
"""

METER = "17/12/2011 00:00:00;0;1\n17/12/2011 00:00:02;862;3\n"

HISTORY = """entity_id,state,last_changed
binary_sensor.hall_door_contact,off,2024-01-05T05:12:03.250Z
sensor.stove_power,1420.5,2024-01-05T05:12:04Z
binary_sensor.hall_door_contact,unavailable,2024-01-05T05:13:00Z
"""

TELEGRAM = (
    "/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(170102192002W)\r\n"
    "1-0:1.8.1(000004.426*kWh)\r\n1-0:1.7.0(00.244*kW)\r\n1-0:31.7.0(001*A)\r\n!"
)


def _file(folder: Path, text: str, name: str = "recording.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def _import(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, list[dict[str, object]], str]:
    status = main(["import", *map(str, args)])
    told = capsys.readouterr()
    return status, [json.loads(line) for line in told.out.splitlines()], told.err


def test_edges_become_readings_in_order_and_everything_else_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, EVENTS)
    status, lines, told = _import(capsys, file, "--timezone", "America/New_York")
    assert status == 0
    assert [(str(line["at"])[11:], line.get("point"), line.get("value")) for line in lines] == [
        ("06:43:40.000-05:00", "bathroom_cabinet_a.contact", True),
        ("06:43:42.000-05:00", "bathroom_cabinet_a.contact", False),
        ("06:43:43.000-05:00", "bathroom_sink_faucet_hot.contact", True),
        ("06:45:00.000-05:00", "pir_hall.motion", False),
        ("06:45:00.000-05:00", None, None),
    ]
    assert lines[-1]["end"] is True
    assert "4 readings, 1 wrong, 1 repeated (first: line 5), 1 put in order (first: line 4)" in told
    assert f"{file}:6: " in told


def test_of_several_values_at_one_instant_the_last_stays_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"2003-03-27 06:43:40,0,1,d,door,{state}\n" for state in ("on", "off", "on", "on", "off"))
    _, lines, _ = _import(capsys, _file(tmp_path, EVENTS.splitlines()[0] + "\n" + rows))
    assert [line["value"] for line in lines[:-1]] == [True, False, True, False]


def test_a_cut_gzip_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stove_2011-12-17.csv.gz"
    whole = gzip.compress("".join(f"17/12/2011 00:00:{n % 60:02};{n};0\n" for n in range(20_000)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    status, lines, told = _import(capsys, path)
    assert (status, lines) == (2, [])
    assert "damaged end" in told


@pytest.mark.parametrize("text", [EVENTS + "2003-03-27 06:4", TELEGRAM[:-30]])
def test_a_recording_that_ends_in_the_middle_of_a_line_or_telegram_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    status, lines, told = _import(capsys, _file(tmp_path, text))
    assert (status, lines) == (2, [])
    assert f"recording.csv:{len(text.split(chr(10)))}: " in told


def test_a_line_with_its_value_out_of_the_kinds_range_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines, told = _import(capsys, _file(tmp_path, METER), "--map", "power=tank.humidity")
    assert [line.get("value") for line in lines] == [0, None]
    assert "recording.csv:2: value of tank.humidity: found 862; accepted: a number from 0 to 100 %" in told


def test_days_of_one_meter_are_one_device_named_after_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = _file(tmp_path, METER.replace("17/", "18/"), "stove_2011-12-18.csv")
    first = _file(tmp_path, METER, "stove_2011-12-17.csv")
    _, lines, told = _import(capsys, second, first, "--timezone", "Europe/Berlin")
    assert [line.get("point") for line in lines] == ["stove.power"] * 4 + [None]
    assert [str(line["at"])[:10] for line in lines] == ["2011-12-17"] * 2 + ["2011-12-18"] * 3
    assert "lines that feed no point: power_8s (2)" in told
    assert device_of(Path("kettle_2012-05.csv.gz")) == "kettle"


def test_home_assistants_history_keeps_its_names_and_its_not_knowing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lines, _ = _import(capsys, _file(tmp_path, HISTORY), "--timezone", "Europe/Stockholm")
    assert [(line.get("point"), line.get("value")) for line in lines[:-1]] == [
        ("hall_door.contact", False),
        ("stove.power", 1420.5),
        ("hall_door.contact", None),
    ]
    assert lines[0]["at"] == "2024-01-05T06:12:03.250+01:00"


def test_a_telegram_counts_as_a_whole_in_watts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _file(tmp_path, "\r\n" + TELEGRAM + "\r\n")
    _, lines, _ = _import(capsys, file, "--timezone", "Europe/Amsterdam", "--map", "1-0:1.7.0=meter.power")
    assert lines[0] == {"at": "2017-01-02T19:20:02.000+01:00", "point": "meter.power", "value": 244}


@pytest.mark.parametrize(("checksum", "readings"), [("", 3), ("A171", 0)])
def test_a_telegram_with_a_wrong_checksum_says_nothing(tmp_path: Path, checksum: str, readings: int) -> None:
    recording = Recording(_file(tmp_path, TELEGRAM + checksum + "\r\n"))
    assert len(list(recording)) == readings
    assert recording.bad == (readings == 0)


def test_the_hour_that_comes_twice_comes_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = ("02:10:00", "02:50:00", "02:49:58", "02:05:00", "02:59:59", "03:00:00")
    rows = "".join(f"2009-10-25 {time},0,1,d,door,on\n" for time in times)
    file = _file(tmp_path, EVENTS.splitlines()[0] + "\n" + rows)
    _, lines, told = _import(capsys, file, "--timezone", "Europe/Stockholm")
    assert [str(line["at"])[11:] for line in lines[:-1]] == [
        "02:10:00.000+02:00",
        "02:49:58.000+02:00",
        "02:50:00.000+02:00",
        "02:05:00.000+01:00",
        "02:59:59.000+01:00",
        "03:00:00.000+01:00",
    ]
    assert "1 put in order" in told


def test_a_long_silence_of_all_sensors_is_told_as_downtime_only_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, EVENTS.splitlines()[0] + "\n2003-03-27 06:00:00,0,1,d,door,on\n"
                 "2003-03-28 06:00:00,0,1,d,door,off\n")  # fmt: skip
    assert "node" not in str(_import(capsys, file))
    _, lines, _ = _import(capsys, file, "--outage", "16 h")
    assert [line.get("node", line.get("point")) for line in lines] == [
        "d.contact", "down", "up", "d.contact", None,
    ]  # fmt: skip
    assert lines[2]["at"] == lines[3]["at"]


def test_the_written_home_checks_and_replays_what_was_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, home = _file(tmp_path, EVENTS), tmp_path / "home.yaml"
    zone = ("--timezone", "America/New_York")
    _, guessed, _ = _import(capsys, file, *zone, "--write-home", home)
    assert main(["check", str(home)]) == 0
    capsys.readouterr()
    _, by_home, _ = _import(capsys, file, "--home", home)
    assert by_home == guessed
    readings = _file(tmp_path, "".join(json.dumps(line) + "\n" for line in guessed), "readings.jsonl")
    told = StringIO()
    assert replay(home, str(readings), StringIO(), told) == 0
    assert told.getvalue() == "", "no point was skipped"
    status, _, said = _import(capsys, file, *zone, "--write-home", home)
    assert status == 1
    assert "exists" in said


def test_names_that_meet_are_told_apart() -> None:
    guessed, file = Guessed(), Path("x.csv")
    assert guessed(file, "1", Sensor("Door", "contact", "Hall")) == "hall_door.contact"
    assert guessed(file, "2", Sensor("Door", "contact", "Hall")) == "hall_door_2.contact"
    assert guessed(file, "3", Sensor("Door", "motion", "Hall")) == "hall_door_motion.motion"
    assert guessed(file, "1", Sensor("Door", "contact", "Hall")) == "hall_door.contact"
    assert guessed(Path("y.csv"), "1", Sensor("Door", "contact", "Hall")) == "hall_door.contact"
    assert guessed(file, "4", Sensor("level")) == ""


@pytest.mark.parametrize("pair", ["12", "=a.contact", "12=door", "12=door.contakt"])
def test_a_map_that_names_no_point_is_told(pair: str) -> None:
    with pytest.raises(FileMistakes, match=r"front_door\.contact"):
        Mapped([pair])


def test_a_recording_that_feeds_no_point_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, told = _import(capsys, _file(tmp_path, METER), "--map", "3=stove.power")
    assert (status, lines) == (2, [])
    assert "power (2), power_8s (2)" in told


def test_one_reading_is_not_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, told = _import(capsys, _file(tmp_path, METER.splitlines(keepends=True)[1]))
    assert (status, len(lines)) == (0, 2)
    assert "1 reading\n" in told


def test_a_source_that_was_mapped_and_never_heard_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, METER)
    _, _, told = _import(capsys, file, "--map", "power=stove.power", "--map", "pover=plug.power")
    assert "--map: no line is of pover\n" in told
    _, _, told = _import(capsys, file, "--map", "power=stove.power", "--map", "power_8s=plug.power")
    assert "--map" not in told


def test_a_value_that_a_point_cant_have_is_told_with_what_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, HISTORY.replace("1420.5", "1e300"))
    _, _, told = _import(capsys, file)
    assert "value of stove.power: found 1e+300; accepted: a number from -1e+06 to 1e+06 W" in told
    _, _, told = _import(capsys, file, "--map", "binary_sensor.hall_door_contact=stove.power")
    assert "value of stove.power: found False; accepted: a number" in told
    meter = _file(tmp_path, METER)
    _, _, told = _import(capsys, meter, "--map", "power=a.contact", "--map", "power_8s=b.power")
    assert "value of a.contact: found 862; accepted: true or false" in told


def test_a_name_in_a_recording_moves_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _file(tmp_path, HISTORY + "sensor.\x1b[31m,on,2024-01-05T05:13:00Z\n")
    _, _, told = _import(capsys, file)
    assert r"'sensor.\x1b[31m' (1)" in told


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("170102192002W", "2017-01-02T19:20:02.000+01:00"),
        ("170702192002S", "2017-07-02T19:20:02.000+02:00"),
        ("220408135021W", "2022-04-08T14:50:21.000+02:00"),  # of a Swedish meter
        ("221030023000S", "2022-10-30T02:30:00.000+02:00"),
        ("221030023000W", "2022-10-30T02:30:00.000+01:00"),
        ("221030013000W", "2022-10-30T02:30:00.000+02:00"),
        ("220327023000W", "2022-03-27T03:30:00.000+02:00"),
    ],
)
def test_a_meter_that_says_winter_in_summer_has_no_summer_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stamp: str, at: str
) -> None:
    file = _file(tmp_path, TELEGRAM.replace("170102192002W", stamp) + "\r\n")
    _, lines, _ = _import(capsys, file, "--timezone", "Europe/Stockholm")
    assert lines[0]["at"] == at
