"""The driver that plays a recorded home, on files as they are recorded."""

from __future__ import annotations

import asyncio
import gzip
from datetime import datetime
from pathlib import Path

import pytest

from drivers.recording import DRIVER
from homenode.config.check import check_home
from homenode.config.model import Device
from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.kit.listener import Listener, running

HEADER = "local_time,epoch_local_as_utc,sensor_id,name,kind,state\n"
MORNING = HEADER + (
    "2008-02-26 07:10:00,0,24,Bedroom door,door,on\n"
    "2008-02-26 07:10:02,0,24,Bedroom door,door,off\n"
    "2008-02-26 07:10:02,0,24,Bedroom door,door,off\n"
    '2008-02-26 07:12:00,0,6,"Hall, door",door,on\n'
    "2008-02-26 07:11:58,0,6,Hall door,door,off\n"
    "2008-02-27 07:10:00,0,24,Bedroom door,door,on\n"
)
BEDROOM = Device(
    "bedroom", "recording", "bedroom", "tape", options={"sensor": "24", "kind": "contact"}, kinds=("contact",)
)
HALL = Device(
    "hall", "recording", "hall", "tape", options={"sensor": "6", "kind": "contact"}, kinds=("contact",)
)


@pytest.fixture
def morning(tmp_path: Path) -> Path:
    file = tmp_path / "home.csv.gz"
    file.write_bytes(gzip.compress(MORNING.encode()))
    return file


def _play(tmp_path: Path, *devices: Device, clock: Clock | None = None, **options: object) -> Listener:
    """Plays a tape to its end."""

    async def play() -> Listener:
        host = Listener(tmp_path, clock)
        async with running(DRIVER.open("tape", options, devices, host)) as task, asyncio.timeout(20):
            await task
        return host

    return asyncio.run(play())


def test_every_line_of_a_known_sensor_is_told_repeats_too(tmp_path: Path, morning: Path) -> None:
    host = _play(tmp_path, BEDROOM, HALL, file=morning, pace="fast")
    assert [said.value for said in host.said if said.device == "bedroom"] == [True, False, False, True]
    assert [said.value for said in host.said if said.device == "hall"] == [True, False]


def test_a_line_out_of_order_keeps_its_place_in_time(tmp_path: Path, morning: Path) -> None:
    host = _play(tmp_path, HALL, file=morning, pace="fast")
    newest, late = (said.at for said in host.said)
    assert newest is not None
    assert late == newest - 2000


def test_lines_of_other_sensors_are_counted(
    tmp_path: Path, morning: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "homenode.recording")
    _play(tmp_path, HALL, file=morning, pace="fast")
    assert "played 2 readings of 1 points, skipped 4 lines of 1 sensors" in caplog.text


def test_a_sensor_that_never_speaks_is_named(
    tmp_path: Path, morning: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = Device("x", "recording", "hall", "tape", options={"sensor": "66", "kind": "contact"})
    _play(tmp_path, other, file=morning, pace="fast")
    assert "never seen in what was played: 66" in caplog.text


def test_bad_lines_are_counted_and_told_and_stop_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(
        MORNING.replace("door,off\n2008-02-26 07:12", "door,off\n2008-13-45,nonsense\n2008-02-26 07:12")
    )
    host = _play(tmp_path, BEDROOM, HALL, file=file, pace="fast")
    assert len(host.said) == 6
    assert "1 lines could not be read" in caplog.text
    assert "bad.csv:5" in caplog.text


def test_a_part_of_the_recording_can_be_played(tmp_path: Path, morning: Path) -> None:
    part = {"file": morning, "pace": "fast", "from": datetime(2008, 2, 26, 7, 10, 2), "for": 116_001}
    assert len(_play(tmp_path, BEDROOM, HALL, **part).said) == 3


def test_intervals_are_those_of_the_recording_on_the_nodes_clock(tmp_path: Path, morning: Path) -> None:
    part = {"file": morning, "pace": "recorded", "from": datetime(2008, 2, 26, 7, 10), "for": 600_000}
    clock = Clock(speed=120.0)
    began = clock.now()
    host = _play(tmp_path, BEDROOM, HALL, clock=clock, **part)
    first, second, _, third, _ = (said.at for said in host.said)
    assert first is not None
    assert second is not None
    assert third is not None
    late_ms = 2_000 * 120  # a busy machine may be two real seconds late, with the first reading, too
    for at, into_ms in ((first, 0), (second, 2_000), (third, 120_000)):
        assert began + into_ms <= at < began + into_ms + late_ms
    assert first <= second < third


def test_the_tape_waits_for_a_gateway_that_lags(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    file.write_text("".join(f"17/12/2011 00:{n // 60:02}:{n % 60:02};{n};0\n" for n in range(3000)))
    plug = Device("plug", "recording", "kitchen", "tape", options={"sensor": "power", "kind": "power"})

    async def play() -> None:
        host = Listener(tmp_path)
        heard, host.backlog = host.heard, 0

        def full(*said: object) -> None:
            heard(*said)  # type: ignore[arg-type]  # passed on as they come
            host.backlog += 1

        host.heard = full  # type: ignore[method-assign]  # counts what waits
        driver = DRIVER.open("tape", {"file": file, "pace": "fast"}, (plug,), host)
        async with running(driver) as task:
            await host.until(lambda host: host.backlog >= 800, "a full inbox")
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert host.backlog < 1000
            while not task.done():
                host.backlog = 0
                await asyncio.sleep(0.001)
        assert len(host.said) == 3000

    asyncio.run(play())


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("what is this?\n", "the first line of a known format")]
)
def test_a_file_that_is_no_recording_says_so(tmp_path: Path, content: str | None, why: str) -> None:
    file = tmp_path / "tape.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SetupError, match=why):
        _play(tmp_path, HALL, file=file)


def test_what_is_missing_is_told_with_an_example_that_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "home.yaml").write_text(
        "home: h\ntimezone: UTC\nradios: {tape: {driver: recording}}\n"
        "devices: {door: {driver: recording, radio: tape, kind: contact, room: hall}}\n"
    )
    told = [str(one) for one in check_home(tmp_path / "home.yaml").mistakes]
    assert any(
        one.endswith('door.sensor: found nothing; accepted: a name in it, such as "8"') for one in told
    )
    assert any(
        one.endswith("tape.file: found nothing; accepted: a file, such as houseA.csv.gz") for one in told
    )
